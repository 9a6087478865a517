"""A task: what is new in a file goes into segments, its position behind them.

Lease, plan, fetch, cut, put, commit, announce: each step only once the one before it is done, so that whoever takes a
file over finds in its position what is left to do.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from database_logs.collection import ranges
from database_logs.collection.complete import CompleteSource, is_better
from database_logs.collection.generations import (
    FRESH_ERRORS,
    RUNNING_ERRORS,
    Generation,
    generation_by_head,
    generation_of,
    head_of,
    is_hourly,
    is_renaming,
)
from database_logs.collection.lanes import LaneSource
from database_logs.collection.ledger import Gap, Reason, account
from database_logs.collection.markers import FIRST
from database_logs.collection.portions import Bytes, PortionSource, Statistics, without_notice
from database_logs.collection.positions import TAIL_BYTES, Ending, Plan, Position, Stored, tail_of
from database_logs.collection.restart import REWIND_BYTES, common, overlay, resume_at
from database_logs.contracts import CollectTask, FileRef, LostSegment, Restored, SegmentCommitted
from database_logs.discovery.files import Known, Listed, is_closed
from database_logs.errors import (
    AccessRefused,
    ApiFailed,
    ApiThrottled,
    DeliveryShort,
    FileChanged,
    FileGone,
    FileIgnored,
    InstanceGone,
    InstancePaused,
    InstanceRenamed,
    LeaseHeld,
    LeaseLost,
    PortionUnreadable,
    SeamBroken,
    SegmentDamaged,
    SegmentMissing,
    WorkRemains,
)
from database_logs.file_names import IgnoredFile, LogFileName, classify
from database_logs.locations import pulled_key, segment_key

if TYPE_CHECKING:
    from database_logs.adapters.complete_file import CompleteFiles
    from database_logs.adapters.instance_facts import InstanceFacts
    from database_logs.adapters.messages import Messages
    from database_logs.adapters.rds import LogApi
    from database_logs.adapters.segments import Segments
    from database_logs.adapters.tasks import CollectQueue
    from database_logs.adapters.tracking import Tracking

# A file that is being rotated is missing for a moment.
_MISSING_SECONDS: Final = 5.0
_ATTEMPTS: Final = 3
# Files of two instances may begin alike, with the header of one version. Further on times and processes differ, and
# that what was read goes on from what is stored shows that it is the same file.
_COMMON_BYTES: Final = 4096
# RDS appends mysql-error.log to the running log every five minutes; nobody may have looked for some hours.
_APPENDED: Final = timedelta(days=1)

# Nothing that anybody would mend: RDS answers later, another worker has the file, or it is queued under its new name.
_WAITING: Final = (ApiThrottled, InstancePaused, InstanceRenamed, LeaseHeld, LeaseLost)
_FAILING: Final = (
    ApiFailed,
    DeliveryShort,
    FileChanged,
    FileGone,
    InstanceGone,
    PortionUnreadable,
    SeamBroken,
)


@dataclass
class Outcome:
    """What became of a task, for metrics.

    Attributes:
        behind: Bytes that are listed and not stored; of compressed files nobody knows.
        left: Why it is left to a later pass; None if it is not.
        failed: Whether that is a failure, and not only a matter of waiting.
        refused: Whether the role may not read the file, or may not be assumed.
    """

    segments: int = 0
    stored: int = 0
    gaps: int = 0
    restarts: int = 0
    truncated: int = 0
    complete_files: int = 0
    behind: int = 0
    left: Exception | None = None
    failed: bool = False
    refused: bool = False
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

    @property
    def finished(self) -> datetime | None:
        """When the last byte was written, if nothing more will be."""
        return self.last_written if self.closed else None


@dataclass(frozen=True)
class Limits:
    """How a collector works.

    Attributes:
        segment_bytes: In a segment, at most.
        lease: Of a file; longer than the function may run. Who only restores takes none.
        portions: Under way at once, of one file, at most.
        complete_files: Whether there is the path for whole files; it is in no SDK's model.
    """

    segment_bytes: int
    lease: timedelta = timedelta(0)
    portions: int = 1
    complete_files: bool = True


@dataclass(frozen=True)
class Collector:
    """Collects files of one account in one region.

    Attributes:
        api: RDS.
        complete: Its other path.
        facts: What discovery noted of instances.
        tracking: Positions and ledger.
        segments: Where bytes go.
        queue: Who is told.
        tasks: Where the rest of a task goes that there was no time for.
        limits: How much at a time.
        now: The time.
        remaining: Seconds until the function has to end.
        sleep: Waits for seconds.
    """

    api: "LogApi"
    complete: "CompleteFiles"
    facts: "InstanceFacts"
    tracking: "Tracking"
    segments: "Segments"
    queue: "Messages"
    tasks: "CollectQueue"
    limits: Limits
    now: Callable[[], datetime]
    remaining: Callable[[], float]
    sleep: Callable[[float], None] = time.sleep

    def collect(self, task: CollectTask, owner: str, outcome: Outcome) -> None:
        """Store what a file has beyond its position.

        Args:
            task: The file.
            owner: Of the lease; the same for the same message, so that a second attempt need not wait for the first.
            outcome: Counted up.

        Raises:
            ApiThrottled, InstancePaused, AccessRefused and others: As RDS answers.
            LeaseHeld, LeaseLost: Another worker has the file.
        """
        name = classify(task.file.file, task.file.engine)
        if isinstance(name, IgnoredFile):
            raise FileIgnored(f"{task.file.file} is no log that is collected: {name.reason}.")
        present = self._is_present(task)
        generation = self._generation(task, name, present=present)
        if generation is None:
            return
        resource = task.file.dbi_resource_id
        position = self.tracking.acquire(resource, generation.identity, owner, self.now(), self.limits.lease)
        work = _Work(self, task, _target(task, name, generation), outcome)
        try:
            position = work.announce(position)
            work.remember(position)
            grown = present and task.generation is None and work.goes_on_from(position)
            if position.final and (task.reopen or grown):
                position = work.reopen(position)
            if not position.final:
                position = work.finish(position) if present else work.lose(position, Reason.DELETED)
            work.settle(position)
        except WorkRemains:
            # As a task of its own: a message that fails is hidden for six times as long as the function may run, and
            # is given up after some times.
            self.tasks.send([(task, name.base, str(work.reached))])
        finally:
            self.tracking.release(resource, work.position)

    def restore(self, task: CollectTask, lost: Sequence[LostSegment]) -> Iterator[tuple[LostSegment, Restored]]:
        """Bring segments of a file back, and tell the parsers of them; neither lease nor position is touched.

        Args:
            task: The file as RDS lists it.
            lost: Segments that may be missing or damaged.

        Raises:
            ApiThrottled, InstancePaused, AccessRefused, DeliveryShort: As RDS answers.
            WorkRemains: There was no time for a segment.
        """
        name = classify(task.file.file, task.file.engine)
        generation = None if isinstance(name, IgnoredFile) else self._generation(task, name, present=True)
        for one in lost:
            done = Restored.TOLD
            if not self.segments.is_sound(one.segment.key, one.sha256):
                done = Restored.UNAVAILABLE
                if generation is not None and not isinstance(name, IgnoredFile):
                    work = _Work(self, task, _target(task, name, generation), Outcome())
                    if (data := work.read_again(one)) is not None:
                        self.segments.replace(one.segment.key, data)
                        done = Restored.READ
            if done is not Restored.UNAVAILABLE:
                self.queue.send(one.segment)
            yield one, done

    def head(self, instance_id: str, file: str, finished: datetime | None) -> str | None:
        """Return what a file is known by; None while it has no whole line.

        Args:
            instance_id: Of the instance.
            file: LogFileName.
            finished: When the last byte was written to a closed file.

        Raises:
            FileGone: There is no such file.
        """
        try:
            data = self.api.portion(instance_id, file, FIRST, 1).data
        except PortionUnreadable:
            data = next(self.complete.stream(instance_id, file), b"")
        cut = without_notice(data)
        return head_of(data if cut is None else cut, finished)

    def confirm(self, task: CollectTask) -> None:
        """Make sure that a name leads to the instance that is meant: an identifier may be another's within a minute.

        What was read just before is the instance's only if this holds afterwards.

        Raises:
            InstanceGone: There is no such instance any more.
            InstanceRenamed: It has another name.
        """
        if not self.is_there(task):
            file = task.file
            raise InstanceGone(f"There is no instance {file.dbi_resource_id} any more, which was {file.instance_id}.")

    def is_there(self, task: CollectTask) -> bool:
        """Whether RDS still has the instance.

        Raises:
            InstanceRenamed: Under another name.
        """
        file = task.file
        found = self.api.find(file.dbi_resource_id)
        if found is not None and found.instance_id != file.instance_id:
            raise InstanceRenamed(f"{file.dbi_resource_id} was {file.instance_id}, and is {found.instance_id} now.")
        return found is not None

    def _is_present(self, task: CollectTask) -> bool:
        """Whether there is the instance, as discovery noted it; only what it does not know is asked for."""
        known = self.facts.get(f"{task.file.account}/{task.file.region}", task.file.dbi_resource_id)
        return (known is not None and known.instance.instance_id == task.file.instance_id) or self.is_there(task)

    def _generation(self, task: CollectTask, name: LogFileName, *, present: bool) -> Generation | None:
        """Return which file it is; None if nobody can tell (any more), and a listing will bring it again."""
        if (generation := generation_of(task.file.file, name, task.last_written)) is not None:
            return generation
        if task.generation is not None:
            return Generation(task.generation, head=task.generation.rpartition("@")[2])
        if not present:
            return None
        try:
            head = self.head(task.file.instance_id, task.file.file, task.last_written if task.closed else None)
            self.confirm(task)
        except (FileGone, InstanceGone):
            return None
        return generation_by_head(name, head) if head else None


def collect(collector_of: Callable[[FileRef], Collector], task: CollectTask, owner: str) -> Outcome:
    """Collect a file, and say what became of it.

    What cannot be stored now is left as it is: discovery queues it again, at each pass, until it is dealt with. The
    message must not come again, too, and be in the way of its log each time.

    Args:
        collector_of: Collector of the account and region of a file; its role may be refused.
        task: The file.
        owner: As of Collector.collect.
    """
    outcome = Outcome()
    try:
        collector_of(task.file).collect(task, owner, outcome)
    except _WAITING as reason:
        outcome.left = reason
    except AccessRefused as reason:
        outcome.left, outcome.refused = reason, True
    except _FAILING as reason:
        outcome.left, outcome.failed = reason, True
    return outcome


def _target(task: CollectTask, name: LogFileName, generation: Generation) -> Target:
    return Target(task.file.file, name, task.size, task.last_written, task.closed, generation)


class _Work:
    """What is done with one file; all that changes its position, under its lease."""

    def __init__(self, collector: Collector, task: CollectTask, target: Target, outcome: Outcome) -> None:
        self._collector = collector
        self._tracking = collector.tracking
        self._task = task
        self._resource = task.file.dbi_resource_id
        self._instance = task.file.instance_id
        self._target = target
        self._outcome = outcome
        self._source: LaneSource | CompleteSource | None = None
        self._short_at: int | None = None
        self._current: Position

    @property
    def reached(self) -> int:
        """How far the file is stored, or kept to be gone on with."""
        return self._current.pulled or self._current.offset

    @property
    def position(self) -> Position:
        """As the row was left."""
        return self._current

    def announce(self, position: Position) -> Position:
        """Hand on a range that is stored and may not be known to those who parse it."""
        self._current = position
        if (stored := position.unannounced) is not None:
            self._collector.queue.send(SegmentCommitted.model_validate_json(stored.message))
            self._tracking.announced(self._resource, position, stored, self._collector.now())
            self._current = replace(position, unannounced=None, told=True)
        return self._current

    def remember(self, position: Position) -> None:
        """Note a file that only its first line tells from others, before any of it is stored.

        Should this worker die and a restart empty the file, nothing else leads to what was stored and not handed on.
        """
        if self._target.generation.head is not None and not position.offset and not position.final:
            self._tracking.remember(self._resource, self._seen(position, settled=False))

    def goes_on_from(self, position: Position) -> bool:
        """Whether the file has more than when it was finished, such as what a server wrote to it late."""
        end = position.offset if position.shrunk is None else position.shrunk
        return not self._target.name.compressed and self._target.size > end

    def reopen(self, position: Position) -> Position:
        """Go on with a file that was given up; discovery is told first, in case this worker does not come to it."""
        self._tracking.settle(self._resource, self._seen(replace(position, final=False), settled=False))
        gaps = self._tracking.gaps(self._resource, position.identity)
        self._tracking.reopen(self._resource, position, gaps)
        return replace(position, final=False, plan=None)

    def read_again(self, lost: LostSegment) -> bytes | None:
        """Return the bytes of a segment that was stored once; None if RDS has others there by now, or none."""
        for _ in range(_ATTEMPTS):
            try:
                found = self._read(lost.segment.start, lost.segment.end, b"")
            except SeamBroken:
                continue
            except (FileChanged, FileGone):
                if not self._locate():
                    return None
                continue
            if not found.at_end and len(found.data) < lost.segment.end - lost.segment.start:
                raise found.stopped or WorkRemains(f"There was no time to read {lost.segment.key} from RDS again.")
            return found.data if hashlib.sha256(found.data).hexdigest() == lost.sha256 else None
        return None

    def finish(self, position: Position) -> Position:
        """Store all there is, under whatever name the file has by then.

        A restart or a rotation while the file is read shows as a name that leads elsewhere, or as other bytes in front.
        """
        self._current = position
        try:
            return self._finish()
        except (FileChanged, FileGone, InstanceGone, SeamBroken):
            # Under a name that leads to another instance every file is another.
            if self._collector.is_there(self._task):
                raise
            return self.lose(self._current, Reason.DELETED)

    def _finish(self) -> Position:
        broken = self._is_cut(self._current)
        for _ in range(_ATTEMPTS):
            try:
                self._current = self._adopted(self._current)
                return self._store_all(self._resume(self._current) if broken else self._current)
            except SeamBroken:
                broken = True
            except (FileChanged, FileGone):
                if not self._locate():
                    hour = self._target.generation.hour
                    if hour is not None and is_renaming(hour, self._collector.now()):
                        # It may not have its new name yet. A later listing brings it again.
                        return self._current
                    self._collector.confirm(self._task)
                    return self.lose(self._current, Reason.PURGED)
        return self._store_all(self._current)

    def _adopted(self, position: Position) -> Position:
        """Return the position behind what was stored of mysql-error.log, if RDS has appended that to this file.

        There was no running log then, for so long that the other one was collected. Its segments become this file's.
        """
        if position.plan is not None or self._target.name.base != RUNNING_ERRORS:
            return position
        now = self._collector.now()
        for fresh, seen in self._tracking.positions(self._resource, f"{FRESH_ERRORS}@"):
            if now - seen < _APPENDED:
                own = [stored.key for stored in self._tracking.ranges(self._resource, position.identity)]
                ranges_ = self._tracking.ranges(self._resource, fresh.identity)
                # Those before them are this file's already, if a worker died while it took them over.
                if own == [stored.key for stored in ranges_[: len(own)]]:
                    position = self._adopt(position, ranges_[len(own) :], now)
        return position

    def _adopt(self, position: Position, others: Sequence[Stored], now: datetime) -> Position:
        """Take over segments of another file, as long as this one has the same bytes."""
        for stored in others:
            found = self._read(stored.start, stored.end, position.tail)
            if not found.at_end and len(found.data) < stored.end - stored.start:
                raise found.stopped or self._remains()
            if stored.start != position.offset or hashlib.sha256(found.data).hexdigest() != stored.sha256:
                break
            tail = tail_of(position.tail + found.data[-TAIL_BYTES:])
            self._tracking.commit(self._resource, position, stored, tail)
            self._tracking.announced(self._resource, position, stored, now)
            position = self._current = replace(position, offset=stored.end, tail=tail, told=True)
        return position

    def lose(self, position: Position, reason: Reason) -> Position:
        """Declare lost what was not stored of a file that is gone; nothing if it had been read to its known end."""
        size = self._target.size
        known = self._target.closed and not self._target.name.compressed
        if known and position.offset >= size:
            return self._end(position)
        start = position.offset if position.shrunk is None else position.shrunk
        gap = Gap(start, size if known else None, reason)
        self._tracking.lose(self._resource, position, gap, self._collector.now())
        self._outcome.gaps += 1
        return replace(position, final=True, plan=None)

    def settle(self, position: Position) -> None:
        """Note which file the name led to, and that this state of it is dealt with, unless some of it is held back."""
        target = self._target
        held_back = not position.final and position.offset < target.size
        idle = ranges.ending_of(closed=False, last_written=target.last_written, now=self._collector.now())
        settled = not held_back or idle is Ending.STALE
        self._tracking.settle(self._resource, self._seen(position, settled=settled))

    def _seen(self, position: Position, *, settled: bool) -> Known:
        """Return what is to be noted of the file as it was listed."""
        target = self._target
        return Known(
            target.file, target.size, target.last_written, position.identity, settled=settled, final=position.final
        )

    def _is_cut(self, position: Position) -> bool:
        """Whether the listing says that a restart cut the file below its position, or that it grew since one did."""
        size = self._target.size
        if position.shrunk is not None:
            return size != position.shrunk
        return not self._target.name.compressed and size < position.offset

    def _store_all(self, position: Position) -> Position:
        target, collector = self._target, self._collector
        self._current = position
        if position.shrunk is not None:
            return self._end(position) if target.closed else position
        while True:
            ending = ranges.ending_of(closed=target.closed, last_written=target.last_written, now=collector.now())
            planned = position.plan or ranges.plan(position.offset, target.size, ending, self._segment_bytes)
            if planned is None:
                return position
            if position.plan is None:
                self._tracking.plan(self._resource, position, planned, collector.now())
                position = self._current = replace(position, plan=planned, told=False)
            position, is_done = self._take(position, planned, ending)
            if is_done:
                return position

    def _take(self, position: Position, planned: Plan, ending: Ending) -> tuple[Position, bool]:
        """Store a range, and return whether there is no more to store."""
        size = self._target.size
        stored, tail, read = self._store(position, planned)
        if stored is not None:
            position = self._commit(position, stored, tail)
            if Ending.CLOSED is ending is planned.ending and read.at_end and not self._is_to_come(position.offset):
                return self._end(position), True
            if self._is_late():
                raise self._remains()
            if read.stopped is not None:
                raise read.stopped
            # What an open range leaves is held back; not if it was planned by an attempt before this one, when less
            # time had gone by.
            return position, planned.ending is ending is not Ending.CLOSED and planned.target >= size
        if Ending.CLOSED is ending is planned.ending and read.at_end:
            return (position, False) if self._is_to_come(position.offset) else (self._end(position), True)
        position = self._withdraw(position)
        # Another plan shows that it was one of an attempt before this one, when there was less of the file.
        return position, ranges.plan(position.offset, size, ending, self._segment_bytes) in {planned, None}

    def _commit(self, position: Position, stored: Stored, tail: bytes) -> Position:
        self._tracking.commit(self._resource, position, stored, tail)
        self._outcome.segments += 1
        self._outcome.stored += stored.end - stored.start
        return self.announce(
            replace(position, offset=stored.end, tail=tail, plan=None, unannounced=stored, told=False, pulled=None)
        )

    def _withdraw(self, position: Position) -> Position:
        self._tracking.withdraw(self._resource, position, self._collector.now())
        self._current = replace(position, plan=None, told=False)
        return self._current

    def _is_late(self) -> bool:
        return self._collector.remaining() <= 0

    def _remains(self) -> WorkRemains:
        return WorkRemains(
            f"{self._target.file} of {self._instance} is read up to byte {self.reached}; there was no time for the "
            "rest, which is a task of its own."
        )

    def _is_to_come(self, offset: int) -> bool:
        """Whether a closed file that gives no more has more to give: by its listing, and by the path not taken yet."""
        if self._target.name.compressed or offset >= self._target.size:
            return False
        listed = self._listed_now()
        self._target = replace(self._target, size=listed.size, last_written=listed.last_written)
        if offset >= listed.size or self._short_at == offset or not isinstance(self._source, CompleteSource):
            return False
        # Its stream can end early and look whole.
        self._short_at = offset
        self._source = self._portions()
        return True

    def _end(self, position: Position) -> Position:
        """Note that a closed file has no more to give; what its listing has beyond that is lost.

        Only what the ledger has is stored: a hole in it is declared, whatever brought it about.
        """
        position = replace(position, final=True, plan=None)
        held = self._tracking.ranges(self._resource, position.identity)
        gaps = self._tracking.gaps(self._resource, position.identity)
        missing = [Gap(*hole, Reason.UNACCOUNTED) for hole in account(held, gaps, position.offset).missing]
        size = self._target.size
        if not self._target.name.compressed and position.offset < size and position.shrunk is None:
            missing.append(Gap(position.offset, size, Reason.UNDELIVERED))
        for gap in missing:
            self._tracking.lose(self._resource, position, gap, self._collector.now())
        if not missing:
            self._tracking.finish(self._resource, position)
        self._outcome.gaps += len(missing)
        return position

    def _store(self, position: Position, planned: Plan) -> tuple[Stored | None, bytes, Bytes]:
        """Put the whole records of a range.

        Returns:
            What is stored, None if there are no whole records; the file's bytes before its end; and how reading ended.
            The bytes themselves are given up: a range can be a good part of a function's memory.
        """
        log_type, prefix = self._task.file.log_type, self._task.prefix
        widest = self._begun(position, planned)
        while True:
            found = self._read_planned(position, widest)
            if planned.start < _COMMON_BYTES:
                self._collector.confirm(self._task)
            length = ranges.length(log_type, found, planned.ending, prefix)
            if length or found.at_end:
                break
            is_short = len(found.data) < widest.target - widest.start
            if not is_short and len(found.data) < self._segment_bytes:
                break
            next_ = ranges.wider(widest, self._segment_bytes)
            if next_ is None and not is_short:
                # No record is that long but by mistake or malice; it is stored in pieces.
                length = found.data.rfind(b"\n") + 1 or len(found.data)
                self._outcome.truncated += 1
                break
            if is_short or self._is_late():
                self._keep(position, found.data)
                raise found.stopped or self._remains()
            widest = next_ or widest
            del found
        if not length:
            return None, position.tail, replace(found, data=b"")
        key = segment_key(log_type, self._resource, position.generation, planned.start, planned.start + length)
        data = self._collector.segments.put(key, found.data[:length])
        truncated = not ranges.length(log_type, found, planned.ending, prefix)
        segment = SegmentCommitted(
            file=self._task.file,
            generation=position.generation,
            start=planned.start,
            end=planned.start + len(data),
            key=key,
            prefix=prefix,
            time_zone=self._task.time_zone,
            truncated=truncated,
            open_tail=planned.ending.may_go_on and found.at_end,
            sha256=(digest := hashlib.sha256(data).hexdigest()),
        )
        return (
            self._stored(position, segment, digest),
            tail_of(position.tail + data[-TAIL_BYTES:]),
            replace(found, data=b""),
        )

    @staticmethod
    def _stored(position: Position, segment: SegmentCommitted, sha256: str) -> Stored:
        return Stored(
            position.incarnation,
            segment.start,
            segment.end,
            segment.key,
            truncated=segment.truncated,
            open_tail=segment.open_tail,
            sha256=sha256,
            message=segment.model_dump_json(),
        )

    def _begun(self, position: Position, planned: Plan) -> Plan:
        """Return a range that is wider than what is kept of it, if one may be."""
        while planned.target <= (position.pulled or 0):
            wider = ranges.wider(planned, self._segment_bytes)
            if wider is None:
                break
            planned = wider
        return planned

    def _keep(self, position: Position, data: bytes) -> None:
        """Keep the beginning of a record of which there was no time for all, so that the next call pulls the rest."""
        pulled = position.offset + len(data)
        if pulled > (position.pulled or position.offset):
            self._collector.segments.replace(self._pulled_key(position, pulled), data)
            self._tracking.keep(self._resource, position, pulled)
            self._current = replace(position, pulled=pulled, told=False)

    def _pulled_key(self, position: Position, pulled: int) -> str:
        return pulled_key(self._task.file.log_type, self._resource, position.generation, position.offset, pulled)

    def _read_on(self, position: Position, target: int) -> Bytes:
        """Return the bytes behind the offset, of which a call before this one may have pulled some."""
        pulled = position.pulled
        if pulled is not None:
            try:
                kept = self._collector.segments.read(self._pulled_key(position, pulled))
                rest = self._read(pulled, max(target, pulled), tail_of(kept))
                return Bytes(kept + rest.data, rest.at_end, rest.stopped)
            except (SeamBroken, SegmentDamaged, SegmentMissing):
                # A restart of the server took some of it, or somebody did: it is pulled anew.
                pass
        return self._read(position.offset, target, position.tail)

    def _read_planned(self, position: Position, planned: Plan) -> Bytes:
        """Return the bytes of a range, at their end only if nothing is behind them.

        A file is idle if the listing said so and it is as long as it was then: the listing may be old.
        """
        if not planned.ending.may_go_on:
            return self._read_on(position, planned.target)
        found = self._read_on(position, planned.target + 1)
        length = planned.target - planned.start
        return Bytes(found.data[:length], found.at_end and len(found.data) <= length, found.stopped)

    def _resume(self, position: Position) -> Position:
        """Find what a restart took, and go on from there under the next incarnation.

        As long as nothing came in its place, there is nothing to store: what the file still has of a record that was
        stored whole would be stored twice.
        """
        parts = overlay(self._tracking.ranges(self._resource, position.identity), position.offset)
        at, is_end = self._difference(parts, position.offset)
        if at == position.offset:
            return replace(position, shrunk=None)
        if is_end:
            return self._shrink(position, at)
        # Ranges begin where records do.
        start = max(start for _, start, _ in parts if start <= at)
        stored = self._stored_bytes(parts, start, min(at + REWIND_BYTES, position.offset))
        offset = start + resume_at(self._task.file.log_type, stored, at - start, self._task.prefix)
        tail = tail_of(self._stored_bytes(parts, max(0, offset - TAIL_BYTES), offset))
        self._collector.confirm(self._task)
        self._tracking.restart(self._resource, position, offset, tail)
        self._outcome.restarts += position.shrunk is None
        return replace(
            position,
            offset=offset,
            incarnation=position.incarnation + 1,
            tail=tail,
            plan=None,
            pulled=None,
            shrunk=None,
        )

    def _difference(self, parts: Sequence[tuple[Stored, int, int]], offset: int) -> tuple[int, bool]:
        """Return up to where the file is as it was stored, and whether it ends there.

        It is compared from its end backwards, in windows of a segment at most, whatever a restart took.
        """
        end, window, is_end = offset, REWIND_BYTES, False
        while True:
            begin = max(0, end - window)
            stored = self._stored_bytes(parts, begin, end)
            skipped = len(stored) - len(_from_character(stored))
            begin, stored = begin + skipped, stored[skipped:]
            found = self._found_again(begin, end)
            same = common(stored, found)
            if same or not begin:
                return begin + same, same == len(found) and (is_end or same < len(stored))
            end, window, is_end = begin, min(4 * window, max(REWIND_BYTES, self._segment_bytes)), not found

    def _shrink(self, position: Position, size: int) -> Position:
        """Note what is left of a file, and that the rest of it is kept as it was stored."""
        if position.shrunk != size:
            self._tracking.shrink(self._resource, position, size, self._collector.now())
        self._outcome.restarts += position.shrunk is None
        return replace(position, plan=None, shrunk=size)

    def _stored_bytes(self, parts: Sequence[tuple[Stored, int, int]], begin: int, end: int) -> bytes:
        pieces = []
        for stored, start, stop in parts:
            if stop > begin and start < end:
                data = self._collector.segments.read(stored.key)
                pieces.append(data[max(start, begin) - stored.start : min(stop, end) - stored.start])
        return b"".join(pieces)

    def _found_again(self, begin: int, offset: int) -> bytes:
        """Return what the file has now of bytes that were stored; fewer only if it is shorter, not answered badly."""
        answer = self._read(begin, offset, b"")
        found = answer.data
        if begin + len(found) == offset:
            return found
        if not answer.at_end:
            raise answer.stopped or self._remains()
        listed = self._listed_now()
        self._target = replace(self._target, size=listed.size, last_written=listed.last_written)
        if listed.size > begin + len(found):
            # It grew meanwhile; or is listed longer than it can be read, as some files are.
            found = self._read(begin, min(listed.size, offset), b"").data
        if begin + len(found) < offset <= listed.size:
            raise FileChanged(f"{self._target.file} of {self._instance} gave fewer bytes than it is listed with.")
        return found

    def _read(self, start: int, target: int, before: bytes) -> Bytes:
        found = self._read_from(self._chosen(start), start, target, before)
        head, portions = self._target.generation.head, isinstance(self._source, LaneSource)
        # Names of numbered files move on; what was read is this file's only if the name still is.
        if head and portions and self._collector.head(self._instance, self._target.file, self._target.finished) != head:
            raise FileChanged(f"{self._target.file} of {self._instance} is another file by now.")
        return found

    def _read_from(self, source: "LaneSource | CompleteSource", start: int, target: int, before: bytes) -> Bytes:
        try:
            found = source.read(start, target, before)
        except PortionUnreadable:
            if not self._collector.limits.complete_files:
                raise
            self._source = self._streamed()
            return self._source.read(start, target, before)
        short = found.at_end and start + len(found.data) < self._target.size
        if short and self._target.closed and isinstance(source, LaneSource) and self._collector.limits.complete_files:
            # A closed file has what is listed. If not even all of it comes to that, the listing is wrong, as it can be.
            self._source = self._streamed()
            return self._source.read(start, target, before)
        return found

    def _chosen(self, start: int) -> "LaneSource | CompleteSource":
        if self._source is None:
            target, limits = self._target, self._collector.limits
            compressed = target.name.compressed
            if limits.complete_files and is_better(start, target.size, closed=target.closed, compressed=compressed):
                self._source = self._streamed()
            else:
                self._source = self._portions()
        return self._source

    def _portions(self) -> LaneSource:
        target = self._target
        one_at_a_time = PortionSource(
            lambda marker, lines: self._collector.api.portion(self._instance, target.file, marker, lines),
            self._collector.now,
            target.generation.hour if self._is_renamed() else None,
            self._outcome.portions,
            self._is_late,
        )
        return LaneSource(one_at_a_time, self._collector.limits.portions, target.size)

    def _streamed(self) -> CompleteSource:
        self._outcome.complete_files += 1
        file, head = self._target.file, self._target.generation.head

        def stream() -> Iterator[bytes]:
            chunks = self._collector.complete.stream(self._instance, file)
            first = next(chunks, b"")
            if head is not None and head_of(first, self._target.finished) != head:
                raise FileChanged(f"{file} of {self._instance} is another file by now.")
            if self._is_renamed():
                # Whose name still leads to this hour, now that its bytes have begun to come.
                self._check_hour()
            yield first
            yield from chunks

        return CompleteSource(stream, self._is_late)

    def _is_renamed(self) -> bool:
        """Whether the file will be renamed by the hour, so that its name leads to another."""
        return is_hourly(self._target.name) and self._target.name.hour is None

    def _check_hour(self) -> None:
        target = self._target
        for listed in self._listed():
            if listed.file == target.file and self._is_target(listed, target.name):
                return
        raise FileChanged(f"{target.file} of {self._instance} is another file by now.")

    def _locate(self) -> bool:
        """Find the file under the name that it has now; False if it has none any more."""
        for attempt in range(2):
            if attempt:
                self._collector.sleep(_MISSING_SECONDS)
            for listed in self._listed():
                name = classify(listed.file, self._task.file.engine)
                if isinstance(name, LogFileName) and self._is_target(listed, name):
                    self._source = None
                    closed = self._is_closed(listed, name)
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
        finished = listed.last_written if self._is_closed(listed, name) else None
        try:
            return self._collector.head(self._instance, listed.file, finished) == wanted.head
        except FileGone:
            return False

    def _is_closed(self, listed: Listed, name: LogFileName) -> bool:
        was_closed = self._target.closed and listed.file == self._target.file
        return was_closed or is_closed(name, listed.last_written, self._collector.now())

    def _listed_now(self) -> Listed:
        """Return the file as it is listed now.

        Raises:
            FileGone: It is not.
        """
        file = self._target.file
        for listed in self._listed():
            if listed.file == file:
                return listed
        raise FileGone(f"{file} of {self._instance} is not listed any more.")

    def _listed(self) -> list[Listed]:
        """Return listed files; asked twice for, as a listing is empty at times for no reason."""
        api = self._collector.api
        return api.log_files(self._instance, fresh=True) or api.log_files(self._instance, fresh=True)

    @property
    def _segment_bytes(self) -> int:
        return self._collector.limits.segment_bytes


def _from_character(data: bytes) -> bytes:
    """Return bytes from the first whole character on."""
    begin = next((n for n, byte in enumerate(data[:4]) if byte & 0xC0 != 0x80), 0)  # noqa: PLR2004 - RFC 3629
    return data[begin:]
