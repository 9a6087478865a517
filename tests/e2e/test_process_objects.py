"""The deployed application: real template, real functions, every way a run can end."""

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Gatehouse
from tests.support import raw
from tests.support.cloud import eventually

pytestmark = pytest.mark.cloud


def test_object_put_into_the_bucket_is_in_the_lake_without_further_ado(gatehouse: Gatehouse, tmp_path: Path) -> None:
    events = [raw.an_event(n) for n in range(500)]
    bad = {"Datetime": "yesterday", "RayID": "f" * 16}
    ref = gatehouse.put("cloudflare/3/triggered.log.gz", raw.ndjson([*events, *events[:7], bad]))
    eventually(lambda: [item for item in gatehouse.ledger(ref) if item["state"] == "COMMITTED"])
    rows = gatehouse.query(ref["key"], "count(*), count(DISTINCT ray_id), min(zone), max(feed)", tmp_path)
    assert rows == [(500, 500, "orchard.example", "3")]
    assert len(gatehouse.committed_files(ref["key"], "quarantine")) == 1


def test_event_delivered_twice_adds_no_rows(gatehouse: Gatehouse, tmp_path: Path) -> None:
    ref = gatehouse.put_events("twice", range(100))
    event = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": ref["bucket"]},
            "object": {"key": ref["key"], "version-id": ref["version_id"], "size": 1, "etag": "e", "sequencer": "0"},
        },
    }
    queue = gatehouse.output("ObjectQueueUrl")
    for _ in range(2):
        gatehouse.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(event))
    eventually(lambda: [item for item in gatehouse.ledger(ref) if item["state"] == "COMMITTED"])
    again = gatehouse.run(objects=[ref])
    assert json.loads(again["output"])["objects_committed"] == 0
    assert gatehouse.query(ref["key"], "count(*)", tmp_path) == [(100,)]


def test_run_by_hand_over_a_prefix_commits_what_lies_below_it(gatehouse: Gatehouse) -> None:
    ref = gatehouse.put("cloudflare/47/by-hand/a.parquet", raw.parquet(3000))
    described = gatehouse.run(feed="47", prefix="cloudflare/47/by-hand/")
    assert described["status"] == "SUCCEEDED"
    eventually(lambda: [item for item in gatehouse.ledger(ref) if item["state"] == "COMMITTED"])
    plan = gatehouse.document(described, "plan.json")
    assert [planned["ref"]["key"] for planned in plan["objects"]] == [ref["key"]]


@pytest.mark.parametrize(("given", "expected"), [({"max_concurrency": 7}, 7), ({}, 2)], ids=["own", "stack's"])
def test_run_of_a_list_commits_what_it_names_with_as_many_units_at_once_as_it_asks_for(
    gatehouse: Gatehouse, given: dict[str, int], expected: int
) -> None:
    with gatehouse.untriggered():
        ref = gatehouse.put_events(f"listed-{expected}", range(100))
        key = f"firewall_logs/lists/listed-{expected}/00000.jsonl"
        gatehouse.client("s3").put_object(
            Bucket=gatehouse.output("RunsBucketName"), Key=key, Body=json.dumps(ref).encode()
        )
        described = gatehouse.run("ProcessObjectsArn", list_key=key, **given)
    assert json.loads(described["output"])["objects_committed"] == 1
    assert [map_run["maxConcurrency"] for map_run in gatehouse.map_runs(described)] == [expected]


def test_contract_error_fails_the_run_at_once_with_its_sentence(gatehouse: Gatehouse) -> None:
    described = gatehouse.run(feed="4711")
    assert (described["status"], described["error"]) == ("FAILED", "FeedUnknown")
    assert "There is no feed '4711'" in described["cause"]
    failure = gatehouse.document(described, "failure.json")
    assert (failure["state"], failure["error"], failure["objects_failed"]) == ("PlanRun", "FeedUnknown", 1)


