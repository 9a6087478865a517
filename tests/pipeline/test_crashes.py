"""A worker is killed after each single effect of a run, then the work goes on: the lake ends byte for byte alike."""

import itertools
from typing import Any

import pytest

from tests.support import raw
from tests.support.pipeline import Pipeline, StepFailed

pytestmark = pytest.mark.cloud

OBJECTS = 3


@pytest.fixture(scope="module")
def refs(pipeline: Pipeline) -> list[dict[str, str]]:
    events = [raw.an_event(n) for n in range(60)]
    return [
        pipeline.put_lines("cloudflare/2.ford/a.log.gz", [*events, *events[:3], {"Datetime": "x"}]),
        pipeline.put("cloudflare/2.ford/cut.log.gz", raw.truncated()),
        pipeline.put("cloudflare/47/b.parquet", raw.parquet(500)),
    ]


@pytest.fixture(scope="module")
def expected(pipeline: Pipeline, refs: list[dict[str, str]]) -> tuple[Any, ...]:
    pipeline.forget()
    pipeline.run("untouched", refs)
    return pipeline.lake(), pipeline.proofs(), pipeline.states()


def _effects(pipeline: Pipeline, refs: list[dict[str, str]]) -> list[int]:
    pipeline.forget()
    counted = []
    for handler, event in pipeline.steps("counted", refs):
        pipeline.call(handler, event)
        counted.append(pipeline.effects)
    return counted


def test_run_killed_between_any_two_effects_and_retried_ends_alike(
    pipeline: Pipeline, refs: list[dict[str, str]], expected: tuple[Any, ...]
) -> None:
    counted = _effects(pipeline, refs)
    points = [(step, done) for step, effects in enumerate(counted) for done in range(effects + 1)]
    assert len(points) > 30
    for number, point in enumerate(points):
        pipeline.forget()
        result = pipeline.run(f"retried-{number}", refs, point)
        assert (pipeline.lake(), pipeline.proofs(), pipeline.states()) == expected, point
        assert result["objects_committed"] == OBJECTS, point


def test_run_given_up_between_any_two_effects_is_finished_by_the_next(
    pipeline: Pipeline, refs: list[dict[str, str]], expected: tuple[Any, ...]
) -> None:
    counted = _effects(pipeline, refs)
    for step, effects in enumerate(counted):
        for done in range(0, effects + 1, 2):
            pipeline.forget()
            _give_up(pipeline, refs, step, done)
            pipeline.run("second", refs)
            assert (pipeline.lake(), pipeline.proofs(), pipeline.states()) == expected, (step, done)


def _give_up(pipeline: Pipeline, refs: list[dict[str, str]], step: int, done: int) -> None:
    for handler, event in itertools.islice(pipeline.steps("first", refs), step):
        pipeline.call(handler, event)
    handler, event = next(itertools.islice(pipeline.steps("first", refs), step, None))
    with pytest.raises(StepFailed, match="Killed"):
        pipeline.call(handler, event, done)
    failure = {"run_id": "first", "state": handler, "error": "ABORTED", "cause": "given up"}
    pipeline.call("record_failure", failure)
