import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from cli import report, run
from cli.target import NotDeployed, Target
from tests.unit.cli.scripted_machine import ARN, Scene, ScriptedMachine
from tests.unit.cli.test_follow import DONE, FAILED


class Machines(ScriptedMachine):
    """A script with one deployed machine in front of it."""

    started: dict[str, Any]

    def get_paginator(self, _: str) -> "Machines":
        return self

    def paginate(self) -> list[dict[str, Any]]:
        arn = ARN.replace(":execution:", ":stateMachine:").rpartition(":")[0]
        return [{"stateMachines": [{"name": "gatehouse-local-process_objects", "stateMachineArn": arn}]}]

    def start_execution(self, **given: Any) -> dict[str, str]:
        self.started = given
        return {"executionArn": ARN}


@pytest.fixture
def app() -> typer.Typer:
    made = typer.Typer()
    run.register(made)
    report.register(made)
    return made


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Machines:
    machines = Machines([Scene(DONE, None, "SUCCEEDED", output='{"rows_out": 9}')])
    monkeypatch.setattr(Target, "of", lambda env, cloud: Target(env, lambda _: machines, cloud))
    return machines


def test_result_goes_to_stdout_and_the_rest_to_stderr(app: typer.Typer, deployed: Machines) -> None:
    result = CliRunner().invoke(app, ["run", "process_objects", "--input", '{"feed": "47"}', "--name", "by-hand"])
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"rows_out": 9}
    assert "succeeded" in result.stderr
    assert deployed.started["name"] == "by-hand"
    assert json.loads(deployed.started["input"]) == {"feed": "47"}


@pytest.mark.parametrize("way", ["@file", "-"])
def test_input_comes_from_a_file_or_from_stdin(app: typer.Typer, deployed: Machines, way: str, tmp_path: Path) -> None:
    file = tmp_path / "input.json"
    file.write_text('{"feed": "3"}')
    given = f"@{file}" if way == "@file" else "-"
    result = CliRunner().invoke(app, ["run", "process_objects", "--input", given], input='{"feed": "3"}')
    assert result.exit_code == 0
    assert json.loads(deployed.started["input"]) == {"feed": "3"}


def test_failed_execution_fails_the_command(app: typer.Typer, deployed: Machines) -> None:
    deployed.scenes = [Scene(FAILED, None, "FAILED", error="ReconciliationFailed", cause="1 disagreement(s)")]
    result = CliRunner().invoke(app, ["run", "process_objects"])
    assert result.exit_code == 1
    assert "ReconciliationFailed: 1 disagreement(s)" in result.stderr
    assert "gatehouse logs" in result.stderr
    assert result.stdout == ""


def test_interrupt_leaves_the_execution_running_and_says_how_to_follow_it(
    app: typer.Typer, deployed: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(deployed, "describe_execution", interrupted)
    result = CliRunner().invoke(app, ["run", "process_objects"])
    assert result.exit_code == 130
    assert "gatehouse follow process_objects run-1 --env local" in result.stderr


def test_unknown_machine_lists_those_there_are(app: typer.Typer, deployed: Machines) -> None:
    result = CliRunner().invoke(app, ["run", "process_object"])
    assert result.exit_code == 1
    assert "no state machine 'process_object'" in result.stderr
    assert "Deployed are: process_objects." in result.stderr


@pytest.mark.parametrize(("given", "said"), [("{", "is not JSON"), ("@nowhere.json", "cannot be read: No such file")])
def test_unusable_input_is_refused_before_anything_starts(app: typer.Typer, given: str, said: str) -> None:
    result = CliRunner().invoke(app, ["run", "process_objects", "--input", given])
    assert result.exit_code == 1
    assert said in result.stderr


def test_missing_output_names_stack_output_and_remedy() -> None:
    class Stacks:
        def describe_stacks(self, **_: Any) -> dict[str, Any]:
            return {"Stacks": [{"Outputs": [{"OutputKey": "LakeBucketName", "OutputValue": "lake"}]}]}

    target = Target("dev", lambda _: Stacks())
    assert target.output("LakeBucketName") == "lake"
    with pytest.raises(NotDeployed, match=r"no output 'RunsBucketName' \(it has: LakeBucketName\).*--env dev"):
        target.output("RunsBucketName")
