"""Replays from RDS: what the lake lacks, though the ledger has it, is read again as long as RDS has the file.

A segment is lacking if its raw object is missing or known to be damaged, or if no parser has brought it into the lake.
A file is lacking if it was given up and is there again, or was never collected. What is in order is left alone. The
ledger has the hash of each segment: what RDS gives in its place must be the same bytes.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from database_logs.collection.generations import generation_of
from database_logs.collection.ledger import Reason
from database_logs.collection.positions import Position
from database_logs.contracts import (
    CollectTask,
    FileRef,
    LogReplayInput,
    LogReplayPlan,
    LostSegment,
    PlanLogReplayInput,
    Restored,
    RestoreProgress,
    RestoreTask,
    SegmentCommitted,
    SegmentsRestored,
)
from database_logs.discovery.files import Known, Listed
from database_logs.discovery.fleet import Estate, Fleet
from database_logs.discovery.formats import Formats
from database_logs.discovery.instances import Instance
from database_logs.errors import (
    AccessRefused,
    ApiThrottled,
    DatabaseLogsError,
    InstanceGone,
    InstancePaused,
    WorkRemains,
)
from database_logs.file_names import IgnoredFile, LogFileName, classify
from database_logs.locations import (
    gone_key,
    lists_key,
    manifest_key,
    restore_key,
    segment_name,
    unavailable_key,
)
from database_logs.replays import list_pages, standing_plan

if TYPE_CHECKING:
    from database_logs.adapters.instance_facts import InstanceFacts
    from database_logs.adapters.manifests import ManifestReader
    from database_logs.adapters.rds import RdsApi
    from database_logs.adapters.replay_pages import ReplayPages
    from database_logs.adapters.segments import SegmentList
    from database_logs.adapters.tasks import CollectQueue
    from database_logs.adapters.tracking import Ledger
    from database_logs.adapters.turns import Turns
    from database_logs.collection.collector import Collector

_THREADS: Final = 32
# A list is restored by one call of a function: half a minute at the rate of an account, minutes from a slow instance.
_PAGE_BYTES: Final = 256_000_000
_HOUR: Final = timedelta(hours=1)
# Of identities: MySQL's end with the hour that ends, the names of others hold the hour that begins.
_MYSQL_HOUR: Final = re.compile(r"@(\d{4}-\d\d-\d\d)\.(\d{1,2})$")
_NAMED_HOUR: Final = re.compile(r"\.(\d{4}-\d\d-\d\d-\d\d)")


@dataclass
class _Found:
    """What is to be restored, and what cannot be."""

    tasks: list[RestoreTask] = field(default_factory=list)
    gone: list[LostSegment] = field(default_factory=list)
    files_gone: int = 0
    unreachable: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class RdsReplayPlanner:
    """Finds what the lake lacks.

    Attributes:
        fleet: Whose logs.
        api_of: RDS of an estate.
        turns: Which instances are known.
        facts: How they write their logs.
        ledger: What was stored, and what is lost.
        segments: What is in the bucket of raw segments.
        manifests: What is in the lake.
        pages: Where plans are kept.
    """

    fleet: Fleet
    api_of: Callable[[Estate], "RdsApi"]
    turns: "Turns"
    facts: "InstanceFacts"
    ledger: "Ledger"
    segments: "SegmentList"
    manifests: "ManifestReader"
    pages: "ReplayPages"

    def plan(self, step: PlanLogReplayInput) -> LogReplayPlan:
        """Find what the lake lacks and list it, unless this replay was planned before.

        The plan is written last: until then another call plans anew, from then on it stands.

        Raises:
            ApiThrottled: As RDS answers.
            ReplayDiffers: This replay was planned for something else.
        """
        if (standing := standing_plan(self.pages, step)) is not None:
            return standing
        found = self._find(step.input)
        lists = list(_lists(found.tasks)) if not step.input.dry_run else []
        pages = list_pages(step.replay_id, len(lists), step.input)
        lost = [one for task in found.tasks for one in task.lost]
        plan = LogReplayPlan(
            replay_id=step.replay_id,
            input=step.input,
            segments=len(lost),
            records=0,
            raw_bytes=sum(one.segment.end - one.segment.start for one in lost),
            lists=len(pages),
            lists_key=lists_key(step.replay_id),
            files=sum(task.collect for task in found.tasks),
            gone=len(found.gone) + found.files_gone,
            unreachable=found.unreachable,
        )
        for one, tasks in zip(pages, lists, strict=True):
            self.pages.write_lines(restore_key(one.page), tasks)
        if pages:
            self.pages.write_lines(plan.lists_key, pages)
        self.pages.write_lines(gone_key(step.replay_id), found.gone)
        self.pages.write_plan(plan)
        return plan

    def _find(self, request: LogReplayInput) -> _Found:
        found = _Found()
        for estate in self.fleet.estates:
            facts = self.facts.of(estate.place)
            for instance, _ in self.turns.of(estate.place).values():
                named = {instance.instance_id, instance.dbi_resource_id}
                if request.instances is None or not named.isdisjoint(request.instances):
                    known = facts.get(instance.dbi_resource_id)
                    formats = (known and known.formats) or Formats()
                    self._instance(request, estate, instance, formats, found)
        return found

    def _instance(
        self, request: LogReplayInput, estate: Estate, instance: Instance, formats: Formats, found: _Found
    ) -> None:
        resource = instance.dbi_resource_id
        try:
            listing = self.api_of(estate).log_files(instance.instance_id, fresh=True)
        except InstanceGone:
            listing = []
        except (InstancePaused, AccessRefused):
            found.unreachable.append(instance.instance_id)
            return
        listed = _by_identity(listing, self.turns.remembered(resource).files, instance.engine)
        positions = {position.identity: (position, seen) for position, seen in self.ledger.positions(resource)}
        for identity in sorted({*listed, *positions}):
            file = listed.get(identity)
            last = positions[identity][1] if file is None else file[0].last_written
            if not _overlaps(identity, last, request):
                continue
            task = None if file is None else _task(estate, instance, formats, identity, file)
            if identity in positions:
                self._generation(request, resource, positions[identity][0], task, found)
            elif task is not None and task.size and request.names(task.file):
                found.tasks.append(RestoreTask(task=task, lost=[], collect=True))

    def _generation(
        self, request: LogReplayInput, resource: str, position: Position, task: CollectTask | None, found: _Found
    ) -> None:
        """Find what is lacking of a file that the ledger knows."""
        held = [
            LostSegment(segment=SegmentCommitted.model_validate_json(stored.message), sha256=stored.sha256)
            for stored in self.ledger.ranges(resource, position.identity)
        ]
        wanted = [one for one in held if request.names(one.segment.file)]
        there = {key for prefix in {_folder(one) for one in wanted} for key in self.segments.keys(prefix)}
        with ThreadPoolExecutor(_THREADS) as threads:
            parsed = list(threads.map(self._is_parsed, wanted))
        lost = [one for one, done in zip(wanted, parsed, strict=True) if not (done and one.segment.key in there)]
        lost = [
            one.model_copy(update={"segment": one.segment.model_copy(update={"forward": request.forward})})
            for one in lost
        ]
        gaps = [gap for gap in self.ledger.gaps(resource, position.identity) if gap.reason is Reason.PURGED]
        if task is not None:
            collect = bool(gaps) and request.names(task.file)
            if lost or collect:
                found.tasks.append(RestoreTask(task=_as_before(task, held), lost=lost, collect=collect))
            return
        # What only the parsers failed at needs no file.
        found.gone += [one for one in lost if one.segment.key not in there]
        if kept := [one for one in lost if one.segment.key in there]:
            found.tasks.append(RestoreTask(task=_unlisted_task(kept[0].segment), lost=kept))
        found.files_gone += bool(gaps) and any(request.names(one.segment.file) for one in held[:1])

    def _is_parsed(self, one: LostSegment) -> bool:
        manifest = self.manifests.read(manifest_key(segment_name(one.segment)))
        return manifest is not None and manifest[0].is_complete and manifest[0].damaged is None


@dataclass(frozen=True)
class Restorer:
    """Brings back what a list names.

    Attributes:
        collector_of: Collector of the account and region of a file.
        tasks: Where files go of which there is more to collect.
        pages: Where lists are kept.
    """

    collector_of: Callable[[FileRef], "Collector"]
    tasks: "CollectQueue"
    pages: "ReplayPages"

    def restore(self, page: str) -> SegmentsRestored:
        """Restore all files of a list, and list what the parsers were told of, for those who wait for it.

        Where RDS throttles, or the time is used up, it is noted how far that came, and another call goes on from there.
        Doing it twice is harmless: what is in order by then is only told to the parsers again.

        Raises:
            ReplayPageMissing: There is no such list.
            InstancePaused, AccessRefused, DeliveryShort: As RDS answers.
        """
        lines = self.pages.read_restores(restore_key(page))
        lost = [one for line in lines for one in line.lost]
        done = list(self.pages.progress(page).done)
        try:
            self._go_on(lines, done)
        except (ApiThrottled, WorkRemains):
            self.pages.write_progress(page, RestoreProgress(done=done))
            return _restored(done, open_=len(lost) - len(done))
        except DatabaseLogsError:
            self.pages.write_progress(page, RestoreProgress(done=done))
            raise
        self.pages.write_progress(page, RestoreProgress(done=done))
        names = [(line.task, classify(line.task.file.file, line.task.file.engine)) for line in lines if line.collect]
        queued = [(task, name.base, page) for task, name in names if isinstance(name, LogFileName)]
        self.tasks.send(queued)
        unavailable = [one for one, what in zip(lost, done, strict=True) if what is Restored.UNAVAILABLE]
        told = [one.segment for one, what in zip(lost, done, strict=True) if what is not Restored.UNAVAILABLE]
        self.pages.write_lines(unavailable_key(page), unavailable)
        self.pages.write_lines(page, told)
        return _restored(done, queued=len(queued))

    def _go_on(self, lines: Sequence[RestoreTask], done: list[Restored]) -> None:
        """Restore what is not done yet, and add it to what is.

        Raises:
            WorkRemains: The time is used up, and something is open.
        """
        skipped = len(done)
        for line in lines:
            rest = line.lost[skipped:]
            skipped = max(0, skipped - len(line.lost))
            if not rest:
                continue
            collector = self.collector_of(line.task.file)
            for _, what in collector.restore(line.task, rest):
                done.append(what)
                if collector.remaining() <= 0:
                    raise WorkRemains("The time of the function is used up; another call goes on with the list.")


def _restored(done: Sequence[Restored], queued: int = 0, open_: int = 0) -> SegmentsRestored:
    counts = Counter(done)
    return SegmentsRestored(
        restored=counts[Restored.READ],
        told=counts[Restored.TOLD],
        queued=queued,
        unavailable=counts[Restored.UNAVAILABLE],
        open=open_,
    )


def _by_identity(
    listing: Sequence[Listed], known: Mapping[str, Known], engine: str
) -> dict[str, tuple[Listed, LogFileName]]:
    """Return listed files by their generations; those that only their first lines tell, as they were last seen."""
    found = {}
    for file in listing:
        name = classify(file.file, engine)
        if isinstance(name, IgnoredFile):
            continue
        generation = generation_of(file.file, name, file.last_written)
        identity = known[file.file].identity if generation is None and file.file in known else None
        if (identity := generation.identity if generation is not None else identity) is not None:
            found[identity] = (file, name)
    return found


def _task(
    estate: Estate, instance: Instance, formats: Formats, identity: str, file: tuple[Listed, LogFileName]
) -> CollectTask:
    listed, name = file
    return CollectTask(
        file=estate.file(instance, name.log_type, listed.file),
        size=listed.size,
        last_written=listed.last_written,
        closed=name.closed,
        deadline=listed.last_written,
        prefix=formats.prefix,
        time_zone=formats.time_zone,
        generation=identity,
        reopen=True,
    )


def _as_before(task: CollectTask, held: Sequence[LostSegment]) -> CollectTask:
    """Return a task that goes on as the last segment of the file was written."""
    if not held:
        return task
    last = held[-1].segment
    return task.model_copy(update={"prefix": last.prefix, "time_zone": last.time_zone})


def _unlisted_task(segment: SegmentCommitted) -> CollectTask:
    """Return a task for a file that RDS does not list any more, and of which nothing is to be read."""
    at = datetime.fromtimestamp(0, UTC)
    return CollectTask(
        file=segment.file, size=0, last_written=at, closed=True, deadline=at, generation=segment.generation
    )


def _overlaps(identity: str, last: datetime, request: LogReplayInput) -> bool:
    begin = _begin(identity)
    end = last if begin is None else max(begin + _HOUR, last)
    return end >= request.start and (begin is None or begin < request.end)


def _begin(identity: str) -> datetime | None:
    """Return when the hour began that a generation is known by; None for one that is known by its first line."""
    if found := _MYSQL_HOUR.search(identity):
        # Counted to the hour that ends.
        return datetime.fromisoformat(f"{found[1]}T{int(found[2]):02d}:00:00+00:00") - _HOUR
    if found := _NAMED_HOUR.search(identity):
        return datetime.strptime(found[1], "%Y-%m-%d-%H").replace(tzinfo=UTC)
    return None


def _folder(one: LostSegment) -> str:
    return one.segment.key.rpartition("/")[0] + "/"


def _lists(tasks: Iterable[RestoreTask]) -> Iterator[list[RestoreTask]]:
    """Yield tasks in lists, each of what one call of a function can read; of a long file a part in each."""
    page: list[RestoreTask] = []
    size = 0
    for task in tasks:
        for part in _parts(task):
            weight = sum(one.segment.end - one.segment.start for one in part.lost)
            if part.collect:
                weight += part.task.size
            if page and size + weight > _PAGE_BYTES:
                yield page
                page, size = [], 0
            page.append(part)
            size += weight
    if page:
        yield page


def _parts(task: RestoreTask) -> Iterator[RestoreTask]:
    part: list[LostSegment] = []
    size = 0
    for one in task.lost:
        length = one.segment.end - one.segment.start
        if part and size + length > _PAGE_BYTES:
            yield RestoreTask(task=task.task, lost=part)
            part, size = [], 0
        part.append(one)
        size += length
    yield RestoreTask(task=task.task, lost=part, collect=task.collect)
