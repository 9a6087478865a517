"""How restored items are counted: within budgets, and in as many goes as it takes."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from data_protection.drills.contracts import Drill, DrillCount, DrillResult, StartDrill
from data_protection.drills.counter import Counter

GB, MB = 1024**3, 1024**2
BEGAN = datetime(2026, 11, 21, 5, tzinfo=UTC)


class Table:
    """A restored table, what is kept of its count, and a clock that goes on with each segment.

    Args:
        bytes_: That it has, spread alike.
        seconds: That a segment takes.
    """

    def __init__(self, bytes_: int, seconds: float = 1) -> None:
        self.bytes, self.seconds = bytes_, seconds
        self.now = BEGAN
        self.is_ready = True
        self.refuse: Callable[[int], bool] = lambda _segment: False
        self.read: list[int] = []
        self.kept: DrillCount | None = None

    def ready(self, _name: str) -> bool:
        return self.is_ready

    def count(self, _name: str, segment: int, segments: int) -> Any:
        if self.refuse(segment):
            return None
        self.read.append(segment)
        self.now += timedelta(seconds=self.seconds)
        return 10, self.bytes / segments / 8192

    def go_on(self, is_late: Callable[[], bool] = lambda: False, **asked: Any) -> DrillCount:
        """Go on as a function does that has just been started."""
        start = StartDrill(run="r", time=BEGAN, table="messages", **asked)
        drill = Drill(asked=start, source_arn="arn", scratch="scratch", restored_to=BEGAN, began=BEGAN)
        found = DrillResult(
            drill=drill,
            seconds=1,
            meets_rto=True,
            lost_seconds=1,
            meets_rpo=True,
            source_items=0,
            source_bytes=self.bytes,
            differing=(),
            to_set=(),
        )
        store = SimpleNamespace(count=lambda: self.kept, keep_count=self._keep)
        return Counter(drill, cast("Any", self), cast("Any", store), lambda: self.now).go_on(found, is_late)

    def _keep(self, count: DrillCount) -> None:
        self.kept = count


def test_ten_gigabytes_are_counted_whole_whatever_capacity_the_source_has() -> None:
    table = Table(10 * GB)

    count = table.go_on()

    assert (count.is_over, count.is_whole, count.items) == (True, True, 10 * 640)
    assert table.read == list(range(640))
    assert count.units == pytest.approx(10 * 131_072)
    assert count.seconds == 640


def test_segment_is_small_enough_and_a_table_of_unknown_size_has_some() -> None:
    assert Table(1600 * MB).go_on().segments == 100
    assert Table(0).go_on().segments == 16


def test_count_goes_on_where_it_was_left_and_ends_at_the_same_figure() -> None:
    table = Table(640 * MB)
    lates = iter([False, False, False, True])

    first = table.go_on(lambda: next(lates))
    assert (first.is_over, first.counted) == (False, 3)
    last = table.go_on()

    assert (last.is_over, last.items, table.read) == (True, 400, list(range(40)))


def test_function_that_is_killed_within_a_segment_counts_just_that_one_again() -> None:
    table = Table(640 * MB)

    def killed(segment: int) -> bool:
        if segment == 7:
            raise RuntimeError("killed")
        return False

    table.refuse = killed
    with pytest.raises(RuntimeError):
        table.go_on()
    table.refuse = lambda _segment: False

    assert table.go_on().items == 400
    assert table.read == list(range(40))


def test_throttled_count_waits_and_loses_nothing() -> None:
    table = Table(640 * MB)
    table.refuse = lambda segment: segment == 5

    assert (table.go_on().is_over, table.go_on().counted) == (False, 5)
    table.refuse = lambda _segment: False

    assert table.go_on().items == 400


def test_nothing_is_read_until_the_table_is_ready() -> None:
    table = Table(640 * MB)
    table.is_ready = False

    assert not table.go_on().is_over
    assert table.read == []


@pytest.mark.parametrize("keeps_from_counting", ["not ready", "throttled"])
def test_time_runs_out_for_a_table_that_never_gives_an_answer(keeps_from_counting: str) -> None:
    table = Table(640 * MB)
    table.is_ready = keeps_from_counting != "not ready"
    table.refuse = lambda _segment: True
    assert not table.go_on(most_counted_minutes=30).is_over
    table.now += timedelta(minutes=30)

    count = table.go_on(most_counted_minutes=30)

    assert (count.is_over, count.is_whole, count.seconds) == (True, False, 1800)
    assert count.note == "30 minutes are over, which is what most_counted_minutes allows."


def test_count_that_takes_too_long_ends_with_what_it_has() -> None:
    table = Table(640 * MB, seconds=60)

    count = table.go_on(most_counted_minutes=10)

    assert (count.is_over, count.is_whole, count.counted, count.items) == (True, False, 10, 100)
    assert table.go_on(most_counted_minutes=10) == count
    assert len(table.read) == 10


@pytest.mark.parametrize(("bytes_", "most"), [(11 * GB, 10), (0, 0), (1, 0)])
def test_table_that_is_larger_than_the_budget_is_not_read_at_all(bytes_: int, most: float) -> None:
    table = Table(bytes_)

    count = table.go_on(most_counted_gb=most)

    assert (count.is_over, count.is_whole, table.read) == (True, False, [])
    assert f"most_counted_gb is {most}" in count.note


def test_table_that_grew_since_aws_counted_its_bytes_uses_no_more_than_the_budget() -> None:
    table = Table(0)
    table.count = lambda _name, _segment, _segments: (10, 131_072)  # type: ignore[assignment,method-assign]

    count = table.go_on(most_counted_gb=2)

    assert (count.is_over, count.is_whole, count.counted) == (True, False, 2)
    assert count.note == "262144 read units are used, which is what most_counted_gb allows."
