"""Buckets that exist are locked as the machine lock_objects does it, state by state."""

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from moto.backends import get_backend

from data_protection.adapters.evidence import EvidenceChain, chains_of
from data_protection.adapters.lock_configuration import LockConfiguration
from data_protection.adapters.lock_files import LockFiles
from data_protection.adapters.lock_ledger import LockMarks
from data_protection.adapters.version_pages import VersionPages
from data_protection.changes import Call, Change, Reversibility, digest
from data_protection.errors import (
    BucketMissing,
    LockNotApproved,
    LockRefused,
    LockStale,
    PlanMissing,
    ResourceUnreadable,
    StepRefused,
)
from data_protection.handlers import configure_bucket, list_versions, lock_shard
from data_protection.locations import ESTATE_KEY, profile_key, simulation_key
from data_protection.locking.contracts import ListVersions
from data_protection.locking.lister import Lister
from data_protection.remediation.audits import Audit, audit
from data_protection.remediation.evidence import Event, verify_chain
from kernel import aws
from kernel.errors import EffectConflict, ValidationError
from tests.support.aws import LAKE
from tests.support.context import Context
from tests.support.locking import (
    ACCOUNT,
    ALICE,
    BOB,
    BUCKET,
    EVIDENCE,
    REGION,
    REMEDIATIONS,
    Retentions,
    answered,
    apply,
    approve,
    begin,
    call,
    days_left,
    listed,
    locking,
    refusal,
    simulate,
    write,
)

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def s3(aws_account: None) -> Iterator[Retentions]:
    with locking() as made:
        yield made


