"""A plan that was carried out is undone by another one: what took hold, in the reverse order, and nothing else."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from data_protection.adapters.evidence import chains_of
from data_protection.adapters.plans import PlanReader
from data_protection.adapters.profiles import ProfileStore
from data_protection.changes import Reversibility
from data_protection.errors import EvidenceBroken, PlanMissing, PlanTooLarge, PlanUnapproved, PlanUndone, UndoRefused
from data_protection.findings import Standing
from data_protection.handlers import apply_step, verify_step
from data_protection.remediation.audits import audit
from data_protection.remediation.plans import LeftOut, Plan
from data_protection.remediation.policy import Policy
from data_protection.verdicts import Status
from kernel import aws
from tests.support.remediation import (
    ALICE,
    BOB,
    CAROL,
    EVIDENCE,
    FUNCTION,
    LAKE,
    Remediation,
    client,
    events_of,
    profile,
    records,
    recovers,
    remediated_account,
    standing,
    table,
    tables,
    whenever,
)

ORDERS = "DDB-PITR/dynamodb-table/orders/0"
KEPT = "DDB-DELPROT/dynamodb-table/orders/0"
ORDERS_ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"
EXCEPTION = {
    "check": "DDB-DELPROT",
    "kind": "dynamodb-table",
    "name": "orders",
    "owner": "team-shop",
    "reason": "It is made anew",
    "expires": "2099-01-01",
}


@pytest.fixture
def run() -> Iterator[Remediation]:
    with remediated_account() as made:
        table("orders")
        profile(tables("orders", DDB_DELPROT={}, DDB_PITR={}))
        yield made


def done(*phases: int, run: str = "saturday", **given: Any) -> str:
    """Carry a plan out, and return its hash."""
    remediation = Remediation(run)
    planned = remediation.plan(*phases, **given)
    remediation.work(planned)
    assert remediation.finish(planned["plan"])["good"], remediation.failures
    return str(planned["plan"])


def undoing(plan: str, run: str = "monday", **given: Any) -> tuple[Remediation, dict[str, Any]]:
    """Plan the undoing of a plan."""
    remediation = Remediation(run)
    return remediation, remediation.plan(undo=plan, **given)


def undone(plan: str, run: str = "monday", **given: Any) -> str:
    """Undo a plan, and return the hash of the plan that did."""
    return done(run=run, undo=plan, **given)


def read(plan: str) -> Plan:
    return PlanReader(aws.s3(), LAKE).load(plan)


def left_out(plan: str) -> dict[str, LeftOut]:
    """Return why steps are left out, by their id."""
    return {one.reason.partition(":")[0]: one.why for one in read(plan).omissions}


def keeps(name: str = "orders") -> bool:
    return bool(client("dynamodb").describe_table(TableName=name)["Table"]["DeletionProtectionEnabled"])


def is_whole(plan: str) -> bool:
    found = audit(plan, chains_of(aws.s3(), EVIDENCE, plan))
    return (found.breaks, found.open) == ((), ())


def buckets(*names: str, **requires: dict[str, Any]) -> dict[str, Any]:
    asked = {check.replace("_", "-"): requirement for check, requirement in requires.items()}
    return {"kind": "s3-bucket", "select": [{"name": name} for name in names], "requires": asked}


def bucket(name: str) -> None:
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})


@pytest.fixture
def logging(run: Remediation) -> str:
    """Carry out a plan by which two buckets log into a third one, whose policy that takes."""
    assert run
    for name in ("shop", "site", "access-logs"):
        bucket(name)
    profile(buckets("shop", "site", S3_LOG={"target": "access-logs"}))
    remediation = Remediation("saturday")
    planned = remediation.plan(1)
    remediation.work(planned)
    assert remediation.finish(planned["plan"])["counts"] == {"verified": 3, "satisfied": 1}
    return str(planned["plan"])


def logs(name: str) -> bool:
    return "LoggingEnabled" in client("s3").get_bucket_logging(Bucket=name)


def takes_logs() -> bool:
    try:
        client("s3").get_bucket_policy(Bucket="access-logs")
    except client("s3").exceptions.ClientError:
        return False
    return True


def test_what_a_plan_changed_is_brought_back_in_the_reverse_order_and_proven(run: Remediation) -> None:
    assert run
    first = done(1)
    assert keeps()
    assert recovers("orders")
    order = [step.id for step in read(first).steps]

    remediation, planned = undoing(first, named=["DDB-PITR"])
    second = planned["plan"]
    assert (planned["undoes"], planned["changes"], planned["approvers"], planned["omitted"]) == (first, 2, 1, {})
    assert [step.id for step in read(second).steps] == order[::-1]
    assert keeps()
    remediation.work(planned)
    finished = remediation.finish(second)

    assert (keeps(), recovers("orders")) == (False, False)
    assert (finished["good"], finished["counts"]) == (True, {"verified": 2})
    for step in order:
        assert events_of(second, step) == ["seen", "applied", "verified"]
        assert events_of(first, step) == ["seen", "applied", "verified", "taken_back"]
        assert records(first, step)[-1]["content"] == {"by": second}
    seen, _, verified = records(second, KEPT)
    assert (seen["content"]["status"], verified["content"]["status"]) == ("pass", "fail")
    assert seen["content"]["before"] == {"DeletionProtectionEnabled": True}
    assert events_of(first)[-1] == "taken_back"
    assert records(first)[-1]["content"]["by"] == second
    closing = records(second)[-1]["content"]
    assert closing["undone_head"] == audit(first, chains_of(aws.s3(), EVIDENCE, first)).head
    assert is_whole(first)
    assert is_whole(second)


def test_plan_is_of_one_reading_of_the_profile(run: Remediation) -> None:
    with patch.object(ProfileStore, "load", autospec=True, side_effect=ProfileStore.load) as loaded:
        first = run.plan(1)
        Remediation("monday").plan(undo=first["plan"])
    assert loaded.call_count == 2


def test_undoing_is_a_dry_run_unless_told_otherwise_and_carried_out_by_its_hash_later(run: Remediation) -> None:
    first = done(1)
    planned = run.plan(undo=first, steps=["DDB-DELPROT"], dry_run=True)
    assert keeps()

    assert done(run="tuesday", plan=planned["plan"]) == planned["plan"]
    assert not keeps()


def test_no_policy_approves_an_undoing_beforehand(run: Remediation) -> None:
    assert run
    rules = tables("orders", DDB_DELPROT={})
    profile(rules, remediation={"preapproved_phases": [1, 2]})
    remediation = Remediation("saturday")
    planned = remediation.plan(1)
    assert planned["approvers"] == 0
    remediation.work(planned)

    monday, planned = undoing(planned["plan"])

    assert planned["approvers"] == 1
    with pytest.raises(PlanMissing, match="Nobody asks for an approval"):
        monday.step(planned["plan"], KEPT)
    monday.ask(planned["plan"])
    with pytest.raises(PlanUnapproved):
        monday.step(planned["plan"], KEPT)
    assert keeps()


def test_undoing_takes_two_people_where_the_plan_took_two(run: Remediation) -> None:
    assert run
    first = done(1, 4)

    monday, planned = undoing(first, steps=["DDB-DELPROT"])
    monday.ask(planned["plan"])
    assert planned["approvers"] == 2
    assert monday.decide(planned["plan"], BOB)[1]["missing"] == 1
    assert monday.decide(planned["plan"], ALICE)[0] != 200


def test_undoing_waits_for_a_window(run: Remediation) -> None:
    assert run
    first = done(1)
    later = datetime.now(UTC).replace(microsecond=0)
    day = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[(later.weekday() + 3) % 7]
    window = {"days": [day], "opens": "02:00", "hours": 4}
    profile(tables("orders", DDB_DELPROT={}, DDB_PITR={}), remediation={"windows": [window]})

    planned = undoing(first, steps=["DDB-DELPROT"])[1]

    assert datetime.fromisoformat(planned["opens"]) > later


def test_only_the_steps_that_are_asked_for_are_undone(run: Remediation) -> None:
    assert run
    first = done(1)

    second = undone(first, steps=[ORDERS])

    assert (keeps(), recovers("orders")) == (True, False)
    assert left_out(second) == {KEPT: LeftOut.NOT_ASKED}
    with pytest.raises(PlanMissing, match="has no step DDB-KMS"):
        undoing(first, "tuesday", steps=["DDB-KMS"])


def test_undoing_that_loses_something_is_asked_for_by_name(run: Remediation) -> None:
    assert run
    first = done(1)

    second = undoing(first)[1]

    assert second["omitted"] == {"not_named": 1}
    (omission,) = read(second["plan"]).omissions
    assert omission.reason == (
        f"{ORDERS}: The table cannot be restored to any moment before it is turned on again. Ask for DDB-PITR by name."
    )
    third = undoing(first, "tuesday", steps=["DDB-PITR"])[1]
    assert (third["changes"], third["one_way"]) == (1, [ORDERS])


def test_what_others_have_changed_since_is_left_to_them(run: Remediation) -> None:
    assert run
    first = done(1)
    specification = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 20}
    client("dynamodb").update_continuous_backups(TableName="orders", PointInTimeRecoverySpecification=specification)

    second = undone(first, named=["DDB-PITR"])

    assert left_out(second) == {ORDERS: LeftOut.CHANGED}
    assert (keeps(), recovers("orders")) == (False, True)


def test_what_others_change_after_the_undoing_was_planned_is_refused(run: Remediation) -> None:
    assert run
    monday, planned = undoing(done(1), steps=["DDB-PITR"])
    monday.approve(planned)
    specification = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 20}
    client("dynamodb").update_continuous_backups(TableName="orders", PointInTimeRecoverySpecification=specification)

    worked = monday.step(planned["plan"], ORDERS)

    assert (worked["state"], recovers("orders")) == ("refused", True)
    assert "is not as it was planned from" in worked["note"]


def test_what_somebody_has_brought_back_already_is_not_ours(run: Remediation) -> None:
    assert run
    first = done(1)
    monday, planned = undoing(first, steps=["DDB-DELPROT"])
    monday.approve(planned)
    client("dynamodb").update_table(TableName="orders", DeletionProtectionEnabled=False)

    assert monday.step(planned["plan"], KEPT)["state"] == "satisfied"
    assert monday.finish(planned["plan"])["good"]
    assert events_of(first, KEPT) == ["seen", "applied", "verified"]
    assert "taken_back" not in events_of(first)


def test_what_was_never_applied_is_not_undone(run: Remediation) -> None:
    planned = run.plan(1)
    plan = run.approve(planned)
    run.step(plan, KEPT)
    client("dynamodb").update_continuous_backups(
        TableName="orders", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    assert run.step(plan, ORDERS)["state"] == "satisfied"
    run.finish(plan)

    second = undone(plan, named=["DDB-PITR"])

    assert left_out(second) == {ORDERS: LeftOut.NOT_VERIFIED}
    assert recovers("orders")


def test_words_of_the_table_prove_nothing(run: Remediation) -> None:
    plan = run.approve(run.plan(1))
    apply_step.handler({"run": "by-hand-1", "plan": plan, "step": KEPT}, FUNCTION)
    item = {"plan": {"S": plan}, "entry": {"S": f"step#{KEPT}"}, "state": {"S": "verified"}}
    item |= {"at": {"S": datetime.now(UTC).isoformat()}, "note": {"S": ""}, "version": {"N": "9"}}
    aws.dynamodb().put_item(TableName="remediations", Item=item)

    second = undoing(plan, named=["DDB-PITR"])[1]

    assert left_out(second["plan"]) == {KEPT: LeftOut.NOT_VERIFIED, ORDERS: LeftOut.NOT_VERIFIED}
    assert second["changes"] == 0


def test_evidence_that_was_changed_is_no_ground_to_undo_anything(run: Remediation) -> None:
    assert run
    first = done(1)
    key = f"data_protection/evidence/{first}/{KEPT.replace('/', '.')}/0001.json"
    body = json.loads(aws.s3().get_object(Bucket=EVIDENCE, Key=key)["Body"].read())
    body["content"]["call"] = "another"
    aws.s3().put_object(Bucket=EVIDENCE, Key=key, Body=json.dumps(body).encode())

    with pytest.raises(EvidenceBroken, match=f"What the plan {first} changed is not known: The chain of {KEPT}"):
        undoing(first)


def test_plan_that_nobody_has_carried_out_is_not_undone(run: Remediation) -> None:
    first = run.plan(1, dry_run=True)["plan"]

    assert undoing(first)[1]["omitted"] == {"not_verified": 2}
    with pytest.raises(PlanMissing, match="There is no plan"):
        undoing("0" * 64, "tuesday")


def test_change_that_no_call_brings_back_is_left(run: Remediation) -> None:
    assert run
    bucket("site")
    profile(buckets("site", S3_VERSION={}))
    first = done(1, named=["S3-VERSION"])

    second = undoing(first)[1]

    versioning = read(first).steps[-1].id
    assert left_out(second["plan"])[versioning] is LeftOut.NO_INVERSE
    assert second["changes"] == 0


def test_tag_keeps_an_undoing_away_and_an_exception_does_not(run: Remediation) -> None:
    assert run
    first = done(1)
    rules = tables("orders", DDB_DELPROT={}, DDB_PITR={})
    profile(rules, exceptions=[EXCEPTION])
    monday, planned = undoing(first, steps=["DDB-DELPROT"])
    assert planned["changes"] == 1
    monday.approve(planned)
    tag = {"Key": "gatehouse:protected", "Value": "yes"}
    client("dynamodb").tag_resource(ResourceArn=ORDERS_ARN, Tags=[tag])

    assert monday.step(planned["plan"], KEPT)["state"] == "refused"
    assert undoing(first, "tuesday", steps=["DDB-DELPROT"])[1]["omitted"] == {"protected": 1, "not_asked": 1}
    client("dynamodb").untag_resource(ResourceArn=ORDERS_ARN, TagKeys=["gatehouse:protected"])
    undone(first, "wednesday", steps=["DDB-DELPROT"])
    assert not keeps()


def test_what_the_profile_asks_of_no_more_is_left_with_a_way_out(run: Remediation) -> None:
    assert run
    first = done(1)
    profile(tables("orders", DDB_PITR={}))

    second = undoing(first, steps=["DDB-DELPROT"])[1]

    assert left_out(second["plan"])[KEPT] is LeftOut.UNKNOWN
    assert any("Ask for it, with an exception" in one.reason for one in read(second["plan"]).omissions)


def test_undoing_keeps_the_limits_of_the_profile(run: Remediation) -> None:
    assert run
    first = done(1)
    rules = tables("orders", DDB_DELPROT={}, DDB_PITR={})
    profile(rules, remediation={"limits": {"changes": 1}})

    with pytest.raises(PlanTooLarge, match="2 changes, 1 are allowed"):
        undoing(first, named=["DDB-PITR"])
    undone(first, steps=["DDB-DELPROT"])


def test_undoing_comes_once_and_is_not_undone_itself(run: Remediation) -> None:
    assert run
    first = done(1)
    second = undone(first, steps=["DDB-DELPROT"])

    again = undoing(first, "tuesday", steps=["DDB-DELPROT"])[1]
    assert left_out(again["plan"])[KEPT] is LeftOut.UNDONE
    with pytest.raises(UndoRefused, match=f"{second} undoes the plan {first}. To have again .* plan phase 1 again"):
        undoing(second, "wednesday")
    with pytest.raises(PlanUndone, match=f"was undone by the plan {second}. Plan again."):
        Remediation("thursday").plan(plan=first)
    third = done(1, run="friday")
    assert keeps()
    assert [step.id for step in read(third).steps] == [KEPT]
    undone(third, "saturday-again")
    assert not keeps()


def test_plan_of_which_a_step_is_undone_is_not_carried_out_while_the_undoing_goes_on(run: Remediation) -> None:
    assert run
    first = done(1)
    monday, planned = undoing(first, steps=["DDB-DELPROT"])
    monday.work(planned)
    assert "taken_back" not in events_of(first)

    with pytest.raises(PlanUndone, match=f"was undone by the plan {planned['plan']}. Plan again."):
        Remediation("tuesday").plan(plan=first)


def test_steps_on_which_others_rest_come_last(logging: str) -> None:
    monday, planned = undoing(logging)
    plan = read(planned["plan"])
    *sources, grant = plan.steps

    assert [step.id for step in sources] == ["S3-LOG/s3-bucket/site/1", "S3-LOG/s3-bucket/shop/1"]
    assert (grant.id, set(grant.follows)) == ("S3-LOG/s3-bucket/shop/0", {step.id for step in sources})
    assert len(planned["waves"]) == 1
    assert left_out(planned["plan"]) == {"S3-LOG/s3-bucket/site/0": LeftOut.NOT_VERIFIED}
    monday.work(planned)

    assert monday.finish(planned["plan"])["good"]
    assert (logs("shop"), logs("site"), takes_logs()) == (False, False, False)


def test_what_another_step_rests_on_stays_with_it(logging: str) -> None:
    second = undone(logging, steps=["S3-LOG/s3-bucket/shop/0", "S3-LOG/s3-bucket/shop/1"])

    assert (logs("shop"), logs("site"), takes_logs()) == (False, True, True)
    assert left_out(second) == {
        "S3-LOG/s3-bucket/site/1": LeftOut.NOT_ASKED,
        "S3-LOG/s3-bucket/site/0": LeftOut.NOT_ASKED,
        "S3-LOG/s3-bucket/shop/0": LeftOut.NEEDED,
    }


def test_what_others_have_made_to_rest_on_a_step_keeps_it(run: Remediation) -> None:
    for name in ("shop", "site", "access-logs"):
        bucket(name)
    profile(buckets("shop", "site", S3_LOG={"target": "access-logs"}))
    plan = run.approve(run.plan(1))
    for number in (0, 1):
        assert run.step(plan, f"S3-LOG/s3-bucket/shop/{number}")["state"] == "verified"
    (theirs,) = (one.change.call for one in read(plan).steps if one.id == "S3-LOG/s3-bucket/site/1")
    client("s3").put_bucket_logging(**theirs.parameters)
    for number in (0, 1):
        assert run.step(plan, f"S3-LOG/s3-bucket/site/{number}")["state"] == "satisfied"
    run.finish(plan)

    second = undone(plan)

    assert (logs("shop"), logs("site"), takes_logs()) == (False, True, True)
    assert left_out(second)["S3-LOG/s3-bucket/shop/0"] is LeftOut.NEEDED


@pytest.fixture
def rotating(run: Remediation) -> tuple[str, str]:
    """Carry out a plan by which the key of an alias rotates; return its hash, and the key."""
    assert run
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/data", TargetKeyId=key)
    profile({"kind": "kms-key", "select": [{"name": "alias/data"}], "requires": {"KMS-ROT": {}}})
    return done(1), key


def rotates(key: str) -> bool:
    return bool(client("kms").get_key_rotation_status(KeyId=key)["KeyRotationEnabled"])


def point_to_another_key() -> None:
    """Let the alias be of another key that rotates as well."""
    kms = client("kms")
    other = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=other)
    kms.update_alias(AliasName="alias/data", TargetKeyId=other)


def test_what_goes_by_the_name_of_another_one_is_not_undone(rotating: tuple[str, str]) -> None:
    first, key = rotating
    point_to_another_key()

    second = undoing(first)[1]

    (omission,) = read(second["plan"]).omissions
    assert (omission.why, second["changes"], rotates(key)) == (LeftOut.CHANGED, 0, True)
    assert f"The change was made to arn:aws:kms:eu-central-1:123456789012:key/{key}." in omission.reason


def test_what_goes_by_the_name_of_another_one_since_the_plan_is_refused(rotating: tuple[str, str]) -> None:
    first, key = rotating
    monday, planned = undoing(first)
    monday.approve(planned)
    point_to_another_key()

    worked = monday.step(planned["plan"], read(first).steps[0].id)

    assert (worked["state"], rotates(key)) == ("refused", True)
    assert "alias/data is arn:aws:kms" in worked["note"]


def test_undoing_that_was_planned_before_another_one_leaves_what_a_later_plan_did(run: Remediation) -> None:
    assert run
    first = done(1)
    monday, planned = undoing(first, steps=["DDB-DELPROT"])
    tuesday, late = undoing(first, "tuesday", steps=["DDB-DELPROT"], requested_by=BOB)
    tuesday.ask(late["plan"], requested_by=BOB)
    tuesday.decide(late["plan"], CAROL)
    monday.work(planned)
    done(1, run="wednesday")

    with pytest.raises(PlanUndone, match=f"The plan {planned['plan']} has undone {KEPT} of the plan {first}"):
        tuesday.step(late["plan"], KEPT)

    assert keeps()
    assert monday.step(planned["plan"], KEPT)["state"] == "verified"


def test_what_was_known_of_an_undone_check_is_forgotten(run: Remediation) -> None:
    assert run
    first = done(1)
    assert (known := standing("DDB-DELPROT", ORDERS_ARN)) is not None
    assert known.best is Status.PASS
    monday, planned = undoing(first, steps=["DDB-DELPROT"])
    monday.approve(planned)

    apply_step.handler({"run": "by-hand-1", "plan": planned["plan"], "step": KEPT}, FUNCTION)
    assert (expected := standing("DDB-DELPROT", ORDERS_ARN)) is not None
    assert expected == replace(known, undone_until=expected.undone_until)
    assert expected.known is None
    assert (expected.undone_until or known.since) > datetime.now(UTC) + timedelta(minutes=15)
    verify_step.handler({"run": "by-hand-1", "plan": planned["plan"], "step": KEPT}, FUNCTION)

    assert (known := standing("DDB-DELPROT", ORDERS_ARN)) is not None
    assert known == Standing(Status.FAIL, known.since, Status.FAIL)


def test_undoing_that_aws_refuses_leaves_the_finding_as_it_was(run: Remediation) -> None:
    assert run
    first = done(1)
    monday, planned = undoing(first, steps=["DDB-DELPROT"])
    monday.approve(planned)

    def refuse(_: Any) -> None:
        raise client("dynamodb").exceptions.ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "Update")

    with whenever("dynamodb", "UpdateTable", refuse):
        assert monday.step(planned["plan"], KEPT)["state"] == "refused"

    assert (known := standing("DDB-DELPROT", ORDERS_ARN)) is not None
    assert (known.status, known.best, known.undone_until) == (Status.PASS, Status.PASS, None)
    assert events_of(first, KEPT)[-1] == "verified"


def test_undoing_that_does_not_show_in_time_is_for_people(run: Remediation) -> None:
    assert run
    first = done(1)
    monday, planned = undoing(first, steps=["DDB-DELPROT"])
    monday.approve(planned)

    def deafen(params: Any) -> None:
        params["DeletionProtectionEnabled"] = True

    with whenever("dynamodb", "UpdateTable", deafen):
        worked = monday.step(planned["plan"], KEPT)

    assert (worked["state"], keeps()) == ("unverified", True)
    assert events_of(planned["plan"], KEPT) == ["seen", "applied", "not_verified"]
    assert events_of(first, KEPT)[-1] == "verified"


def test_plan_that_undoes_what_nobody_has_done_is_applied_by_nobody(run: Remediation) -> None:
    never = run.plan(1, dry_run=True)["plan"]
    real = read(undoing(done(1), steps=["DDB-DELPROT"])[1]["plan"])
    (step,) = real.steps
    parameters = {"TableName": "orders", "DeletionProtectionEnabled": False, "BillingMode": "PROVISIONED"}
    call = step.change.call.model_copy(update={"parameters": parameters})
    change = step.change.model_copy(update={"call": call, "reversibility": Reversibility.REVERSIBLE})
    policy = Policy(preapproved_phases=frozenset({1}))
    update = {"steps": (step.model_copy(update={"change": change}),), "policy": policy}
    others = {"steps": (step.model_copy(update={"name": "people", "arn": ORDERS_ARN.replace("orders", "people")}),)}

    for forged in (real.model_copy(update=one) for one in (update, others, {"undoes": never})):
        key = f"data_protection/plans/{forged.hash}.json"
        aws.s3().put_object(Bucket=LAKE, Key=key, Body=forged.model_dump_json().encode())
        assert forged.approvers == 1
        friday = Remediation("friday")
        friday.planned = {"approvers": 1}
        friday.ask(forged.hash)
        friday.decide(forged.hash, BOB)
        with pytest.raises(PlanMissing, match=r"does not undo what the plan .* has changed"):
            friday.step(forged.hash, KEPT)
    assert keeps()


def test_plan_from_before_there_was_an_undoing_keeps_its_hash(run: Remediation) -> None:
    planned = run.plan(1, dry_run=True)["plan"]

    body = aws.s3().get_object(Bucket=LAKE, Key=f"data_protection/plans/{planned}.json")["Body"].read()

    assert "undoes" not in json.loads(body)
    assert "undoes" not in records(planned)[0]["content"]
