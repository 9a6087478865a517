"""ReconcileDay's work: read every witness of a day, compare them, and plan the seal."""

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from firewall_logs import locations
from firewall_logs.contracts import LakeFile, Manifest
from firewall_logs.days import arrivals, cutting
from firewall_logs.days.contracts import DayObject, DayReconciliation, SealedDay, SealPlan, SealStep
from firewall_logs.days.identity import inputs_id
from firewall_logs.days.reconciliation import DayWitnesses, ObjectWitnesses, compare

if TYPE_CHECKING:
    from firewall_logs.adapters.days import DayReader
    from firewall_logs.adapters.footers import LakeFooters, RawFooters
    from firewall_logs.adapters.lake import LakeListing, ManifestReader
    from firewall_logs.adapters.ledger import LedgerReader
    from firewall_logs.adapters.runs import ReceiptReader
    from firewall_logs.adapters.sealed import SealedReader
    from firewall_logs.feeds import Feeds

_THREADS: Final = 32
_COMPACTED: Final = ("events", "hourly")


@dataclass(frozen=True)
class Reconciled:
    """What ReconcileDay found.

    Attributes:
        version: The next one, or the newest where that has everything.
        plan: Of the next version; None where there is to be none.
    """

    verdict: DayReconciliation
    version: int
    plan: SealPlan | None


class DayReconciler:
    """Holds the witnesses of a day against each other."""

    def __init__(
        self,
        feeds: "Feeds",
        days: "DayReader",
        sealed: "SealedReader",
        manifests: "ManifestReader",
        receipts: "ReceiptReader",
        *,
        ledger: "LedgerReader",
        listing: "LakeListing",
        footers: "LakeFooters",
        raw_footers: "RawFooters",
    ) -> None:
        self._feeds = feeds
        self._days = days
        self._sealed = sealed
        self._manifests = manifests
        self._receipts = receipts
        self._ledger = ledger
        self._listing = listing
        self._footers = footers
        self._raw_footers = raw_footers

    def reconcile(self, step: SealStep) -> Reconciled:
        """Compare, and plan what goes into the next version.

        Raises:
            SealMissing: The day's newest version has no document.
        """
        day = step.event_date
        version = self._days.state(day).version
        previous = self._sealed.read(day, version) if version else None
        before = frozenset(previous.objects) if previous else frozenset[str]()
        index = list(self._days.objects(day))
        fresh = [entry for entry in index if entry.object_id not in before]
        with ThreadPoolExecutor(_THREADS) as threads:
            manifests = list(threads.map(lambda entry: self._manifests.named(entry.source_id), fresh))
            raw_rows = list(threads.map(self._raw_rows, manifests))
            listed = dict(pair for found in threads.map(self._list, _prefixes(day, previous)) for pair in found)
            files = _inputs(day, previous, manifests)
            footers = dict(
                zip((f.key for f in files), threads.map(lambda f: self._footers.read(f.key), files), strict=True)
            )
            hourly = [file for file in files if file.kind == "hourly" and footers[file.key] is not None]
            histograms = dict(
                zip((f.key for f in hourly), threads.map(lambda f: self._footers.histogram(f.key), hourly), strict=True)
            )
        states = self._states({entry.object_id for entry in fresh} | _owners(listed))
        seen = DayWitnesses(
            day=day,
            objects=[
                ObjectWitnesses(entry, manifest, states.get(entry.object_id), rows)
                for entry, manifest, rows in zip(fresh, manifests, raw_rows, strict=True)
            ],
            files=files,
            footers=footers,
            hourly_events={key: sum(counts.values()) for key, counts in histograms.items()},
            listed=listed,
            known=before | {identity for identity, state in states.items() if state in {"CLAIMED", "FAILED"}},
        )
        verdict = DayReconciliation(
            seal_id=step.seal_id,
            event_date=day,
            as_of=step.as_of,
            source_objects=step.source_objects,
            objects=len(index),
            raw_rows=sum(rows for rows in raw_rows if rows is not None),
            raw_unknown=sum(rows is None for rows in raw_rows),
            manifest_rows=sum(manifest.account.rows_in for manifest in manifests if manifest),
            footer_rows=sum(f.rows for file in files if file.kind == "events" and (f := footers[file.key])),
            index_rows=sum(entry.rows for entry in index),
            disagreements=list(compare(seen)),
        )
        if previous and not fresh:
            return Reconciled(verdict, version, None)
        found = [manifest for manifest in manifests if manifest is not None]
        return Reconciled(
            verdict,
            version + 1,
            _plan(step, previous, fresh=fresh, manifests=found, files=files, histograms=histograms.values()),
        )

    def _raw_rows(self, manifest: Manifest | None) -> int | None:
        """Return the rows of a raw object: by its own footer, or of lines by the worker's second count of them."""
        if manifest is None or manifest.object_defect:
            return None
        feed = self._feeds.owner(manifest.source.bucket, manifest.source.key)
        rows = self._raw_footers.rows(manifest.source) if feed and feed.format == "parquet" else None
        return self._counted_rows(manifest.object_id) if rows is None else rows

    def _counted_rows(self, object_id: str) -> int | None:
        first = self._receipts.read(object_id, 0)
        if first is None:
            return None
        others = [self._receipts.read(object_id, index) for index in range(1, first.proof.slices)]
        known = [receipt.proof.source_rows for receipt in (first, *others) if receipt is not None]
        # Receipts expire: a part of them is no count.
        return sum(known) if len(known) == first.proof.slices else None

    def _list(self, prefix: str) -> list[tuple[str, int]]:
        return list(self._listing.partition(prefix))

    def _states(self, object_ids: Iterable[str]) -> dict[str, str]:
        return {entry.object_id: entry.state for entry in self._ledger.entries(sorted(object_ids))}


