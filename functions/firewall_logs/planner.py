"""PlanRun's work: from names of objects to claimed, cut and packed units."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firewall_logs import planning
from firewall_logs.contracts import ObjectRef, PlanInput, PlannedObject, RunPlan, Slice, SourceObject, Unit
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
class _Finding:
    planned: PlannedObject
    slices: tuple[Slice, ...] = ()


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

    def plan(self, request: PlanInput, now: "datetime") -> tuple[RunPlan, list[Unit]]:
        """Return the plan of a run and its units.

        An object asked for twice is planned once. Objects keep the order of the request.

        Raises:
            FeedUnknown: The request names a feed that is not configured.
            FeedConfigInvalid: The prefix of the request lies outside the feed's.
        """
        refs = dict.fromkeys(self._refs(request))
        with ThreadPoolExecutor(_THREADS) as threads:
            findings = list(threads.map(lambda ref: self._examine(ref, request.run_id, now), refs))
        findings = _once(findings)
        units = planning.pack(
            request.run_id, [piece for finding in findings for piece in finding.slices], self._unit_bytes
        )
        plan = RunPlan(
            run_id=request.run_id,
            transform_version=TRANSFORM_VERSION,
            started_at=request.started_at,
            planned_at=now,
            units=len(units),
            objects=[finding.planned for finding in findings],
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

    def _examine(self, ref: ObjectRef, run_id: str, now: "datetime") -> _Finding:
        feed = self._feeds.owner(ref.bucket, ref.key)
        if feed is None or ref.key.endswith("/") or _CHALLENGE in ref.key.rpartition("/")[2]:
            note = "no feed owns it" if feed is None else "not a log object"
            return _Finding(PlannedObject(ref=ref, status="ignored", note=note))
        source = self._catalogue.describe(ref)
        if source is None:
            note = "it is not in its bucket any more"
            return _Finding(PlannedObject(ref=ref, status="missing", feed=feed.name, note=note))
        return self._claim(ref, feed, source, run_id, now)

    def _claim(self, ref: ObjectRef, feed: "Feed", source: SourceObject, run_id: str, now: "datetime") -> _Finding:
        identity = object_id(source)
        outcome = self._claims.claim(identity, source, run_id, now=now, lease_seconds=self._lease_seconds)
        known = {"ref": ref, "object_id": identity, "feed": feed.name, "size": source.size}
        if outcome.holder is not None:
            status = "leased_elsewhere" if outcome.holder.state == "CLAIMED" else "committed_before"
            return _Finding(
                PlannedObject(status=status, note=f"{outcome.holder.state} by run {outcome.holder.owner}", **known)
            )
        slices = self._cut(feed, source, identity, outcome.epoch)
        return _Finding(
            PlannedObject(status="planned", slices=len(slices), rows=_rows(slices), epoch=outcome.epoch, **known),
            tuple(slices),
        )

    def _cut(self, feed: "Feed", source: SourceObject, identity: str, epoch: int) -> list[Slice]:
        if source.size == 0:
            return planning.cut(feed, source, identity, epoch, defect="empty")
        if feed.format != "parquet":
            return planning.cut(feed, source, identity, epoch)
        try:
            return planning.cut(feed, source, identity, epoch, footer=self._footers.read(source))
        except FooterBroken:
            return planning.cut(feed, source, identity, epoch, defect="parquet_unreadable")


def _once(findings: Iterable[_Finding]) -> list[_Finding]:
    """Keep one finding an object: a key named with and without its version is one object."""
    seen: set[str] = set()
    kept = []
    for finding in findings:
        identity = finding.planned.object_id
        if identity is None or identity not in seen:
            kept.append(finding)
        if identity is not None:
            seen.add(identity)
    return kept


def _rows(slices: list[Slice]) -> int | None:
    rows = [piece.rows for piece in slices]
    return None if None in rows else sum(filter(None, rows))
