"""The steps of drill_restore over tables in moto, which restores at once and tells no window."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError

from data_protection.adapters.drill_counts import ScratchCounts
from data_protection.adapters.drill_deletions import ScratchTables
from data_protection.drills.contracts import DrillCount, DrillResult
from data_protection.drills.scratch import PREFIX, is_scratch, scratch_name
from data_protection.errors import DrillRefused
from data_protection.handlers import check_drill, count_drill, end_drill, start_drill
from kernel import aws
from kernel.settings import load
from tests.support.aws import LAKE
from tests.support.context import Context

TIME = datetime(2026, 11, 21, 5, tzinfo=UTC)
TABLE = "messages"
REF = {"run": "drill-1", "time": TIME.isoformat(), "table": TABLE}
ITEMS = 7


@pytest.fixture(autouse=True)
def table(aws_account: None) -> None:
    make(TABLE, StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"})
    aws.dynamodb().update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    for number in range(ITEMS):
        aws.dynamodb().put_item(TableName=TABLE, Item={"id": {"S": str(number)}})
    load.cache_clear()


def make(name: str, **more: Any) -> None:
    aws.dynamodb().create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        **more,
    )


def tables() -> list[str]:
    return [name for name in aws.dynamodb().list_tables()["TableNames"] if TABLE in name]


def started(**asked: Any) -> dict[str, Any]:
    return dict(start_drill.handler({**REF, **asked}, Context()))


def checked() -> dict[str, Any]:
    return dict(check_drill.handler(REF, Context()))


def counted() -> dict[str, Any]:
    return dict(count_drill.handler(REF, Context()))


def ended() -> dict[str, Any]:
    return dict(end_drill.handler(REF, Context()))


def kept(name: str) -> bytes:
    key = f"data_protection/drills/table={TABLE}/date=2026-11-21/run=drill-1/{name}"
    return aws.s3().get_object(Bucket=LAKE, Key=key)["Body"].read()


def result() -> DrillResult:
    return DrillResult.model_validate_json(kept("result.json"))


def count() -> DrillCount:
    return DrillCount.model_validate_json(kept("count.json"))


def test_drill_restores_compares_counts_and_leaves_nothing() -> None:
    scratch = started()["scratch"]
    assert is_scratch(scratch)
    assert scratch in tables()

    over = checked()
    assert over["is_over"]
    assert DrillResult.model_validate_json(aws.s3().get_object(Bucket=LAKE, Key=over["key"])["Body"].read()) == result()
    found = result()
    # Made for on-demand first: the table came back with the five units of its source.
    assert not counted()["is_over"]
    assert counted() == {"is_over": True, "is_whole": True, "items": ITEMS}
    assert ended() == {"is_gone": False}
    assert ended() == {"is_gone": True}

    assert (count().items, count().note, found.source_items) == (ITEMS, "", ITEMS)
    assert found.meets_rto
    assert found.differing == ()
    assert [sentence.split(" must")[0] for sentence in found.to_set[:2]] == [
        "The stream (NEW_AND_OLD_IMAGES)",
        "Point-in-time recovery",
    ]
    assert tables() == [TABLE]
    assert aws.dynamodb().scan(TableName=TABLE)["Count"] == ITEMS


def test_every_step_may_come_twice() -> None:
    first = started()
    assert started() == first
    checked()
    before = result()
    later = datetime.now(UTC) + timedelta(hours=9)
    with patch("data_protection.handlers.check_drill.utc_now", return_value=later):
        assert checked()["seconds"] == before.seconds
    assert result() == before


def test_time_is_measured_from_the_first_asking() -> None:
    with patch("data_protection.handlers.start_drill.utc_now", return_value=TIME):
        started(rto_minutes=60)
    with patch("data_protection.handlers.start_drill.utc_now", return_value=TIME + timedelta(hours=3)):
        started(rto_minutes=60)
    with patch("data_protection.handlers.check_drill.utc_now", return_value=TIME + timedelta(minutes=61)):
        checked()

    assert result().seconds == 61 * 60
    assert not result().meets_rto


def test_table_that_is_still_restored_is_waited_for() -> None:
    scratch = started()["scratch"]
    described = aws.dynamodb().describe_table(TableName=scratch)
    described["Table"]["TableStatus"] = "CREATING"

    with patch.object(aws.dynamodb(), "describe_table", return_value=described):
        assert not checked()["is_over"]
        assert ended() == {"is_gone": False}

    assert scratch in tables()


def test_what_is_measured_is_kept_though_the_count_is_throttled_for_good() -> None:
    started()
    assert checked()["is_over"]
    before = result()
    counted()

    with patch.object(ScratchCounts, "count", return_value=None):
        assert counted() == {"is_over": False, "is_whole": False, "items": 0}
    with patch.object(aws.dynamodb(), "get_paginator", side_effect=RuntimeError("killed")), pytest.raises(RuntimeError):
        counted()

    assert result() == before
    assert counted() == {"is_over": True, "is_whole": True, "items": ITEMS}


@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "ThrottlingException"])
def test_throttled_segment_is_none_and_what_is_forbidden_is_told(code: str) -> None:
    scratch = started()["scratch"]
    events = aws.dynamodb().meta.events

    def refuse(refusal: str) -> Any:
        return lambda **_: (SimpleNamespace(status_code=400), {"Error": {"Code": refusal, "Message": "no"}})

    for refusal in (code, "AccessDeniedException"):
        events.register("before-call.dynamodb.Scan", hear := refuse(refusal))
        try:
            if refusal == code:
                assert ScratchCounts(aws.dynamodb()).count(scratch, 0, 16) is None
            else:
                with pytest.raises(ClientError, match=refusal):
                    ScratchCounts(aws.dynamodb()).count(scratch, 0, 16)
        finally:
            events.unregister("before-call.dynamodb.Scan", hear)


def test_nothing_is_counted_before_it_is_measured() -> None:
    started()

    with pytest.raises(DrillRefused, match=r"result\.json is not there"):
        counted()


def test_source_is_as_it_was_and_the_scratch_table_alone_is_on_demand() -> None:
    scratch = started()["scratch"]
    checked()
    counted()

    modes = {
        name: aws.dynamodb().describe_table(TableName=name)["Table"].get("BillingModeSummary", {}).get("BillingMode")
        for name in (TABLE, scratch)
    }
    assert modes == {TABLE: "PROVISIONED", scratch: "PAY_PER_REQUEST"}
    assert result().differing == ()


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"table": "nowhere"}, "There is no table nowhere"),
        ({"table": "unprotected"}, "is off"),
        ({"table": scratch_name(TABLE, "other")}, "is a scratch table"),
    ],
)
def test_table_that_cannot_be_drilled_is_refused(asked: dict[str, Any], sentence: str) -> None:
    make("unprotected")

    with pytest.raises(DrillRefused, match=sentence):
        started(**asked)

    assert [name for name in tables() if name.startswith(PREFIX)] == []


def test_large_table_is_restored_only_where_that_is_asked_for() -> None:
    described = aws.dynamodb().describe_table(TableName=TABLE)
    described["Table"]["TableSizeBytes"] = 200 << 30

    with patch.object(aws.dynamodb(), "describe_table", return_value=described):
        with pytest.raises(DrillRefused, match=r"messages has 200.0 GB"):
            started()
        assert is_scratch(started(most_gb=200)["scratch"])


@pytest.mark.parametrize("name", [TABLE, f"{PREFIX}{TABLE}", f"x{scratch_name(TABLE, 'r')}", f"{PREFIX}0123456789ab"])
def test_table_with_another_name_is_never_deleted(name: str) -> None:
    assert not is_scratch(name)
    with pytest.raises(DrillRefused, match="no scratch table"):
        ScratchTables(aws.dynamodb()).delete(name, "arn")
    with pytest.raises(DrillRefused, match="no scratch table"):
        ScratchCounts(aws.dynamodb()).count(name, 0, 16)
    with pytest.raises(DrillRefused, match="no scratch table"):
        ScratchCounts(aws.dynamodb()).ready(name)


def test_table_that_was_not_restored_from_the_source_is_left_alone() -> None:
    name = scratch_name(TABLE, "drill-1")
    make(name)

    with pytest.raises(DrillRefused, match="made from nothing"):
        ScratchTables(aws.dynamodb()).delete(name, "arn")
    with pytest.raises(DrillRefused, match="is no restore of"):
        started()

    assert name in tables()


def test_protected_scratch_table_is_freed_and_then_deleted() -> None:
    scratch = started()["scratch"]
    aws.dynamodb().update_table(TableName=scratch, DeletionProtectionEnabled=True)

    assert [ended()["is_gone"] for _ in range(3)] == [False, False, True]
    assert tables() == [TABLE]


def test_drill_that_was_never_begun_has_nothing_to_end() -> None:
    assert ended() == {"is_gone": True}
    with pytest.raises(DrillRefused, match="no drill was begun"):
        checked()


def test_setting_that_did_not_come_back_is_told() -> None:
    scratch = started()["scratch"]
    aws.dynamodb().update_table(
        TableName=scratch, ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 5}
    )
    aws.dynamodb().update_time_to_live(
        TableName=TABLE, TimeToLiveSpecification={"Enabled": True, "AttributeName": "gone_at"}
    )

    checked()

    assert result().differing == ("Of the capacity there is (1, 5) instead of (5, 5).",)
    assert any("by the attribute gone_at" in sentence for sentence in result().to_set)
    assert json.loads(result().model_dump_json())["drill"]["scratch"] == scratch
