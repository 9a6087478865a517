"""Clocks that disagree by minutes cost an attempt at most: rows are the same, none twice and none lost."""

import itertools
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.aws import RAW
from tests.support.pipeline import Pipeline, StepFailed
from tests.support.seal import DAY, day_of, seal

pytestmark = pytest.mark.cloud

# Far more than what is left of a lease: one clock has it run out at once, the other keeps it for long.
MINUTES = 600
LEASE_SECONDS = "300"
# What a run that lost a race ends with.
LOST = {"LeaseLost", "CommitRefused"}


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with Pipeline.alone(LEASE_SECONDS=LEASE_SECONDS) as made:
        yield made


@pytest.fixture(scope="module", params=[MINUTES, -MINUTES], ids=["ahead", "behind"])
def other(pipeline: Pipeline, request: pytest.FixtureRequest) -> Iterator[Pipeline]:
    """Return functions whose clocks are off, on the same data."""
    with pipeline.another(CLOCK_OFFSET_SECONDS=str(request.param)) as made:
        yield made


@pytest.fixture(scope="module")
def expected(pipeline: Pipeline, refs: list[dict[str, str]]) -> tuple[Any, ...]:
    """Return what a run leaves where there is no other."""
    pipeline.forget()
    pipeline.run("alone", refs)
    return pipeline.outcome()


def _execution(pipeline: Pipeline, run_id: str, refs: list[dict[str, str]]) -> Iterator[None]:
    """Take a step of a run each time, and end it the way the machine does where it lost what it held."""
    try:
        for handler, event in pipeline.steps(run_id, refs):
            pipeline.call(handler, event)
            yield
    except StepFailed as lost:
        assert lost.name in LOST, lost  # noqa: PT017 - others are no outcome of a race
        pipeline.call("record_failure", {"run_id": run_id, "state": "step", "error": lost.name, "cause": str(lost)})


@pytest.mark.parametrize("seed", range(4))
def test_runs_whose_clocks_disagree_race_for_leases_and_write_each_row_once(
    pipeline: Pipeline, other: Pipeline, refs: list[dict[str, str]], expected: tuple[Any, ...], seed: int
) -> None:
    pipeline.forget()
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    running = [_execution(pipeline, "right", refs), _execution(other, "wrong", refs)]
    while running:
        turn = chance.choice(running)
        if next(turn, "ended") == "ended":
            running.remove(turn)
    pipeline.run("after", refs)
    assert pipeline.outcome() == expected


def test_lease_of_a_clock_that_is_behind_is_taken_over_and_the_former_holder_changes_nothing(
    pipeline: Pipeline, refs: list[dict[str, str]], expected: tuple[Any, ...]
) -> None:
    pipeline.forget()
    with pipeline.another(CLOCK_OFFSET_SECONDS=str(-MINUTES)) as behind:
        first = behind.steps("first", refs)
        behind.call(*next(first))
        assert pipeline.run("second", refs)["objects_committed"] == len(refs)
        with pytest.raises(StepFailed, match="LeaseLost"):
            behind.call(*next(first))
    assert pipeline.outcome() == expected


@pytest.fixture(scope="module")
def reopen(pipeline: Pipeline, refs: list[dict[str, str]], late: list[dict[str, str]]) -> Callable[[], None]:
    """Return a function that lets there be a sealed day and a late object of it."""

    def make() -> None:
        pipeline.run("given", refs)
        seal(pipeline, "first", DAY)
        pipeline.run("late", late)

    return lambda: pipeline.begin("reopened", make)


@pytest.fixture(scope="module")
def sealed_twice(pipeline: Pipeline, reopen: Callable[[], None]) -> dict[str, Any]:
    """Return the day as its second version is where nobody else seals it."""
    reopen()
    seal(pipeline, "alone", DAY)
    return day_of(pipeline, DAY)


@pytest.mark.parametrize("victim", ["reconcile_day", "compact_unit", "validate_day", "seal_day", "clean_day"])
def test_seals_whose_clocks_disagree_race_for_a_day_and_end_with_the_same_rows(
    pipeline: Pipeline, other: Pipeline, reopen: Callable[[], None], sealed_twice: dict[str, Any], victim: str
) -> None:
    """Whatever step of a seal another one comes before, whether it finds the lease run out or not."""
    came: list[str] = []

    def call(handler: str, event: dict[str, Any]) -> dict[str, Any]:
        if handler == victim and not came:
            came.append(handler)
            _seal_or_block(other, "wrong")
        return pipeline.call(handler, event)

    reopen()
    _seal_or_block(pipeline, "right", call)
    seal(pipeline, "after", DAY)
    assert came
    assert day_of(pipeline, DAY) == sealed_twice


