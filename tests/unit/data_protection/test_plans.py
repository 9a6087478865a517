"""Who must agree to a plan, how much it may change, and what it tells people who are asked."""

from collections.abc import Mapping
from typing import Any

import pytest

from data_protection.assessments import assess
from data_protection.collection import Questions
from data_protection.errors import PlanTooLarge
from data_protection.readings import Missing
from data_protection.reads import dynamodb
from data_protection.remediation.plans import Plan, make_plan
from data_protection.remediation.policy import Limits, Policy
from data_protection.resources import Kind, Resource
from tests.support.data_protection_account import ACCOUNT, NOW, ORDERS, PLACE, Asked, profile, taken
from tests.support.data_protection_healthy import bare, recovery

PREAPPROVED = Policy(preapproved_phases=frozenset({1, 2}))


def planned(asked: Asked, readings: Mapping[Any, Any], policy: Policy, *phases: int) -> Plan:
    judged = profile(asked)
    assessment = assess(taken(Questions(PLACE, judged), readings), judged, NOW)
    return make_plan(
        assessment,
        profile="test",
        phases=phases,
        named=frozenset(),
        policy=policy,
        requested_by="arn:aws:iam::1:user/a",
    )


def unprotected(number: int, limits: Limits) -> Plan:
    """Plan recovery of so many tables that have none."""
    tables = [Resource(Kind.TABLE, PLACE, f"table-{one:03}") for one in range(number)]
    readings = bare() | {(table, dynamodb.CONTINUOUS_BACKUPS): recovery("DISABLED") for table in tables}
    return planned({table: {"DDB-PITR": {}} for table in tables}, readings, Policy(limits=limits), 1)


def test_no_more_than_a_quarter_of_many_resources_is_changed_unless_the_profile_says_so() -> None:
    with pytest.raises(PlanTooLarge, match=r"changes 100 resources, 100 are in scope, and 25 may be changed"):
        unprotected(100, Limits())

    assert unprotected(100, Limits(percent=100)).resources_touched == 100


def test_few_resources_may_all_be_changed_at_once_unless_the_profile_says_otherwise() -> None:
    assert unprotected(20, Limits()).resources_touched == 20

    with pytest.raises(PlanTooLarge, match="5 may be changed"):
        unprotected(20, Limits(always=1))


def test_plan_of_what_is_undone_by_itself_needs_nobody_where_the_profile_says_so() -> None:
    plan = planned({ORDERS: {"DDB-DELPROT": {}}}, bare(), PREAPPROVED, 1)

    assert (len(plan.steps), plan.approvers, plan.one_way) == (1, 0, ())


def test_plan_of_what_nothing_undoes_needs_people_whatever_the_profile_says() -> None:
    backups = {"plan": {"name": "daily", "vault": "Default", "role": "arn:aws:iam::123456789012:role/backup"}}
    plan = planned({ACCOUNT: {"BK-PLAN": backups}, ORDERS: {"DDB-DELPROT": {}}}, bare(), PREAPPROVED, 1)

    assert [step.change.call.operation for step in plan.one_way] == ["create_backup_plan"]
    assert plan.approvers == 1
    assert plan.summary["one_way"] == ["BK-PLAN/account/123456789012/0"]


def test_resource_that_does_not_exist_is_left_out_as_such_and_not_as_unread() -> None:
    gone = bare() | {(ORDERS, dynamodb.TABLE): Missing("ResourceNotFoundException")}
    plan = planned({ORDERS: {"DDB-DELPROT": {}}}, gone, Policy(), 1)

    [omission] = plan.omissions
    assert omission.why == "missing"
    assert omission.reason.endswith("does not exist: plan again once it is made, as by create_secure_resources.")


def test_plan_tells_of_conflicts_about_what_its_steps_are_to_meet() -> None:
    asked = {ORDERS: {"DDB-PITR": {"rpo_minutes": 5}, "DDB-DELPROT": {}}}
    with_recovery = planned(asked, bare(), Policy(), 1)
    without = planned(asked, bare() | {(ORDERS, dynamodb.CONTINUOUS_BACKUPS): recovery()}, Policy(), 1)

    [told] = with_recovery.contradictions
    assert (told.conflict, told.arn) == ("RPO-PITR", ORDERS.arn)
    assert told.ways_out
    assert with_recovery.summary["contradictions"] == ["RPO-PITR"]
    assert [step.change.check for step in without.steps] == ["DDB-DELPROT"]
    assert without.contradictions == ()
