"""The model of scale against the real application: transitions of both machines, and what a run counted itself."""

from collections import Counter
from typing import Any

import pytest

from bench.scale_model import RUN_EVENTS, SEAL_EVENTS, Run, Seal, run_steps
from tests.e2e.conftest import Gatehouse
from tests.support import raw

pytestmark = pytest.mark.cloud


def _history(gatehouse: Gatehouse, described: dict[str, Any]) -> list[dict[str, Any]]:
    pages = gatehouse.client("stepfunctions").get_paginator("get_execution_history")
    found = pages.paginate(executionArn=described["executionArn"])
    return [event for page in found for event in page["events"]]


def _transitions(gatehouse: Gatehouse, described: dict[str, Any]) -> int:
    """Count entered states, and for each child its start and its one state."""
    entered = [event for event in _history(gatehouse, described) if event["type"].endswith("StateEntered")]
    children = sum(int(found["itemCounts"]["succeeded"]) for found in gatehouse.map_runs(described))
    return len(entered) + 2 * children


# A unit has at most a hundred slices.
@pytest.mark.parametrize(("objects", "units", "day"), [(3, 1, "2025-05-01"), (101, 2, "2025-05-11")])
def test_model_counts_what_the_machines_do(gatehouse: Gatehouse, objects: int, units: int, day: str) -> None:
    with gatehouse.untriggered():
        refs = [_put(gatehouse, day, number) for number in range(objects)]
        ran = gatehouse.run(objects=refs)
        sealed = gatehouse.run("SealDayArn", date=day)
    assert (ran["status"], sealed["status"]) == ("SUCCEEDED", "SUCCEEDED")

    run = Run(objects=objects, slices=objects, units=units)
    assert _transitions(gatehouse, ran) == run.transitions
    assert len(_history(gatehouse, ran)) <= RUN_EVENTS
    seal = Seal(
        objects=objects, swept=objects, slices=objects, cuts=1, prefixes=9, parquet_objects=0, lines_slices=objects
    )
    assert _transitions(gatehouse, sealed) == seal.transitions
    assert len(_history(gatehouse, sealed)) <= SEAL_EVENTS

    # A step measures itself before it writes what it measured: the plan and its two lists, the verdict.
    steps = run_steps(run)
    plan = Counter(gatehouse.document(ran, "plan.json")["taken"]["requests"])
    assert plan + Counter({"s3.PutObject": 3}) == +steps["plan_run"]
    verdict = Counter(gatehouse.document(ran, "reconciliation.json")["taken"]["requests"])
    assert verdict + Counter({"s3.PutObject": 1}) == +steps["reconcile_run"]


def _put(gatehouse: Gatehouse, day: str, number: int) -> dict[str, str]:
    events = [raw.an_event(1000 * number + n, Datetime=f"{day}T{n % 24:02}:00:00Z") for n in range(20)]
    return gatehouse.put(f"cloudflare/3/{day.replace('-', '')}/scale-{number}.log.gz", raw.ndjson(events))
