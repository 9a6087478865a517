"""What people undo is no drift: nobody is told of it as such, and nothing turns it on again."""

from collections.abc import Iterator
from datetime import timedelta
from unittest.mock import patch

import pytest

from data_protection.drift import compose
from data_protection.handlers import apply_step, verify_step
from kernel import aws
from kernel.clock import utc_now
from kernel.settings import load
from tests.support.data_protection_drift import ACCOUNT, REGION, USER, Watched, event, watched
from tests.support.remediation import FUNCTION, Remediation, client, tables, whenever

STEP = "DDB-DELPROT/dynamodb-table/orders/0"


@pytest.fixture
def account() -> Iterator[Watched]:
    """Give an account in which a plan has turned on what drift fixes at once."""
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:approvers"
    with watched() as made, patch.dict("os.environ", {"APPROVERS_TOPIC": topic}):
        load.cache_clear()
        client("sns").create_topic(Name="approvers")
        made.table("orders")
        made.profile([tables("orders", DDB_DELPROT={})], drift={"fix": ["DDB-DELPROT"]})
        saturday = Remediation("saturday")
        saturday.work(saturday.plan(1))
        assert saturday.finish(saturday.planned["plan"])["good"]
        made.sweep()
        assert made.told() == []
        yield made
        load.cache_clear()


def protect(*, on: bool) -> None:
    aws.dynamodb().update_table(TableName="orders", DeletionProtectionEnabled=on)


def is_protected() -> bool:
    return bool(aws.dynamodb().describe_table(TableName="orders")["Table"]["DeletionProtectionEnabled"])


def approved() -> str:
    """Plan to undo what is there, and return the hash of the plan that people have approved."""
    saturday = aws.dynamodb().scan(
        TableName="remediations",
        FilterExpression="begins_with(entry, :step)",
        ExpressionAttributeValues={":step": {"S": "step#"}},
    )["Items"][0]["plan"]["S"]
    monday = Remediation("monday")
    return monday.approve(monday.plan(undo=saturday))


def changed() -> object:
    """Return the event of a call by somebody who has touched the table."""
    return event("dynamodb", "UpdateTable", {"tableName": "orders"}, by=USER)


def test_looks_before_and_after_the_call_find_no_drift(account: Watched) -> None:
    asked = {"plan": approved(), "step": STEP}

    def look(_: object) -> None:
        account.sweep()

    with whenever("dynamodb", "UpdateTable", look):
        apply_step.handler(asked, FUNCTION)
    assert not is_protected()
    account.sweep()
    account.recheck(changed())
    assert verify_step.handler(asked, FUNCTION)["state"] == "verified"
    account.sweep()
    account.recheck(changed())

    assert (account.told(), account.open_drifts(), account.fix()) == ([], [], 0)
    assert account.statuses() == {("DDB-DELPROT", "orders"): "fail"}
    assert not is_protected()


def test_what_is_protected_again_drifts_again(account: Watched) -> None:
    asked = {"plan": approved(), "step": STEP}
    apply_step.handler(asked, FUNCTION)
    verify_step.handler(asked, FUNCTION)
    account.sweep()
    protect(on=True)
    account.sweep()
    assert account.told() == []

    protect(on=False)
    account.sweep()

    assert [noun for noun, _ in account.told()] == ["DriftFound"]
    account.fix()
    assert is_protected()


def test_undoing_that_nobody_goes_on_with_keeps_drift_from_being_found_only_for_its_term(account: Watched) -> None:
    asked = {"plan": approved(), "step": STEP}
    with whenever("dynamodb", "UpdateTable", die), pytest.raises(KeyboardInterrupt):
        apply_step.handler(asked, FUNCTION)
    with patch.object(compose, "utc_now", lambda: utc_now() + timedelta(hours=1)):
        account.sweep()
    protect(on=False)

    with patch.object(compose, "utc_now", lambda: utc_now() + timedelta(hours=2)):
        account.sweep()

    assert [noun for noun, _ in account.told()] == ["DriftFound"]


def die(_: object) -> None:
    raise KeyboardInterrupt
