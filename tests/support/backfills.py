"""The machine `backfill` without Step Functions: the same handlers in the same order, a step at a time."""

from collections.abc import Callable, Generator
from typing import Any

from tests.support.pipeline import Pipeline

# After how many effects the next step is to be killed; None lets it end.
Killer = Callable[[str], int | None]

_SECONDS_PER_STEP = 10


def spare(_: str) -> int | None:
    """Kill nothing."""
    return None


def execution(
    pipeline: Pipeline, name: str, given: dict[str, Any], kill: Killer = spare
) -> Generator[str, None, dict[str, Any]]:
    """Call step after step, yielding the name of each; return what the machine would end with.

    A wait takes as many steps of whatever else goes on as it would take time. Where the execution hands over, its
    successor's steps follow.

    Raises:
        StepFailed: A step was killed, and the execution with it, or failed.
    """
    while not (plan := _call(pipeline, "plan_backfill", {"execution": name, "input": given}, kill))["planned"]:
        yield "plan_backfill"
    yield "plan_backfill"
    if plan["dry_run"]:
        return plan
    step = {"backfill_id": plan["backfill_id"], "execution": name, "trouble": ""}
    while True:
        decision = _call(pipeline, "next_wave", step, kill)
        yield "next_wave"
        if decision["next"] == "run":
            for handler, event in pipeline.steps(decision["run_id"], decision["input"]):
                _call(pipeline, handler, event, kill)
                yield handler
        elif decision["next"] == "wait":
            for _ in range(max(1, decision["seconds"] // _SECONDS_PER_STEP)):
                yield "wait"
        elif decision["next"] == "handed_over":
            return (yield from execution(pipeline, decision["execution"], {"resume": plan["backfill_id"]}, kill))
        else:
            return decision


def finish(running: Generator[str, None, dict[str, Any]]) -> dict[str, Any]:
    """Run an execution to its end and return it."""
    while True:
        try:
            next(running)
        except StopIteration as ended:
            result: dict[str, Any] = ended.value
            return result


def _call(pipeline: Pipeline, handler: str, event: dict[str, Any], kill: Killer) -> dict[str, Any]:
    return pipeline.call(handler, event, kill(handler))
