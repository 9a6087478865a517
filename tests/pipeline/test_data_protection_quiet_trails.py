"""A trail that is started and delivers nothing for long stays started."""

from data_protection.checks.catalogue import catalogue
from data_protection.profiles import Profile
from data_protection.remediation.steps import State
from data_protection.verdicts import Status
from tests.support.protection import protected

PROFILE = Profile.model_validate({"name": "test", "rules": [{"kind": "account", "requires": {"CT-LOGGING": {}}}]})


def test_trail_that_is_started_and_delivers_nothing_yet_is_verified_with_a_warning() -> None:
    with protected() as account:
        trails = account.client("cloudtrail")
        trails.meta.events.register(
            "after-call.cloudtrail.GetTrailStatus", lambda parsed, **_: parsed.pop("LatestDeliveryTime", None)
        )
        trails.create_trail(Name="main", S3BucketName="evidence", IsMultiRegionTrail=True)
        plan = account.plan(PROFILE, 1)
        worker = account.remediator(PROFILE, plan, catalogue()["CT-LOGGING"])
        worker.apply(account.calls)
        account.pass_time(seconds=plan.steps[0].change.wait_seconds + 1)

        assert worker.verify().state is State.VERIFIED
        assert trails.get_trail_status(Name="main")["IsLogging"]
        [found] = account.assess(PROFILE).findings
        assert (found.status, "nothing yet" in found.verdict.reason) == (Status.WARN, True)
