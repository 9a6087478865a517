"""Exceptions: somebody answers for a failure, until a day."""

import pytest

from data_protection.assessments import assess
from data_protection.profiles import Profile
from data_protection.readings import Missing
from data_protection.reads.dynamodb import CONTINUOUS_BACKUPS
from data_protection.resources import Kind, Resource
from data_protection.verdicts import Status
from tests.support.data_protection_account import NOW, PLACE, snapshot


@pytest.mark.parametrize(("last", "status"), [("2026-11-21", Status.EXCEPTED), ("2026-11-20", Status.FAIL)])
def test_exception_holds_to_its_last_day_and_is_told_of_afterwards(last: str, status: Status) -> None:
    orders = Resource(Kind.TABLE, PLACE, "orders")
    given = {
        "name": "test",
        "rules": [{"kind": "dynamodb-table", "select": [{"name": "orders"}], "requires": {"DDB-PITR": {}}}],
        "exceptions": [
            {
                "check": "DDB-PITR",
                "kind": "dynamodb-table",
                "name": "orders",
                "owner": "team-shop",
                "reason": "It is made anew every night",
                "expires": last,
            }
        ],
    }
    readings = {(orders, CONTINUOUS_BACKUPS): Missing("TableNotFoundException")}
    [found] = assess(snapshot(readings), Profile.model_validate(given), NOW).findings

    assert found.status is status
    assert found.verdict.reason.endswith(f"team-shop answered for it until {last}.") == (status is Status.FAIL)