@pytest.fixture
def cut_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut listings into pages of two and shards of four."""
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "2")
    monkeypatch.setattr(list_versions, "Lister", partial(Lister, shard_versions=4))


def versioned() -> None:
    aws.s3().put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def locked(**default: Any) -> None:
    """Enable Object Lock, with a default retention."""
    versioned()
    acting = aws.client(aws.session(), "s3", REGION)
    acting.put_object_lock_configuration(  # type: ignore[attr-defined]
        Bucket=BUCKET,
        ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": default}},
    )


def retain(key: str, version: str, mode: str, days: int) -> None:
    aws.client(aws.session(), "s3", REGION).put_object_retention(  # type: ignore[attr-defined]
        Bucket=BUCKET,
        Key=key,
        VersionId=version,
        Retention={"Mode": mode, "RetainUntilDate": datetime.now(UTC) + days * DAY},
    )


def document(prefix: str, name: str) -> dict[str, Any]:
    return dict(json.loads(aws.s3().get_object(Bucket=LAKE, Key=f"{prefix}{name}")["Body"].read()))


def evidence(simulation: str, step: str = "") -> list[Event]:
    chain = EvidenceChain(aws.s3(), EVIDENCE, plan=simulation, step=step, principal="", controls={}).records()
    verify_chain(chain)
    return [record.event for record in chain]


def test_twenty_objects_of_a_bucket_without_versions_are_locked(s3: Retentions) -> None:
    write(*(f"audio/{number}" for number in range(20)))

    simulated = simulate()
    approve(simulated["simulation"])
    reported = apply(simulated["simulation"])

    assert (simulated["locked"], simulated["size"], simulated["refused"]) == (20, 200, 0)
    assert (reported["outcomes"], reported["complete"]) == ({"set": 20}, True)
    mode, until = s3.of("audio/7", "null") or ("", datetime.now(UTC))
    assert (mode, days_left(until)) == ("GOVERNANCE", 400)
    configuration = aws.s3().get_object_lock_configuration(Bucket=BUCKET)["ObjectLockConfiguration"]
    assert configuration["Rule"]["DefaultRetention"]["Days"] == 400
    assert evidence(simulated["simulation"]) == [Event.PLANNED, Event.APPROVED, Event.BEGUN, Event.FINISHED]
    for step in ("S3-VERSION", "S3-LOCK"):
        assert evidence(simulated["simulation"], step) == [Event.SEEN, Event.APPLIED, Event.VERIFIED]


def audited(simulation: str) -> Audit:
    return audit(simulation, chains_of(aws.s3(), EVIDENCE, simulation))


def test_end_of_a_lock_names_the_heads_of_all_its_chains(s3: Retentions) -> None:
    write("a", "b")
    simulated = simulate()["simulation"]
    approve(simulated)
    reported = apply(simulated)

    assert audited(simulated) == Audit(head=reported["head"], breaks=(), open=())
    last = f"data_protection/evidence/{simulated}/S3-LOCK/0002.json"
    aws.s3().delete_object(Bucket=EVIDENCE, Key=last)
    assert [sentence for sentence in audited(simulated).breaks if "S3-LOCK" in sentence] == [
        "The chain of S3-LOCK is not the one that record 3 of the plan names."
    ]


def test_end_of_a_lock_that_is_not_complete_names_them_too(s3: Retentions) -> None:
    write("a", "b")
    s3.denied = {"b"}
    simulated = simulate()["simulation"]
    approve(simulated)

    assert not apply(simulated)["complete"]
    assert (audited(simulated).breaks, audited(simulated).open) == ((), ())


def test_simulating_changes_nothing_in_the_bucket(s3: Retentions) -> None:
    write("a", "b")

    simulate()

    assert s3.sets == []
    assert "Status" not in aws.s3().get_bucket_versioning(Bucket=BUCKET)


def test_every_version_is_counted_by_what_it_is(s3: Retentions) -> None:
    versioned()
    write("audio/1", "audio/2", size=100)
    write("audio/1", size=50)
    aws.s3().delete_object(Bucket=BUCKET, Key="audio/2")

    simulated = simulate()
    approve(simulated["simulation"])
    reported = apply(simulated["simulation"])

    tally = document(simulated["prefix"], "simulation.json")["tally"]
    assert tally["outcomes"] == {"set": {"versions": 3, "size": 250}, "delete_marker": {"versions": 1, "size": 0}}
    assert tally["noncurrent"] == {"versions": 2, "size": 200}
    assert reported["outcomes"] == {"delete_marker": 1, "set": 3}


def test_what_is_retained_for_longer_stays_so(s3: Retentions) -> None:
    locked(Mode="GOVERNANCE", Days=1)
    versions = write("longer", "shorter", "none")
    retain("longer", versions["longer"], "GOVERNANCE", 900)
    retain("shorter", versions["shorter"], "GOVERNANCE", 30)

    simulated = simulate()
    approve(simulated["simulation"])
    reported = apply(simulated["simulation"])

    assert reported["outcomes"] == {"longer": 1, "set": 2}
    ends = {key: days_left((s3.of(key, version) or ("", datetime.now(UTC)))[1]) for key, version in versions.items()}
    assert ends == {"longer": 900, "shorter": 400, "none": 400}
    assert document(simulated["prefix"], "simulation.json")["tally"]["extended"]["versions"] == 2


def test_compliance_that_was_not_asked_for_is_not_prolonged(s3: Retentions) -> None:
    locked(Mode="GOVERNANCE", Days=1)
    aws.s3().put_object(
        Bucket=BUCKET,
        Key="sealed",
        Body=b"x",
        ChecksumAlgorithm="SHA256",
        ObjectLockMode="COMPLIANCE",
        ObjectLockRetainUntilDate=datetime.now(UTC) + 30 * DAY,
    )

    simulated = simulate()
    approve(simulated["simulation"])
    reported = apply(simulated["simulation"])

    assert (simulated["locked"], simulated["refused"]) == (0, 1)
    assert (reported["outcomes"], s3.sets) == ({"refused": 1}, [])


def test_legal_holds_are_counted_and_left_alone(s3: Retentions) -> None:
    locked(Mode="GOVERNANCE", Days=1)
    version = write("held")["held"]
    aws.s3().put_object_legal_hold(Bucket=BUCKET, Key="held", VersionId=version, LegalHold={"Status": "ON"})

    simulated = simulate()

    assert document(simulated["prefix"], "simulation.json")["tally"]["legal_holds"]["versions"] == 1


def test_objects_of_other_prefixes_are_left_alone(s3: Retentions) -> None:
    write("audio/1", "logs/1")

    simulated = simulate(prefix="audio/")
    approve(simulated["simulation"])

    assert apply(simulated["simulation"])["outcomes"] == {"set": 1}
    assert s3.of("logs/1", "null") is None


def test_an_empty_bucket_is_locked_for_what_comes() -> None:
    simulated = simulate()
    approve(simulated["simulation"])

    assert (simulated["locked"], simulated["until"]) == (0, None)
    assert apply(simulated["simulation"])["complete"]


@pytest.mark.parametrize("who", [(), (BOB,)], ids=["nobody", "one"])
def test_nothing_is_applied_before_two_have_approved(s3: Retentions, who: tuple[str, ...]) -> None:
    write("a")
    simulated = simulate()
    if who:
        approve(simulated["simulation"], *who)

    with pytest.raises(LockNotApproved, match=f"{len(who)} of 2 people"):
        begin(apply=simulated["simulation"])
    assert "Status" not in aws.s3().get_bucket_versioning(Bucket=BUCKET)


def test_an_approval_by_who_asked_does_not_count() -> None:
    simulated = simulate()
    row = aws.dynamodb().get_item(
        TableName=REMEDIATIONS, Key={"plan": {"S": simulated["simulation"]}, "entry": {"S": "approval"}}
    )["Item"]
    forged = json.loads(row["approval"]["S"])
    forged["decisions"] = [
        {"approver": who, "approves": True, "at": datetime.now(UTC).isoformat()} for who in (ALICE, BOB)
    ]
    aws.dynamodb().put_item(TableName=REMEDIATIONS, Item={**row, "approval": {"S": json.dumps(forged)}})

    with pytest.raises(LockNotApproved, match="1 of 2 people"):
        begin(apply=simulated["simulation"])


def test_a_simulation_that_was_edited_is_refused() -> None:
    simulated = simulate()
    key = simulation_key(simulated["simulation"])
    body = document(simulated["prefix"], "simulation.json")
    body["terms"]["mode"] = "COMPLIANCE"
    aws.s3().put_object(Bucket=LAKE, Key=key, Body=json.dumps(body).encode())
    approve(simulated["simulation"])

    with pytest.raises(PlanMissing, match="was changed"):
        begin(apply=simulated["simulation"])


def test_a_hash_that_nothing_has_is_refused() -> None:
    with pytest.raises(PlanMissing, match="simulate the lock first"):
        begin(apply=digest("nothing"))


def test_a_bucket_that_was_configured_otherwise_since_is_simulated_again() -> None:
    simulated = simulate()
    approve(simulated["simulation"])
    versioned()

    with pytest.raises(LockStale, match="configured otherwise"):
        begin(apply=simulated["simulation"])


def test_a_simulation_holds_for_a_week() -> None:
    simulated = simulate(time=(datetime.now(UTC) - 8 * DAY).isoformat())
    approve(simulated["simulation"])

    with pytest.raises(LockStale, match="over 7 days ago"):
        begin(apply=simulated["simulation"])


def test_a_bucket_that_has_grown_too_much_is_simulated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_protection.locking.simulation._ANYWAY", 2)
    write("a")
    simulated = simulate()
    approve(simulated["simulation"])
    write(*"bcdefg")

    with pytest.raises(LockStale, match=r"had 1 versions .* has 7 now"):
        apply(simulated["simulation"])


def test_a_bucket_that_receives_access_logs_is_never_locked() -> None:
    aws.s3().create_bucket(Bucket="site", CreateBucketConfiguration={"LocationConstraint": REGION})
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "logging.s3.amazonaws.com"},
                "Action": "s3:PutObject",
                "Resource": f"arn:aws:s3:::{BUCKET}/*",
            }
        ],
    }
    aws.s3().put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))
    aws.s3().put_bucket_logging(
        Bucket="site", BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": BUCKET, "TargetPrefix": ""}}
    )

    with pytest.raises(LockRefused, match="site would log here no more"):
        begin()


def test_a_bucket_that_does_not_exist_is_refused() -> None:
    with pytest.raises(BucketMissing, match="no bucket nowhere"):
        begin(bucket="nowhere")


def test_a_bucket_that_cannot_be_read_is_refused() -> None:
    def deny(**_: Any) -> None:
        raise refusal("AccessDenied", 403)

    aws.client(aws.session(), "s3", REGION).meta.events.register("before-call.s3.GetBucketReplication", deny)

    with pytest.raises(ResourceUnreadable, match="GetBucketReplication"):
        begin()


def profile(**said: Any) -> None:
    """Put the account's profile."""
    rule = {"kind": "s3-bucket", "select": [{"name": BUCKET}], "requires": {"S3-LOCK": {"days": 30}}}
    body = json.dumps({"name": "rfc-008", "rules": [rule], **said}).encode()
    aws.s3().put_object(Bucket=LAKE, Key=profile_key("rfc-008"), Body=body)