def _seal_or_block(pipeline: Pipeline, seal_id: str, call: Any = None) -> None:
    try:
        seal(pipeline, seal_id, DAY, call=call)
    except StepFailed as failed:
        pipeline.call("block_day", {"seal_id": seal_id, "error": failed.name, "cause": str(failed)})


@pytest.mark.parametrize("victim", ["reconcile_day", "seal_day", "clean_day"])
def test_object_that_a_clock_which_is_off_commits_while_its_day_is_sealed_is_in_the_next_version(
    pipeline: Pipeline, other: Pipeline, refs: list[dict[str, str]], late: list[dict[str, str]], victim: str
) -> None:
    pipeline.begin_with("given", refs)
    came: list[str] = []

    def call(handler: str, event: dict[str, Any]) -> dict[str, Any]:
        if handler == victim and not came:
            came.append(handler)
            other.run("late", late)
        return pipeline.call(handler, event)

    seal(pipeline, "first", DAY, call=call)
    assert day_of(pipeline, DAY)["state"]["status"]["S"] == ("SEALED" if victim == "reconcile_day" else "REOPENED")
    seal(pipeline, "second", DAY)
    ended = day_of(pipeline, DAY)
    assert ended["state"]["status"]["S"] == "SEALED"
    assert ended["document"]["account"]["rows_out"] == 190


AT = [
    f"{moment}{second}Z"
    for moment, second in itertools.product(
        ["2026-06-01T23:59:", "2026-06-02T00:00:", "2026-06-02T01:59:"], ["05", "55"]
    )
] + ["2026-06-02T02:04:00Z", "2026-06-02T23:58:00Z", "2026-06-03T00:02:00Z"]


@pytest.fixture(scope="module")
def all_rows(pipeline: Pipeline, refs: list[dict[str, str]], late: list[dict[str, str]]) -> tuple[Any, ...]:
    """Return the rows of all objects, which a run was told of."""
    pipeline.forget()
    pipeline.run("alone", [*refs, *late])
    return _rows(pipeline)


@pytest.mark.parametrize("stamp", AT)
@pytest.mark.parametrize("skew", [MINUTES, -MINUTES], ids=["ahead", "behind"])
def test_object_that_no_event_announced_is_swept_in_once_whatever_time_s3_stamped_on_it(
    pipeline: Pipeline, all_rows: tuple[Any, ...], stamp: str, skew: int
) -> None:
    """Stamps around midnight and 02:00 UTC, of the day, in the seal's future and past, with functions off as well."""
    pipeline.forget()
    wanted, now = datetime.fromisoformat(stamp), datetime.now(UTC)
    modified = max(entry["LastModified"] for entry in pipeline.s3.list_objects_v2(Bucket=RAW)["Contents"])
    offsets = {
        "S3_OFFSET_SECONDS": str((wanted - modified).total_seconds()),
        "CLOCK_OFFSET_SECONDS": str((wanted - now).total_seconds() + skew),
    }
    with pipeline.another(**offsets) as then:
        for number in range(3):
            _sweep(then, datetime.fromisoformat(f"{DAY}T00:00:00Z") + timedelta(days=number))
        assert set(pipeline.states()) == {"COMMITTED"}
        assert _rows(pipeline) == all_rows
        # A second look at the same nights finds nothing.
        assert _sweep(then, datetime.fromisoformat(f"{DAY}T00:00:00Z")) == 0


def _sweep(pipeline: Pipeline, day: datetime) -> int:
    """Sweep a day at 02:00 of the next, bring in what is missing, and return how much that was."""
    seal_id = f"seal-{day:%Y%m%d}"
    started_at = day + timedelta(hours=26)
    event = {"seal_id": seal_id, "started_at": started_at.isoformat(), "round": 0, "input": {"date": f"{day:%Y-%m-%d}"}}
    swept = pipeline.call("sweep_day", event)
    for each in swept["lists"]:
        pipeline.run(each["name"], {"list_key": each["list_key"]})
    return int(swept["missing"])


def _rows(pipeline: Pipeline) -> tuple[dict[str, bytes], Any]:
    """Return the files of rows and the day index: manifests tell S3's stamps, rows do not."""
    files = {key: body for key, body in pipeline.lake().items() if key.split("/")[1] in {"events", "hourly"}}
    return files, pipeline.days()
