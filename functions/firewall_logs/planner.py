"""PlanRun's work: from names of objects to claimed, cut and packed units."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from firewall_logs import planning
from firewall_logs.contracts import (
    ListedObject,
    ListedReplay,
    ObjectRef,
    ObjectStatus,
    PlanInput,
    PlannedObject,
    ReplayOf,
    RunInput,
    RunPlan,
    Slice,
    SourceObject,
    Unit,
)
from firewall_logs.errors import (
    BatchDisabled,
    FeedConfigInvalid,
    FooterBroken,
    RequestTooLarge,
    SourceChanged,
    SourceUnreadable,
)
from firewall_logs.feeds import is_log
from firewall_logs.identity import object_id
from firewall_logs.version import TRANSFORM_VERSION

if TYPE_CHECKING:
    from datetime import datetime

    from firewall_logs.adapters.footers import RawFooters
    from firewall_logs.adapters.lake import ManifestReader
    from firewall_logs.adapters.ledger import LedgerClaims
    from firewall_logs.adapters.runs import ObjectLists
    from firewall_logs.adapters.source import SourceCatalogue
    from firewall_logs.engines import Engines
    from firewall_logs.feeds import Feed, Feeds

# What PlanRun describes, claims and cuts within its five minutes, by a wide margin.
MOST_OBJECTS: Final = 10_000
_THREADS: Final = 32


@dataclass(frozen=True)
class Candidate:
    """An object that a run was asked for, as it was found.

    Attributes:
        ref: As it was asked for.
        feed: Its owner; None where no feed has it.
        source: As S3 describes it; None where it is no log object, not there or not for us.
        status: "planned", or why it is not to be processed.
        note: The same in words.
        replay_of: What it is a replay of; None for a raw object.
    """

    ref: ObjectRef
    status: ObjectStatus
    feed: "Feed | None" = None
    source: SourceObject | None = None
    note: str | None = None
    replay_of: ReplayOf | None = None

    @property
    def object_id(self) -> str | None:
        """Identity of the object; None where it is not to be processed."""
        if self.source is None or self.feed is None or self.status != "planned":
            return None
        return object_id(self.source, self.feed)


@dataclass(frozen=True)
class Work:
    """The units of a run.

    Attributes:
        units: For functions.
        batch: For tasks on Fargate, numbered on from the others.
    """

    units: list[Unit]
    batch: list[Unit]


class Planner:
    """Finds out what is to be done with each object of a run, and claims what is."""

    def __init__(
        self,
        feeds: "Feeds",
        lists: "ObjectLists",
        catalogue: "SourceCatalogue",
        *,
        footers: "RawFooters",
        manifests: "ManifestReader",
        claims: "LedgerClaims",
        engines: "Engines",
        lease_seconds: int,
        unit_bytes: int,
    ) -> None:
        self._feeds = feeds
        self._catalogue = catalogue
        self._lists = lists
        self._footers = footers
        self._manifests = manifests
        self._claims = claims
        self._engines = engines
        self._lease_seconds = lease_seconds
        self._unit_bytes = unit_bytes

    def find(self, request: PlanInput) -> list[Candidate]:
        """Return every object that the request names, in its order; one that is named twice, once.

        Raises:
            FeedUnknown: The request names a feed that is not configured.
            FeedConfigInvalid: The prefix of the request lies outside the feed's.
            ListInvalid: The request names a list that is not there, or that holds something else than objects.
            RequestTooLarge: It names more than MOST_OBJECTS.
            SourceUnreadable: The feed that it names may not be listed.
        """
        refs = dict.fromkeys(islice(self._refs(request), MOST_OBJECTS + 1))
        if len(refs) > MOST_OBJECTS:
            raise RequestTooLarge(_too_large(request.input))
        with ThreadPoolExecutor(_THREADS) as threads:
            found = threads.map(self._find, refs)
            # A key named with and without its version is one object.
            return list({candidate.object_id or candidate.ref: candidate for candidate in found}.values())

    def plan(self, request: PlanInput, candidates: Iterable[Candidate], now: "datetime") -> tuple[RunPlan, Work]:
        """Claim the candidates that are to be processed, and return the plan of the run and its units.

        An object that no machine can hold is claimed as well, as only its footer tells; its status is "unreadable".

        Raises:
            BatchDisabled: The request wants everything on Fargate, and there is none.
        """
        engines = self._engines
        if engines.wanted == "batch" and not engines.task_memory_mb:
            raise BatchDisabled(
                "The run asks for the engine 'batch', but this environment has no Fargate: deploy with "
                "FirewallLogsBatch=enabled, or start the run with the engine 'auto'."
            )
        with ThreadPoolExecutor(_THREADS) as threads:
            planned = list(threads.map(lambda candidate: self._plan(candidate, request.run_id, now), candidates))
        work = self._pack(request.run_id, [piece for _, slices in planned for piece in slices])
        plan = RunPlan(
            run_id=request.run_id,
            transform_version=TRANSFORM_VERSION,
            started_at=request.started_at,
            planned_at=now,
            units=len(work.units),
            batch_units=len(work.batch),
            objects=[outcome for outcome, _ in planned],
        )
        return plan, work

    def _pack(self, run_id: str, slices: Sequence[Slice]) -> Work:
        light = [piece for piece in slices if self._engines.of(piece) == "lambda"]
        heavy = [piece for piece in slices if self._engines.of(piece) == "batch"]
        units = planning.pack(run_id, light, self._unit_bytes)
        return Work(units, planning.pack(run_id, heavy, planning.TASK_BYTES, first=len(units)))

    def _refs(self, request: PlanInput) -> Iterable[ObjectRef]:
        wanted = request.input
        if wanted.list_key is not None:
            return self._lists.read(wanted.list_key)
        if wanted.feed is None:
            return wanted.objects or []
        feed = self._feeds.named(wanted.feed)
        prefix = wanted.prefix or feed.prefix
        if not prefix.startswith(feed.prefix):
            raise FeedConfigInvalid(
                f"The prefix '{prefix}' lies outside feed '{feed.name}', whose prefix is '{feed.prefix}'."
            )
        return self._catalogue.below(feed, prefix)

    def _find(self, ref: ObjectRef) -> Candidate:
        if isinstance(ref, ListedObject) and ref.replay_of is not None:
            return self._describe_replay(ref, ref.replay_of)
        return self._describe(ref)

    def _describe(self, ref: ObjectRef) -> Candidate:
        feed = self._feeds.owner(ref.bucket, ref.key)
        if feed is None:
            return Candidate(ref, "ignored", note="no feed owns it")
        if not is_log(ref.key):
            return Candidate(ref, "ignored", note="not a log object")
        try:
            source = self._catalogue.describe(ref)
        except SourceUnreadable as unreadable:
            return Candidate(ref, "unreadable", feed, note=str(unreadable))
        if source is None:
            return Candidate(ref, "missing", feed, note="it is not in its bucket any more")
        return self._unless_committed(Candidate(ref, "planned", feed, source))

    def _describe_replay(self, listed: ListedObject, replay: ListedReplay) -> Candidate:
        """Quarantined rows of an object, as NDJSON; they are judged by the original's date, whatever it came in."""
        ref = ObjectRef(bucket=listed.bucket, key=listed.key, version_id=listed.version_id)
        feed = self._feeds.named(str(listed.feed)).model_copy(update={"format": "ndjson.gz"})
        source = self._catalogue.describe(ref)
        if source is None:
            return Candidate(ref, "missing", feed, note="it is not in its bucket any more")
        source = source.model_copy(update={"last_modified": replay.last_modified})
        replay_of = ReplayOf(object_id=replay.object_id, reason=replay.reason, rows=replay.rows)
        return self._unless_committed(Candidate(ref, "planned", feed, source, replay_of=replay_of))

    def _unless_committed(self, candidate: Candidate) -> Candidate:
        """An object that is committed from another transform or feed is left alone: its rows would count twice."""
        manifest = self._manifests.of(candidate.source) if candidate.source else None
        if manifest is None or manifest.object_id == candidate.object_id:
            return candidate
        note = f"committed by transform {manifest.transform_version} for feed {manifest.feed}, zone {manifest.zone}"
        return replace(candidate, status="committed_before", note=note)

    def _plan(self, candidate: Candidate, run_id: str, now: "datetime") -> tuple[PlannedObject, Sequence[Slice]]:
        feed, source, identity = candidate.feed, candidate.source, candidate.object_id
        known = PlannedObject(
            ref=candidate.ref,
            status=candidate.status,
            object_id=identity,
            feed=feed.name if feed else None,
            size=source.size if source else 0,
            note=candidate.note,
        )
        if feed is None or source is None or identity is None:
            return known, ()
        claim = self._claims.claim(identity, source, run_id, now=now, lease_seconds=self._lease_seconds)
        if claim.holder is not None:
            status = "leased_elsewhere" if claim.holder.state == "CLAIMED" else "committed_before"
            note = f"{claim.holder.state} by run {claim.holder.owner}"
            return known.model_copy(update={"status": status, "note": note}), ()
        try:
            slices = self._cut(candidate, feed, source, identity, claim.epoch)
        except SourceUnreadable as unreadable:
            return known.model_copy(update={"status": "unreadable", "note": str(unreadable)}), ()
        except SourceChanged as changed:
            return known.model_copy(update={"status": "missing", "note": str(changed)}), ()
        too_large = next((piece for piece in slices if self._engines.of(piece) is None), None)
        if too_large is not None:
            return known.model_copy(update={"status": "unreadable", "note": self._engines.refusal(too_large)}), ()
        cut = {"slices": len(slices), "rows": _rows(slices), "epoch": claim.epoch}
        return known.model_copy(update=cut), slices

    def _cut(self, candidate: Candidate, feed: "Feed", source: SourceObject, identity: str, epoch: int) -> list[Slice]:
        if source.size == 0:
            return planning.cut(feed, source, identity, epoch, defect="empty")
        if feed.format != "parquet":
            return planning.cut(feed, source, identity, epoch, replay_of=candidate.replay_of)
        try:
            return planning.cut(feed, source, identity, epoch, footer=self._footers.read(source))
        except FooterBroken:
            return planning.cut(feed, source, identity, epoch, defect="parquet_unreadable")


def _too_large(wanted: RunInput) -> str:
    if wanted.list_key is not None:
        return (
            f"The list '{wanted.list_key}' names more than {MOST_OBJECTS:,} objects, more than one run takes: divide "
            "it and start a run for each part."
        )
    return (
        f"Feed '{wanted.feed}' has more than {MOST_OBJECTS:,} objects below the prefix, more than one run takes: give "
        "a longer 'prefix', a month or a day, and start a run for each."
    )


def _rows(slices: list[Slice]) -> int | None:
    rows = [piece.rows for piece in slices]
    return None if None in rows else sum(filter(None, rows))
