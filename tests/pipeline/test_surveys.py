"""A day of many objects is surveyed in parts: it ends as one whose objects ReconcileDay reads by itself."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import raw
from tests.support.pipeline import Pipeline, StepFailed
from tests.support.seal import Call, KilledOnce, Way, day_of, seal

pytestmark = pytest.mark.cloud

DAY = "2026-06-01"
PARTS = 3
OBJECTS = 7
EVENTS = [raw.an_event(n, Datetime=f"{DAY}T{n % 24:02}:00:{n % 60:02}Z") for n in range(120)]


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with Pipeline.alone() as made:
        yield made


@pytest.fixture(scope="module")
def refs(pipeline: Pipeline) -> list[dict[str, str]]:
    lines = [
        pipeline.put_lines(f"cloudflare/2.ford/{n}.log.gz", EVENTS[15 * n : 15 * n + 25]) for n in range(OBJECTS - 1)
    ]
    return [*lines, pipeline.put("cloudflare/47/c.parquet", raw.parquet(100))]


@pytest.fixture(scope="module")
def late(pipeline: Pipeline) -> list[dict[str, str]]:
    return [pipeline.put_lines("cloudflare/2.ford/late.log.gz", EVENTS[95:])]


@pytest.fixture(scope="module")
def expected(pipeline: Pipeline, refs: list[dict[str, str]]) -> dict[str, Any]:
    """Return the day as ReconcileDay alone leaves it."""
    _prepare(pipeline, refs)
    seal(pipeline, "alone", DAY)
    return day_of(pipeline, DAY)


def _prepare(pipeline: Pipeline, refs: list[dict[str, str]]) -> None:
    pipeline.begin_with("given", refs)


def _surveying(call: Call, parts: range = range(PARTS)) -> Call:
    """Call handlers, and some parts of a survey before ReconcileDay, as the machine does of a day with many objects."""

    def called(handler: str, event: dict[str, Any]) -> dict[str, Any]:
        if handler != "reconcile_day":
            return call(handler, event)
        unit = {"seal_id": event["seal_id"], "event_date": event["event_date"], "parts": PARTS}
        for part in parts:
            call("survey_unit", unit | {"part": part})
        return call(handler, event | {"surveys": PARTS})

    return called


def test_surveyed_day_ends_alike_whether_a_part_is_missing_or_not(
    pipeline: Pipeline, refs: list[dict[str, str]], expected: dict[str, Any]
) -> None:
    for parts in (range(PARTS), range(1), range(0)):
        _prepare(pipeline, refs)
        seal(pipeline, "surveyed", DAY, call=_surveying(pipeline.call, parts))
        assert day_of(pipeline, DAY) == expected, parts


def test_parts_have_every_object_once_and_reconcile_day_asks_for_none_of_them(
    pipeline: Pipeline, refs: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs)
    surveyed: list[int] = []
    requests: dict[str, int] = {}

    def call(handler: str, event: dict[str, Any]) -> dict[str, Any]:
        result = pipeline.call(handler, event)
        if handler == "survey_unit":
            surveyed.append(result["objects"])
        if handler == "reconcile_day":
            requests.update(pipeline.requests)
        return result

    seal(pipeline, "counted", DAY, call=_surveying(call))
    assert len(surveyed) == PARTS
    assert sum(surveyed) == OBJECTS
    assert requests["s3.GetObject"] == PARTS


def test_object_that_came_after_the_survey_is_looked_at(
    pipeline: Pipeline, refs: list[dict[str, str]], late: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs)

    def call(handler: str, event: dict[str, Any]) -> dict[str, Any]:
        if handler == "reconcile_day":
            pipeline.run("late", late)
        return pipeline.call(handler, event)

    seal(pipeline, "first", DAY, call=_surveying(call))
    assert day_of(pipeline, DAY)["document"]["account"]["rows_out"] == 220


def test_reseal_surveys_only_what_is_new(
    pipeline: Pipeline, refs: list[dict[str, str]], late: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs)
    seal(pipeline, "first", DAY)
    pipeline.run("late", late)
    seal(pipeline, "second", DAY, call=_surveying(pipeline.call))
    lines = [
        line for part in range(PARTS) for line in pipeline.lines(f"firewall_logs/seals/second/surveys/{part:05}.jsonl")
    ]
    assert len(lines) == 1
    ended = day_of(pipeline, DAY)
    assert (ended["document"]["version"], ended["document"]["account"]["rows_out"]) == (2, 220)


def test_surveyed_seal_killed_between_effects_and_retried_ends_alike(
    pipeline: Pipeline, refs: list[dict[str, str]], expected: dict[str, Any]
) -> None:
    _prepare(pipeline, refs)
    way = Way(pipeline)
    seal(pipeline, "surveyed", DAY, call=_surveying(way))
    # Up to the plan: intent and lease, a survey a part, the verdict, three lists and the plan.
    for done in range(1, 2 + PARTS + 5):
        call = KilledOnce(way, done, retry=True)
        seal(pipeline, "surveyed", DAY, call=_surveying(call))
        assert call.killed
        assert day_of(pipeline, DAY) == expected, done


def test_file_that_vanished_after_the_survey_blocks_the_day(pipeline: Pipeline, refs: list[dict[str, str]]) -> None:
    _prepare(pipeline, refs)

    def call(handler: str, event: dict[str, Any]) -> dict[str, Any]:
        if handler == "reconcile_day":
            victim = next(key for key in pipeline.lake() if "/events/" in key and DAY in key)
            pipeline.s3.delete_object(Bucket="lake", Key=victim)
        return pipeline.call(handler, event)

    blocked = seal(pipeline, "seal", DAY, call=_surveying(call))
    assert blocked["error"] == "ReconciliationFailed"
    assert "not listed" in blocked["cause"]


def test_survey_of_a_part_that_is_none_is_refused(pipeline: Pipeline) -> None:
    with pytest.raises(StepFailed, match="ValidationError"):
        pipeline.call("survey_unit", {"seal_id": "s", "event_date": DAY, "part": 3, "parts": 3})
