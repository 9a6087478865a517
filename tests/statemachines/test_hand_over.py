"""`backfill` starts itself anew where its history grows long: the real definition, with Pass states for functions."""

import json
import uuid
from copy import deepcopy
from typing import Any

import pytest

from local.paths import ROOT
from local.supervisor import EmbeddedCloud
from tests.support.cloud import cloud, finished
from tests.support.definitions import Json, read

__all__ = ["cloud"]

pytestmark = pytest.mark.cloud

PLAN = {"backfill_id": "b", "planned": True, "dry_run": False}


def _definition(decision: str) -> Json:
    """Return the definition with a plan and with decisions from an expression instead of functions."""
    definition = deepcopy(read(ROOT / "statemachines/firewall_logs/backfill.asl.yaml"))
    states = definition["States"]
    states["PlanBackfill"] = {"Type": "Pass", "Assign": {"plan": PLAN, "trouble": ""}, "Next": "IsPlanned"}
    states["NextWave"] = {"Type": "Pass", "Assign": {"decision": decision}, "Next": "WhatNext"}
    states["RunWave"] = {"Type": "Fail"}
    return definition


def _run(cloud: EmbeddedCloud, decision: str) -> tuple[Any, str, dict[str, Any]]:
    client = cloud.client("stepfunctions")
    arn = client.create_state_machine(
        name=f"test-{uuid.uuid4().hex}",
        definition=json.dumps(_definition(decision)),
        roleArn="arn:aws:iam::000000000000:role/machine",
    )["stateMachineArn"]
    begun = client.start_execution(stateMachineArn=arn, name="b", input=json.dumps({"feed": "47", "dry_run": False}))
    return client, arn, finished(client, begun["executionArn"])


def test_execution_that_is_to_hand_over_starts_its_successor_and_succeeds(cloud: EmbeddedCloud) -> None:
    client, arn, ended = _run(
        cloud,
        "{% $states.context.Execution.Name = 'b' ? {'next': 'handed_over', 'backfill_id': 'b', 'execution': 'b-part2'} "
        ": {'next': 'complete', 'backfill_id': 'b'} %}",
    )
    assert (ended["status"], json.loads(ended["output"])["execution"]) == ("SUCCEEDED", "b-part2")
    successor = finished(client, f"{arn.replace(':stateMachine:', ':execution:')}:b-part2")
    assert json.loads(successor["input"]) == {"resume": "b"}
    assert (successor["status"], json.loads(successor["output"])["next"]) == ("SUCCEEDED", "complete")


def test_hand_over_that_is_impossible_fails_the_execution_with_its_cause(cloud: EmbeddedCloud) -> None:
    _, _, ended = _run(cloud, "{% {'next': 'handed_over', 'backfill_id': 'b', 'execution': 'not a name'} %}")
    assert ended["status"] == "FAILED"
    assert "not a name" in ended["cause"]
