"""remediate_account's functions, called as the machine calls them."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError
from moto.backends import get_backend

from data_protection.adapters.approvals import ApprovalStore
from data_protection.adapters.plans import PlanReader
from data_protection.adapters.steps import ResourceLocks, StepLedger
from data_protection.errors import (
    ApprovalClosed,
    EstateInvalid,
    OwnApproval,
    PlanExpired,
    PlanMissing,
    PlanTooLarge,
    PlanUnapproved,
    ReadDenied,
    ResourceLocked,
    ResourceUnreadable,
)
from data_protection.handlers import apply_step, roll_back_step, verify_step
from data_protection.remediation.approvals import Approval
from data_protection.remediation.contracts import PlanRemediation
from data_protection.remediation.policy import Policy
from data_protection.resources import Place
from data_protection.verdicts import Status
from kernel import aws
from kernel.errors import EffectConflict
from tests.support.metrics import emitted
from tests.support.remediation import (
    ALICE,
    BOB,
    CAROL,
    CLOCK,
    FINDINGS,
    FUNCTION,
    LAKE,
    REMEDIATIONS,
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
ORDERS_ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"


@pytest.fixture
def run() -> Iterator[Remediation]:
    with remediated_account() as made:
        table("orders")
        profile(tables("orders"))
        yield made


def test_dry_run_plans_and_changes_nothing(run: Remediation) -> None:
    planned = run.plan(1, dry_run=True)

    assert (planned["dry_run"], planned["changes"], planned["approvers"]) == (True, 1, 1)
    assert planned["waves"] == [{"groups": [{"steps": [ORDERS]}]}]
    assert events_of(planned["plan"]) == ["planned"]
    assert not recovers("orders")


def test_dry_run_is_the_default() -> None:
    given = {"run": "r", "time": "2026-11-21T12:00:00Z", "requested_by": ALICE, "plan": "0" * 64}
    assert PlanRemediation.model_validate(given).dry_run


def test_approved_plan_is_applied_verified_and_proven(run: Remediation) -> None:
    planned = run.plan(1)
    plan = planned["plan"]
    run.ask(plan)
    assert run.decide(plan, BOB, comment="read it") == (200, {"plan": plan, "outcome": "approved", "missing": 0})
    run.work(planned)
    finished = run.finish(plan)

    assert run.answers["token-1"]["approved"] is True
    assert recovers("orders")
    assert (finished["good"], finished["counts"]) == (True, {"verified": 1})
    assert events_of(plan) == ["planned", "approved", "finished"]
    assert events_of(plan, ORDERS) == ["seen", "applied", "verified"]
    seen, *_, verified = records(plan, ORDERS)
    assert (seen["content"]["status"], verified["content"]["status"]) == ("fail", "pass")
    planned_, approved, closing = records(plan)
    assert (planned_["principal"], approved["principal"]) == (ALICE, BOB)
    assert closing["content"]["heads"].keys() == {ORDERS}


def test_findings_follow_what_the_work_on_a_step_sees(run: Remediation) -> None:
    planned = run.plan(1)
    run.approve(planned)
    apply_step.handler({"run": "by-hand-1", "plan": planned["plan"], "step": ORDERS}, FUNCTION)
    assert standing("DDB-PITR", ORDERS_ARN) is None

    run.work(planned)
    known = standing("DDB-PITR", ORDERS_ARN)
    verify_step.handler({"run": "by-hand-1", "plan": planned["plan"], "step": ORDERS}, FUNCTION)

    assert known is not None
    assert (known.status, known.best) == (Status.PASS, Status.PASS)
    assert standing("DDB-PITR", ORDERS_ARN) == known


def test_findings_know_of_what_somebody_else_has_done(run: Remediation) -> None:
    planned = run.plan(1)
    recovery = {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35}
    client("dynamodb").update_continuous_backups(TableName="orders", PointInTimeRecoverySpecification=recovery)

    run.work(planned)

    assert run.finish(planned["plan"])["counts"] == {"satisfied": 1}
    assert (known := standing("DDB-PITR", ORDERS_ARN)) is not None
    assert known.status is Status.PASS


def test_findings_of_a_later_look_stay(run: Remediation) -> None:
    planned = run.plan(1)
    later = datetime.now(UTC) + timedelta(hours=1)
    place = Place("123456789012", "eu-central-1")
    item = {"place": str(place), "entry": f"finding#DDB-PITR#{ORDERS_ARN}", "check": "DDB-PITR", "arn": ORDERS_ARN}
    kept = item | {"status": "fail", "since": later.isoformat()}
    aws.dynamodb().put_item(TableName=FINDINGS, Item={name: {"S": value} for name, value in kept.items()})

    run.work(planned)

    assert (known := standing("DDB-PITR", ORDERS_ARN)) is not None
    assert (known.status, known.since) == (Status.FAIL, later)


def test_second_run_plans_nothing(run: Remediation) -> None:
    run.work(run.plan(1))

    again = Remediation("by-hand-2").plan(1)

    assert (again["changes"], again["approvers"], again["waves"]) == (0, 0, [])


def test_another_attempt_of_a_run_finds_the_plan_of_the_first(run: Remediation) -> None:
    first = run.plan(1)
    table("later")
    profile(tables("orders", "later"))

    assert run.plan(1)["plan"] == first["plan"]
    assert Remediation("by-hand-2").plan(1)["changes"] == 2
    assert events_of(first["plan"]) == ["planned"]


def test_plan_of_a_dry_run_is_carried_out_by_its_hash(run: Remediation) -> None:
    planned = run.plan(1, dry_run=True)
    table("later")
    profile(tables("orders", "later"))
    taken_up = Remediation("by-hand-2")

    again = taken_up.plan(plan=planned["plan"])
    taken_up.work(again)

    assert (again["plan"], again["dry_run"]) == (planned["plan"], False)
    assert (recovers("orders"), recovers("later")) == (True, False)


def test_edited_plan_is_refused_by_everybody(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    run.ask(plan)
    key = f"data_protection/plans/{plan}.json"
    body = aws.s3().get_object(Bucket=LAKE, Key=key)["Body"].read()
    aws.s3().put_object(
        Bucket=LAKE, Key=key, Body=body.replace(b'"RecoveryPeriodInDays": 35', b'"RecoveryPeriodInDays": 1')
    )

    with pytest.raises(PlanMissing, match="was changed after it was planned"):
        run.step(plan, ORDERS)
    status, told = run.decide(plan, BOB)
    assert (status, told["refused"]) == (404, "PlanMissing")
    with pytest.raises(PlanMissing):
        run.finish(plan)
    assert not recovers("orders")


def test_who_asked_for_a_plan_cannot_approve_it_by_saying_to_be_somebody_else(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    run.ask(plan)

    status, told = run.decide(plan, ALICE)
    assert (status, told["refused"]) == (403, "OwnApproval")
    status, told = run.decide(plan, ALICE, approver=BOB)
    assert (status, told["refused"]) == (400, "ValidationError")
    assert not run.answers


def test_who_has_a_plan_of_somebody_else_carried_out_cannot_approve_it(run: Remediation) -> None:
    plan = run.plan(1, dry_run=True)["plan"]
    bobs = Remediation("by-bob")
    bobs.plan(plan=plan, requested_by=BOB)
    bobs.ask(plan, requested_by=BOB)

    for asker in (ALICE, BOB):
        status, told = bobs.decide(plan, asker)
        assert (status, told["refused"]) == (403, "OwnApproval")
    assert bobs.decide(plan, CAROL)[1]["outcome"] == "approved"


def test_who_has_approved_a_plan_cannot_have_it_carried_out(run: Remediation) -> None:
    plan = run.approve(run.plan(1))
    bobs = Remediation("by-bob")
    bobs.plan(plan=plan, requested_by=BOB)

    with pytest.raises(OwnApproval, match="has approved the plan"):
        bobs.ask(plan, "token-2", requested_by=BOB)

    assert not bobs.answers
    assert run.step(plan, ORDERS)["state"] == "verified"


def test_machine_that_is_refused_takes_no_answer_from_the_one_that_waits(run: Remediation) -> None:
    plan = run.plan(1, 4)["plan"]
    run.ask(plan)
    run.decide(plan, BOB)

    bobs = Remediation("by-bob")
    bobs.plan(plan=plan, requested_by=BOB)
    with pytest.raises(OwnApproval):
        bobs.ask(plan, "token-2", requested_by=BOB)
    run.decide(plan, CAROL)

    assert list(run.answers) == ["token-1"]


def test_evidence_tells_of_everybody_who_asked(run: Remediation) -> None:
    plan = run.plan(1, dry_run=True)["plan"]
    bobs = Remediation("by-bob")
    bobs.plan(plan=plan, requested_by=BOB)
    bobs.plan(plan=plan, requested_by=BOB)

    told = [(record["content"]["asked_by"], record["content"]["dry_run"]) for record in records(plan)]
    assert told == [(ALICE, True), (BOB, False)]


def test_dry_run_of_a_plan_that_is_made_adds_nothing_to_what_is_known_of_it(run: Remediation) -> None:
    planned = run.plan(1, dry_run=True)
    plan = planned["plan"]
    carols = Remediation("by-carol")

    again = carols.plan(plan=plan, dry_run=True, requested_by=CAROL)

    assert (again["plan"], again["dry_run"], again["changes"]) == (plan, True, planned["changes"])
    assert len(records(plan)) == 1


def test_planning_that_is_retried_late_is_told_of_once(run: Remediation) -> None:
    plan = run.plan(1, dry_run=True)["plan"]
    bobs = Remediation("by-bob")
    bobs.plan(plan=plan, requested_by=BOB)
    Remediation("by-carol").plan(plan=plan, requested_by=CAROL)

    bobs.plan(plan=plan, requested_by=BOB)

    assert [record["content"]["asked_by"] for record in records(plan)] == [ALICE, BOB, CAROL]


def test_no_ends_it(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    run.ask(plan)

    assert run.decide(plan, BOB, yes=False)[1]["outcome"] == "rejected"
    assert run.decide(plan, CAROL)[0] == 409
    finished = run.finish(plan, approved=False)

    assert run.answers["token-1"]["approved"] is False
    assert (finished["good"], finished["counts"], finished["not_good"]) == (False, {"planned": 1}, [])
    assert events_of(plan) == ["planned", "rejected", "finished"]


def test_decision_said_again_answers_nobody_twice(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    run.ask(plan)

    assert run.decide(plan, BOB) == run.decide(plan, BOB)
    assert list(run.answers) == ["token-1"]
    assert events_of(plan) == ["planned", "approved"]


def test_last_phase_needs_two_people(run: Remediation) -> None:
    plan = run.plan(1, 4)["plan"]
    run.ask(plan)

    assert run.decide(plan, BOB)[1] == {"plan": plan, "outcome": "open", "missing": 1}
    assert not run.answers
    assert run.decide(plan, CAROL)[1]["outcome"] == "approved"


def test_decider_that_died_before_the_machine_was_answered_is_made_good_by_either_side(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    run.ask(plan)
    with whenever("s3", "PutObject", _die), pytest.raises(Died), patch("kernel.aws.s3", lambda: client("s3")):
        run.decide(plan, BOB)
    assert not run.answers

    # The machine's next attempt comes with another token.
    run.ask(plan, "token-2")

    assert {token: answer["approved"] for token, answer in run.answers.items()} == {"token-1": True, "token-2": True}
    assert events_of(plan) == ["planned", "approved"]
    run.answers.clear()
    assert run.decide(plan, BOB)[0] == 200
    assert not run.answers


def test_run_waits_while_another_with_the_same_plan_works_on_a_step(run: Remediation) -> None:
    plan, another = run.approve(run.plan(1)), Remediation("another-run")
    made: list[Any] = []

    def meanwhile(call: Any) -> None:
        made.append(call)
        with pytest.raises(
            ResourceLocked, match=f"is being changed by {plan}/{ORDERS} in the run by-hand-1; it is tried"
        ):
            another.step(plan, ORDERS)

    with whenever("dynamodb", "UpdateContinuousBackups", meanwhile):
        assert run.step(plan, ORDERS)["state"] == "verified"
        assert another.step(plan, ORDERS)["state"] == "verified"

    assert len(made) == 1
    assert events_of(plan, ORDERS) == ["seen", "applied", "verified"]


def test_run_that_another_was_quicker_than_looks_again(run: Remediation) -> None:
    plan, another = run.approve(run.plan(1)), Remediation("another-run")

    def quicker(**_: Any) -> None:
        aws.dynamodb().meta.events.unregister("before-call.dynamodb.PutItem", quicker)
        assert another.step(plan, ORDERS)["state"] == "verified"

    aws.dynamodb().meta.events.register("before-call.dynamodb.PutItem", quicker)
    with pytest.raises(EffectConflict, match="Another run has moved"):
        run.step(plan, ORDERS)

    assert run.step(plan, ORDERS)["state"] == "verified"
    assert events_of(plan, ORDERS) == ["seen", "applied", "verified"]


def test_runs_that_wait_for_the_same_plan_are_all_answered(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    run.ask(plan)
    run.ask(plan, "token-of-another-run")

    run.decide(plan, BOB)

    assert set(run.answers) == {"token-1", "token-of-another-run"}
    assert events_of(plan) == ["planned", "approved"]


def test_machine_that_begins_to_wait_while_somebody_decides_is_answered(run: Remediation) -> None:
    planned = run.plan(1)
    expires = datetime.now(UTC) + timedelta(hours=1)
    asked = Approval(plan=planned["plan"], requested_by=ALICE, needed=1, expires=expires)
    ApprovalStore(aws.dynamodb(), REMEDIATIONS).open(asked)
    waiting: list[str] = []

    def wait(_: Any) -> None:
        if not waiting:
            waiting.append("token-1")
            run.ask(planned["plan"], *waiting)

    with patch("kernel.aws.dynamodb", lambda: client("dynamodb")), whenever("dynamodb", "UpdateItem", wait):
        assert run.decide(planned["plan"], BOB)[1]["outcome"] == "approved"

    assert run.answers["token-1"]["approved"] is True


class Died(BaseException):
    """The function is no more."""


def _die(_: Any) -> None:
    raise Died


def test_nobodys_answer_is_a_no(run: Remediation) -> None:
    plan = run.plan(1)["plan"]
    run.ask(plan)
    later = datetime.now(UTC) + timedelta(hours=72, minutes=1)

    with (
        patch("data_protection.handlers.request_approval.utc_now", lambda: later),
        pytest.raises(ApprovalClosed, match="Nobody decided"),
    ):
        run.ask(plan, "token-2")
    with patch("data_protection.handlers.decide_approval.utc_now", lambda: later):
        assert run.decide(plan, BOB)[0] == 409


def test_dry_run_waits_for_nobody(run: Remediation) -> None:
    plan = run.plan(1, dry_run=True)["plan"]

    status, told = run.decide(plan, BOB)

    assert (status, told["why"]) == (404, f"Nobody asks for an approval of the plan {plan}. Was it a dry run?")


def test_token_stands_nowhere_but_in_the_table(run: Remediation, caplog: pytest.LogCaptureFixture) -> None:
    secret = "the-token-that-nobody-may-see"  # noqa: S105 - of this test
    published: list[Any] = []
    with whenever("sns", "Publish", published.append):
        plan = run.plan(1)["plan"]
        run.ask(plan, secret)
        item = aws.dynamodb().get_item(TableName=REMEDIATIONS, Key={"plan": {"S": plan}, "entry": {"S": "approval"}})[
            "Item"
        ]
        run.decide(plan, BOB)

    assert item["tokens"] == {"SS": [secret]}
    said = str([record.__dict__ for record in caplog.records])
    assert "approval requested" in said
    assert secret not in said + json.dumps(published) + json.dumps(records(plan))
    assert f"gatehouse approve {plan}" in published[0]["Message"]


def test_approval_says_when_the_window_opens(run: Remediation) -> None:
    profile(tables("orders"), remediation={"windows": [{"days": ["sun"], "opens": "02:00", "hours": 4}]})
    plan = run.plan(1)["plan"]
    run.ask(plan)
    saturday = datetime(2026, 11, 21, 12, tzinfo=UTC)
    with patch("data_protection.handlers.decide_approval.utc_now", lambda: saturday):
        run.decide(plan, BOB)

    assert run.answers["token-1"]["opens"] == "2026-11-22T02:00:00Z"


def test_step_says_when_the_wave_after_it_may_begin(run: Remediation, monkeypatch: pytest.MonkeyPatch) -> None:
    profile(tables("orders"), remediation={"windows": [{"days": ["sat"], "opens": "02:00", "hours": 4}]})
    plan = run.approve(run.plan(1))
    inside, outside = datetime(2026, 11, 21, 3, tzinfo=UTC), datetime(2026, 11, 21, 6, tzinfo=UTC)

    monkeypatch.setattr(apply_step, "utc_now", lambda: inside)
    monkeypatch.setattr(verify_step, "utc_now", lambda: outside)
    asked = {"run": "by-hand-1", "plan": plan, "step": ORDERS}

    assert apply_step.handler(asked, FUNCTION)["opens"] == "2026-11-21T03:00:00Z"
    assert verify_step.handler(asked, FUNCTION)["opens"] == "2026-11-28T02:00:00Z"


def test_policy_approves_beforehand_what_comes_back(run: Remediation) -> None:
    profile(tables("orders"), remediation={"preapproved_phases": [1]})

    assert run.plan(1)["approvers"] == 0
    assert Remediation("by-hand-2").plan(1, 3)["approvers"] == 1


def test_phase_that_is_not_approved_beforehand_any_more_needs_people_for_plans_that_are_there(run: Remediation) -> None:
    profile(tables("orders"), remediation={"preapproved_phases": [1]})
    planned = run.plan(1)
    assert planned["approvers"] == 0
    profile(tables("orders"))

    with pytest.raises(PlanMissing, match="Nobody asks for an approval"):
        run.step(planned["plan"], ORDERS)
    taken_up = Remediation("by-hand-2")
    again = taken_up.plan(plan=planned["plan"])
    taken_up.work(again)

    assert (again["approvers"], recovers("orders")) == (1, True)
    assert events_of(planned["plan"]) == ["planned", "planned", "approved"]


def test_plan_that_is_too_old_is_not_carried_out_though_it_was_approved(run: Remediation) -> None:
    plan = run.approve(run.plan(1))
    CLOCK.wait(timedelta(days=30).total_seconds())

    with pytest.raises(PlanExpired, match="could be carried out until"):
        run.step(plan, ORDERS)
    with patch("data_protection.handlers.plan_remediation.utc_now", CLOCK), pytest.raises(PlanExpired):
        Remediation("by-hand-2").plan(plan=plan)

    assert not recovers("orders")


def test_profile_that_is_less_patient_by_now_means_plans_that_are_there(run: Remediation) -> None:
    plan = run.approve(run.plan(1))
    profile(tables("orders"), remediation={"plan_days": 7})
    CLOCK.wait(timedelta(days=7).total_seconds())

    with pytest.raises(PlanExpired):
        run.step(plan, ORDERS)


def test_nobody_decides_about_a_plan_that_is_too_old(run: Remediation) -> None:
    profile(tables("orders"), remediation={"plan_days": 0.5})
    planned = run.plan(1)
    run.ask(planned["plan"])
    later = datetime.now(UTC) + timedelta(hours=13)

    with patch("data_protection.handlers.decide_approval.utc_now", lambda: later):
        assert run.decide(planned["plan"], BOB)[1]["refused"] == "ApprovalClosed"
    assert 12 * 3600 - 60 < planned["approval_seconds"] <= 12 * 3600


def test_plan_beyond_the_limits_is_none(run: Remediation) -> None:
    table("carts")
    profile(tables("orders", "carts"), remediation={"limits": {"changes": 1}})

    with pytest.raises(PlanTooLarge, match="2 changes, 1 are allowed"):
        run.plan(1)


def test_first_wave_is_one_resource_and_a_bad_one_is_the_last(run: Remediation) -> None:
    names = [f"table-{number:02d}" for number in range(12)]
    for name in names:
        table(name)
    profile(tables(*names))
    planned = run.plan(1)
    assert [len(wave["groups"]) for wave in planned["waves"]] == [1, 2, 9]
    client("dynamodb").delete_table(TableName=names[1])

    run.work(planned)
    finished = run.finish(planned["plan"])

    assert [recovers(name) for name in names if name != names[1]] == [True, True, *[False] * 9]
    assert (finished["good"], finished["counts"]) == (False, {"verified": 2, "refused": 1, "planned": 9})
    assert re.search(r"table-01/0 is refused: .* does not exist", finished["not_good"][0])


def test_denied_call_stops_its_resource_alone_and_nothing_is_left_half_done(run: Remediation) -> None:
    table("carts")
    profile(tables("carts"), tables("orders", DDB_PITR={}, DDB_DELPROT={}))
    planned = run.plan(1)

    def refuse(params: Any) -> None:
        if params["TableName"] == "orders":
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "UpdateContinuousBackups")

    with whenever("dynamodb", "UpdateContinuousBackups", refuse):
        run.work(planned)
    finished = run.finish(planned["plan"])

    assert (recovers("carts"), recovers("orders")) == (True, False)
    assert finished["counts"]["refused"] == 1
    assert "AccessDenied" in finished["not_good"][0]
    locks = aws.dynamodb().query(
        TableName=REMEDIATIONS,
        KeyConditionExpression="#plan = :lock",
        ExpressionAttributeNames={"#plan": "plan"},
        ExpressionAttributeValues={":lock": {"S": "lock"}},
    )
    assert locks["Count"] == 0


@pytest.mark.parametrize(
    ("code", "error", "said"),
    [
        ("ThrottlingException", ResourceUnreadable, "cannot be judged now: dynamodb.DescribeContinuousBackups of"),
        (
            "AccessDeniedException",
            ReadDenied,
            r"gatehouse-test needs dynamodb:DescribeContinuousBackups on arn:aws:dynamodb:.*:table/orders",
        ),
    ],
)
def test_resource_that_cannot_be_read_is_left_alone_and_tells_what_it_waits_for(
    run: Remediation, code: str, error: type[Exception], said: str
) -> None:
    plan = run.approve(run.plan(1))

    def refuse(_: Any) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "DescribeContinuousBackups")

    with whenever("dynamodb", "DescribeContinuousBackups", refuse):
        for _ in range(2):
            with pytest.raises(error, match=said) as told:
                run.step(plan, ORDERS)
    assert type(told.value) is error
    kept = aws.dynamodb().get_item(TableName=REMEDIATIONS, Key={"plan": {"S": plan}, "entry": {"S": f"step#{ORDERS}"}})[
        "Item"
    ]
    # Written once, however often it is tried.
    assert (kept["state"]["S"], kept["note"]["S"], kept["version"]["N"]) == ("planned", str(told.value), "1")
    assert run.step(plan, ORDERS)["good"]


def test_step_that_waits_for_another_remediation_says_so(run: Remediation) -> None:
    plan = run.approve(run.plan(1))
    ResourceLocks(aws.dynamodb(), REMEDIATIONS).take(ORDERS_ARN, "others", CLOCK(), timedelta(hours=1))

    with pytest.raises(ResourceLocked, match="is being changed by others"):
        run.step(plan, ORDERS)

    assert "by others" in StepLedger(aws.dynamodb(), REMEDIATIONS).find(plan, ORDERS, CLOCK()).note


def test_tags_that_may_not_be_read_are_not_waited_for(run: Remediation) -> None:
    plan = run.approve(run.plan(1))

    def refuse(_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetResources")

    with (
        whenever("resourcegroupstaggingapi", "GetResources", refuse),
        pytest.raises(ReadDenied, match=r"its tags cannot be read\. .* needs .*tag:GetResources"),
    ):
        run.step(plan, ORDERS)


def test_two_remediations_at_once_make_the_call_once(run: Remediation) -> None:
    first, second = run.plan(1), Remediation("by-hand-2").plan(1)
    assert first["plan"] != second["plan"]
    made: list[Any] = []
    with whenever("dynamodb", "UpdateContinuousBackups", made.append):
        run.work(first)
        run.work(second)

    assert len(made) == 1
    assert run.finish(second["plan"])["counts"] == {"satisfied": 1}


def test_exception_or_tag_that_came_after_the_plan_keeps_the_step_away(run: Remediation) -> None:
    plan = run.approve(run.plan(1))
    excuse = {
        "check": "DDB-PITR",
        "kind": "dynamodb-table",
        "name": "orders",
        "owner": "bob",
        "reason": "It holds nothing of value.",
        "expires": "2099-01-01",
    }
    profile(tables("orders"), exceptions=[excuse])

    assert run.step(plan, ORDERS)["state"] == "refused"
    assert not recovers("orders")


@pytest.mark.parametrize(
    ("remediate", "phase", "allowed"),
    [({}, 1, True), ({"2": "role"}, 1, False), ({"1": "role"}, 1, True)],
)
def test_account_is_remediated_in_the_phases_it_has_a_role_for(
    remediate: dict[str, str], phase: int, *, allowed: bool
) -> None:
    role = {"arn": "arn:aws:iam::123456789012:role/mend", "external_id": "gatehouse"}
    account = {"account": "123456789012", "regions": ["eu-central-1"], "remediate": dict.fromkeys(remediate, role)}
    with remediated_account(json.dumps({"accounts": [account]})) as run:
        table("orders")
        profile(tables("orders"))
        if not allowed:
            with pytest.raises(EstateInvalid, match=r"no role for phase 1 in 123456789012: add it as remediate\.1"):
                run.plan(phase)
            return
        planned = run.plan(phase)
        run.work(planned)
        assert recovers("orders")
        [principal] = {record["principal"] for record in records(planned["plan"], ORDERS)}
        assert principal == (role["arn"] if remediate else FUNCTION.invoked_function_arn)


@pytest.mark.parametrize(
    ("check", "requirement", "operation", "code", "sentence"),
    [
        (
            "DDB-KMS",
            {"key": "alias/data"},
            "UpdateTable",
            "LimitExceededException",
            "AWS takes 4 changes of a table's key in 24 h; if that is why, it works 24 h from now at the latest",
        ),
        (
            "DDB-TTL",
            {"attribute": "gone"},
            "UpdateTimeToLive",
            "ValidationException",
            "AWS takes 1 change of a table's time to live in 1 h; if that is why, it works 1 h from now at the latest",
        ),
    ],
)
def test_step_that_comes_too_often_for_aws_is_refused_and_says_when_it_works(
    run: Remediation, *, check: str, requirement: dict[str, str], operation: str, code: str, sentence: str
) -> None:
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName="alias/data", TargetKeyId=key)
    profile(tables("orders", **{check.replace("-", "_"): requirement}))
    plan = run.approve(run.plan(1, 3, named=[check]))
    asked: list[Any] = []

    def refuse(params: Any) -> None:
        asked.append(params)
        raise ClientError({"Error": {"Code": code, "Message": "too often"}}, operation)

    with whenever("dynamodb", operation, refuse):
        worked = run.step(plan, f"{check}/dynamodb-table/orders/0")

    assert (worked["state"], len(asked)) == ("refused", 1)
    assert "too often" in worked["note"]
    assert sentence in worked["note"]


def test_limit_that_is_no_quota_of_the_change_is_a_matter_of_waiting(run: Remediation) -> None:
    plan = run.approve(run.plan(1))

    def refuse(_: Any) -> None:
        raise ClientError({"Error": {"Code": "LimitExceededException", "Message": "500 at once"}}, "Update")

    with whenever("dynamodb", "UpdateContinuousBackups", refuse), pytest.raises(ClientError, match="500 at once"):
        run.step(plan, ORDERS)
    assert run.step(plan, ORDERS)["good"]


def test_account_sees_in_its_trail_which_plan_changes_it() -> None:
    role = {"arn": "arn:aws:iam::123456789012:role/mend", "external_id": "gatehouse"}
    account = {"account": "123456789012", "regions": ["eu-central-1"], "assess": role, "remediate": {"1": role}}
    sessions: list[tuple[str, str]] = []

    def see(request: Any, **_: Any) -> None:
        credential = request.headers.get("Authorization", b"").decode().partition("Credential=")[2].split("/")[0]
        names = {one.access_key_id: one.session_name for one in assumed}
        sessions.append((request.headers["X-Amz-Target"].decode().partition(".")[2], names.get(credential, "")))

    with remediated_account(json.dumps({"accounts": [account]})) as run:
        assumed = get_backend("sts")["123456789012"]["aws"].assumed_roles
        table("orders")
        profile(tables("orders"))
        plan = run.approve(run.plan(1))
        acting = aws.client(aws.session_in_role(role["arn"], role["external_id"], plan), "dynamodb", "eu-central-1")
        acting.meta.events.register("before-send.dynamodb", see)
        assert run.step(plan, ORDERS)["good"]

    assert sessions == [("UpdateContinuousBackups", plan)]
    assert {one.session_name for one in assumed} == {"gatehouse-data-protection", plan}


def buckets(*names: str, **requires: dict[str, Any]) -> dict[str, Any]:
    asked = {check.replace("_", "-"): requirement for check, requirement in requires.items()}
    return {"kind": "s3-bucket", "select": [{"name": name} for name in names], "requires": asked}


def test_of_two_changes_of_one_policy_the_second_is_in_the_next_plan(run: Remediation) -> None:
    for name in ("site", "access-logs"):
        client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    profile(buckets("access-logs", S3_TLS={}), buckets("site", S3_LOG={"target": "access-logs"}))

    first = run.plan(1, 2)
    assert (first["changes"], first["omitted"]) == (2, {"later": 1})
    run.work(first)
    assert run.finish(first["plan"])["good"]
    again = Remediation("by-hand-2")
    second = again.plan(1, 2)
    again.work(second)

    assert (second["changes"], second["omitted"]) == (1, {})
    assert again.finish(second["plan"])["good"]
    policy = client("s3").get_bucket_policy(Bucket="access-logs")["Policy"]
    assert {one["Sid"] for one in json.loads(policy)["Statement"]} >= {"GatehouseTlsOnly"}
    assert len(json.loads(policy)["Statement"]) == 2


def test_change_that_does_not_take_hold_is_undone_and_ends_the_remediation(run: Remediation) -> None:
    # moto takes the key of a table and does not keep it.
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName="alias/data", TargetKeyId=key)
    table("carts")
    profile(tables("carts", "orders", DDB_KMS={"key": "alias/data"}))
    planned = run.plan(1)

    run.work(planned)
    finished = run.finish(planned["plan"])

    first, second = "DDB-KMS/dynamodb-table/carts/0", "DDB-KMS/dynamodb-table/orders/0"
    assert (finished["good"], finished["counts"]) == (False, {"rolled_back": 1, "planned": 1})
    assert events_of(planned["plan"], first) == ["seen", "applied", "not_verified", "rolled_back"]
    assert events_of(planned["plan"], second) == []
    assert (known := standing("DDB-KMS", ORDERS_ARN.replace("orders", "carts"))) is not None
    assert known.status is Status.FAIL
    assert finished["not_good"][0].startswith(f"{first} is rolled_back: It was not verified: ")


@pytest.mark.parametrize("state", ["applied", "rolling_back"])
def test_change_that_may_not_be_read_midway_is_left_to_people_and_goes_on_by_the_hash(
    run: Remediation, state: str, capsys: pytest.CaptureFixture[str]
) -> None:
    key = client("kms").create_key()["KeyMetadata"]["KeyId"]
    client("kms").create_alias(AliasName="alias/data", TargetKeyId=key)
    profile(tables("orders", DDB_KMS={"key": "alias/data"}))
    plan, step = run.approve(run.plan(1)), "DDB-KMS/dynamodb-table/orders/0"
    asked = {"run": "by-hand-1", "plan": plan, "step": step}
    worked = apply_step.handler(asked, FUNCTION)
    while worked["state"] != state:
        CLOCK.wait(worked["wait_seconds"])
        worked = verify_step.handler(asked, FUNCTION)

    def refuse(_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeTable")

    go_on = roll_back_step if state == "rolling_back" else verify_step
    with whenever("dynamodb", "DescribeTable", refuse), pytest.raises(ReadDenied, match="needs dynamodb:DescribeTable"):
        go_on.handler(asked, FUNCTION)
    capsys.readouterr()
    assert run.finish(plan)["counts"] == {state: 1}
    assert emitted(capsys.readouterr().out)["StepsUnverified"] == 1

    assert run.step(plan, step)["state"] == "rolled_back"
    run.finish(plan)
    assert emitted(capsys.readouterr().out)["StepsUnverified"] == 0


def test_what_others_have_made_of_a_change_is_not_undone_but_left_to_people(run: Remediation) -> None:
    client("s3").create_bucket(Bucket="site", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    profile(buckets("site", S3_BPA={}))
    plan = run.approve(run.plan(1))

    def spoil(params: Any) -> None:
        params["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] = False

    step, undone = "S3-BPA/s3-bucket/site/0", list[Any]()
    with whenever("s3", "PutPublicAccessBlock", spoil), whenever("s3", "DeletePublicAccessBlock", undone.append):
        worked = run.step(plan, step)

    assert (worked["state"], undone) == ("unverified", [])
    assert "It is not undone: others have changed by now what it made." in worked["note"]
    assert events_of(plan, step) == ["seen", "applied", "not_verified", "not_rolled_back"]


def test_bucket_whose_key_somebody_disables_meanwhile_is_as_before(run: Remediation) -> None:
    client("s3").create_bucket(Bucket="site", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    before = {"Rules": [rule]}
    client("s3").put_bucket_encryption(Bucket="site", ServerSideEncryptionConfiguration=before)
    profile(buckets("site", S3_KMS={"key": key}))
    plan, asked = run.approve(run.plan(2)), {"run": "by-hand-1", "step": "S3-KMS/s3-bucket/site/0"}

    apply_step.handler({"plan": plan, **asked}, FUNCTION)
    client("kms").disable_key(KeyId=key.rpartition("/")[2])  # which takes no ARN in moto
    worked = run.step(plan, asked["step"])

    assert worked["state"] == "rolled_back"
    assert client("s3").get_bucket_encryption(Bucket="site")["ServerSideEncryptionConfiguration"] == before
    assert events_of(plan, asked["step"]) == ["seen", "applied", "not_verified", "undone", "rolled_back"]


def test_tag_that_protects_counts_though_it_cannot_be_read(run: Remediation) -> None:
    plan = run.approve(run.plan(1))
    client("dynamodb").tag_resource(ResourceArn=ORDERS_ARN, Tags=[{"Key": "gatehouse:protected", "Value": "yes"}])

    def refuse(_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "GetResources")

    with (
        whenever("resourcegroupstaggingapi", "GetResources", refuse),
        pytest.raises(ResourceUnreadable, match="its tags cannot be read"),
    ):
        run.step(plan, ORDERS)
    assert run.step(plan, ORDERS)["state"] == "refused"
    assert not recovers("orders")


def test_table_that_is_busy_for_a_while_is_waited_for(run: Remediation) -> None:
    profile(tables("orders", DDB_DELPROT={}))
    plan, step = run.approve(run.plan(1)), "DDB-DELPROT/dynamodb-table/orders/0"

    def scale(parsed: Any, **_: Any) -> None:
        parsed["Table"]["TableStatus"] = "UPDATING"

    events = client("dynamodb").meta.events
    events.register("after-call.dynamodb.DescribeTable", scale)
    try:
        with pytest.raises(ResourceUnreadable, match="orders is being changed: Deletion protection is off"):
            run.step(plan, step)
    finally:
        events.unregister("after-call.dynamodb.DescribeTable", scale)
    assert run.step(plan, step)["state"] == "verified"


def refused(code: str, status: int) -> ClientError:
    metadata: Any = {"HTTPStatusCode": status}
    return ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": metadata}, "Update")


@pytest.mark.parametrize(
    ("code", "status"),
    [("AuthorizationError", 403), ("MalformedPolicy", 400), ("InvalidParameter", 400), ("NobodyKnowsThisOne", 400)],
)
def test_call_that_aws_refuses_ends_the_step_whatever_the_service_calls_it(
    run: Remediation, code: str, status: int
) -> None:
    plan = run.approve(run.plan(1))

    def refuse(_: Any) -> None:
        raise refused(code, status)

    with whenever("dynamodb", "UpdateContinuousBackups", refuse):
        worked = run.step(plan, ORDERS)

    assert (worked["state"], code in worked["note"]) == ("refused", True)
    assert events_of(plan, ORDERS) == ["seen", "refused"]
    ResourceLocks(aws.dynamodb(), REMEDIATIONS).take(ORDERS_ARN, "others", datetime.now(UTC), timedelta(minutes=1))


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("Throttled", 429),
        ("SlowDown", 503),
        ("Anything", 500),
        ("ResourceInUseException", 400),
    ],
)
def test_call_that_passes_is_made_again(run: Remediation, code: str, status: int) -> None:
    plan = run.approve(run.plan(1))

    def refuse(_: Any) -> None:
        raise refused(code, status)

    with whenever("dynamodb", "UpdateContinuousBackups", refuse), pytest.raises(ClientError, match=code):
        run.step(plan, ORDERS)

    assert run.step(plan, ORDERS)["state"] == "verified"
    assert events_of(plan, ORDERS) == ["seen", "applied", "verified"]


def test_step_waits_for_who_works_on_what_it_changes(run: Remediation) -> None:
    for name in ("site", "access-logs"):
        client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    profile(buckets("site", S3_LOG={"target": "access-logs"}))
    plan = run.approve(run.plan(1))
    first = "S3-LOG/s3-bucket/site/0"
    # The first step changes the policy of the bucket that receives the logs.
    locks = ResourceLocks(aws.dynamodb(), REMEDIATIONS)
    locks.take("arn:aws:s3:::access-logs", "another plan", datetime.now(UTC), timedelta(minutes=5))

    with pytest.raises(ResourceLocked, match="access-logs is being changed by another plan; it is tried again"):
        run.step(plan, first)
    assert events_of(plan, first) == []
    locks.release("arn:aws:s3:::access-logs", "another plan")

    assert run.step(plan, first)["good"]


def test_step_of_a_plan_that_is_not_approved_is_applied_by_nobody(run: Remediation) -> None:
    plan = run.plan(1, 4)["plan"]
    with pytest.raises(PlanMissing, match="Was it a dry run"):
        run.step(plan, ORDERS)
    run.ask(plan)
    run.decide(plan, BOB)

    with pytest.raises(PlanUnapproved, match="2 must approve it first"):
        run.step(plan, ORDERS)
    assert not recovers("orders")


def test_plan_that_no_run_has_made_is_none_though_its_hash_is_right(run: Remediation) -> None:
    plan = PlanReader(aws.s3(), LAKE).load(run.plan(1)["plan"])
    forged = plan.model_copy(update={"policy": Policy(preapproved_phases=frozenset({1}))})
    key = f"data_protection/plans/{forged.hash}.json"
    aws.s3().put_object(Bucket=LAKE, Key=key, Body=forged.model_dump_json().encode())

    with pytest.raises(PlanMissing, match="no evidence that the plan"):
        Remediation("by-hand-2").plan(plan=forged.hash)