def excepted(until: date) -> None:
    """Let somebody answer for the bucket being without Object Lock."""
    exception = {
        "check": "S3-LOCK",
        "kind": "s3-bucket",
        "name": BUCKET,
        "owner": "privacy@example",
        "reason": "Callers may ask for erasure.",
        "expires": until.isoformat(),
    }
    profile(exceptions=[exception])


def tagged(key: str) -> None:
    aws.s3().put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": key, "Value": "yes"}]})


def test_a_bucket_that_somebody_answers_for_is_neither_simulated_nor_locked() -> None:
    simulated = simulate()
    approve(simulated["simulation"])
    today = datetime.now(UTC).date()
    excepted(until=today)

    for asked in ({}, {"apply": simulated["simulation"]}):
        with pytest.raises(LockRefused, match="privacy@example answers until"):
            begin(**asked)
    excepted(until=today - DAY)
    assert begin(apply=simulated["simulation"])["simulation"] == simulated["simulation"]


def test_a_bucket_that_a_tag_protects_is_neither_simulated_nor_locked() -> None:
    simulated = simulate()
    approve(simulated["simulation"])
    tagged("gatehouse:protected")

    for asked in ({}, {"apply": simulated["simulation"]}):
        with pytest.raises(LockRefused, match="carries the tag gatehouse:protected"):
            begin(**asked)
    tagged("another")
    assert begin(apply=simulated["simulation"])["simulation"] == simulated["simulation"]


