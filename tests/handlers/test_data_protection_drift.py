"""Drift from CloudTrail's event to the verified fix, in moto's AWS."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from data_protection.adapters.steps import ResourceLocks
from data_protection.remediation.evidence import Record, verify_chain
from kernel import aws
from tests.support.data_protection_drift import (
    OUR_ROLE,
    REMEDIATIONS,
    ROOT,
    Watched,
    event,
    evidence,
    hearing,
    role,
    seconds_ago,
    watched,
)

RECOVERABLE = {
    "kind": "dynamodb-table",
    "select": [{"name": "orders"}, {"name": "users"}],
    "requires": {"DDB-PITR": {}},
}
FIX = {"fix": ["DDB-PITR"], "fixes_an_hour": 2}
PASSING = {("DDB-PITR", "orders"): "pass", ("DDB-PITR", "users"): "pass"}
FAILING = PASSING | {("DDB-PITR", "orders"): "fail"}


@pytest.fixture
def aws_account() -> None:
    """Leave the account to `watched`."""


@pytest.fixture
def account() -> Iterator[Watched]:
    with watched() as made:
        made.profile([RECOVERABLE], drift=FIX)
        made.table("orders")
        made.table("users")
        made.sweep("first")
        made.told()
        yield made


def disabled(table: str = "orders", **others: Any) -> dict[str, Any]:
    return event("dynamodb", "UpdateContinuousBackups", {"tableName": table}, **others)


def test_recovery_that_somebody_turns_off_is_found_and_turned_on_again(account: Watched) -> None:
    account.recovery("orders", on=False)

    assert account.recheck(disabled(at=seconds_ago(20))) == []

    [(noun, drift)] = account.told()
    assert (noun, drift["check"], drift["name"], drift["before"]) == ("DriftFound", "DDB-PITR", "orders", "pass")
    assert (drift["by"], drift["call"]) == ("arn:aws:iam::123456789012:user/alice", "UpdateContinuousBackups")
    assert account.statuses() == FAILING

    assert account.fix() == 1

    assert account.is_recoverable("orders")
    [(noun, end)] = account.told()
    assert (noun, end["drift"]["id"], end["by"]) == ("DriftFixed", drift["id"], "gatehouse")
    assert end["plan"] in {record["plan"] for record in evidence()}
    assert account.statuses() == PASSING
    assert account.open_drifts() == []


def test_a_fix_leaves_a_chain_of_evidence_from_the_failing_state_on(account: Watched) -> None:
    account.recovery("orders", on=False)
    account.recheck(disabled())
    account.fix()

    records = [Record.model_validate(one) for one in evidence()]
    planned, finished = [record for record in records if not record.step]
    chain = [record for record in records if record.step]
    verify_chain(chain)
    assert planned.content["drift"]["by"] == "arn:aws:iam::123456789012:user/alice"
    assert [str(record.event) for record in chain] == ["seen", "applied", "verified"]
    assert chain[0].content["status"] == "fail"
    assert len(planned.content["plan"]["steps"]) == 1
    assert finished.event == "finished"
    assert finished.content["heads"] == {chain[0].step: verify_chain(chain)}
    verify_chain([planned, finished])


def test_seconds_to_detection_and_to_the_fix_are_measured(account: Watched, capsys: pytest.CaptureFixture[str]) -> None:
    account.recovery("orders", on=False)
    capsys.readouterr()
    account.recheck(disabled(at=seconds_ago(40)))
    account.fix()

    emitted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"CloudWatchMetrics"' in line]
    [[detected]] = [one["DriftDetectSeconds"] for one in emitted if "DriftDetectSeconds" in one]
    [[fixed]] = [one["DriftFixSeconds"] for one in emitted if "DriftFixSeconds" in one]
    assert 40 <= detected <= fixed < 100


@pytest.mark.parametrize(
    ("what", "others"),
    [
        ("a call that failed", {"errorCode": "AccessDenied"}),
        ("a call that only reads", {"readOnly": True}),
        ("a call of our own", {"by": role(OUR_ROLE)}),
        ("a call in an account that is not ours", {"recipientAccountId": "210987654321"}),
        ("a call in a region that is not assessed", {"awsRegion": "us-west-2"}),
    ],
)
def test_nothing_is_looked_at_for(account: Watched, what: str, others: dict[str, Any]) -> None:
    account.recovery("orders", on=False)

    assert account.recheck(disabled(**others)) == []
    assert account.statuses() == PASSING, what


@pytest.mark.parametrize("by", [ROOT, role("arn:aws:iam::123456789012:role/admin")], ids=["root", "another role"])
def test_changes_of_all_others_are_seen(account: Watched, by: dict[str, Any]) -> None:
    account.recovery("orders", on=False)
    account.recheck(disabled(by=by))

    assert account.statuses() == FAILING


def test_a_burst_of_events_is_one_look(account: Watched) -> None:
    account.recovery("orders", on=False)
    asked: list[str] = []
    client = aws.client(aws.session(), "dynamodb", "eu-central-1")
    client.meta.events.register(
        "provide-client-params.dynamodb.DescribeContinuousBackups",
        lambda params, **_: asked.append(params["TableName"]),
    )

    account.recheck(*(disabled() for _ in range(20)))

    assert asked == ["orders"]
    assert len(account.told()) == 1


def test_an_event_that_cannot_be_read_comes_again_alone(account: Watched) -> None:
    account.recovery("orders", on=False)

    assert account.recheck("{}", disabled()) == ["message-0"]
    assert account.statuses() == FAILING


def test_an_account_that_cannot_be_looked_at_comes_again_and_keeps_no_other_waiting(account: Watched) -> None:
    reads = {"arn": "arn:aws:iam::210987654321:role/read", "external_id": "gatehouse"}
    accounts = [
        {"account": "123456789012", "regions": ["eu-central-1"]},
        {"account": "210987654321", "regions": ["eu-central-1"], "profile": "of-nobody", "assess": reads},
    ]
    account.estate({"accounts": accounts})
    account.recovery("orders", on=False)

    assert account.recheck(disabled(recipientAccountId="210987654321"), disabled()) == ["message-0"]
    assert account.statuses() == FAILING


def test_what_somebody_changes_back_is_told_as_theirs(account: Watched) -> None:
    account.recovery("orders", on=False)
    account.recheck(disabled())
    account.told()
    account.recovery("orders", on=True)
    account.recheck(disabled(by=ROOT))

    [(noun, end)] = account.told()
    assert (noun, end["by"]) == ("DriftFixed", "arn:aws:iam::123456789012:root")
    account.fix()
    assert evidence() == [], "a fix that nobody needs any more changes nothing"


def test_a_check_that_the_profile_does_not_list_is_told_and_left(account: Watched) -> None:
    account.profile([RECOVERABLE])
    account.recovery("orders", on=False)
    account.recheck(disabled())

    assert [noun for noun, _ in account.told()] == ["DriftFound"]
    assert account.fix() == 0


def test_what_is_excepted_is_no_drift(account: Watched) -> None:
    exception = {"check": "DDB-PITR", "kind": "dynamodb-table", "name": "orders"}
    account.profile(
        [RECOVERABLE],
        drift=FIX,
        exceptions=[exception | {"owner": "bob", "reason": "It is rebuilt every night.", "expires": "2999-01-01"}],
    )
    account.recovery("orders", on=False)
    account.recheck(disabled())

    assert account.told() == []
    assert account.fix() == 0
    assert account.statuses() == PASSING | {("DDB-PITR", "orders"): "excepted"}


def test_what_is_excepted_after_it_drifted_is_left(account: Watched) -> None:
    account.recovery("orders", on=False)
    account.recheck(disabled())
    exception = {
        "check": "DDB-PITR",
        "kind": "dynamodb-table",
        "name": "orders",
        "owner": "bob",
        "reason": "It is rebuilt every night.",
        "expires": "2999-01-01",
    }
    account.profile([RECOVERABLE], drift=FIX, exceptions=[exception])

    assert account.fix() == 1

    assert not account.is_recoverable("orders")
    assert account.open_drifts() == []


def test_a_protected_resource_is_told_of_and_left(account: Watched) -> None:
    arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"
    account.tables.tag_resource(ResourceArn=arn, Tags=[{"Key": "gatehouse:protected", "Value": "yes"}])
    account.recovery("orders", on=False)
    account.recheck(disabled())

    assert account.fix() == 1

    assert not account.is_recoverable("orders")
    assert account.statuses() == FAILING
    assert [noun for noun, _ in account.told()] == ["DriftFound"]


def test_a_resource_that_never_passed_is_not_fixed_without_asking(account: Watched) -> None:
    account.table("events", recoverable=False)
    account.profile([RECOVERABLE | {"select": [{"name": "events"}]}], drift=FIX)
    account.sweep()
    account.recheck(disabled("events"))

    assert account.told() == []
    assert account.fix() == 0
    assert account.statuses() == {("DDB-PITR", "events"): "fail"}


def test_a_fight_over_a_resource_ends_in_a_freeze_that_names_who_fights(account: Watched) -> None:
    template = role("arn:aws:iam::123456789012:role/terraform")
    for fight in range(3):
        account.recovery("orders", on=False)
        account.recheck(disabled(by=template, at=seconds_ago(30 - 10 * fight)))
        account.fix()

    assert not account.is_recoverable("orders")
    frozen = [detail for noun, detail in account.told() if noun == "DriftFrozen"]
    assert [len(one["reverts"]) for one in frozen] == [3]
    assert {one["by"] for one in frozen[0]["reverts"]} == {template["arn"]}

    # Another resource is another matter.
    account.recovery("users", on=False)
    account.recheck(disabled("users", by=template))
    account.fix()
    assert account.is_recoverable("users")

    account.sweep()
    assert account.fix() == 1
    assert not account.is_recoverable("orders"), "a freeze lasts"
    assert [noun for noun, _ in account.told() if noun == "DriftFrozen"] == []


def test_a_freeze_is_over_after_its_time(account: Watched) -> None:
    account.profile([RECOVERABLE], drift=FIX | {"fixes_an_hour": 1, "freeze_hours": 0.00001})
    for _ in range(2):
        account.recovery("orders", on=False)
        account.recheck(disabled())
        account.fix()
    assert not account.is_recoverable("orders")
    account.profile([RECOVERABLE], drift=FIX)

    account.sweep()
    assert account.fix() == 1

    assert account.is_recoverable("orders")


def test_an_attempt_that_died_is_gone_on_with_and_its_call_is_made_once(account: Watched) -> None:
    account.recovery("orders", on=False)
    account.recheck(disabled())
    calls: list[str] = []
    keys: list[str] = []

    def third_record(params: dict[str, Any], **_: Any) -> None:
        keys.append(params["Key"])
        if len(keys) == 3:  # of the call, which was made by then
            raise ClientError({"Error": {"Code": "InternalError", "Message": "died"}}, "PutObject")

    aws.s3().meta.events.register("provide-client-params.s3.PutObject", third_record)

    call = "provide-client-params.dynamodb.UpdateContinuousBackups"
    with hearing("dynamodb", call, lambda params, **_: calls.append(params["TableName"])):
        assert [account.fix(), account.fix()] == [0, 1]

    assert calls == ["orders"]
    assert account.statuses() == PASSING
    assert [one["event"] for one in evidence() if one["step"]] == ["seen", "applied", "verified"]
    assert outcomes(account) == ["verified"]


def outcomes(account: Watched) -> list[str | None]:
    items = account.tables.scan(TableName=REMEDIATIONS)["Items"]
    return [json.loads(one["attempt"]["S"])["outcome"] for one in items if "attempt" in one]


def test_a_change_that_settles_slowly_is_gone_on_with(account: Watched) -> None:
    account.recovery("orders", on=False)
    account.recheck(disabled())
    enabling: list[str] = []

    def settle(parsed: dict[str, Any], **_: Any) -> None:
        recovery = parsed["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        if recovery["PointInTimeRecoveryStatus"] == "ENABLED" and len(enabling) < 2:
            enabling.append("ENABLING")
            recovery["PointInTimeRecoveryStatus"] = "ENABLING"

    with hearing("dynamodb", "after-call.dynamodb.DescribeContinuousBackups", settle):
        # No second is left to wait.
        with patch("tests.support.context.Context.get_remaining_time_in_millis", lambda _: 0):
            assert account.fix() == 0
            assert account.fix() == 0
        with patch("data_protection.handlers.fix_drift.time.sleep"):
            assert account.fix() == 1

    assert account.statuses() == PASSING
    assert outcomes(account) == ["verified"]


def test_a_fix_that_cannot_end_comes_again_after_a_minute_and_then_ever_later(account: Watched) -> None:
    account.recovery("orders", on=False)
    account.recheck(disabled())
    arn = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"
    locks = ResourceLocks(account.tables, REMEDIATIONS)
    locks.take(arn, "a remediation", datetime.now(UTC), timedelta(hours=1))
    pauses: list[int] = []

    def put_off(params: dict[str, Any], **_: Any) -> None:
        pauses.append(params["VisibilityTimeout"])

    events, call = aws.sqs().meta.events, "provide-client-params.sqs.ChangeMessageVisibility"
    events.register(call, put_off)
    try:
        assert [account.fix() for _ in range(6)] == [0] * 6
    finally:
        events.unregister(call, put_off)
    locks.release(arn, "a remediation")

    # Each second one ends the pause.
    assert pauses[::2] == [60, 120, 240, 480, 900, 900]
    assert account.fix() == 1
    assert account.is_recoverable("orders")


def test_a_sweep_finds_what_no_event_told_and_has_it_fixed(account: Watched) -> None:
    account.recovery("orders", on=False)

    assert account.sweep() == []

    [(noun, drift)] = account.told()
    assert (noun, drift["by"], drift["event"]) == ("DriftFound", "", "")
    account.fix()
    assert account.is_recoverable("orders")


def test_a_table_that_is_deleted_has_drifted(account: Watched) -> None:
    account.tables.delete_table(TableName="orders")
    account.recheck(event("dynamodb", "DeleteTable", {"tableName": "orders"}))

    [(noun, drift)] = account.told()
    assert (noun, drift["reason"][:7]) == ("DriftFound", "MISSING")
    account.fix()
    assert [noun for noun, _ in account.told()] == [], "nothing can be fixed on it"


def test_drift_of_what_is_asked_of_no_more_is_forgotten(account: Watched) -> None:
    account.recovery("orders", on=False)
    account.recheck(disabled())
    account.told()
    account.profile([RECOVERABLE | {"select": [{"name": "users"}]}])

    account.sweep()

    assert (account.open_drifts(), account.told()) == ([], [])
    assert account.statuses() == {("DDB-PITR", "users"): "pass"}


def test_what_cannot_be_read_is_unknown_and_neither_found_nor_fixed(account: Watched) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "DescribeContinuousBackups")

    account.recovery("orders", on=False)
    with hearing("dynamodb", "before-call.dynamodb.DescribeContinuousBackups", refuse):
        account.recheck(disabled())
    assert account.statuses() == PASSING | {("DDB-PITR", "orders"): "unknown"}
    assert account.told() == []

    # Once it can be read again, what was not seen in between is drift all the same.
    account.sweep()
    assert [noun for noun, _ in account.told()] == ["DriftFound"]
