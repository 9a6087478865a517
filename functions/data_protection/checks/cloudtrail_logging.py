"""CT-LOGGING: a trail records, and what it records arrives."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from pydantic import Field

from data_protection import trails
from data_protection.changes import Call, CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.reads.cloudtrail import TRAIL_STATUS, TRAILS
from data_protection.resources import Kind
from data_protection.times import moment
from data_protection.trails import Trail
from data_protection.verdicts import Status, Verdict


class Logging(Requirement):
    """What is asked of the account's trail.

    Attributes:
        trail: Name or ARN of the one that is meant; None for any that records the region.
        hours: How long ago it may have delivered last.
    """

    trail: str | None = None
    hours: int = Field(default=24, ge=1)


def _validate(case: Case[Logging]) -> Verdict:
    return trails.best(trails.trails(case, case.requirement.trail), lambda trail: _judge(case, trail))


def _judge(case: Case[Logging], trail: Trail) -> Verdict:
    status, hours = trails.status(case, trail), case.requirement.hours
    delivered = status.get("LatestDeliveryTime")
    observed = {
        "trail": trail.name,
        "logging": status["IsLogging"],
        "delivered": delivered,
        "delivery_error": status.get("LatestDeliveryError"),
        "digest_error": status.get("LatestDigestDeliveryError"),
    }
    expected = {"logging": True, "hours": hours}
    if not status["IsLogging"]:
        return Verdict(Status.FAIL, f"The trail {trail.name} does not log.", observed, expected)
    for what in ("delivery_error", "digest_error"):
        if observed[what]:
            said = f"The trail {trail.name} logs, but S3 refuses what it delivers: {observed[what]}."
            return Verdict(Status.WARN, said, observed, expected)
    if delivered is None:
        # Not settling: AWS does not say by when the first log arrives, and a trail must not be stopped for being quiet.
        said = f"The trail {trail.name} logs and has delivered nothing yet."
        return Verdict(Status.WARN, said, observed, expected)
    if case.now - moment(delivered) > timedelta(hours=hours):
        said = f"The trail {trail.name} logs, but delivered last at {delivered}."
        return Verdict(Status.WARN, said, observed, expected)
    return Verdict(Status.PASS, f"The trail {trail.name} logs and delivers.", observed, expected)


def _propose(case: Case[Logging]) -> Sequence[Change]:
    trail = trails.changeable(case, case.requirement.trail)
    if trails.status(case, trail)["IsLogging"]:
        raise CannotChange(
            f"The trail {trail.name} logs; that nothing arrives is a matter of its bucket: let "
            "cloudtrail.amazonaws.com write to it, and use its key."
        )

    def call(operation: str) -> Call:
        return Call(service="cloudtrail", operation=operation, parameters={"Name": trail.resource.arn})

    return [
        Change(
            check="CT-LOGGING",
            title=f"Start logging of the trail {trail.name}",
            call=call("start_logging"),
            inverse=call("stop_logging"),
            reversibility=Reversibility.REVERSIBLE,
            before={"IsLogging": False},
            after={"IsLogging": True},
            target=trail.resource.arn,
            cost="A first trail's management events are free, data events about 0.10 USD for 100,000.",
            wait_seconds=900,
        )
    ]


def _present(case: Case[Logging], change: Change) -> Any:
    return {"IsLogging": trails.status(case, trails.changed(case, change))["IsLogging"]}


CHECK: Final = Check(
    id="CT-LOGGING",
    title="A trail logs and delivers",
    why="Without a trail nobody can tell who did what, and changes are not seen until the next sweep.",
    severity=Severity.CRITICAL,
    kind=Kind.ACCOUNT,
    requirement=Logging,
    reads=(TRAILS,),
    further=(TRAIL_STATUS,),
    validate=_validate,
    cost="A first trail's management events are free; the bucket's storage is paid.",
    advice="Create a multi-region trail with a bucket that CloudTrail may write to, and start its logging.",
    controls={
        "AWS FSBP": ("CloudTrail.1",),
        "NIST 800-53 r5": ("AC-2(4)", "AU-2", "AU-3", "AU-6(3)", "AU-6(4)", "AU-10", "AU-12", "AU-14(1)", "CA-7"),
    },
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"cloudtrail:start_logging", "cloudtrail:stop_logging"}),
        actions=frozenset({"cloudtrail:StartLogging", "cloudtrail:StopLogging"}),
        propose=_propose,
        present=_present,
    ),
)