def _prefixes(day: date, previous: SealedDay | None) -> list[str]:
    loose = [locations.partition_prefix(kind, day) for kind in _COMPACTED]
    return loose + ([locations.sealed_prefix(kind, day) for kind in _COMPACTED] if previous else [])


def _inputs(day: date, previous: SealedDay | None, manifests: Iterable[Manifest | None]) -> list[LakeFile]:
    """Return the files of the version before in their order, then those of new objects by key.

    Of two equal rows the first stays, so this order is part of what the next version is.
    """
    loose = [
        file
        for manifest in manifests
        if manifest is not None
        for file in manifest.files
        if file.event_date == day and file.kind in _COMPACTED
    ]
    return [*(previous.files if previous else ()), *sorted(loose, key=lambda file: file.key)]


def _owners(listed: Iterable[str]) -> set[str]:
    """Return the objects that loose files belong to, by their names."""
    names = (key.rpartition("/")[2] for key in listed if not key.startswith(f"{locations.SEALED}/"))
    return {name.partition("-")[0] for name in names}


def _plan(
    step: SealStep,
    previous: SealedDay | None,
    *,
    fresh: list[DayObject],
    manifests: list[Manifest],
    files: list[LakeFile],
    histograms: Iterable[Mapping[cutting.Cell, int]],
) -> SealPlan:
    total: Counter[cutting.Cell] = Counter()
    for histogram in histograms:
        total.update(histogram)
    events = [file for file in files if file.kind == "events"]
    cuts = cutting.cuts(total)
    brought = arrivals.by_feed(manifests)
    versions = {manifest.transform_version for manifest in manifests}
    return SealPlan(
        seal_id=step.seal_id,
        event_date=step.event_date,
        version=previous.version + 1 if previous else 1,
        as_of=step.as_of,
        inputs_id=inputs_id(step.event_date, events, cuts),
        objects=[*(previous.objects if previous else ()), *(entry.object_id for entry in fresh)],
        events=events,
        hourly=[file for file in files if file.kind == "hourly"],
        cuts=cuts,
        arrivals=arrivals.add_up([previous.arrivals, brought]) if previous else brought,
        transform_versions=sorted(versions.union(previous.transform_versions if previous else ())),
        late_objects=len(fresh) if previous else 0,
        late_rows=sum(entry.rows for entry in fresh) if previous else 0,
    )
