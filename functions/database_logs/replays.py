"""Replays: which segments to parse once more, or which files to collect once more, and how far that came.

What is replayed from S3 goes through the parsers of today: a segment that an older version parsed is parsed anew and
replaced, one that this version parsed is only told to search again. All of it is harmless when it is done twice.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from database_logs.contracts import (
    LogReplayInput,
    LogReplayPlan,
    PlanLogReplayInput,
    ReplayFinished,
    ReplayList,
    Restored,
    SegmentCommitted,
    SegmentManifest,
    SegmentsChecked,
    SegmentsQueued,
)
from database_logs.errors import ReplayDiffers, ReplayIncomplete, ReplayPageMissing
from database_logs.locations import (
    SCATTERED,
    UNDATED,
    hour_prefix,
    indexed,
    lists_key,
    manifest_key,
    page_key,
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


def standing_plan(pages: "ReplayPageReader", step: PlanLogReplayInput) -> LogReplayPlan | None:
    """Return the plan that a replay has already, if it has one.

    Raises:
        ReplayDiffers: It is a plan for something else.
    """
    plan = pages.plan(step.replay_id)
    if plan is not None and not plan.input.chooses_like(step.input):
        raise ReplayDiffers(
            f"The replay {step.replay_id} is one of {plan.input.model_dump_json(exclude_none=True)}. Give the same "
            "input to go on with it, or leave replay_id out for another replay."
        )
    return plan


def list_pages(replay_id: str, number: int, request: LogReplayInput) -> list[ReplayList]:
    """Return the lists of a replay as its machine takes them."""
    return [ReplayList(page=page_key(replay_id, n), source=request.source) for n in range(number)]


class ReplayPlanner:
    """Finds what to replay from S3."""

    def __init__(self, lake: "LakeReader", manifests: "ManifestReader", pages: "ReplayPages") -> None:
        self._lake = lake
        self._manifests = manifests
        self._pages = pages

    def plan(self, step: PlanLogReplayInput) -> LogReplayPlan:
        """Choose segments and list them, unless this replay was planned before.

        The plan is written last: until then another call plans anew, from then on it stands.

        Raises:
            ReplayDiffers: This replay was planned for something else.
        """
        if (standing := standing_plan(self._pages, step)) is not None:
            return standing
        chosen = list(self._chosen(step.input))
        number = 0 if step.input.dry_run else -(-len(chosen) // _PAGE)
        lists = list_pages(step.replay_id, number, step.input)
        plan = LogReplayPlan(
            replay_id=step.replay_id,
            input=step.input,
            segments=len(chosen),
            records=sum(manifest.records for manifest in chosen),
            raw_bytes=sum(manifest.segment.end - manifest.segment.start for manifest in chosen),
            lists=len(lists),
            lists_key=lists_key(step.replay_id),
        )
        for one, begin in zip(lists, range(0, len(chosen), _PAGE), strict=bool(lists)):
            segments = [manifest.segment for manifest in chosen[begin : begin + _PAGE]]
            self._pages.write_lines(
                one.page, [each.model_copy(update={"forward": step.input.forward}) for each in segments]
            )
        if lists:
            self._pages.write_lines(plan.lists_key, lists)
        self._pages.write_plan(plan)
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
    """Tells how far a list of a replay came."""

    def __init__(self, pages: "ReplayPages", manifests: "ManifestReader") -> None:
        self._pages = pages
        self._manifests = manifests

    def check(self, page: str) -> SegmentsChecked:
        """Count the segments of a list that the parsers of today have brought into the lake.

        Once none is open, that is noted for those who sum up.

        Raises:
            ReplayPageMissing: There is no such list.
        """
        with ThreadPoolExecutor(_THREADS) as threads:
            found = list(threads.map(self._manifest, self._pages.read(page)))
        damaged = sum(manifest is not None and manifest.damaged is not None for manifest in found)
        done = sum(manifest is not None and _is_done(manifest) for manifest in found)
        checked = SegmentsChecked(done=done, open=len(found) - damaged - done, damaged=damaged)
        if not checked.open:
            self._pages.write_checked(page, checked)
        return checked

    def _manifest(self, segment: SegmentCommitted) -> SegmentManifest | None:
        found = self._manifests.read(manifest_key(segment_name(segment)))
        return None if found is None else found[0]


class ReplaySummary:
    """Sums up a replay."""

    def __init__(self, pages: "ReplayPageReader") -> None:
        self._pages = pages

    def finish(self, replay_id: str) -> ReplayFinished:
        """Count what became of all lists.

        Raises:
            ReplayPageMissing: There is no such replay.
            ReplayIncomplete: Something of it is open.
        """
        plan = self._pages.plan(replay_id)
        if plan is None:
            raise ReplayPageMissing(f"There is no replay {replay_id}: it was never planned, or its plan has expired.")
        pages = [page_key(replay_id, number) for number in range(plan.lists)]
        with ThreadPoolExecutor(_THREADS) as threads:
            checked = list(threads.map(self._pages.checked, pages))
            progress = list(threads.map(self._pages.progress, pages)) if plan.input.source == "rds" else []
        if open_ := [page for page, one in zip(pages, checked, strict=True) if one is None]:
            raise ReplayIncomplete(
                f"{len(open_)} of {len(pages)} lists of the replay {replay_id} are not done, the first of them "
                f"{open_[0]}. Its execution in the Map Run tells why. Start replay_logs with the same input and "
                f'"replay_id": "{replay_id}" to go on.'
            )
        became = Counter(what for one in progress for what in one.done)
        return ReplayFinished(
            done=sum(one.done for one in checked if one is not None),
            damaged=sum(one.damaged for one in checked if one is not None),
            restored=became[Restored.READ],
            unavailable=became[Restored.UNAVAILABLE],
        )


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
