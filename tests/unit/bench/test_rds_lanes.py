"""The model of scale of database_logs against the portions that a file is really read by, and how long that takes."""

import math
import time
from collections import Counter
from collections.abc import Iterator
from threading import get_ident, main_thread
from unittest.mock import patch

import pytest

from bench import rds_scale_model
from bench.rds_scale_model import Task, task_seconds
from database_logs.collection import lanes, portions
from database_logs.collection.lanes import LaneSource
from database_logs.collection.portions import Portion, PortionSource, Statistics
from local.rds.model.world import World
from tests.support.rds import START, add_instance, calling
from tests.support.rds_collecting import pg_line

PORTION = 1 << 16
SHARE = PORTION - PORTION // 64
FILE = "error/postgresql.log.2026-11-21-06"
LINE = len(pg_line(0))
ANSWER_SECONDS, BYTES_PER_SECOND = 0.01, PORTION / 0.03


@pytest.fixture(autouse=True)
def small_portions() -> Iterator[None]:
    with (
        patch.object(lanes, "MOST_BYTES", PORTION),
        patch.object(portions, "MOST_BYTES", PORTION),
        patch.multiple(rds_scale_model, PORTION_BYTES=PORTION, _LANE_SHARE=SHARE),
    ):
        yield


class Reading:
    """A file that is read, with what RDS was asked for by each thread."""

    def __init__(self, size: int, bytes_per_second: float = math.inf) -> None:
        world = World(START)
        instance = add_instance(world, engine="postgres", portion_bytes=PORTION)
        [log] = [log for log in instance.logs if log.name == FILE]
        log.source.write(pg_line(0) * (size // LINE))  # type: ignore[attr-defined]
        self._download = calling(world, instance.identifier, FILE)
        self._bytes_per_second = bytes_per_second
        self.size = size // LINE * LINE
        self.asked: Counter[int] = Counter()

    def ask(self, marker: str, lines: int) -> Portion:
        self.asked[get_ident()] += lines > 1
        # Never so quick that a thread is free for a second lane.
        time.sleep(ANSWER_SECONDS)
        answer = self._download(Marker=marker, NumberOfLines=lines)
        time.sleep(len(answer["LogFileData"]) / self._bytes_per_second)
        return Portion(answer["LogFileData"], answer.get("Marker"))

    def read(self, at_once: int) -> None:
        source = PortionSource(self.ask, lambda: START, None, Statistics(), lambda: False)
        assert len(LaneSource(source, at_once, self.size).read(0, self.size).data) == self.size

    @property
    def rounds(self) -> int:
        """Portions one after the other: those of the longest lane, and those that are read by no lane."""
        alone = self.asked.pop(main_thread().ident or 0, 0)
        return max(self.asked.values(), default=0) + alone


@pytest.mark.parametrize("at_once", [1, 2, 4, 8])
@pytest.mark.parametrize("shares", [1, 3, 7.5, 18, 33])
def test_model_knows_how_many_portions_come_one_after_the_other(shares: float, at_once: int) -> None:
    reading = Reading(int(shares * SHARE))
    reading.read(at_once)
    assert reading.rounds == Task(size=reading.size, line_bytes=LINE).rounds(at_once)


def test_model_knows_how_long_that_takes() -> None:
    reading = Reading(18 * SHARE, BYTES_PER_SECOND)
    task = Task(size=reading.size, line_bytes=LINE)
    expected, alone = (
        task_seconds(task, at_once, answer=ANSWER_SECONDS, bytes_per_second=BYTES_PER_SECOND) for at_once in (8, 1)
    )
    began = time.perf_counter()
    reading.read(8)
    # Nothing is faster than its answers; how much slower it is, is for the machine to say.
    assert expected * 0.95 <= time.perf_counter() - began < alone
