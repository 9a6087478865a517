"""A task: what is new in a file goes into segments, its position behind them.

Lease, plan, fetch, cut, put, commit, announce: each step only once the one before it is done, so that whoever takes a
file over finds in its position what is left to do.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from database_logs.collection import ranges
from database_logs.collection.complete import CompleteSource
from database_logs.collection.generations import (
    Generation,
    first_line,
    generation_by_head,
    generation_of,
    head_hash,
    is_hourly,
)
from database_logs.collection.ledger import Gap, Reason
from database_logs.collection.markers import FIRST
from database_logs.collection.portions import Bytes, PortionSource, Statistics, without_notice
from database_logs.collection.positions import Ending, Plan, Position, Stored, generation_name, tail_of
from database_logs.collection.restart import REWIND_BYTES, common, overlay, resume_at
from database_logs.contracts import CollectTask, SegmentCommitted
from database_logs.discovery.files import Known, Listed
from database_logs.errors import (
    FileChanged,
    FileGone,
    FileIgnored,
    InstanceGone,
    PortionUnreadable,
    SeamBroken,
    WorkRemains,
)
from database_logs.file_names import IgnoredFile, LogFileName, classify
from database_logs.locations import segment_key

if TYPE_CHECKING:
    from database_logs.adapters.complete_file import CompleteFiles
    from database_logs.adapters.messages import Messages
    from database_logs.adapters.rds import RdsApi
    from database_logs.adapters.segments import Segments
    from database_logs.adapters.tasks import CollectQueue
    from database_logs.adapters.tracking import Tracking

# A closed file that has so much to come is streamed: one call instead of one a megabyte.
COMPLETE_BYTES: Final = 5_000_000
# A file that is being rotated is missing for a moment.
_MISSING_SECONDS: Final = 5.0
_ATTEMPTS: Final = 3


@dataclass
class Outcome:
    """What became of a task, for metrics.

    Attributes:
        behind: Bytes that are listed and not stored; of compressed files nobody knows.
    """

    segments: int = 0
    stored: int = 0
    gaps: int = 0
    restarts: int = 0
    truncated: int = 0
    complete_files: int = 0
    behind: int = 0
    portions: Statistics = field(default_factory=Statistics)


@dataclass(frozen=True)
class Target:
    """The file of a task under the name that it has now."""

    file: str
    name: LogFileName
    size: int
    last_written: datetime
    closed: bool
    generation: Generation


@dataclass(frozen=True)
class Limits:
    """How a collector works.

    Attributes:
        segment_bytes: In a segment, at most.
        lease: Of a file; longer than the function may run.
        complete_files: Whether there is the path for whole files; it is in no SDK's model.
    """

    segment_bytes: int
    lease: timedelta
    complete_files: bool = True


@dataclass(frozen=True)
class Collector:
    """Collects files of one account in one region.

    Attributes:
        api: RDS.
        complete: Its other path.
        tracking: Positions and ledger.
        segments: Where bytes go.
        queue: Who is told.
        tasks: Where the rest of a task goes that there was no time for.
        limits: How much at a time.
        now: The time.
        remaining: Seconds until the function has to end.
        sleep: Waits for seconds.
    """

    api: "RdsApi"
    complete: "CompleteFiles"
    tracking: "Tracking"
    segments: "Segments"
    queue: "Messages"
    tasks: "CollectQueue"
    limits: Limits
    now: Callable[[], datetime]
    remaining: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep

    def collect(self, task: CollectTask, owner: str) -> Outcome:
        """Store what a file has beyond its position.

        Args:
            task: The file.
            owner: Of the lease; the same for the same message, so that a second attempt need not wait for the first.

        Raises:
            LeaseHeld, LeaseLost: Another worker has the file.
            ApiThrottled, InstancePaused, AccessRefused, DeliveryShort: As RDS answers.
        """
        outcome = Outcome()
        name = classify(task.file.file, task.file.engine)
        if isinstance(name, IgnoredFile):
            raise FileIgnored(f"{task.file.file} is no log that is collected: {name.reason}.")
        present = self._is_present(task)
        generation = self._generation(task, name, present=present)
        if generation is None:
            return outcome
        target = Target(task.file.file, name, task.size, task.last_written, task.closed or name.closed, generation)
        resource = task.file.dbi_resource_id
        position = self.tracking.acquire(resource, generation.identity, owner, self.now(), self.limits.lease)
        work = _Work(self, task, target, outcome)
        try:
            position = work.announce(position)
            if not position.final:
                position = work.finish(position) if present else work.lose(position, Reason.DELETED)
            work.settle(position)
        except WorkRemains:
            # As a task of its own: a message that fails is hidden for six times as long as the function may run, and
            # is given up after some times.
            self.tasks.send([(task, name.base, work.offset)])
        finally:
            self.tracking.release(resource, position)
        return outcome

    def head(self, instance_id: str, file: str) -> bytes | None:
        """Return the first line of a file; None while it has none.

        Raises:
            FileGone: There is no such file.
        """
        try:
            data = self.api.portion(instance_id, file, FIRST, 1).data
        except PortionUnreadable:
            data = next(self.complete.stream(instance_id, file), b"")
        cut = without_notice(data)
        return first_line(data if cut is None else cut)

    def _is_present(self, task: CollectTask) -> bool:
        try:
            found = self.api.instance(task.file.instance_id)
        except InstanceGone:
            return False
        return found.dbi_resource_id == task.file.dbi_resource_id

    def _generation(self, task: CollectTask, name: LogFileName, *, present: bool) -> Generation | None:
        """Return which file it is; None if nobody can tell (any more), and a listing will bring it again."""
        if (generation := generation_of(task.file.file, name, task.last_written)) is not None:
            return generation
        if task.generation is not None:
            return Generation(task.generation, head=task.generation.rpartition("@")[2])
        if not present:
            return None
        try:
            line = self.head(task.file.instance_id, task.file.file)
        except FileGone:
            return None
        return generation_by_head(name, line) if line else None


class _Work:
    """One task under its lease."""

    def __init__(self, collector: Collector, task: CollectTask, target: Target, outcome: Outcome) -> None:
        self._collector = collector
        self._tracking = collector.tracking
        self._task = task
        self._resource = task.file.dbi_resource_id
        self._instance = task.file.instance_id
        self._target = target
        self._outcome = outcome
        self._source: PortionSource | CompleteSource | None = None
        self._current: Position

    @property
    def offset(self) -> int:
        """How far the file is stored."""
        return self._current.offset

    def announce(self, position: Position) -> Position:
        """Hand on a range that is stored and may not be known to those who parse it."""
        stored = position.unannounced
        if stored is None:
            return position
        self._collector.queue.send(
            SegmentCommitted(
                file=self._task.file,
                generation=generation_name(position.identity, stored.incarnation),
                start=stored.start,
                end=stored.end,
                key=stored.key,
                prefix=self._task.prefix,
                time_zone=self._task.time_zone,
                truncated=stored.truncated,
                open_tail=stored.open_tail,
            )
        )
        self._tracking.announced(self._resource, position, stored, self._collector.now())
        return replace(position, unannounced=None)

    def finish(self, position: Position) -> Position:
        """Store all there is, under whatever name the file has by then.

        A restart or a rotation while the file is read shows as a name that leads elsewhere, or as other bytes in front.
        """
        self._current = position
        broken = False
        for _ in range(_ATTEMPTS):
            try:
                return self._store_all(self._resume(self._current) if broken else self._current)
            except SeamBroken:
                broken = True
            except (FileChanged, FileGone):
                if not self._locate():
                    return self.lose(self._current, Reason.PURGED)
        return self._store_all(self._current)

    def lose(self, position: Position, reason: Reason) -> Position:
        """Declare lost what was not stored of a file that is gone; nothing if it had been read to its known end."""
        size = self._target.size
        known = self._target.closed and not self._target.name.compressed
        if known and position.offset >= size:
            self._tracking.finish(self._resource, position)
        else:
            gap = Gap(position.offset, size if known else None, reason)
            self._tracking.lose(self._resource, position, gap, self._collector.now())
            self._outcome.gaps += 1
        return replace(position, final=True, plan=None)

    def settle(self, position: Position) -> None:
        """Note which file the name led to, and that this state of it is dealt with, unless some of it is held back."""
        target = self._target
        held_back = not position.final and position.offset < target.size
        idle = ranges.ending_of(closed=False, last_written=target.last_written, now=self._collector.now())
        known = Known(
            target.file,
            target.size,
            target.last_written,
            position.identity,
            settled=not held_back or idle is Ending.IDLE,
            final=position.final,
        )
        self._tracking.settle(self._resource, known)

    def _store_all(self, position: Position) -> Position:
        target, collector = self._target, self._collector
        self._current = position
        while True:
            ending = ranges.ending_of(closed=target.closed, last_written=target.last_written, now=collector.now())
            planned = position.plan or ranges.plan(position.offset, target.size, ending, self._segment_bytes)
            if planned is None:
                return position
            if position.plan is None:
                self._tracking.plan(self._resource, position, planned, collector.now())
                position = self._current = replace(position, plan=planned)
            stored, found = self._store(position, planned)
            if stored is None:
                if ending is Ending.CLOSED and found.at_end and planned.ending is Ending.CLOSED:
                    self._tracking.finish(self._resource, position)
                    return replace(position, final=True, plan=None)
                fresh = ranges.plan(position.offset, target.size, ending, self._segment_bytes)
                if fresh == planned or fresh is None:
                    return position
                # The plan of an attempt before this one, when there was less of the file.
                position = self._current = replace(position, plan=None)
                continue
            data = found.data[: stored.end - stored.start]
            tail = tail_of(position.tail + data)
            self._tracking.commit(self._resource, position, stored, tail, collector.now())
            position = replace(position, offset=stored.end, tail=tail, plan=None, unannounced=stored)
            self._outcome.segments += 1
            self._outcome.stored += len(data)
            position = self._current = self.announce(position)
            if collector.remaining() <= 0:
                raise WorkRemains(
                    f"{target.file} of {self._instance} is stored up to byte {position.offset}; there was no time for "
                    "the rest, which is a task of its own."
                )

    def _store(self, position: Position, planned: Plan) -> tuple[Stored | None, Bytes]:
        """Put the whole records of a range, and return what is stored, None if there are none, and what was read."""
        log_type, prefix = self._task.file.log_type, self._task.prefix
        widest = planned
        while True:
            found = self._read(planned.start, widest.target, position.tail)
            length = ranges.length(log_type, found, planned.ending, prefix)
            more = len(found.data) == widest.target - widest.start and not found.at_end
            if length or not more or len(found.data) < self._segment_bytes:
                break
            if (next_ := ranges.wider(widest, self._segment_bytes)) is None:
                # No record is that long but by mistake or malice; it is stored in pieces.
                length = found.data.rfind(b"\n") + 1 or len(found.data)
                self._outcome.truncated += 1
                break
            widest = next_
        if not length:
            return None, found
        key = segment_key(log_type, self._resource, position.generation, planned.start, planned.start + length)
        data = self._collector.segments.put(key, found.data[:length])
        truncated = not ranges.length(log_type, found, planned.ending, prefix)
        open_tail = planned.ending is Ending.IDLE
        stored = Stored(
            position.incarnation, planned.start, planned.start + length, key, truncated=truncated, open_tail=open_tail
        )
        return stored, Bytes(data, found.at_end)

    def _resume(self, position: Position) -> Position:
        """Find what a restart took, and go on from there under the next incarnation."""
        held = self._tracking.ranges(self._resource, position.identity)
        window = REWIND_BYTES
        while True:
            begin = max(0, position.offset - window)
            stored = self._stored_bytes(held, begin, position.offset)
            skipped = len(stored) - len(_from_character(stored))
            begin, stored = begin + skipped, stored[skipped:]
            found = self._read(begin, position.offset, b"").data
            if len(found) < len(stored):
                self._check_shrunk(begin + len(found))
            same = common(stored, found)
            if same == len(stored):
                return position
            back = resume_at(self._task.file.log_type, stored, same, self._task.prefix)
            if back or not begin:
                break
            window *= 4
        tail = tail_of(stored[:back])
        self._tracking.restart(self._resource, position, begin + back, tail)
        self._outcome.restarts += 1
        return replace(position, offset=begin + back, incarnation=position.incarnation + 1, tail=tail, plan=None)

    def _stored_bytes(self, held: list[Stored], begin: int, end: int) -> bytes:
        pieces = []
        for stored, start, stop in overlay(held, end):
            if stop > begin:
                data = self._collector.segments.read(stored.key)
                pieces.append(data[max(start, begin) - stored.start : stop - stored.start])
        return b"".join(pieces)

    def _check_shrunk(self, size: int) -> None:
        """Make sure that a file that gives fewer bytes than it had is shorter, and not just answered badly."""
        listed = [file for file in self._listed(self._target.file) if file.file == self._target.file]
        if not listed:
            raise FileGone(f"{self._target.file} of {self._instance} is not listed any more.")
        if listed[0].size > size:
            raise FileChanged(f"{self._target.file} of {self._instance} gave fewer bytes than it is listed with.")

    def _read(self, start: int, target: int, before: bytes) -> Bytes:
        found = self._read_from(self._chosen(start), start, target, before)
        head = self._target.generation.head
        if head is not None and isinstance(self._source, PortionSource):
            # Names of numbered files move on; what was read is this file's only if the name still is.
            line = self._collector.head(self._instance, self._target.file)
            if line is None or head_hash(line) != head:
                raise FileChanged(f"{self._target.file} of {self._instance} is another file by now.")
        return found

    def _read_from(self, source: "PortionSource | CompleteSource", start: int, target: int, before: bytes) -> Bytes:
        try:
            found = source.read(start, target, before)
        except PortionUnreadable:
            if not self._collector.limits.complete_files:
                raise
            self._source = self._streamed()
            return self._source.read(start, target, before)
        short = found.at_end and start + len(found.data) < self._target.size
        if (
            short
            and self._target.closed
            and isinstance(source, PortionSource)
            and self._collector.limits.complete_files
        ):
            # A closed file has what is listed. If not even all of it comes to that, the listing is wrong, as it can be.
            self._source = self._streamed()
            return self._source.read(start, target, before)
        return found

    def _chosen(self, start: int) -> "PortionSource | CompleteSource":
        if self._source is None:
            target, limits = self._target, self._collector.limits
            large = target.closed and target.size - start > COMPLETE_BYTES
            if limits.complete_files and (large or target.name.compressed):
                self._source = self._streamed()
            else:
                live = is_hourly(target.name) and target.name.hour is None
                self._source = PortionSource(
                    lambda marker, lines: self._collector.api.portion(self._instance, target.file, marker, lines),
                    self._collector.now,
                    target.generation.hour if live else None,
                    self._outcome.portions,
                )
        return self._source

    def _streamed(self) -> CompleteSource:
        self._outcome.complete_files += 1
        file, head = self._target.file, self._target.generation.head

        def stream() -> Iterator[bytes]:
            chunks = self._collector.complete.stream(self._instance, file)
            first = next(chunks, b"")
            line = first_line(first)
            if head is not None and (line is None or head_hash(line) != head):
                raise FileChanged(f"{file} of {self._instance} is another file by now.")
            yield first
            yield from chunks

        return CompleteSource(stream)

    def _locate(self) -> bool:
        """Find the file under the name that it has now; False if it has none any more."""
        for attempt in range(2):
            if attempt:
                self._collector.sleep(_MISSING_SECONDS)
            for listed in self._listed(self._target.name.base):
                name = classify(listed.file, self._task.file.engine)
                if isinstance(name, LogFileName) and self._is_target(listed, name):
                    self._source = None
                    closed = name.closed or (self._target.closed and listed.file == self._target.file)
                    self._target = replace(
                        self._target,
                        file=listed.file,
                        name=name,
                        size=listed.size,
                        last_written=listed.last_written,
                        closed=closed,
                    )
                    return True
        return False

    def _is_target(self, listed: Listed, name: LogFileName) -> bool:
        wanted = self._target.generation
        if wanted.head is None:
            found = generation_of(listed.file, name, listed.last_written)
            return found is not None and found.identity == wanted.identity
        if name.base != self._target.name.base:
            return False
        try:
            line = self._collector.head(self._instance, listed.file)
        except FileGone:
            return False
        return line is not None and head_hash(line) == wanted.head

    def _listed(self, contains: str) -> list[Listed]:
        """Return listed files; asked twice for, as a listing is empty at times for no reason."""
        api = self._collector.api
        return api.log_files(self._instance, contains) or api.log_files(self._instance, contains)

    @property
    def _segment_bytes(self) -> int:
        return self._collector.limits.segment_bytes


def _from_character(data: bytes) -> bytes:
    """Return bytes from the first whole character on."""
    begin = next((n for n, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), 0)  # noqa: PLR2004 - RFC 3629
    return data[begin:]
