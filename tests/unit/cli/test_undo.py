"""`gatehouse undo` starts remediate_account for whom STS names."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.target import Target
from tests.unit.cli.scripted_machine import ARN, Scene, ScriptedMachine
from tests.unit.cli.test_follow import DONE

ALICE = "arn:aws:sts::123456789012:assumed-role/operators/alice"
PLAN = "a" * 64
PLANNED = {"plan": "b" * 64, "undoes": PLAN, "changes": 2, "omitted": {}, "dry_run": True}


class Machines(ScriptedMachine):
    """A script with remediate_account in front of it, and STS."""

    started: dict[str, Any]

    def get_paginator(self, _: str) -> "Machines":
        return self

    def paginate(self) -> list[dict[str, Any]]:
        arn = ARN.replace(":execution:", ":stateMachine:").rpartition(":")[0]
        return [{"stateMachines": [{"name": "gatehouse-dev-remediate_account", "stateMachineArn": arn}]}]

    def start_execution(self, **given: Any) -> dict[str, str]:
        self.started = json.loads(given["input"])
        return {"executionArn": ARN}

    def get_caller_identity(self) -> dict[str, str]:
        return {"Arn": ALICE}


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch) -> Machines:
    machines = Machines([Scene(DONE, None, "SUCCEEDED", output=json.dumps(PLANNED))])
    monkeypatch.setattr(Target, "of", lambda env, *_: Target(env, lambda _: machines))
    return machines


def test_plan_is_undone_in_a_dry_run_for_whom_sts_names(deployed: Machines) -> None:
    result = CliRunner().invoke(app, ["undo", PLAN, "--env", "dev"])

    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == PLANNED
    assert deployed.started == {"undo": PLAN, "steps": [], "named": [], "requested_by": ALICE, "dry_run": True}


def test_steps_are_undone_alone_and_by_name(deployed: Machines) -> None:
    options = ["--step", "DDB-DELPROT", "--step", "S3-LOG/s3-bucket/site/1", "--named", "DDB-PITR", "--apply"]
    CliRunner().invoke(app, ["undo", PLAN, "--env", "dev", *options])

    assert deployed.started["steps"] == ["DDB-DELPROT", "S3-LOG/s3-bucket/site/1"]
    assert (deployed.started["named"], deployed.started["dry_run"]) == (["DDB-PITR"], False)
