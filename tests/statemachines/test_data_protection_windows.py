"""Changes begin in a window alone: the real definitions, with Pass states for functions."""

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

SECONDS = 3
# RFC 3339 by the second, as functions answer it.
_STAMP = "'[Y0001]-[M01]-[D01]T[H01]:[m01]:[s01]Z'"
LATER = f"$fromMillis($millis() + {SECONDS * 1000}, {_STAMP})"
NOW = f"$fromMillis($millis(), {_STAMP})"


def assigning(leads_to: str, /, **assigned: Any) -> Json:
    """Return what stands for a function that answers so."""
    return {"Type": "Pass", "Assign": assigned, "Output": {}, "Next": leads_to}


def seconds(cloud: EmbeddedCloud, definition: Json, **given: Any) -> float:
    """Run a machine, and return how long it took."""
    client = cloud.client("stepfunctions")
    arn = client.create_state_machine(
        name=f"test-{uuid.uuid4().hex}",
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::000000000000:role/machine",
    )["stateMachineArn"]
    ended = finished(client, client.start_execution(stateMachineArn=arn, input=json.dumps(given))["executionArn"])
    assert ended["status"] == "SUCCEEDED", ended
    return float((ended["stopDate"] - ended["startDate"]).total_seconds())


def remediation(waves: int, opens: str) -> Json:
    definition = deepcopy(read(ROOT / "statemachines/data_protection/remediate_account.asl.yaml"))
    states = definition["States"]
    planned = {"plan": "p", "dry_run": False, "changes": waves, "approvers": 0}
    planned["waves"] = [{"groups": [{"steps": [f"a{wave}"]}, {"steps": [f"b{wave}"]}]} for wave in range(waves)]
    begun = {"planned": planned, "opens": f"{{% {NOW} %}}", "wave": 0, "failures": []}
    states["PlanRemediation"] = assigning("WhatIsPlanned", **begun)
    worked = f"{{% {{'next': 'nothing', 'good': true, 'opens': {opens}}} %}}"
    group = states["RemediateWave"]["ItemProcessor"]["States"]
    group["ApplyStep"] = assigning("WhatNext", worked=worked, following="{% $position + 1 %}")
    states["FinishRemediation"] = assigning("IsRemediated", finished={"good": True})
    return definition


def lock(*, before: str = "''", between: str = NOW) -> Json:
    definition = deepcopy(read(ROOT / "statemachines/data_protection/lock_objects.asl.yaml"))
    states = definition["States"]
    begun = f"{{% $exists($states.context.Execution.Input.apply) ? ({before}) : 'the input was lost' %}}"
    states["BeginLock"] = assigning("IsApplied", job={"simulation": "s"}, opens=begun, part="present")
    states["ConfigureBucket"] = assigning("IsConfigured", configured={"done": True})
    listed = f"{{% {{'done': true, 'shards': $part = 'present' ? 1 : 0, 'opens': {between}}} %}}"
    states["ListVersions"] = assigning("IsListed", listed=listed)
    states["LockShards"] = assigning("WasLater")
    states["ReconcileLock"] = assigning("IsComplete", reported={"complete": True})
    return definition


def test_each_wave_waits_for_the_window(cloud: EmbeddedCloud) -> None:
    assert seconds(cloud, remediation(2, NOW)) < SECONDS
    assert seconds(cloud, remediation(1, LATER)) < SECONDS
    assert seconds(cloud, remediation(3, LATER)) >= 2 * (SECONDS - 1)


def test_wave_waits_as_the_step_says_that_ended_last(cloud: EmbeddedCloud) -> None:
    for later in ("a0", "b0"):
        opens = f"$steps[0] = '{later}' ? {LATER} : {NOW}"
        assert seconds(cloud, remediation(2, opens)) >= SECONDS - 1


def test_lock_begins_once_the_window_is_open(cloud: EmbeddedCloud) -> None:
    opening = f"$toMillis($states.context.Execution.StartTime) + {SECONDS * 1000}"
    closed = f"$millis() < {opening} ? $fromMillis({opening} + 1000, {_STAMP}) : ''"

    assert seconds(cloud, lock(), apply="s") < SECONDS
    assert seconds(cloud, lock(before=closed), apply="s") >= SECONDS


def test_what_is_listed_is_locked_once_the_window_is_open(cloud: EmbeddedCloud) -> None:
    assert seconds(cloud, lock(between=LATER), apply="s") >= SECONDS - 1