def test_run_that_fails_before_its_plan_counts_all_objects_it_was_asked_for(gatehouse: Gatehouse) -> None:
    refs = [{"bucket": gatehouse.output("RawBucketName"), "key": f"cloudflare/3/{name}"} for name in "ab"]
    described = gatehouse.run(objects=refs, prefix="cloudflare/3/")
    assert (described["status"], described["error"]) == ("FAILED", "ValidationError")
    assert gatehouse.document(described, "failure.json")["objects_failed"] == 2


def test_missing_object_fails_the_run_after_the_rest_is_committed(gatehouse: Gatehouse) -> None:
    gone = gatehouse.put("cloudflare/other/x", b"x")
    there = gatehouse.put("cloudflare/47/beside/a.parquet", raw.parquet(100))
    missing = {**gone, "key": "cloudflare/3/never-there.log.gz"}
    described = gatehouse.run(objects=[missing, there])
    assert (described["status"], described["error"]) == ("FAILED", "ReconciliationFailed")
    assert "object_missing" in described["cause"]
    verdict = gatehouse.document(described, "reconciliation.json")
    assert [found["check"] for found in verdict["disagreements"]] == ["object_missing"]
    eventually(lambda: [item for item in gatehouse.ledger(there) if item["state"] == "COMMITTED"])


def _many_events() -> bytes:
    """Return an object that takes seconds to process, and no time to make: members of gzip, one like the other."""
    return 100 * raw.ndjson(raw.an_event(n) for n in range(5_000))


@pytest.mark.parametrize(
    ("limit", "configuration"), [("time", {"Timeout": 2}), ("memory", {"MemorySize": 128})], ids=["time", "memory"]
)
def test_unit_over_its_limit_fails_the_run_after_the_rest_and_the_next_run_finishes_it(
    gatehouse: Gatehouse, limit: str, configuration: dict[str, int]
) -> None:
    with gatehouse.untriggered(), gatehouse.planning(UNIT_MB="1"):
        events = _many_events() if limit == "time" else raw.ndjson(raw.an_event(n) for n in range(60_000))
        heavy = gatehouse.put(f"cloudflare/3/over-{limit}.log.gz", events)
        light = gatehouse.put("cloudflare/47/light.parquet", raw.parquet(10)) if limit == "time" else heavy
        with gatehouse.configured("process-unit", **configuration):
            described = gatehouse.run(objects=[heavy, light])
        assert (described["status"], described["error"]) == ("FAILED", "ReconciliationFailed")
        assert "receipt_missing" in described["cause"]
        failure = gatehouse.document(described, "failure.json")
        assert (failure["state"], failure["objects_failed"]) == ("ReconcileRun", 1)
        assert [item["state"] for item in gatehouse.ledger(heavy)] == ["FAILED"]
        if limit == "time":
            assert [item["state"] for item in gatehouse.ledger(light)] == ["COMMITTED"]
        finished = gatehouse.run(objects=[heavy])
    assert finished["status"] == "SUCCEEDED"
    assert json.loads(finished["output"])["objects_committed"] == 1


def test_stopped_execution_gives_its_objects_back(gatehouse: Gatehouse) -> None:
    with gatehouse.untriggered():
        ref = gatehouse.put("cloudflare/3/stopped.log.gz", _many_events())
        arn = gatehouse.start(objects=[ref])
        eventually(lambda: [item for item in gatehouse.ledger(ref) if item["state"] == "CLAIMED"])
        gatehouse.client("stepfunctions").stop_execution(executionArn=arn)
        described = gatehouse.end(arn)
        eventually(lambda: [item for item in gatehouse.ledger(ref) if item["state"] == "FAILED"])
    assert described["status"] == "ABORTED"
    failure = gatehouse.document(described, "failure.json")
    assert (failure["state"], failure["error"]) == ("execution", "ABORTED")


def test_logs_hold_no_content_of_rows(gatehouse: Gatehouse) -> None:
    logs = gatehouse.client("logs")
    lines = [
        event["message"]
        for group in logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/gatehouse-local-")["logGroups"]
        for event in logs.filter_log_events(logGroupName=group["logGroupName"], limit=10_000)["events"]
    ]
    assert any('"message":"unit processed"' in line for line in lines)
    assert not [line for line in lines if "192.0.2." in line or "h1.example.com" in line]
