"""What waits for the next plan, because a change of this one adds to what it would judge."""

from typing import Any

from data_protection.assessments import assess
from data_protection.collection import Questions
from data_protection.remediation.plans import LeftOut, Plan, make_plan
from data_protection.remediation.policy import Policy
from tests.support.data_protection_account import NOW, ORDERS, PLACE, profile, taken
from tests.support.data_protection_healthy import TABLE_KEYS, healthy

BY_USER = {"name": "by-user", "partition": {"name": "user"}}


def planned(table: dict[str, Any]) -> Plan:
    """Plan phase 3 for a table that scales at another percentage than is asked."""
    asked = profile({ORDERS: {"DDB-EXISTS": table, "DDB-SCALE": {"percent": 60}}})
    assessment = assess(taken(Questions(PLACE, asked), healthy()), asked, NOW)
    return make_plan(
        assessment, profile="test", phases=[3], named=frozenset(), policy=Policy(), requested_by="arn:aws:iam::1:user/a"
    )


def test_scaling_waits_for_an_index_that_is_made_of_the_same_table() -> None:
    plan = planned({**TABLE_KEYS, "indexes": [*TABLE_KEYS["indexes"], BY_USER]})

    assert {step.change.check for step in plan.steps} == {"DDB-EXISTS"}
    assert [(one.check, one.why) for one in plan.omissions] == [("DDB-SCALE", LeftOut.LATER)]


def test_scaling_of_a_table_that_has_its_indexes_is_planned_at_once() -> None:
    plan = planned(TABLE_KEYS)

    assert {step.change.check for step in plan.steps} == {"DDB-SCALE"}
    assert not plan.omissions
