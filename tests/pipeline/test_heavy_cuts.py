"""Days of which one host has too much in one hour, or in one second: divided, and given to Fargate, they end alike."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from batch.exits import DONE, INTERRUPTED, REFUSED
from tests.support import raw, tasks
from tests.support.aws import DAYS, LAKE, RUNS
from tests.support.pipeline import Pipeline, StepFailed
from tests.support.seal import SEALED_KINDS, Call, KilledOnce, Way, day_of, seal

pytestmark = pytest.mark.cloud

DAY = "2026-06-01"
CUT_ROWS = 20
BUSY = "busy.example.com"


def _event(number: int, moment: str) -> dict[str, Any]:
    return raw.an_event(number, Datetime=f"{DAY}T{moment}Z", ClientRequestHost=BUSY)


# Most of the day is one host's hour, and some seconds of that have more than a cut may.
HEAVY = 6
EVENTS = [
    *(raw.an_event(n, Datetime=f"{DAY}T{n % 24:02}:00:00Z") for n in range(30)),
    *(_event(1000 + n, f"12:{n % 60:02}:{n * 7 % 60:02}") for n in range(60)),
    *(_event(2000 + n, f"12:30:{n % HEAVY:02}") for n in range(HEAVY * 24)),
]


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with Pipeline.alone(CUT_ROWS=str(CUT_ROWS), BATCH_MEMORY_MB="30720") as made:
        yield made


@pytest.fixture(scope="module")
def refs(pipeline: Pipeline) -> list[dict[str, str]]:
    return [
        pipeline.put_lines(f"cloudflare/2.ford/{number}.log.gz", EVENTS[80 * number : 80 * number + 90])
        for number in range(3)
    ]


def _prepare(pipeline: Pipeline, refs: list[dict[str, str]]) -> None:
    pipeline.begin_with("given", refs)


def _seal(pipeline: Pipeline, seal_id: str, call: Call | None = None) -> None:
    """Seal the day; tasks run in the worker, where they can be killed as functions can."""
    call = call or pipeline.call

    def task(key: str, line: int) -> object:
        return call("task", tasks.TASK | {"WORK_KIND": "cut", "WORK_KEY": key, "WORK_LINE": str(line)})

    seal(pipeline, seal_id, DAY, call=call, task=task)


def _lines(pipeline: Pipeline, seal_id: str, name: str) -> list[dict[str, Any]]:
    return pipeline.lines(f"firewall_logs/seals/{seal_id}/{name}.jsonl")


def _receipts(pipeline: Pipeline) -> dict[str, Any]:
    return pipeline.documents("firewall_logs/seals/seal/units/")


def _sealed(pipeline: Pipeline) -> dict[str, bytes]:
    return {key: body for key, body in pipeline.lake().items() if "/sealed/" in key}


def test_hour_of_a_host_is_divided_and_only_what_one_second_holds_is_left_to_fargate(
    pipeline: Pipeline, refs: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs)
    _seal(pipeline, "seal")
    light = {unit["index"]: unit["cut"] for unit in _lines(pipeline, "seal", "units")}
    heavy = {unit["index"]: unit["cut"] for task in _lines(pipeline, "seal", "batch") for unit in task["units"]}
    assert all(cut["rows"] <= CUT_ROWS for cut in light.values())
    assert {(cut["start"]["host"], cut["start"]["hour"]) for cut in heavy.values()} == {(BUSY, 12)}
    assert [cut["start"]["second"] for cut in heavy.values()] == [30 * 60 + second for second in range(HEAVY)]
    [plan] = pipeline.documents("firewall_logs/seals/seal/plan.json").values()
    assert [cut for _, cut in sorted((light | heavy).items())] == plan["cuts"]
    # The objects overlap.
    account = day_of(pipeline, DAY)["document"]["account"]
    assert account == {"rows_in": 254, "rows_out": 234, "quarantined": 0, "duplicates": 20}


def test_seal_killed_between_effects_of_functions_and_tasks_ends_alike(
    pipeline: Pipeline, refs: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs)
    way = Way(pipeline)
    _seal(pipeline, "seal", way)
    expected = day_of(pipeline, DAY)
    # Each kind of step at least once; a cut has three effects.
    for done in range(1, way.effects, 7):
        call = KilledOnce(way, done, retry=True)
        _seal(pipeline, "seal", call)
        assert call.killed
        assert day_of(pipeline, DAY) == expected, done


def test_seal_given_up_after_any_effect_of_a_task_is_finished_by_the_next(
    pipeline: Pipeline, refs: list[dict[str, str]]
) -> None:
    _prepare(pipeline, refs)
    _seal(pipeline, "next")
    expected = day_of(pipeline, DAY)
    work = _planned(pipeline, refs, "seal")
    planned = pipeline.state()
    # Whether the seal holds its day, then three effects of each of the first two cuts.
    for done in range(8):
        pipeline.put_back(planned)
        with pytest.raises(StepFailed, match="Killed"):
            pipeline.call("task", tasks.TASK | work, done)
        pipeline.call("block_day", {"seal_id": "seal", "error": "ABORTED", "cause": "somebody stopped it"})
        _seal(pipeline, "next")
        assert day_of(pipeline, DAY) == expected, done


def test_task_writes_the_bytes_that_functions_write(pipeline: Pipeline, refs: list[dict[str, str]]) -> None:
    work = _planned(pipeline, refs, "seal")
    for task in _lines(pipeline, "seal", "batch"):
        for unit in task["units"]:
            pipeline.call("compact_unit", unit)
    by_functions = _sealed(pipeline), {key: found["proof"] for key, found in _receipts(pipeline).items()}
    assert len(by_functions[0]) == len(SEALED_KINDS) * HEAVY
    for bucket, keys in ((LAKE, by_functions[0]), (RUNS, by_functions[1])):
        pipeline.s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert tasks.run(pipeline, **work) == DONE
    assert (_sealed(pipeline), {key: found["proof"] for key, found in _receipts(pipeline).items()}) == by_functions
    assert {found["measured"]["memory_mb"] for found in _receipts(pipeline).values()} == {30720}


def test_task_told_to_stop_ends_between_two_cuts_and_the_next_one_goes_on(
    pipeline: Pipeline, refs: list[dict[str, str]]
) -> None:
    work = _planned(pipeline, refs, "seal")
    assert tasks.signalled(pipeline, signal.SIGTERM, lambda: bool(_receipts(pipeline)), **work) == INTERRUPTED
    before = _receipts(pipeline)
    assert 1 <= len(before) < HEAVY
    assert tasks.run(pipeline, **work) == DONE
    after = _receipts(pipeline)
    assert len(after) == HEAVY
    assert {key: after[key] for key in before} == before


def test_task_of_a_seal_that_lost_its_day_refuses_to_work(pipeline: Pipeline, refs: list[dict[str, str]]) -> None:
    work = _planned(pipeline, refs, "seal")
    pipeline.call("block_day", {"seal_id": "seal", "error": "ABORTED", "cause": "somebody stopped it"})
    assert tasks.run(pipeline, **work) == REFUSED
    assert _sealed(pipeline) == {}


def test_second_that_nothing_holds_is_named_with_a_remedy() -> None:
    with Pipeline.alone(CUT_ROWS=str(CUT_ROWS)) as without:
        without.run("given", [without.put_lines("cloudflare/2.ford/a.log.gz", EVENTS)])
        with pytest.raises(StepFailed, match=r"CutTooHeavy: One host has 24 events \(\d+ bytes\) in one second, 12:30"):
            seal(without, "seal", DAY)


class _Reached(Exception):
    pass


def _planned(pipeline: Pipeline, refs: list[dict[str, str]], seal_id: str) -> dict[str, str]:
    """Bring a seal to where its task is to start, and return what the machine tells that."""
    _prepare(pipeline, refs)
    works: list[dict[str, str]] = []

    def stop(key: str, line: int) -> None:
        works.append({"WORK_KIND": "cut", "WORK_KEY": key, "WORK_LINE": str(line)})
        raise _Reached

    def call(handler: str, event: dict[str, Any]) -> dict[str, Any]:
        return {} if handler == "compact_unit" else pipeline.call(handler, event)

    with pytest.raises(_Reached):
        seal(pipeline, seal_id, DAY, call=call, task=stop)
    item = pipeline.dynamodb.get_item(TableName=DAYS, Key={"partition": {"S": "days"}, "item": {"S": DAY}})["Item"]
    assert item["owner"]["S"] == seal_id
    return works[0]