def test_a_lock_that_has_begun_goes_on_no_more_once_a_tag_protects_the_bucket() -> None:
    simulated = simulate()
    approve(simulated["simulation"])
    begin(apply=simulated["simulation"])
    tagged("gatehouse:protected")

    with pytest.raises(LockRefused, match="gatehouse:protected"):
        begin(run="run-3", apply=simulated["simulation"])


def test_a_bucket_whose_tags_cannot_be_read_is_refused() -> None:
    def deny(**_: Any) -> None:
        raise refusal("AccessDenied", 403)

    aws.client(aws.session(), "s3", REGION).meta.events.register("before-call.s3.GetBucketTagging", deny)

    with pytest.raises(ResourceUnreadable, match="may be protected by a tag"):
        begin()


def test_evidence_tells_who_asked_for_each_run_that_applies() -> None:
    simulated = simulate()["simulation"]
    approve(simulated)
    dave = f"arn:aws:iam::{ACCOUNT}:user/dave"
    begin(run="run-2", apply=simulated)
    begin(run="run-2", apply=simulated)
    begin(run="run-3", apply=simulated, requested_by=dave)

    chain = EvidenceChain(aws.s3(), EVIDENCE, plan=simulated, step="", principal="", controls={})
    begun = [record.content for record in chain.records() if record.event is Event.BEGUN]
    assert begun == [{"run": "run-2", "requested_by": ALICE}, {"run": "run-3", "requested_by": dave}]


