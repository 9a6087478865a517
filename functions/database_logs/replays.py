"""Replays: which segments to parse once more, or which files to collect once more, and how far that came.

What is replayed from S3 goes through the parsers of today: a segment that an older version parsed is parsed anew and
replaced, one that this version parsed is only told to search again. All of it is harmless when it is done twice.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from database_logs.contracts import (
    LogReplayInput,
    LogReplayPlan,
    PlanLogReplayInput,
    SegmentCommitted,
    SegmentManifest,
    SegmentsChecked,
    SegmentsQueued,
)
from database_logs.locations import (
    SCATTERED,
    UNDATED,
    hour_prefix,
    indexed,
    manifest_key,
    page_key,
    replay_key,
    segment_name,
)
from database_logs.version import PARSER_VERSION

if TYPE_CHECKING:
    from database_logs.adapters.lake import LakeReader
    from database_logs.adapters.manifests import ManifestReader
    from database_logs.adapters.messages import Messages
    from database_logs.adapters.replay_pages import ReplayPageReader, ReplayPages

_THREADS: Final = 32
# A list is queued by one call of a function: a hundred requests to SQS.
_PAGE: Final = 1_000


class ReplayPlanner:
    """Finds what to replay from S3."""

    def __init__(self, lake: "LakeReader", manifests: "ManifestReader", pages: "ReplayPages") -> None:
        self._lake = lake
        self._manifests = manifests
        self._pages = pages

    def plan(self, step: PlanLogReplayInput) -> LogReplayPlan:
        """Choose segments and list them, unless this replay was planned before.

        The plan is written last: until then another call plans anew, from then on it stands.
        """
        key = replay_key(step.replay_id, "plan.json")
        standing = self._pages.plan(key)
        if standing is not None:
            return standing
        chosen = list(self._chosen(step.input))
        plan = LogReplayPlan(
            replay_id=step.replay_id,
            dry_run=step.input.dry_run,
            segments=len(chosen),
            records=sum(manifest.records for manifest in chosen),
            raw_bytes=sum(manifest.segment.end - manifest.segment.start for manifest in chosen),
            pages=[]
            if step.input.dry_run
            else [page_key(step.replay_id, number) for number in range((len(chosen) + _PAGE - 1) // _PAGE)],
        )
        for number, page in enumerate(plan.pages):
            segments = [manifest.segment for manifest in chosen[number * _PAGE : (number + 1) * _PAGE]]
            self._pages.write_lines(
                page, [each.model_copy(update={"forward": step.input.forward}) for each in segments]
            )
        self._pages.write_plan(key, plan)
        return plan

    def _chosen(self, request: LogReplayInput) -> Iterator[SegmentManifest]:
        """Yield the manifests of segments to replay, in the order of their names.

        The index tells which they are but for the minutes at both ends; nothing else is read.
        """
        with ThreadPoolExecutor(_THREADS) as threads:
            listed = threads.map(lambda prefix: list(self._lake.keys(prefix)), _prefixes(request))
            names = {one.name for keys in listed for one in map(indexed, keys) if request.names(one)}
            for found in threads.map(self._manifests.read, [manifest_key(name) for name in sorted(names)]):
                if found is not None and _overlaps(found[0], request):
                    yield found[0]


class ReplayQueuer:
    """Sends the segments of a list to the parsers."""

    def __init__(self, pages: "ReplayPages", parsing: "Messages") -> None:
        self._pages = pages
        self._parsing = parsing

    def queue(self, page: str) -> SegmentsQueued:
        """Send all segments of a list, unless that was done before.

        Raises:
            ReplayPageMissing: There is no such list.
            MessagesRefused: SQS did not take all.
        """
        segments = self._pages.read(page)
        before = self._pages.is_queued(page)
        if not before:
            self._parsing.send_all(segments)
            self._pages.mark_queued(page)
        return SegmentsQueued(queued=len(segments), before=before)


class ReplayChecker:
    """Tells how far a replay came."""

    def __init__(self, pages: "ReplayPageReader", manifests: "ManifestReader") -> None:
        self._pages = pages
        self._manifests = manifests

    def check(self, page: str) -> SegmentsChecked:
        """Count the segments of a list that the parsers of today have brought into the lake.

        Raises:
            ReplayPageMissing: There is no such list.
        """
        with ThreadPoolExecutor(_THREADS) as threads:
            found = list(threads.map(self._manifest, self._pages.read(page)))
        damaged = sum(manifest is not None and manifest.damaged is not None for manifest in found)
        done = sum(manifest is not None and _is_done(manifest) for manifest in found)
        return SegmentsChecked(done=done, open=len(found) - damaged - done, damaged=damaged)

    def _manifest(self, segment: SegmentCommitted) -> SegmentManifest | None:
        found = self._manifests.read(manifest_key(segment_name(segment)))
        return None if found is None else found[0]


def _is_done(manifest: SegmentManifest) -> bool:
    return manifest.is_complete and manifest.parser_version >= PARSER_VERSION and manifest.damaged is None


def _prefixes(request: LogReplayInput) -> Iterator[str]:
    hours: list[datetime | str] = [*_hours(request), SCATTERED]
    if request.files is not None:
        hours.append(UNDATED)
    # RDS writes identifiers in lower case, and the ids of resources in upper case, which the index does not begin with.
    instances: Sequence[str | None] = request.instances or []
    if request.instances is None or any(name != name.lower() for name in request.instances):
        instances = [None]
    for hour in hours:
        yield from (hour_prefix(hour, instance) for instance in instances)


def _hours(request: LogReplayInput) -> Iterator[datetime]:
    hour = request.start.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour < request.end:
        yield hour
        hour += timedelta(hours=1)


def _overlaps(manifest: SegmentManifest, request: LogReplayInput) -> bool:
    if manifest.first_time is None or manifest.last_time is None:
        # It was only looked for since its file was named.
        return True
    return manifest.first_time < request.end and manifest.last_time >= request.start
