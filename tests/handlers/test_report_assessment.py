"""ReportAssessment over findings as AssessPlace keeps them."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from data_protection.adapters.findings import FindingStore
from data_protection.assessments import score
from data_protection.contracts import AssessPlace, FindingRow, PlaceRef
from data_protection.handlers.report_assessment import handler
from data_protection.verdicts import Status
from kernel import aws
from kernel.settings import load
from tests.support.aws import LAKE
from tests.support.context import Context
from tests.support.data_protection_account import PLACE
from tests.support.data_protection_reports import TIME, conflict, exception, row

TABLE = "findings"


@pytest.fixture(autouse=True)
def store(aws_account: None) -> Iterator[FindingStore]:
    aws.dynamodb().create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("place", "entry")],
        KeySchema=[{"AttributeName": "place", "KeyType": "HASH"}, {"AttributeName": "entry", "KeyType": "RANGE"}],
    )
    with patch.dict("os.environ", {"FINDINGS_TABLE": TABLE, "ENVIRONMENT": "prod"}):
        load.cache_clear()
        yield FindingStore(aws.s3(), LAKE, aws.dynamodb(), TABLE)


def assessed(store: FindingStore, run: str, time: datetime, rows: list[FindingRow], profile: str = "rfc-008") -> None:
    """Keep what a run found, as AssessPlace does."""
    asked = AssessPlace(run=run, time=time, place=PlaceRef(account=PLACE.account, region=PLACE.region))
    store.write_conflicts(run, time.date(), PLACE, [conflict()])
    store.write(run, time.date(), PLACE, rows)
    store.write_exceptions(run, time.date(), PLACE, [exception("order", aimed=False, profile=profile)])
    store.keep(asked, rows, score(one.status for one in rows), profile=profile, expires=int(time.timestamp()) + 1)


def reported(run: str, **given: Any) -> dict[str, Any]:
    asked = {"run": run, "time": TIME.isoformat(), "whole_profiles": {"rfc-008": 1}}
    return dict(handler(asked | given, Context()))


def files(prefix: str) -> dict[str, bytes]:
    listed = aws.s3().list_objects_v2(Bucket=LAKE, Prefix=prefix).get("Contents", [])
    return {
        one["Key"].removeprefix(prefix): aws.s3().get_object(Bucket=LAKE, Key=one["Key"])["Body"].read()
        for one in listed
    }


def test_a_run_is_compared_with_the_one_before_it(store: FindingStore) -> None:
    assessed(store, "daily-1", TIME - timedelta(days=1), [row("DDB-PITR", Status.PASS), row("DDB-TTL", Status.FAIL)])
    assessed(store, "daily-2", TIME, [row("DDB-PITR", Status.FAIL), row("DDB-TTL", Status.PASS)])
    # A later one is none of the report's business.
    assessed(store, "daily-3", TIME + timedelta(days=1), [row("DDB-PITR", Status.PASS)])

    told = json.loads(files(reported("daily-2")["prefix"])["report.json"])

    assert [(point["run"], point["percent"]) for point in told["trend"]] == [("daily-1", 50.0), ("daily-2", 50.0)]
    assert [len(told["changes"][kind]) for kind in ("broken", "fixed", "unknown", "gone")] == [1, 1, 0, 0]
    assert len(told["conflicts"]) == len(told["misaimed_exceptions"]) == 1


def test_a_run_is_compared_with_the_last_one_by_the_same_profile(store: FindingStore) -> None:
    failed, passed = ([row("DDB-PITR", status)] for status in (Status.FAIL, Status.PASS))
    assessed(store, "daily-0", TIME - timedelta(days=2), passed)
    assessed(store, "daily-1", TIME - timedelta(days=1), failed, "strict")
    assessed(store, "daily-2", TIME, failed)

    made = reported("daily-2")
    told = json.loads(files(made["prefix"])["report.json"])

    assert (made["misaimed_exceptions"], told["compared"]) == (1, ["daily-0"])
    assert [point["run"] for point in told["trend"]] == ["daily-0", "daily-2"]
    assert len(told["changes"]["broken"]) == 1


def test_a_place_in_which_nothing_is_in_scope_is_compared_too(store: FindingStore) -> None:
    for run, days in (("daily-1", 1), ("daily-2", 0)):
        assessed(store, run, TIME - timedelta(days=days), [])

    told = json.loads(files(reported("daily-2")["prefix"])["report.json"])

    assert [point["run"] for point in told["trend"]] == ["daily-1", "daily-2"]
    assert told["places"][0]["profile"] == "rfc-008"


def test_reported_again_a_run_has_the_same_files(store: FindingStore) -> None:
    assessed(store, "daily-2", TIME, [row("DDB-PITR", Status.FAIL)])

    first = reported("daily-2")
    before = files("data_protection/")
    assert reported("daily-2") == first
    assert files("data_protection/") == before
    assert {"index.html", "report.json", "findings.csv", "junit.xml", "ocsf.jsonl", "asff.jsonl"} == set(
        files(first["prefix"])
    )
    assert "history/date=2026-11-21/daily-2.parquet" in before


def test_a_run_that_saw_only_some_places_of_a_profile_tells_of_no_exception_that_is_about_nothing(
    store: FindingStore,
) -> None:
    assessed(store, "daily-2", TIME, [row("DDB-PITR", Status.FAIL)])

    assert reported("daily-2")["misaimed_exceptions"] == 1
    assert reported("daily-2", whole_profiles={"rfc-008": 2})["misaimed_exceptions"] == 0
    assert reported("daily-2")["ended_exceptions"] == 0


def test_places_that_failed_are_named(store: FindingStore) -> None:
    assessed(store, "daily-2", TIME, [row("DDB-PITR", Status.PASS)])

    made = reported("daily-2", failures=["123456789012 in eu-west-1: AccessRefused"])

    assert (made["places"], made["failed"], made["percent"]) == (1, 1, 100.0)
    assert b"123456789012 in eu-west-1: AccessRefused" in files(made["prefix"])["index.html"]


def test_a_run_in_which_every_place_failed_is_reported_too() -> None:
    made = reported("daily-2", failures=["123456789012 in eu-west-1: AccessRefused"])

    assert (made["places"], made["percent"], len(files(made["prefix"]))) == (0, None, 6)
