"""PlanRun's work: from names of objects to claimed, cut and packed units."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firewall_logs import planning
from firewall_logs.contracts import (
    ObjectRef,
    ObjectStatus,
    PlanInput,
    PlannedObject,
    RunPlan,
    Slice,
    SourceObject,
    Unit,
)
from firewall_logs.errors import FeedConfigInvalid, FooterBroken
from firewall_logs.identity import object_id
from firewall_logs.version import TRANSFORM_VERSION

if TYPE_CHECKING:
    from datetime import datetime

    from firewall_logs.adapters.footers import RawFooters
    from firewall_logs.adapters.ledger import LedgerClaims
    from firewall_logs.adapters.source import SourceCatalogue
    from firewall_logs.feeds import Feed, Feeds

_THREADS: Final = 16
# Cloudflare proves that it may write to a bucket by an object of this name beside the logs.
_CHALLENGE: Final = "ownership-challenge"


@dataclass(frozen=True)
class Candidate:
    """An object that a run was asked for, as it was found.

    Attributes:
        ref: As it was asked for.
        feed: Its owner; None where no feed has it.
        source: As S3 describes it; None where it is no log object or not there.
        note: Why it is not to be processed.
    """

    ref: ObjectRef
    feed: "Feed | None" = None
    source: SourceObject | None = None
    note: str | None = None

    @property
    def object_id(self) -> str | None:
        """Identity of the object; None where it is not to be processed."""
        return object_id(self.source) if self.source else None


class Planner:
    """Finds out what is to be done with each object of a run, and claims what is."""

    def __init__(
        self,
        feeds: "Feeds",
        catalogue: "SourceCatalogue",
        footers: "RawFooters",
        claims: "LedgerClaims",
        *,
        lease_seconds: int,
        unit_bytes: int,
    ) -> None:
        self._feeds = feeds
        self._catalogue = catalogue
        self._footers = footers
        self._claims = claims
        self._lease_seconds = lease_seconds
        self._unit_bytes = unit_bytes

    def find(self, request: PlanInput) -> list[Candidate]:
        """Return every object that the request names, in its order; one that is named twice, once.

        Raises:
            FeedUnknown: The request names a feed that is not configured.
            FeedConfigInvalid: The prefix of the request lies outside the feed's.
        """
        with ThreadPoolExecutor(_THREADS) as threads:
            found = threads.map(self._describe, dict.fromkeys(self._refs(request)))
            # A key named with and without its version is one object.
            return list({candidate.object_id or candidate.ref: candidate for candidate in found}.values())

    def plan(self, request: PlanInput, candidates: Iterable[Candidate], now: "datetime") -> tuple[RunPlan, list[Unit]]:
        """Claim the candidates that are to be processed, and return the plan of the run and its units."""
        with ThreadPoolExecutor(_THREADS) as threads:
            planned = list(threads.map(lambda candidate: self._plan(candidate, request.run_id, now), candidates))
        units = planning.pack(request.run_id, [piece for _, slices in planned for piece in slices], self._unit_bytes)
        plan = RunPlan(
            run_id=request.run_id,
            transform_version=TRANSFORM_VERSION,
            started_at=request.started_at,
            planned_at=now,
            units=len(units),
            objects=[outcome for outcome, _ in planned],
        )
        return plan, units

    def _refs(self, request: PlanInput) -> Iterable[ObjectRef]:
        wanted = request.input
        if wanted.feed is None:
            return wanted.objects or []
        feed = self._feeds.named(wanted.feed)
        prefix = wanted.prefix or feed.prefix
        if not prefix.startswith(feed.prefix):
            raise FeedConfigInvalid(
                f"The prefix '{prefix}' lies outside feed '{feed.name}', whose prefix is '{feed.prefix}'."
            )
        return self._catalogue.below(feed.bucket, prefix)

    def _describe(self, ref: ObjectRef) -> Candidate:
        feed = self._feeds.owner(ref.bucket, ref.key)
        if feed is None:
            return Candidate(ref, note="no feed owns it")
        if ref.key.endswith("/") or _CHALLENGE in ref.key.rpartition("/")[2]:
            return Candidate(ref, note="not a log object")
        source = self._catalogue.describe(ref)
        return Candidate(ref, feed, source, None if source else "it is not in its bucket any more")

    def _plan(self, candidate: Candidate, run_id: str, now: "datetime") -> tuple[PlannedObject, Sequence[Slice]]:
        feed, source, identity = candidate.feed, candidate.source, candidate.object_id
        if feed is None or source is None or identity is None:
            status: ObjectStatus = "missing" if feed else "ignored"
            name = feed.name if feed else None
            return PlannedObject(ref=candidate.ref, status=status, feed=name, note=candidate.note), ()
        known = PlannedObject(ref=candidate.ref, status="planned", object_id=identity, feed=feed.name, size=source.size)
        claim = self._claims.claim(identity, source, run_id, now=now, lease_seconds=self._lease_seconds)
        if claim.holder is not None:
            status = "leased_elsewhere" if claim.holder.state == "CLAIMED" else "committed_before"
            note = f"{claim.holder.state} by run {claim.holder.owner}"
            return known.model_copy(update={"status": status, "note": note}), ()
        slices = self._cut(feed, source, identity, claim.epoch)
        cut = {"slices": len(slices), "rows": _rows(slices), "epoch": claim.epoch}
        return known.model_copy(update=cut), slices

    def _cut(self, feed: "Feed", source: SourceObject, identity: str, epoch: int) -> list[Slice]:
        if source.size == 0:
            return planning.cut(feed, source, identity, epoch, defect="empty")
        if feed.format != "parquet":
            return planning.cut(feed, source, identity, epoch)
        try:
            return planning.cut(feed, source, identity, epoch, footer=self._footers.read(source))
        except FooterBroken:
            return planning.cut(feed, source, identity, epoch, defect="parquet_unreadable")


def _rows(slices: list[Slice]) -> int | None:
    rows = [piece.rows for piece in slices]
    return None if None in rows else sum(filter(None, rows))