def test_who_asks_to_apply_a_simulation_is_none_of_those_who_approve_it() -> None:
    simulated = simulate()
    approve(simulated["simulation"])

    with pytest.raises(LockNotApproved, match="bob, who asks to apply it"):
        begin(apply=simulated["simulation"], requested_by=BOB)


def test_compliance_needs_a_month_of_governance_before() -> None:
    with pytest.raises(LockRefused, match="never in GOVERNANCE"):
        begin(mode="COMPLIANCE")
    marks = LockMarks(aws.dynamodb(), REMEDIATIONS)
    marks.govern(f"arn:aws:s3:::{BUCKET}", datetime.now(UTC) - 29 * DAY)
    with pytest.raises(LockRefused, match="only since"):
        begin(mode="COMPLIANCE")

    assert begin(mode="COMPLIANCE", time=(datetime.now(UTC) + 2 * DAY).isoformat())["terms"]["mode"] == "COMPLIANCE"


def test_a_lock_in_governance_mode_begins_the_month() -> None:
    simulated = simulate()
    approve(simulated["simulation"])
    apply(simulated["simulation"])

    since = LockMarks(aws.dynamodb(), REMEDIATIONS).governed_since(f"arn:aws:s3:::{BUCKET}")
    assert since is not None
    assert datetime.now(UTC) - since < timedelta(minutes=1)


def test_compliance_that_is_named_goes_over_governance(s3: Retentions) -> None:
    locked(Mode="GOVERNANCE", Days=500)
    versions = write("a")

    simulated = simulate(mode="COMPLIANCE", named=["COMPLIANCE"])
    approve(simulated["simulation"])
    reported = apply(simulated["simulation"])

    mode, until = s3.of("a", versions["a"]) or ("", datetime.now(UTC))
    assert (mode, days_left(until)) == ("COMPLIANCE", 500)
    assert reported["outcomes"] == {"set": 1}
    default = aws.s3().get_object_lock_configuration(Bucket=BUCKET)["ObjectLockConfiguration"]["Rule"][
        "DefaultRetention"
    ]
    assert (default["Mode"], default["Days"]) == ("COMPLIANCE", 500)


def test_versions_that_s3_refuses_are_told_with_the_reason_and_tried_again_by_the_next_run(s3: Retentions) -> None:
    write("a", "b", "c")
    s3.denied = {"b"}
    simulated = simulate()
    approve(simulated["simulation"])

    reported = apply(simulated["simulation"])

    assert (reported["outcomes"], reported["complete"]) == ({"refused": 1, "set": 2}, False)
    key = document(reported["prefix"], "report.json")["present"]["refused"][0]
    [line] = gzip.decompress(aws.s3().get_object(Bucket=LAKE, Key=key)["Body"].read()).splitlines()
    assert json.loads(line) == {"key": "b", "id": "null", "reason": "AccessDenied: no"}
    assert evidence(simulated["simulation"])[-1] is Event.NOT_VERIFIED
    assert LockMarks(aws.dynamodb(), REMEDIATIONS).governed_since(f"arn:aws:s3:::{BUCKET}") is None

    s3.denied, s3.sets = set(), []
    again = apply(simulated["simulation"], run="run-3")

    assert (again["outcomes"], again["complete"]) == ({"set": 3}, True)
    assert s3.sets == [("b", "null")]


