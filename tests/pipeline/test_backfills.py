"""Backfills that are killed, paused, resumed and doubled: every object is in the lake once, and nothing else is."""

import itertools
import json
import random
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import raw
from tests.support.aws import LAKE, RUNS
from tests.support.backfills import execution, finish
from tests.support.effort import THOROUGH, spread
from tests.support.pipeline import Pipeline, StepFailed

pytestmark = pytest.mark.cloud

OBJECTS = 7
RANGE = {"feed": "2.ford", "dry_run": False}
_PLANNED_AT = re.compile(rb'"planned_at": "[^"]*"')


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with Pipeline.alone(BACKFILL_WAVE_OBJECTS="3", BACKFILL__CHUNK="1") as made:
        for number in range(OBJECTS):
            events = [raw.an_event(n) for n in range(number * 10, number * 10 + 10)]
            made.put_lines(f"cloudflare/2.ford/2026060{1 + number % 2}/{number}.log.gz", events)
        yield made


@pytest.fixture(autouse=True)
def fresh(pipeline: Pipeline) -> None:
    pipeline.forget()


@pytest.fixture(scope="module")
def expected(pipeline: Pipeline) -> dict[str, bytes]:
    """Return the lake of one undisturbed run over everything."""
    pipeline.forget()
    pipeline.run("whole", {"feed": "2.ford"})
    return pipeline.lake()


def _whole(pipeline: Pipeline) -> tuple[dict[str, bytes], list[str]]:
    return pipeline.lake(), pipeline.states()


def _committed_by(pipeline: Pipeline) -> int:
    """Return how many objects the summaries of all runs say that they committed."""
    summaries = [key for key in pipeline._keys(RUNS, "firewall_logs/runs/") if key.endswith("/summary.json")]
    bodies = [pipeline.s3.get_object(Bucket=RUNS, Key=key)["Body"].read() for key in summaries]
    return sum(json.loads(body)["objects_committed"] for body in bodies)


def test_backfill_brings_in_its_range_wave_by_wave(pipeline: Pipeline, expected: dict[str, bytes]) -> None:
    end = finish(execution(pipeline, "b", RANGE))
    assert (end["next"], end["waves"], end["waves_done"], end["objects_left"]) == ("complete", 3, 3, 0)
    assert _whole(pipeline) == (expected, ["COMMITTED"] * OBJECTS)
    assert end["usd"] > 0


def test_dry_run_shows_the_plan_and_claims_nothing(pipeline: Pipeline) -> None:
    plan = finish(execution(pipeline, "b", {"feed": "2.ford", "from": "2026-06-01", "to": "2026-06-01"}))
    assert (plan["dry_run"], plan["estimate"]["objects"]) == (True, 4)
    assert _whole(pipeline) == ({}, [])


def test_plan_can_be_carried_out_later(pipeline: Pipeline, expected: dict[str, bytes]) -> None:
    finish(execution(pipeline, "b", {"feed": "2.ford"}))
    assert finish(execution(pipeline, "later", {"resume": "b"}))["next"] == "complete"
    assert pipeline.lake() == expected


