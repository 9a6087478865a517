"""Heavy units of the deployed application: on Fargate, on Spot while there is Spot, and on demand where it fails."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from batch.exits import DONE, INTERRUPTED, REFUSED
from cli.main import app as command
from tests.e2e.conftest import FUNCTIONS, Gatehouse
from tests.support.cloud import eventually

pytestmark = pytest.mark.cloud

EVENTS = 250_000  # some seconds of work
LIGHT = 100


def _outcomes(gatehouse: Gatehouse, described: dict[str, Any]) -> list[tuple[str, int]]:
    """Return where each task of a run was, and its exit code."""
    tasks = gatehouse.tasks(described["name"])
    return [(task["capacityProviderName"], task["containers"][0]["exitCode"]) for task in tasks]


def test_run_does_heavy_objects_on_fargate_and_light_ones_in_functions(gatehouse: Gatehouse, tmp_path: Path) -> None:
    with gatehouse.untriggered(), gatehouse.planning(BATCH_MB="1"):
        heavy, light = gatehouse.put_events("heavy", range(EVENTS)), gatehouse.put_events("light", range(LIGHT))
        described = gatehouse.run(objects=[heavy, light])
    assert json.loads(described["output"])["objects_committed"] == 2
    plan = gatehouse.document(described, "plan.json")
    assert (plan["units"], plan["batch_units"]) == (1, 1)
    assert _outcomes(gatehouse, described) == [("FARGATE_SPOT", DONE)]
    assert gatehouse.query(heavy["key"], "count(*), count(DISTINCT ray_id)", tmp_path) == [(EVENTS, EVENTS)]
    summary = gatehouse.document(described, "summary.json")
    assert summary["usd_by_component"]["fargate_vcpus"] > 0
    assert summary["usd_by_component"]["lambda_compute"] > 0


def test_task_that_spot_takes_back_is_run_again_on_demand(gatehouse: Gatehouse, tmp_path: Path) -> None:
    with gatehouse.untriggered():
        ref = gatehouse.put_events("taken-back", range(EVENTS))
        arn = gatehouse.start(objects=[ref], engine="batch", max_concurrency=1)
        run = arn.rpartition(":")[2]
        [task] = eventually(lambda: [t for t in gatehouse.tasks(run) if t["lastStatus"] == "RUNNING"])
        gatehouse.client("ecs").stop_task(cluster=FUNCTIONS, task=task["taskArn"], reason="as Spot does")
        described = gatehouse.end(arn)
    assert described["status"] == "SUCCEEDED"
    assert _outcomes(gatehouse, described) == [("FARGATE_SPOT", INTERRUPTED), ("FARGATE", DONE)]
    assert gatehouse.query(ref["key"], "count(*), count(DISTINCT ray_id)", tmp_path) == [(EVENTS, EVENTS)]


def test_work_that_a_task_refuses_is_not_tried_again_and_fails_the_run(gatehouse: Gatehouse) -> None:
    with gatehouse.untriggered():
        ref = gatehouse.put_events("withdrawn", range(LIGHT))
        arn = gatehouse.start(objects=[ref], engine="batch")
        eventually(lambda: [item for item in gatehouse.ledger(ref) if item["state"] == "CLAIMED"])
        gatehouse.client("s3").delete_object(Bucket=ref["bucket"], Key=ref["key"], VersionId=ref["version_id"])
        described = gatehouse.end(arn)
    assert (described["status"], described["error"]) == ("FAILED", "ReconciliationFailed")
    assert "receipt_missing" in described["cause"]
    assert _outcomes(gatehouse, described) == [("FARGATE_SPOT", REFUSED)]
    eventually(lambda: [item for item in gatehouse.ledger(ref) if item["state"] == "FAILED"])


def test_command_line_shows_what_tasks_wrote(gatehouse: Gatehouse) -> None:
    ended = CliRunner().invoke(command, ["logs", "firewall-logs-batch", "--cloud", gatehouse.cloud.state.name])
    assert '"message":"unit processed"' in "".join(ended.output.split("\n"))


def test_logs_of_tasks_hold_no_content_of_rows(gatehouse: Gatehouse) -> None:
    logs = gatehouse.client("logs")
    group = "/aws/ecs/gatehouse-local-firewall-logs-batch"
    lines = [event["message"] for event in logs.filter_log_events(logGroupName=group, limit=10_000)["events"]]
    assert any('"message":"unit processed"' in line for line in lines)
    assert not [line for line in lines if "192.0.2." in line or "h1.example.com" in line]
