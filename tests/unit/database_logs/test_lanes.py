from collections.abc import Callable, Iterator
from threading import Barrier, Lock, Thread, current_thread, main_thread
from unittest.mock import patch

import pytest

from database_logs.collection import lanes, portions
from database_logs.collection.complete import is_better
from database_logs.collection.lanes import LaneSource
from database_logs.collection.portions import Bytes, Portion, PortionSource, Statistics
from database_logs.errors import FileGone, PortionUnreadable, SeamBroken
from local.rds.model.world import World
from tests.support.rds import START, add_instance, calling
from tests.support.rds_collecting import pg_line, pg_lines

PORTION = 4000
FILE = "error/postgresql.log.2026-11-21-06"
Ask = Callable[[str, int], Portion]


@pytest.fixture(autouse=True)
def small_portions() -> Iterator[None]:
    with patch.object(lanes, "MOST_BYTES", PORTION), patch.object(portions, "MOST_BYTES", PORTION):
        yield


class File:
    """A file of the local log API without sockets; it counts what it is asked, and how much of that at once."""

    def __init__(self, data: bytes) -> None:
        world = World(START)
        instance = add_instance(world, engine="postgres", portion_bytes=PORTION)
        [log] = [log for log in instance.logs if log.name == FILE]
        log.source.write(data)  # type: ignore[attr-defined]
        self._download = calling(world, instance.identifier, FILE)
        self._lock = Lock()
        self.asked = 0

    def ask(self, marker: str, lines: int) -> Portion:
        with self._lock:
            self.asked += 1
        answer = self._download(Marker=marker, NumberOfLines=lines)
        return Portion(answer["LogFileData"], answer.get("Marker"))


def _source(ask: Ask, size: int, number: int = 4) -> LaneSource:
    return LaneSource(PortionSource(ask, lambda: START, None, Statistics(), lambda: False), number, size)


@pytest.mark.parametrize("text", ["x", "é", "€", "😀é€x"])
def test_lanes_give_the_bytes_of_the_file_whatever_characters_they_begin_in(text: str) -> None:
    data = b"".join(pg_line(number, text * (number % 90)) for number in range(300))
    assert _source(File(data).ask, len(data)).read(0, len(data)) == Bytes(data, at_end=False)
    begin = data.index(b"\n", 3000) + 1
    assert _source(File(data).ask, len(data)).read(begin, 50_000, data[begin - 200 : begin]).data == data[begin:50_000]


def test_lanes_cost_hardly_more_calls_than_one_reader() -> None:
    data = pg_lines(0, 1000)
    one, several = File(data), File(data)
    assert _source(one.ask, len(data), 1).read(0, len(data)).data == data
    assert _source(several.ask, len(data), 4).read(0, len(data)).data == data
    assert several.asked <= one.asked * 1.1 + 4


def test_portions_are_under_way_at_once() -> None:
    data = pg_lines(0, 300)
    file, together = File(data), Barrier(4)
    begun: list[str] = []

    def ask(marker: str, lines: int) -> Portion:
        if lines > 1 and len(begun) < 4:
            begun.append(marker)
            together.wait(20)
        return file.ask(marker, lines)

    assert _source(ask, len(data)).read(0, len(data)).data == data
    assert len(set(begun)) == 4


def test_file_that_ends_before_its_listed_size_is_read_to_its_end() -> None:
    data = pg_lines(0, 200)
    assert _source(File(data).ask, len(data) + 20_000).read(0, len(data) + 20_000) == Bytes(data, at_end=True)


def test_what_is_behind_the_listed_size_is_read_too() -> None:
    data = pg_lines(0, 200)
    assert _source(File(data).ask, len(data) - 5000).read(0, len(data) + 1) == Bytes(data, at_end=True)


def test_lanes_that_do_not_agree_are_read_again_by_one_portion_at_a_time() -> None:
    data = pg_lines(0, 300)
    file, other = File(data), File(data.replace(b"app@", b"xpp@"))
    askers: set[Thread] = set()

    def ask(marker: str, lines: int) -> Portion:
        askers.add(current_thread())
        behind = int(marker.rpartition(":")[2]) > len(data) // 2
        return (other if behind and current_thread() is not main_thread() else file).ask(marker, lines)

    source = _source(ask, len(data))
    assert source.read(0, len(data)).data == data
    assert askers > {main_thread()}
    askers.clear()
    assert source.read(0, len(data)).data == data
    assert askers == {main_thread()}


def test_bytes_that_portions_do_not_carry_are_the_same_error_as_for_one_reader() -> None:
    data = pg_lines(0, 150) + b"2026-11-21 06:30:00 UTC:::[1]:LOG:  \xff\xfe\n" + pg_lines(150, 150)
    with pytest.raises(PortionUnreadable):
        _source(File(data).ask, len(data)).read(0, len(data))


def test_other_bytes_in_front_of_the_first_lane_are_noticed() -> None:
    data = pg_lines(0, 300)
    with pytest.raises(SeamBroken):
        _source(File(data).ask, len(data)).read(400, len(data), b"not what is there\n")


def test_file_that_vanishes_under_one_lane_is_gone() -> None:
    data = pg_lines(0, 300)
    file = File(data)

    def ask(marker: str, lines: int) -> Portion:
        if int(marker.rpartition(":")[2]) > len(data) // 2:
            raise FileGone("purged")
        return file.ask(marker, lines)

    with pytest.raises(FileGone):
        _source(ask, len(data)).read(0, len(data))


@pytest.mark.parametrize(
    ("start", "size", "closed", "better"),
    [
        (0, 5_000_000, True, False),
        (0, 6_000_000, True, True),
        (80_000_000, 100_000_001, True, True),
        (90_000_000, 100_000_000, True, False),
        (0, 60_000_000, False, False),
        (0, 2_000_000_000, False, True),
        (600_000_000, 9_000_000_000, True, False),
    ],
)
def test_complete_file_is_for_much_that_has_little_in_front(start: int, size: int, closed: bool, better: bool) -> None:  # noqa: FBT001
    assert is_better(start, size, closed=closed) is better
    assert is_better(start, size, closed=closed, compressed=True) is (start < 512_000_000)
