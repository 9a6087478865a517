"""`gatehouse drifts` over an account in moto."""

from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.target import Target
from data_protection.adapters.attempts import AttemptStore
from data_protection.drift.attempts import Attempt
from data_protection.drift.drifts import Drift
from data_protection.handlers import assess_place
from data_protection.remediation.steps import State
from kernel import aws
from tests.support.aws import LAKE
from tests.support.data_protection_drift import (
    CONTEXT,
    FINDINGS,
    REMEDIATIONS,
    ROOT,
    USER,
    Watched,
    client,
    event,
    watched,
)
from tests.unit.data_protection.test_outcomes import PLAN

RULE = {"kind": "dynamodb-table", "select": [{"name": "orders"}], "requires": {"DDB-PITR": {}}}


@pytest.fixture
def drifting(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watched]:
    outputs = {
        "LakeBucketName": LAKE,
        "ProtectionFindingsTableName": FINDINGS,
        "ProtectionRemediationsTableName": REMEDIATIONS,
    }
    with watched() as account:
        clients = {"s3": aws.s3(), "dynamodb": client("dynamodb"), "sts": client("sts")}
        monkeypatch.setattr(Target, "of", lambda env, cloud: Target(env, clients.__getitem__, cloud))
        monkeypatch.setattr(Target, "output", lambda _, key: outputs[key])
        account.table("orders")
        yield account


def disturb(account: Watched) -> None:
    """Let somebody turn recovery off, once it is known to have been on."""
    account.sweep("before")
    account.recovery("orders", on=False)
    account.recheck(event("dynamodb", "UpdateContinuousBackups", {"tableName": "orders"}))


def listed(*options: str) -> list[dict[str, str]]:
    ended = CliRunner().invoke(app, ["drifts", *options])
    assert ended.exit_code == 0, ended.stderr
    names, *rows = [line.split("\t") for line in ended.stdout.splitlines()]
    return [dict(zip(names, row, strict=True)) for row in rows]


def test_drift_that_is_left_to_people_says_what_where_by_whom_and_why(drifting: Watched) -> None:
    drifting.profile([RULE])
    assert listed() == []
    disturb(drifting)

    [drift] = listed()

    assert (drift["check"], drift["resource"]) == ("DDB-PITR", "dynamodb-table/orders")
    assert (drift["account"], drift["region"]) == ("123456789012", "eu-central-1")
    assert (drift["status"], drift["reason"]) == ("fail", "Point-in-time recovery is off.")
    assert (drift["by"], drift["call"]) == (USER["arn"], "UpdateContinuousBackups")
    assert drift["since"].startswith("20")
    assert drift["fix"] == "left to people: the profile rfc-008 does not have it fixed"
    assert drift["frozen until"] == ""


def test_drift_that_was_fixed_too_often_says_until_when_it_is_not_any_more(drifting: Watched) -> None:
    drifting.profile([RULE], drift={"fix": ["DDB-PITR"], "fixes_an_hour": 1})
    disturb(drifting)
    assert [drift["fix"] for drift in listed()] == ["not begun"]
    assert drifting.fix() == 1
    assert listed() == []

    drifting.recovery("orders", on=False)
    drifting.recheck(event("dynamodb", "UpdateContinuousBackups", {"tableName": "orders"}))
    assert drifting.fix() == 1

    [drift] = listed()
    assert drift["frozen until"].startswith("20")


def test_drift_that_an_assessment_saw_mended_is_not_listed(drifting: Watched) -> None:
    drifting.profile([RULE])
    disturb(drifting)
    assert len(listed()) == 1
    drifting.recovery("orders", on=True)
    place = {"account": "123456789012", "region": "eu-central-1"}

    assess_place.handler({"run": "r", "time": "2026-11-21T05:00:00Z", "place": place}, CONTEXT)

    assert listed() == []
    [ended] = listed("--all")
    assert (ended["check"], ended["by"]) == ("DDB-PITR", USER["arn"])
    assert ended["fix"] == "fixed, seen by r"
    assert int(ended["seconds"]) >= 0

    drifting.sweep("after")

    assert listed("--all") == [ended], "as it was before a look has told of it"


def test_all_drift_is_listed_with_how_it_ended(drifting: Watched) -> None:
    drifting.profile([RULE], drift={"fix": ["DDB-PITR"]})
    disturb(drifting)
    assert drifting.fix() == 1
    exception = {"check": "DDB-PITR", "kind": "dynamodb-table", "name": "orders", "reason": "Made anew every night"}
    excepted = [exception | {"owner": "shop", "expires": "2099-12-31"}]
    for exceptions in ([], excepted):
        drifting.profile([RULE])
        drifting.recovery("orders", on=False)
        drifting.recheck(event("dynamodb", "UpdateContinuousBackups", {"tableName": "orders"}))
        drifting.recovery("orders", on=not exceptions)
        drifting.profile([RULE], exceptions=exceptions)
        drifting.recheck(event("dynamodb", "UpdateContinuousBackups", {"tableName": "orders"}, by=ROOT))

    first, second, third = listed("--all")

    assert first["fix"].startswith("fixed by plan ")
    assert second["fix"] == f"fixed by {ROOT['arn']}"
    assert third["fix"] == "excepted, seen by recheck-00000000-0000-0000-0000-000000000000"
    assert all(one["since"] <= one["found"] <= one["ended"] for one in (first, second, third))
    assert listed() == []


@pytest.mark.parametrize(("outcome", "told"), [(None, "being fixed"), (State.ROLLED_BACK, "ended rolled back, plan ")])
def test_drift_that_was_tried_to_be_fixed_says_how_far_that_is(
    drifting: Watched, outcome: State | None, told: str
) -> None:
    drifting.profile([RULE], drift={"fix": ["DDB-PITR"]})
    disturb(drifting)
    drift = Drift.model_validate(drifting.open_drifts()[0])
    attempt = Attempt(drift=drift, plan=PLAN, began=drift.found, outcome=outcome)
    AttemptStore(aws.dynamodb(), REMEDIATIONS).keep(attempt)

    assert [one["fix"] for one in listed()] == [f"{told}{PLAN.hash}" if outcome else told]


def test_estate_that_is_none_is_told_in_a_sentence(drifting: Watched) -> None:
    drifting.estate({"accounts": []})

    ended = CliRunner().invoke(app, ["drifts"])

    assert (ended.exit_code, "The estate does not hold. `accounts` is empty." in ended.stderr) == (1, True)
