"""Replays: which segments to parse once more, or which files to collect once more, and how far that came.

What is replayed from S3 goes through the parsers of today: a segment that an older version parsed is parsed anew and
replaced, one that this version parsed is only told to search again. All of it is harmless when it is done twice.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, timedelta
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
    logs_prefix,
    manifest_key,
    page_key,
    replay_key,
    segment_name,
    segment_of,
)
from database_logs.log_types import LogType
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
        """Yield the manifests of segments to replay, in the order of their names."""
        names = {segment_of(key) for prefix in _prefixes(request) for key in self._lake.keys(prefix)}
        keys = [manifest_key(name) for name in sorted(names)]
        with ThreadPoolExecutor(_THREADS) as threads:
            for found in threads.map(self._manifests.read, keys):
                if found is not None and request.names(found[0].segment.file) and _overlaps(found[0], request):
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
            done = list(threads.map(self._is_done, self._pages.read(page)))
        return SegmentsChecked(done=sum(done), open=len(done) - sum(done))

    def _is_done(self, segment: SegmentCommitted) -> bool:
        found = self._manifests.read(manifest_key(segment_name(segment)))
        return found is not None and found[0].is_complete and found[0].parser_version >= PARSER_VERSION


def _prefixes(request: LogReplayInput) -> Iterator[str]:
    for log_type in request.log_types or LogType:
        for day in _days(request):
            yield logs_prefix(log_type, day)
        if request.files is not None:
            yield logs_prefix(log_type, None)


def _days(request: LogReplayInput) -> Iterator[date]:
    day, last = request.start.astimezone(UTC).date(), request.end.astimezone(UTC).date()
    while day <= last:
        yield day
        day += timedelta(days=1)


def _overlaps(manifest: SegmentManifest, request: LogReplayInput) -> bool:
    if manifest.first_time is None or manifest.last_time is None:
        # Its partition was only looked at since its file was named.
        return True
    return manifest.first_time < request.end and manifest.last_time >= request.start
