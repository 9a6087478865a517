"""Days that seal: the real machine over the real functions."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.conftest import FUNCTIONS, Gatehouse
from tests.support import raw
from tests.support.cloud import eventually

pytestmark = pytest.mark.cloud


def _seal(gatehouse: Gatehouse, day: str, **more: Any) -> dict[str, Any]:
    return gatehouse.run("SealDayArn", date=day, **more)


def _files(gatehouse: Gatehouse, table: str, day: str) -> list[str]:
    key = f"firewall_logs/tables/{table}/event_date={day}/files.txt"
    body = gatehouse.client("s3").get_object(Bucket=gatehouse.output("LakeBucketName"), Key=key)["Body"].read()
    return [line.removeprefix(f"s3://{gatehouse.output('LakeBucketName')}/") for line in body.decode().splitlines()]


def _rows(gatehouse: Gatehouse, day: str, folder: Path) -> int:
    s3, bucket = gatehouse.client("s3"), gatehouse.output("LakeBucketName")
    total = 0
    for number, key in enumerate(_files(gatehouse, "events", day)):
        path = folder / f"{day}-{number}.parquet"
        path.write_bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        [(rows,)] = duckdb.execute(f"SELECT count(*) FROM '{path}'").fetchall()  # noqa: S608 - of this test
        total += rows
    return total


def _loose(gatehouse: Gatehouse, day: str) -> list[str]:
    listed = gatehouse.client("s3").list_objects_v2(
        Bucket=gatehouse.output("LakeBucketName"), Prefix=f"firewall_logs/events/event_date={day}/"
    )
    return [entry["Key"] for entry in listed.get("Contents", [])]


def test_day_is_swept_sealed_reopened_and_sealed_again(gatehouse: Gatehouse, tmp_path: Path) -> None:
    day = "2025-03-01"
    events = [raw.an_event(n, Datetime=f"{day}T{n % 24:02}:00:{n % 60:02}Z") for n in range(600)]
    announced = gatehouse.put("cloudflare/3/20250301/a.log.gz", raw.ndjson(events[:400]))
    eventually(lambda: [item for item in gatehouse.ledger(announced) if item["state"] == "COMMITTED"])
    with gatehouse.untriggered():
        # Its event never comes; and half of its rows came with the other object already.
        swept = gatehouse.put("cloudflare/3/20250301/b.log.gz", raw.ndjson(events[200:500]))
    first = _seal(gatehouse, day)
    assert first["status"] == "SUCCEEDED", first
    assert [item["state"] for item in gatehouse.ledger(swept)] == ["COMMITTED"]
    assert json.loads(first["output"]) | {"files": 0} == {
        "event_date": day,
        "version": 1,
        "status": "SEALED",
        "rows": 500,
        "files": 0,
        "late_objects": 0,
        "reopened": False,
    }
    assert _rows(gatehouse, day, tmp_path) == 500
    assert _loose(gatehouse, day) == []

    late = gatehouse.put("cloudflare/3/20250301/late.log.gz", raw.ndjson(events[450:]))
    eventually(lambda: [item for item in gatehouse.ledger(late) if item["state"] == "COMMITTED"])
    assert _state(gatehouse, day) == "REOPENED"
    assert _rows(gatehouse, day, tmp_path) == 500
    second = json.loads(_seal(gatehouse, day)["output"])
    assert (second["version"], second["rows"], second["late_objects"]) == (2, 600, 1)
    assert _rows(gatehouse, day, tmp_path) == 600
    assert (_loose(gatehouse, day), _state(gatehouse, day)) == ([], "SEALED")

    third = json.loads(_seal(gatehouse, day)["output"])
    assert third["version"] == 2


def test_day_of_many_objects_is_surveyed_in_parts(gatehouse: Gatehouse, tmp_path: Path) -> None:
    day = "2025-03-08"
    with gatehouse.untriggered():
        for number in range(3):
            events = [raw.an_event(100 * number + n, Datetime=f"{day}T{n:02}:00:00Z") for n in range(20)]
            gatehouse.put(f"cloudflare/3/20250308/{number}.log.gz", raw.ndjson(events))
    found = gatehouse.client("lambda").get_function_configuration(FunctionName=f"{FUNCTIONS}-sweep-day")
    variables = {**found["Environment"]["Variables"], "SURVEY_OBJECTS": "1"}
    with gatehouse.configured("sweep-day", Environment={"Variables": variables}):
        sealed = _seal(gatehouse, day)
    assert sealed["status"] == "SUCCEEDED", sealed
    listed = gatehouse.client("s3").list_objects_v2(
        Bucket=gatehouse.output("RunsBucketName"), Prefix=f"firewall_logs/seals/{sealed['name']}/surveys/"
    )
    assert listed["KeyCount"] == 3
    assert _rows(gatehouse, day, tmp_path) == 60


def test_day_with_nothing_is_sealed_as_such(gatehouse: Gatehouse) -> None:
    described = _seal(gatehouse, "2025-04-01")
    assert described["status"] == "SUCCEEDED", described.get("cause")
    assert json.loads(described["output"])["rows"] == 0
    assert _files(gatehouse, "events", "2025-04-01") == []


def _state(gatehouse: Gatehouse, day: str) -> str:
    key = {"partition": {"S": "days"}, "item": {"S": day}}
    item = gatehouse.client("dynamodb").get_item(TableName=gatehouse.output("FirewallDaysTableName"), Key=key)["Item"]
    return str(item["status"]["S"])


def test_schedules_are_there_and_paused_for_these_tests(gatehouse: Gatehouse) -> None:
    events = gatehouse.client("events")
    rules = [rule for rule in events.list_rules()["Rules"] if "ScheduleExpression" in rule]
    assert {rule["State"] for rule in rules} == {"DISABLED"}
    assert {rule["ScheduleExpression"] for rule in rules} == {
        *("cron(0 * * * ? *)", "rate(10 minutes)"),  # seals
        *("cron(0 5 * * ? *)", "rate(15 minutes)"),  # assessments, sweeps for drift
    }


def test_schedule_starts_the_seals_that_are_due(gatehouse: Gatehouse) -> None:
    ref = gatehouse.put(
        "cloudflare/3/20250601/due.log.gz", raw.ndjson([raw.an_event(1, Datetime="2025-06-01T10:00:00Z")])
    )
    eventually(lambda: [item for item in gatehouse.ledger(ref) if item["state"] == "COMMITTED"])
    event = {"time": "2025-06-02T02:00:00Z"}
    answer = gatehouse.client("lambda").invoke(
        FunctionName="gatehouse-local-firewall-logs-start-seals", Payload=json.dumps(event)
    )
    started = json.loads(answer["Payload"].read())
    assert started["days"][0] == "2025-06-01"
    arn = gatehouse.output("SealDayArn").replace(":stateMachine:", ":execution:")
    assert gatehouse.end(f"{arn}:seal-2025-06-01-20250602T0200")["status"] == "SUCCEEDED"
    assert _state(gatehouse, "2025-06-01") == "SEALED"
