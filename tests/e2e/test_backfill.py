"""`backfill` and `replay_quarantine` as they are deployed: the real machines and functions of the template."""

import json
import uuid
from typing import Any

import pytest

from tests.e2e.conftest import Gatehouse
from tests.support import raw
from tests.support.cloud import eventually

pytestmark = pytest.mark.cloud

ARNS = {"backfill": "BackfillArn", "replay_quarantine": "ReplayQuarantineArn"}


def _run(gatehouse: Gatehouse, machine: str, given: dict[str, Any], name: str | None = None) -> dict[str, Any]:
    started = gatehouse.client("stepfunctions").start_execution(
        stateMachineArn=gatehouse.output(ARNS[machine]),
        name=name or f"test-{uuid.uuid4().hex[:12]}",
        input=json.dumps(given),
    )
    return gatehouse.end(started["executionArn"])


def _states(gatehouse: Gatehouse, refs: list[dict[str, str]]) -> list[str]:
    return [item["state"] for ref in refs for item in gatehouse.ledger(ref)]


def test_backfill_plans_runs_and_finds_nothing_left(gatehouse: Gatehouse) -> None:
    with gatehouse.untriggered():
        refs = [gatehouse.put_events(f"backfill/2026060{n}/a", range(n * 10, n * 10 + 10)) for n in (1, 2, 3)]
    wanted = {"feed": "3", "prefix": "cloudflare/3/backfill/", "max_concurrency": 2}
    plan = json.loads(_run(gatehouse, "backfill", wanted)["output"])
    assert (plan["dry_run"], plan["estimate"]["objects"], plan["waves"]) == (True, 3, 1)
    assert _states(gatehouse, refs) == []
    described = _run(gatehouse, "backfill", wanted | {"dry_run": False})
    assert described["status"] == "SUCCEEDED", described
    end = json.loads(described["output"])
    assert (end["next"], end["objects_left"]) == ("complete", 0)
    assert _states(gatehouse, refs) == ["COMMITTED"] * 3
    again = json.loads(_run(gatehouse, "backfill", wanted)["output"])
    assert (again["done"], again["waves"]) == (3, 0)


def test_backfill_that_would_cost_too_much_ends_with_the_breaker_and_goes_on_when_resumed(gatehouse: Gatehouse) -> None:
    with gatehouse.untriggered():
        refs = [gatehouse.put_events("costly/a", range(10))]
    name = f"costly-{uuid.uuid4().hex[:8]}"
    wanted = {"feed": "3", "prefix": "cloudflare/3/costly/", "dry_run": False, "max_usd": 0.000001}
    described = _run(gatehouse, "backfill", wanted, name)
    assert (described["status"], described["error"]) == ("FAILED", "CostBreakerTripped")
    assert "Resume with a higher max_usd" in described["cause"]
    end = json.loads(_run(gatehouse, "backfill", {"resume": name, "max_usd": 1})["output"])
    assert end["next"] == "complete"
    assert _states(gatehouse, refs) == ["COMMITTED"]


def test_failed_run_of_a_wave_is_no_secret_and_what_is_left_is_named(gatehouse: Gatehouse) -> None:
    with gatehouse.untriggered():
        there = gatehouse.put_events("left/a", range(10))
        gone = gatehouse.put_events("left/b", range(10, 20))
    name = f"left-{uuid.uuid4().hex[:8]}"
    wanted = {"feed": "3", "prefix": "cloudflare/3/left/"}
    _run(gatehouse, "backfill", wanted, name)
    gatehouse.client("s3").delete_object(Bucket=gone["bucket"], Key=gone["key"], VersionId=gone["version_id"])
    described = _run(gatehouse, "backfill", {"resume": name})
    assert (described["status"], described["error"]) == ("FAILED", "BackfillIncomplete")
    assert "1 objects are not in the lake, 1 of them gone" in described["cause"]
    assert _states(gatehouse, [there]) == ["COMMITTED"]


def test_wrong_input_of_a_backfill_fails_at_once_with_its_sentence(gatehouse: Gatehouse) -> None:
    described = _run(gatehouse, "backfill", {"feed": "4711"})
    assert (described["status"], described["error"]) == ("FAILED", "FeedUnknown")
    assert "There is no feed '4711'" in described["cause"]


def test_quarantined_rows_are_replayed_once(gatehouse: Gatehouse) -> None:
    bad = {"Datetime": "yesterday", "RayID": "f" * 16}
    ref = gatehouse.put("cloudflare/3/replayed.log.gz", raw.ndjson([raw.an_event(1), bad, bad]))
    eventually(lambda: "COMMITTED" in _states(gatehouse, [ref]))
    wanted: dict[str, Any] = {"keys": [ref["key"]], "reasons": ["time_format"]}
    dry = json.loads(_run(gatehouse, "replay_quarantine", wanted)["output"])
    assert (dry["rows"], dry["list_key"]) == ({"time_format": 2}, None)
    described = _run(gatehouse, "replay_quarantine", wanted | {"dry_run": False})
    assert described["status"] == "SUCCEEDED", described
    record = json.loads(described["output"])
    assert record["account"] == {"rows_in": 2, "rows_out": 0, "quarantined": 2, "duplicates": 0}
    again = json.loads(_run(gatehouse, "replay_quarantine", wanted | {"dry_run": False})["output"])
    assert (again["rows"], again["replayed_before"]) == ({}, {"time_format": 2})
