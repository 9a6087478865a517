"""What became of a plan where nobody acts; `gatehouse plans` is tested with the rest."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data_protection.changes import Call, Change, Reversibility
from data_protection.checks.check import Severity
from data_protection.remediation.approvals import Approval
from data_protection.remediation.evidence import FIRST, Event, Record
from data_protection.remediation.outcomes import Fate, Outcome, outcome
from data_protection.remediation.plans import Plan, Step
from data_protection.remediation.policy import Policy
from data_protection.resources import Kind
from data_protection.verdicts import Status

MADE = datetime(2026, 11, 21, 12, tzinfo=UTC)
CHANGE = Change(
    check="DDB-PITR",
    title="Turn it on",
    call=Call(service="dynamodb", operation="update_continuous_backups", parameters={}),
    inverse=None,
    reversibility=Reversibility.REVERSIBLE,
    before={},
    after={},
)
STEP = Step(
    id="DDB-PITR/dynamodb-table/orders/0",
    kind=Kind.TABLE,
    name="orders",
    arn="arn:aws:dynamodb:eu-central-1:123456789012:table/orders",
    severity=Severity.HIGH,
    status=Status.FAIL,
    reason="It is off.",
    change=CHANGE,
)
PLAN = Plan(
    account="123456789012",
    region="eu-central-1",
    profile="rfc-008",
    policy=Policy(plan_days=7),
    phases=(1,),
    made_at=MADE,
    requested_by="alice",
    resources_in_scope=1,
    steps=(STEP,),
    omissions=(),
    contradictions=(),
)


def record(event: Event, content: dict[str, Any]) -> Record:
    return Record(number=0, previous=FIRST, plan="", step="", event=event, at=MADE, principal="", content=content)


def run(*, dry_run: bool, name: str = "by-hand") -> Record:
    return record(Event.PLANNED, {"run": name, "dry_run": dry_run})


def after(days: float, chain: Sequence[Record], approval: Approval | None = None) -> Outcome:
    now = MADE + timedelta(days=days)
    return outcome(PLAN, chain=chain, approval=approval, steps=(), is_running=lambda _: True, now=now)


@pytest.mark.parametrize(("days", "fate"), [(6.9, Fate.PLANNED), (7, Fate.EXPIRED)])
def test_plan_of_a_dry_run_expires(days: float, fate: Fate) -> None:
    assert after(days, [run(dry_run=True)]).fate is fate


@pytest.mark.parametrize(("days", "fate"), [(2.9, Fate.WAITING), (3, Fate.EXPIRED)])
def test_no_answer_in_time_is_told_whether_the_run_has_ended_or_not(days: float, fate: Fate) -> None:
    approval = Approval(plan=PLAN.hash, requested_by="alice", needed=1, expires=MADE + timedelta(days=3))

    assert after(days, [run(dry_run=False)], approval).fate is fate
    if fate is Fate.EXPIRED:
        ended = record(Event.FINISHED, {"run": "by-hand", "failures": ["Nobody decided."]})
        assert after(days, [run(dry_run=False), ended], approval).fate is fate


def test_run_that_ended_before_the_last_one_began_is_not_the_outcome() -> None:
    ended = record(Event.FINISHED, {"run": "by-hand", "failures": ["It was throttled."]})

    assert after(1, [run(dry_run=False), ended]) == Outcome(Fate.FAILED, "It was throttled.")
    assert after(1, [run(dry_run=False), ended, run(dry_run=True)]) == Outcome(Fate.FAILED, "It was throttled.")
    assert after(1, [run(dry_run=False), ended, run(dry_run=False)]) == Outcome(Fate.WORKING, "1 not begun")


def test_end_of_another_run_is_not_that_of_the_last_one() -> None:
    ended = record(Event.FINISHED, {"run": "first", "failures": ["It was throttled."]})
    began = [run(dry_run=False, name="first"), run(dry_run=False, name="second")]

    assert after(1, [*began, ended]) == Outcome(Fate.WORKING, "1 not begun")
