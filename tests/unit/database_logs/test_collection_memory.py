"""What collection holds in memory at most, whatever a file is like: docs/database_logs.md states it."""

import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from database_logs.adapters.complete_file import unpacked
from database_logs.collection.collector import Collector, Limits, collect
from database_logs.collection.complete import CompleteSource
from database_logs.collection.ledger import Gap
from database_logs.collection.portions import Portion
from database_logs.collection.positions import Plan, Position, Stored
from database_logs.contracts import CollectTask, FileRef
from database_logs.discovery.files import Known
from database_logs.discovery.instances import Instance
from database_logs.errors import DeliveryShort
from database_logs.log_types import LogType

MEGABYTE = 1 << 20
SEGMENT = 2 * MEGABYTE
# A range of up to four segments as it comes, as it is stored, as it is packed, and while a buffer grows.
BOUND = 14 * SEGMENT
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
FILE = "error/postgresql.log.2026-11-21-06"


class Fakes:
    """Everything that a collector talks to; it counts bytes and keeps none."""

    def __init__(self, size: int, stream: Callable[[], Iterator[bytes]] = lambda: iter(()), line: bytes = b"") -> None:
        self._size = size
        self._stream = stream
        self._line = line
        self._held: list[Stored] = []
        self.stored = 0
        self.position = Position(FILE, 1)

    # RDS

    def find(self, resource: str) -> Instance:
        return Instance(dbi_resource_id=resource, instance_id="orders-1", engine="postgres", status="available")

    # facts

    def get(self, *_: Any) -> None:
        return

    def portion(self, _instance: str, _file: str, marker: str, lines: int) -> Portion:
        offset = int(marker.rpartition(":")[2])
        rest = self._line[offset % len(self._line) :]
        data = (rest + self._line * (MEGABYTE // len(self._line)))[:MEGABYTE]
        data = b"".join(data.splitlines(keepends=True)[:lines])[: max(0, self._size - offset)]
        if len(data) == MEGABYTE:
            return Portion(data + b"\n [Your log message was truncated]\n", "7:0")
        return Portion(data, f"7:{offset + len(data)}")

    def stream(self, _instance: str, _file: str) -> Iterator[bytes]:
        return self._stream()

    # tracking

    def acquire(self, *_: Any) -> Position:
        return self.position

    def plan(self, _resource: str, _position: Position, _plan: Plan, _now: datetime) -> None:
        return

    def commit(self, _resource: str, position: Position, stored: Stored, tail: bytes) -> None:
        assert stored.start == position.offset
        self._held.append(stored)
        self.position = replace(position, offset=stored.end, tail=tail)

    def keep(self, _resource: str, position: Position, pulled: int) -> None:
        self.position = replace(position, pulled=pulled)

    def withdraw(self, *_: Any) -> None:
        return

    def announced(self, *_: Any) -> None:
        return

    def finish(self, *_: Any) -> None:
        return

    def settle(self, _resource: str, _known: Known) -> None:
        return

    def release(self, *_: Any) -> None:
        return

    def ranges(self, *_: Any) -> list[Stored]:
        return self._held

    def gaps(self, *_: Any) -> list[Gap]:
        return []

    # segments and queues

    def put(self, _key: str, data: bytes) -> bytes:
        # Of bytes that do not shrink, an archive is as long as they are.
        bytearray(data)
        self.stored += len(data)
        return data

    def replace(self, _key: str, data: bytes) -> None:
        bytearray(data)

    def read(self, key: str) -> bytes:
        start, end = (int(number) for number in key.rpartition("/")[2].split(".")[0].split("-"))
        return (self._line * (end // len(self._line) + 1))[start:end]

    def send(self, *_: Any) -> None:
        return


def _peak(act: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _collect(fakes: Fakes, size: int, *, closed: bool, lanes: int = 8, remaining: float = 1.0) -> Exception | None:
    file = FileRef(
        account="123456789012",
        region="eu-central-1",
        dbi_resource_id="db-1",
        instance_id="orders-1",
        engine="postgres",
        log_type=LogType.POSTGRES_STDERR,
        file=FILE,
    )
    task = CollectTask(file=file, size=size, last_written=NOW - timedelta(minutes=2), closed=closed, deadline=NOW)
    some: Any = fakes
    limits = Limits(SEGMENT, timedelta(minutes=6), lanes)
    collector = Collector(some, some, some, some, some, some, some, limits, lambda: NOW, lambda: remaining)
    return collect(lambda _: collector, task, "worker").left


def _lineless(size: int) -> Callable[[], Iterator[bytes]]:
    chunk = b"x" * MEGABYTE
    return lambda: (chunk for _ in range(size // MEGABYTE))


def test_file_of_two_hundred_megabytes_without_a_line_is_stored_in_bounded_memory() -> None:
    size = 200 * MEGABYTE
    fakes = Fakes(size, _lineless(size))
    assert _peak(lambda: _collect(fakes, size, closed=True)) < BOUND
    assert fakes.stored == size


@pytest.mark.parametrize(
    "begin", [b"2026-11-21 06:30:00 UTC:10.0.0.1(4000):app@orders:[1]:LOG:  ", b"\tof one record: "]
)
def test_long_file_read_by_many_portions_at_once_is_stored_in_bounded_memory(begin: bytes) -> None:
    size, line = 40 * MEGABYTE, begin + b"x" * 4000 + b"\n"
    fakes = Fakes(size, line=line)
    assert _peak(lambda: _collect(fakes, size, closed=False)) < BOUND
    assert fakes.stored == size // len(line) * len(line)


def test_record_that_takes_many_calls_is_pulled_in_bounded_memory() -> None:
    line = b"\tof one record: " + b"x" * 4000 + b"\n"
    size = 12 * SEGMENT // len(line) * len(line)
    fakes = Fakes(size, line=line)
    calls = 0
    while not fakes.stored:
        calls += 1
        before = fakes.position.pulled or 0
        assert _peak(lambda: _collect(fakes, size, closed=False, lanes=1, remaining=0.0)) < BOUND
        assert fakes.stored or (fakes.position.pulled or 0) > before
    assert calls > 5
    # Four segments at most, up to the end of a line.
    assert 3 * SEGMENT < fakes.stored <= 4 * SEGMENT


def _archive(data: bytes) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def test_two_gigabytes_in_a_small_archive_are_skipped_and_read_in_bounded_memory() -> None:
    size, member = 128 * 16 * MEGABYTE, _archive(bytes(16 * MEGABYTE))
    assert len(member) < MEGABYTE // 8
    source = CompleteSource(lambda: unpacked(member for _ in range(128)), lambda: False)
    found = []
    assert _peak(lambda: found.append(source.read(size - SEGMENT, size + 1))) < BOUND
    assert (len(found[0].data), found[0].at_end) == (SEGMENT, True)


def test_archive_of_several_members_is_unpacked_whole() -> None:
    packed = _archive(b"one\n") + _archive(b"two\n")
    for cut in range(1, len(packed)):
        assert b"".join(unpacked(iter((packed[:cut], packed[cut:], bytes(9))))) == b"one\ntwo\n"
    with pytest.raises(DeliveryShort):
        list(unpacked(iter((packed[:-1],))))