def test_a_bucket_that_grows_meanwhile_has_what_came_later_told(s3: Retentions) -> None:
    write("a")
    simulated = simulate()
    approve(simulated["simulation"])
    later: dict[str, str] = {}

    def grow(state: str) -> None:
        if state == "LockShard/present":
            later.update(write("later-1", "later-2"))

    reported = apply(simulated["simulation"], between=grow)

    assert (reported["outcomes"], reported["complete"]) == ({"set": 1}, True)
    # The first one was written within the minutes by which clocks may differ.
    assert reported["later"]["already"] == 3
    assert all(days_left((s3.of(key, version) or ("", datetime.now(UTC)))[1]) == 400 for key, version in later.items())
    assert ("later-1", later["later-1"]) not in s3.sets


def test_versions_that_are_deleted_meanwhile_are_gone(s3: Retentions) -> None:
    versioned()
    versions = write("a", "b")
    simulated = simulate()
    approve(simulated["simulation"])

    def delete(state: str) -> None:
        if state == "LockShard/present":
            aws.s3().delete_object(Bucket=BUCKET, Key="a", VersionId=versions["a"])

    assert apply(simulated["simulation"], between=delete)["outcomes"] == {"gone": 1, "set": 1}


@pytest.mark.usefixtures("cut_small")
def test_a_large_bucket_is_worked_on_in_shards(s3: Retentions) -> None:
    versioned()
    for _ in range(3):
        write(*"abcdef")

    job = begin()
    shards = listed(job, "present")
    simulated = simulate()
    approve(simulated["simulation"])
    reported = apply(simulated["simulation"])

    assert len(shards) > 3
    assert reported["outcomes"] == {"set": 18}
    assert document(simulated["prefix"], "simulation.json")["tally"]["noncurrent"]["versions"] == 12


@pytest.mark.usefixtures("cut_small")
def test_a_listing_goes_on_where_time_ran_out() -> None:
    versioned()
    write(*"abcdefg")
    job = begin()

    class Hurried(Context):
        def get_remaining_time_in_millis(self) -> int:
            return 0

    steps: list[dict[str, Any]] = []
    while not steps or not steps[-1]["done"]:
        steps.append(list_versions.handler({"job": job, "part": "present"}, Hurried()))

    assert [step["entries"] for step in steps] == [2, 4, 6, 7]
    assert listed(job, "present")
    assert call(list_versions.handler, {"job": job, "part": "present"}) == steps[-1]


def test_two_that_list_at_once_do_not_mix_their_listings() -> None:
    write("a")
    job = begin()
    asked = ListVersions.model_validate({"job": job, "part": "present"})
    lister = Lister(VersionPages(aws.s3(), BUCKET, ACCOUNT), LockFiles(aws.s3(), LAKE), lambda: datetime.now(UTC))

    def meanwhile() -> bool:
        write("b")
        return call(list_versions.handler, {"job": job, "part": "present"}) is None

    with pytest.raises(EffectConflict, match="the other one goes on"):
        lister.go_on(asked.job, "present", meanwhile)

    [shard] = listed(job, "present")
    assert [version.key for version in LockFiles(aws.s3(), LAKE).versions(shard["key"])] == ["a", "b"]


def test_a_shard_that_is_done_is_not_done_again(s3: Retentions) -> None:
    write("a")
    simulated = simulate()
    approve(simulated["simulation"])
    apply(simulated["simulation"])
    s3.sets = []

    again = apply(simulated["simulation"], run="run-3")

    assert (again["outcomes"], s3.sets) == ({"set": 1}, [])


