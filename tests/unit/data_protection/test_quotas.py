"""Steps of a plan that meet one quota of AWS say so, to whoever approves it."""

from dataclasses import replace

from data_protection.assessments import Assessment, assess
from data_protection.changes import Change
from data_protection.checks.check import Case, Quota
from data_protection.checks.dynamodb_ttl import CHECK, TimeToLive
from data_protection.collection import Questions
from data_protection.remediation.plans import Plan, make_plan
from data_protection.remediation.policy import Policy
from tests.support.data_protection_account import NOW, ORDERS, PLACE, profile, taken
from tests.support.data_protection_healthy import healthy

HOURLY = Quota("change of a table's time to live", most=1, hours=1, refusal="ValidationException")


def planned(*, times: int, quota: Quota | None = HOURLY) -> Plan:
    """Plan a check whose mutator makes the same kind of change so many times."""
    mutator = CHECK.mutator
    assert mutator is not None

    def propose(case: Case[TimeToLive]) -> list[Change]:
        [change] = mutator.propose(case)
        return [change.model_copy(update={"title": f"Change {number}"}) for number in range(times)]

    often = replace(CHECK, mutator=replace(mutator, propose=propose, quota=quota))
    asked = profile({ORDERS: {"DDB-TTL": {"attribute": "gone"}}})
    found = assess(taken(Questions(PLACE, asked), healthy()), asked, NOW)
    findings = [replace(one, check=often) if one.check.id == often.id else one for one in found.findings]
    return make_plan(
        Assessment(found.snapshot, findings),
        profile="test",
        phases=[1, 3],
        named=frozenset({"DDB-TTL"}),
        policy=Policy(),
        requested_by="arn:aws:iam::1:user/a",
    )


def test_two_steps_that_meet_one_quota_say_so() -> None:
    said = f"2 steps of this plan change {ORDERS.arn} so, and AWS takes 1 change of a table's time to live in 1 h."

    assert [step.risk for step in planned(times=2).steps] == [said, said]


def test_one_step_that_meets_a_quota_says_what_its_change_does() -> None:
    [step] = planned(times=1).steps

    assert step.risk == ""
    assert "AWS takes 1 change of a table's time to live in 1 h: it cannot be undone sooner." in step.change.risk


def test_steps_without_a_quota_say_nothing() -> None:
    assert {step.risk for step in planned(times=2, quota=None).steps} == {""}
