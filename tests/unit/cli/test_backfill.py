import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner

from cli import backfill
from cli.target import Target
from firewall_logs.adapters.backfills import Backfills
from firewall_logs.backfills import estimate
from firewall_logs.backfills.contracts import BackfillInput, BackfillPlan, Order, Planning, Progress, WaveProgress
from firewall_logs.backfills.estimate import Capacity
from tests.unit.cli.scripted_machine import ARN, Scene, ScriptedMachine

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CAPACITY = Capacity(architecture="arm64", concurrency=4, unit_bytes=1 << 28)


class Machines(ScriptedMachine):
    """A script with the machine `backfill` in front of it."""

    started: dict[str, Any]

    def get_paginator(self, _: str) -> "Machines":
        return self

    def paginate(self) -> list[dict[str, Any]]:
        return [{"stateMachines": [{"name": "gatehouse-local-backfill", "stateMachineArn": "arn:machine"}]}]

    def start_execution(self, **given: Any) -> dict[str, str]:
        self.started = given
        return {"executionArn": ARN}


class Stacks:
    def describe_stacks(self, **_: Any) -> dict[str, Any]:
        return {"Stacks": [{"Outputs": [{"OutputKey": "RunsBucketName", "OutputValue": "runs"}]}]}


@pytest.fixture
def machines(s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> Machines:
    made = Machines([])
    clients = {"s3": s3, "stepfunctions": made, "cloudformation": Stacks()}
    monkeypatch.setattr(Target, "of", lambda env, cloud: Target(env, clients.__getitem__, cloud))
    return made


@pytest.fixture
def planned(s3: "S3Client") -> Backfills:
    """A backfill of two waves, one of them done."""
    backfills = Backfills(s3, "runs")
    waves = [estimate.wave(number, [1 << 30], [], 40_000_000, CAPACITY) for number in range(2)]
    planning = Planning(complete=True, listed=5, done=3, waves=waves)
    plan = BackfillPlan(
        backfill_id="b1",
        transform_version="2",
        planned_at=datetime(2026, 6, 3, tzinfo=UTC),
        request=BackfillInput(feed="47"),
        planning=planning,
        estimate=estimate.total(planning, CAPACITY),
    )
    backfills.keep_plan(plan)
    done, still = WaveProgress(wave=0, done=True, attempt=1, usd=0.25), WaveProgress(wave=1)
    backfills.keep_progress("b1", Progress(execution="b1", status="run", waves=[done, still]))
    return backfills


def _invoke(*arguments: str) -> Any:
    app = typer.Typer()
    backfill.register(app)
    app.command("other")(lambda: None)
    return CliRunner().invoke(app, ["backfill", *arguments])


def test_plan_is_shown_as_a_table_with_the_way_on(machines: Machines, planned: Backfills) -> None:
    machines.scenes = [Scene([], None, "SUCCEEDED", output=json.dumps({"dry_run": True}))]
    result = _invoke("plan", "--feed", "47", "--from", "2026-06-01", "--name", "b1")
    assert result.exit_code == 0
    assert json.loads(machines.started["input"]) == {"feed": "47", "from": "2026-06-01", "dry_run": True}
    assert "2 (2.00 GiB)" in result.stdout
    assert "80,000,000" in result.stdout
    assert "gatehouse backfill resume b1 --env local" in result.stderr


def test_plan_keeps_the_limit_that_resume_is_to_go_by(machines: Machines, planned: Backfills) -> None:
    machines.scenes = [Scene([], None, "SUCCEEDED", output=json.dumps({"dry_run": True}))]
    assert _invoke("plan", "--feed", "47", "--max-usd", "3", "--name", "b1").exit_code == 0
    assert json.loads(machines.started["input"]) == {"feed": "47", "max_usd": 3.0, "dry_run": True}


def test_backfill_is_followed_in_lines_to_its_end(machines: Machines, planned: Backfills) -> None:
    output = json.dumps({"dry_run": False, "next": "complete", "usd": 0.5})
    machines.scenes = [Scene([], None, "SUCCEEDED", output=output)]
    result = _invoke("start", "--feed", "47", "--max-usd", "3", "--name", "b1")
    assert result.exit_code == 0
    assert json.loads(machines.started["input"]) == {"feed": "47", "max_usd": 3.0, "dry_run": False}
    assert "running  wave 1 of 2  1 of 2 objects  0.2500 USD" in result.stderr
    assert "Backfill b1 is complete, for about 0.5000 USD." in result.stderr


def test_paused_backfill_says_how_to_go_on(machines: Machines, planned: Backfills) -> None:
    output = json.dumps({"next": "paused", "told": "it was asked to pause", "usd": 0.5})
    machines.scenes = [Scene([], None, "SUCCEEDED", output=output)]
    result = _invoke("resume", "b1")
    assert json.loads(machines.started["input"]) == {"resume": "b1"}
    assert "Backfill b1 is paused: it was asked to pause." in result.stderr
    assert "gatehouse backfill resume b1" in result.stderr


def test_backfill_is_followed_into_the_execution_that_it_hands_over_to(machines: Machines, planned: Backfills) -> None:
    handed = json.dumps({"next": "handed_over", "execution": "b1-part2", "told": "", "usd": 0.25})
    output = json.dumps({"next": "complete", "told": "", "usd": 0.5})
    machines.scenes = [Scene([], None, "SUCCEEDED", output=handed), Scene([], None, "SUCCEEDED", output=output)]
    result = _invoke("resume", "b1")
    assert result.exit_code == 0
    assert machines.described == [ARN, ARN.replace(":run-1", ":b1-part2")]
    assert "Backfill b1 is complete, for about 0.5000 USD." in result.stderr


def test_failed_backfill_fails_the_command_with_its_cause(machines: Machines, planned: Backfills) -> None:
    machines.scenes = [Scene([], None, "FAILED", error="FeedUnknown", cause='{"errorMessage": "too much"}')]
    result = _invoke("resume", "b1", "--max-usd", "1")
    assert result.exit_code == 1
    assert "FeedUnknown: too much" in result.stderr
    assert "docs/runbooks/firewall_logs-backfills-failed.md" in result.stderr


def test_pause_asks_the_execution_that_is_in_charge(machines: Machines, planned: Backfills) -> None:
    planned.give_order("b1", Order(execution="b1-again", max_usd=1))
    assert _invoke("pause", "b1").exit_code == 0
    pause = planned.pause("b1")
    assert pause is not None
    assert pause.execution == "b1-again"


def test_backfill_that_does_not_run_cannot_be_paused(machines: Machines, planned: Backfills) -> None:
    result = _invoke("pause", "b1")
    assert result.exit_code == 1
    assert "Backfill b1 does not run in environment 'local'" in result.stderr


def test_status_shows_plan_and_progress(machines: Machines, planned: Backfills) -> None:
    result = _invoke("status", "b1")
    assert result.exit_code == 0
    assert "of them in the lake already" in result.stdout
    assert "running  wave 1 of 2" in result.stdout


def test_status_of_an_unknown_backfill_is_a_sentence(machines: Machines) -> None:
    result = _invoke("status", "b9")
    assert result.exit_code == 1
    assert "Backfill b9 has no plan in environment 'local' yet (0 objects are listed)" in result.stderr