@pytest.mark.parametrize("seed", spread(range(20)))
def test_backfill_killed_at_random_and_resumed_commits_every_object_once(
    pipeline: Pipeline, expected: dict[str, bytes], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def kill(_: str) -> int | None:
        return chance.randint(1, 8) if chance.random() < 0.2 else None

    given, deaths = RANGE, 0
    for number in itertools.count():
        running = execution(pipeline, f"e{number}", given, kill)
        try:
            end = finish(running)
            break
        except StepFailed as died:
            if died.name != "Killed":
                raise
            deaths += 1
            given = {"resume": "e0"}
            _aftermath(pipeline, chance)
    assert end["next"] == "complete"
    assert _whole(pipeline) == (expected, ["COMMITTED"] * OBJECTS), f"after {deaths} deaths"
    assert _committed_by(pipeline) >= OBJECTS


def _aftermath(pipeline: Pipeline, chance: random.Random) -> None:
    """Do with the run that was under way what may happen: it is stopped and recorded, or goes on, or nothing."""
    lists = pipeline._keys(RUNS, "firewall_logs/lists/e0/")
    if not lists or chance.random() < 0.3:
        return
    wave, attempt = max((int(key[-11:-6]), int(key.split("/")[-2])) for key in lists)
    run_id = f"e0-{wave:05d}-{attempt}"
    if chance.random() < 0.5:
        failure = {"run_id": run_id, "state": "execution", "error": "ABORTED", "cause": "killed"}
        pipeline.call("record_failure", failure)
        return
    try:
        pipeline.run(run_id, {"list_key": f"firewall_logs/lists/e0/{attempt}/{wave:05d}.jsonl"})
    except StepFailed as failed:
        if failed.name not in {"LeaseLost", "CommitRefused", "RunGivenUp"}:
            raise


def test_steps_of_a_backfill_killed_after_each_effect_and_called_again_end_alike(
    pipeline: Pipeline, expected: dict[str, bytes]
) -> None:
    for step, effects in (("plan_backfill", 13), ("next_wave", 3)):
        seen: list[Any] = []
        for done in range(effects):
            pipeline.forget()
            _with_one_death(pipeline, step, done)
            left = _left(pipeline)
            # What comes after is alike where all that there is is alike.
            if left in seen and not THOROUGH:
                continue
            seen.append(left)
            assert finish(execution(pipeline, "b", RANGE))["next"] == "complete"
            assert pipeline.lake() == expected, (step, done)


def _with_one_death(pipeline: Pipeline, step: str, done: int) -> None:
    """Kill the first call of a step and call it again, as the machine's Retry does."""
    given = {"execution": "b", "input": RANGE}
    if step == "next_wave":
        pipeline.call("plan_backfill", given)
        given = {"backfill_id": "b", "execution": "b", "trouble": ""}
    try:
        pipeline.call(step, given, done)
    except StepFailed as killed:
        if killed.name != "Killed":
            raise
    pipeline.call(step, given)


def _left(pipeline: Pipeline) -> tuple[Any, ...]:
    """Return all that there is, but for the time at which it was planned."""
    state = pipeline.state()
    told = {key: _PLANNED_AT.sub(b"", stored["Body"]) for key, stored in state.objects[RUNS].items()}
    return told, state.objects[LAKE], state.items


def test_backfill_whose_history_grows_long_goes_on_in_execution_after_execution(
    pipeline: Pipeline, expected: dict[str, bytes]
) -> None:
    with pipeline.another(BACKFILL_MOST_DECISIONS="1") as short:
        end = finish(execution(short, "b", RANGE))
    assert (end["next"], end["waves_done"], end["objects_left"]) == ("complete", 3, 0)
    assert _whole(pipeline) == (expected, ["COMMITTED"] * OBJECTS)
    assert _committed_by(pipeline) == OBJECTS
    progress = pipeline.documents("firewall_logs/backfills/b/progress.json")["firewall_logs/backfills/b/progress.json"]
    assert (progress["execution"], progress["hand_overs"]) == ("b-part4", 3)


@pytest.mark.parametrize("done", range(3))
def test_hand_over_that_is_killed_and_asked_for_again_names_the_same_execution(
    pipeline: Pipeline, expected: dict[str, bytes], done: int
) -> None:
    with pipeline.another(BACKFILL_MOST_DECISIONS="1") as short:
        running = execution(short, "b", RANGE)
        for step in running:
            if step == "commit_run":
                break
        given = {"backfill_id": "b", "execution": "b", "trouble": ""}
        for kill_after in (done, None):
            try:
                named = short.call("next_wave", given, kill_after)["execution"]
            except StepFailed as killed:
                assert killed.name == "Killed"  # noqa: PT017 - nothing else may fail it
        assert named == "b-part2"
        assert finish(running)["next"] == "complete"
    assert _whole(pipeline) == (expected, ["COMMITTED"] * OBJECTS)


def test_two_backfills_over_one_range_at_once_both_end_and_do_nothing_twice(
    pipeline: Pipeline, expected: dict[str, bytes]
) -> None:
    ends: dict[str, dict[str, Any]] = {}

    def run(name: str) -> Iterator[str]:
        ends[name] = yield from execution(pipeline, name, RANGE)

    for _ in itertools.zip_longest(run("one"), run("two")):
        pass
    assert {name: end["next"] for name, end in ends.items()} == {"one": "complete", "two": "complete"}
    assert _whole(pipeline) == (expected, ["COMMITTED"] * OBJECTS)
    assert _committed_by(pipeline) == OBJECTS


def test_paused_backfill_ends_at_the_next_wave_and_goes_on_when_resumed(
    pipeline: Pipeline, expected: dict[str, bytes]
) -> None:
    running = execution(pipeline, "b", RANGE)
    for step in running:
        if step == "process_unit":
            break
    pause = json.dumps({"execution": "b"}).encode()
    pipeline.s3.put_object(Bucket=RUNS, Key="firewall_logs/backfills/b/pause.json", Body=pause)
    end = finish(running)
    assert (end["next"], end["waves_done"], end["objects_left"]) == ("paused", 1, 4)
    assert finish(execution(pipeline, "b-again", {"resume": "b"}))["next"] == "complete"
    assert pipeline.lake() == expected


def test_cost_breaker_stops_the_backfill_and_a_higher_limit_lets_it_go_on(
    pipeline: Pipeline, expected: dict[str, bytes]
) -> None:
    wave = finish(execution(pipeline, "p", {"feed": "2.ford"}))["estimate"]["usd"] / 3
    stopped = finish(execution(pipeline, "b", RANGE | {"max_usd": wave * 1.5}))
    assert (stopped["next"], stopped["waves_done"]) == ("stopped", 1)
    assert "Resume with a higher max_usd" in stopped["told"]
    assert finish(execution(pipeline, "b-again", {"resume": "b", "max_usd": 10}))["next"] == "complete"
    assert pipeline.lake() == expected


def test_object_that_vanishes_is_named_and_the_others_are_brought_in(pipeline: Pipeline) -> None:
    gone = pipeline.put_lines("cloudflare/2.ford/20260601/gone.log.gz", [raw.an_event(900)])
    running = execution(pipeline, "b", RANGE)
    assert next(running) == "plan_backfill"
    pipeline.s3.delete_object(Bucket=gone["bucket"], Key=gone["key"], VersionId=gone["version_id"])
    end = finish(running)
    assert (end["next"], end["objects_left"]) == ("left", 1)
    left = pipeline.s3.get_object(Bucket=RUNS, Key=end["left_key"])["Body"].read()
    assert json.loads(left)["key"] == gone["key"]
    assert pipeline.states() == ["COMMITTED"] * OBJECTS