def test_throttling_is_no_refusal(s3: Retentions) -> None:
    write("a")
    simulated = simulate()
    approve(simulated["simulation"])

    def throttle(_key: str) -> None:
        raise refusal("SlowDown", 503)

    s3.before = throttle
    with pytest.raises(Exception, match="SlowDown"):
        apply(simulated["simulation"])
    s3.before = lambda _key: None

    assert apply(simulated["simulation"])["outcomes"] == {"set": 1}


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"bucket": ""}, "give a bucket"),
        ({"requested_by": ""}, "requested_by"),
        ({"requested_by": "", "bucket": "", "apply": "0" * 64}, "requested_by"),
        ({"days": 0}, "`days`: 0 is not one of 1 to"),
        ({"days": None}, "^`days` is missing."),
        ({"named": ["EVERYTHING"]}, "COMPLIANCE"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        begin(**asked)


def test_another_account_without_a_role_for_the_phase_is_left_alone() -> None:
    reads = {"arn": "arn:aws:iam::210987654321:role/read", "external_id": "gatehouse"}
    other = {"account": "210987654321", "regions": [REGION], "assess": reads}
    estate = {"accounts": [{"account": ACCOUNT, "regions": [REGION]}, other]}
    aws.s3().put_object(Bucket=LAKE, Key=ESTATE_KEY, Body=json.dumps(estate).encode())

    with pytest.raises(Exception, match="no role for phase 4"):
        begin(account="210987654321")


def test_lock_shard_takes_no_shard_that_was_not_listed() -> None:
    simulated = simulate()
    approve(simulated["simulation"])
    job = begin(apply=simulated["simulation"])

    with pytest.raises(PlanMissing, match="is not there"):
        call(lock_shard.handler, {"job": job, "part": "present", "shard": {"number": 0, "key": "nowhere"}})


def test_a_change_that_s3_takes_and_does_not_show_is_not_made_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    versioned()
    simulated = simulate()
    approve(simulated["simulation"])
    job = begin(apply=simulated["simulation"])
    made = []

    def forget(**_: Any) -> Any:
        made.append(1)
        return answered({})

    events = aws.client(aws.session(), "s3", REGION).meta.events
    events.register_first("before-call.s3.PutObjectLockConfiguration", forget)

    looks = [call(configure_bucket.handler, {"job": job}) for _ in range(3)]
    assert looks == [{"done": False, "wait_seconds": 5}] * 3
    assert len(made) == 1
    monkeypatch.setattr(configure_bucket, "utc_now", lambda: datetime.now(UTC) + timedelta(minutes=11))
    with pytest.raises(LockRefused, match="S3 took it at"):
        call(configure_bucket.handler, {"job": job})


def test_a_lock_makes_no_call_but_its_own() -> None:
    call_of_a_check = Call(service="s3", operation="put_bucket_lifecycle_configuration", parameters={})
    change = Change(
        check="S3-VERSION",
        title="Delete noncurrent versions",
        call=call_of_a_check,
        inverse=None,
        reversibility=Reversibility.LOSES_DATA,
        before=None,
        after=None,
    )

    with pytest.raises(StepRefused, match="does not call put_bucket_lifecycle_configuration"):
        LockConfiguration(lambda service, region: aws.client(aws.session(), service, region)).make(change, REGION)


def test_account_sees_in_its_trail_which_simulation_is_applied() -> None:
    role = {"arn": f"arn:aws:iam::{ACCOUNT}:role/lock", "external_id": "gatehouse"}
    estate = {"accounts": [{"account": ACCOUNT, "regions": [REGION], "remediate": {"4": role}}]}
    aws.s3().put_object(Bucket=LAKE, Key=ESTATE_KEY, Body=json.dumps(estate).encode())
    write("a")
    simulated = simulate()
    approve(simulated["simulation"])
    job = begin(apply=simulated["simulation"])
    sessions = get_backend("sts")[ACCOUNT]["aws"].assumed_roles
    assert {one.session_name for one in sessions} == {"gatehouse-data-protection"}

    call(configure_bucket.handler, {"job": job})

    assert {one.session_name for one in sessions} == {"gatehouse-data-protection", simulated["simulation"]}
