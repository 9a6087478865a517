"""ReconcileDay's work: read every witness of a day, compare them, and plan the seal."""

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final, TypeVar

from firewall_logs import locations
from firewall_logs.contracts import LakeFile, Manifest
from firewall_logs.days import arrivals, cutting, weighing
from firewall_logs.days.contracts import DayObject, DayReconciliation, SealedDay, SealStep
from firewall_logs.days.cutting import Cell, Moment
from firewall_logs.days.fresh import fresh_objects
from firewall_logs.days.planning import Planned, planned
from firewall_logs.days.reconciliation import (
    DayWitnesses,
    EventsWitness,
    Evidence,
    HourlyWitness,
    ObjectWitnesses,
    compare,
)
from firewall_logs.days.surveyor import COMPACTED, files_of
from firewall_logs.reconciliation import LakeFooter

if TYPE_CHECKING:
    from firewall_logs.adapters.days import DayReader
    from firewall_logs.adapters.footers import InputFooters
    from firewall_logs.adapters.lake import LakeListing
    from firewall_logs.adapters.ledger import LedgerReader
    from firewall_logs.adapters.sealed import SealedReader
    from firewall_logs.adapters.seals import SurveyReader
    from firewall_logs.days.engines import Engines
    from firewall_logs.days.surveyor import Surveyor
    from firewall_logs.feeds import Feeds

_THREADS: Final = 32
Witness = TypeVar("Witness", EventsWitness, HourlyWitness)


@dataclass(frozen=True)
class Reconciled:
    """What ReconcileDay found.

    Attributes:
        version: The next one, or the newest where that has everything.
        planned: The next version; None where there is to be none, or the witnesses disagree.
    """

    verdict: DayReconciliation
    version: int
    planned: Planned | None


@dataclass(frozen=True)
class _Inputs:
    """What the inputs say of themselves.

    Attributes:
        events: By key; those that can be read.
        hourly: By key; those that can be read.
        weights: Of the day.
        by_time: Of hours of hosts that are divided: events by the hourly counts, and by their times.
    """

    events: dict[str, EventsWitness]
    hourly: dict[str, HourlyWitness]
    weights: weighing.Weights
    by_time: dict[Cell, tuple[int, int]]


class DayReconciler:
    """Holds the witnesses of a day against each other."""

    def __init__(
        self,
        days: "DayReader",
        sealed: "SealedReader",
        surveyor: "Surveyor",
        surveys: "SurveyReader",
        *,
        ledger: "LedgerReader",
        listing: "LakeListing",
        footers: "InputFooters",
        feeds: "Feeds",
        engines: "Engines",
    ) -> None:
        self._days = days
        self._sealed = sealed
        self._surveyor = surveyor
        self._surveys = surveys
        self._ledger = ledger
        self._listing = listing
        self._footers = footers
        self._feeds = feeds
        self._engines = engines

    def reconcile(self, step: SealStep) -> Reconciled:
        """Compare, and plan what goes into the next version.

        Raises:
            SealMissing: The day's newest version has no document.
            CutTooHeavy: Nothing that the stack has can hold a cut of the day.
        """
        day = step.event_date
        found = fresh_objects(self._days, self._sealed, day)
        previous, fresh = found.previous, found.objects
        version = previous.version if previous else 0
        evidence = self._evidence(step, fresh)
        manifests = [each.manifest for each in evidence]
        raw_rows = [each.raw_rows for each in evidence]
        files = _inputs(day, previous, manifests)
        with ThreadPoolExecutor(_THREADS) as threads:
            listed = dict(pair for pairs in threads.map(self._list, _prefixes(day, previous)) for pair in pairs)
            inputs = self._weigh(files, evidence, threads)
        before = frozenset(previous.objects) if previous else frozenset[str]()
        states = self._states({entry.object_id for entry in fresh} | _owners(listed))
        seen = DayWitnesses(
            day=day,
            objects=[
                ObjectWitnesses(entry, manifest, states.get(entry.object_id), rows)
                for entry, manifest, rows in zip(fresh, manifests, raw_rows, strict=True)
            ],
            files=files,
            footers={file.key: _footer(inputs, file.key) for file in files},
            hourly_events={key: sum(rows for *_, rows in each.counts) for key, each in inputs.hourly.items()},
            by_time=inputs.by_time,
            listed=listed,
            known=before | {identity for identity, state in states.items() if state in {"CLAIMED", "FAILED"}},
        )
        verdict = DayReconciliation(
            seal_id=step.seal_id,
            event_date=day,
            as_of=step.as_of,
            source_objects=step.source_objects,
            objects=len(found.index),
            raw_rows=sum(rows for rows in raw_rows if rows is not None),
            raw_unknown=sum(rows is None for rows in raw_rows),
            manifest_rows=sum(manifest.account.rows_in for manifest in manifests if manifest),
            footer_rows=sum(each.footer.rows for each in inputs.events.values()),
            index_rows=sum(entry.rows for entry in found.index),
            disagreements=list(compare(seen)),
        )
        if previous and not fresh:
            return Reconciled(verdict, version, None)
        if verdict.disagreements:
            return Reconciled(verdict, version + 1, None)
        brought = [manifest for manifest in manifests if manifest is not None]
        return Reconciled(
            verdict,
            version + 1,
            planned(
                step,
                previous,
                fresh=fresh,
                brought=arrivals.by_feed(brought, self._feeds),
                manifests=brought,
                files=files,
                footers=inputs.events,
                weights=inputs.weights,
                engines=self._engines,
            ),
        )

    def _evidence(self, step: SealStep, fresh: list[DayObject]) -> list[Evidence]:
        """Return what is there of the new objects: by the surveys, and of what these lack by a look."""
        known = {each.entry: each for part in range(step.surveys) for each in self._surveys.read(step.seal_id, part)}
        looked = self._surveyor.survey([entry for entry in fresh if entry not in known])
        known |= {each.entry: each for each in looked}
        return [known[entry] for entry in fresh]

    def _weigh(self, files: list[LakeFile], evidence: list[Evidence], threads: ThreadPoolExecutor) -> _Inputs:
        """Weigh the day by what its inputs say, and by the times of events where an hour of a host is to be divided."""
        by_kind = {kind: [file for file in files if file.kind == kind] for kind in COMPACTED}
        events = {key: found for each in evidence for key, found in each.events.items()}
        hourly = {key: found for each in evidence for key, found in each.hourly.items()}
        before = [file for file in files if file.key.startswith(f"{locations.SEALED}/")]
        events |= _readable(
            threads.map(lambda file: (file.key, self._surveyor.events(file)), (f for f in before if f.kind == "events"))
        )
        hourly |= _readable(
            threads.map(lambda file: (file.key, self._surveyor.hourly(file)), (f for f in before if f.kind == "hourly"))
        )
        weights = weighing.by_hour(events, hourly)
        heavy = cutting.too_heavy(weights, cutting.MOST)
        if not heavy:
            return _Inputs(events, hourly, weights, {})

        def count(file: LakeFile) -> tuple[str, Mapping[Moment, int]]:
            groups = weighing.groups_with(events[file.key].row_groups, heavy)
            return file.key, self._footers.seconds(file, groups, heavy) if groups else {}

        seconds = dict(threads.map(count, (file for file in by_kind["events"] if file.key in events)))
        divided = weighing.by_second(weights, heavy, seconds, events)
        counted, timed = weighing.rows_of(weights, heavy), weighing.rows_of(divided, heavy)
        return _Inputs(events, hourly, divided, {cell: (counted[cell], timed[cell]) for cell in sorted(heavy, key=str)})

    def _list(self, prefix: str) -> list[tuple[str, int]]:
        return list(self._listing.partition(prefix))

    def _states(self, object_ids: Iterable[str]) -> dict[str, str]:
        return {entry.object_id: entry.state for entry in self._ledger.entries(sorted(object_ids))}


def _readable(found: Iterable[tuple[str, Witness | None]]) -> dict[str, Witness]:
    return {key: witness for key, witness in found if witness is not None}


def _prefixes(day: date, previous: SealedDay | None) -> list[str]:
    loose = [locations.partition_prefix(kind, day) for kind in COMPACTED]
    return loose + ([locations.sealed_prefix(kind, day) for kind in COMPACTED] if previous else [])


def _inputs(day: date, previous: SealedDay | None, manifests: Iterable[Manifest | None]) -> list[LakeFile]:
    """Return the files of the version before in their order, then those of new objects by key.

    Of two equal rows the first stays, so this order is part of what the next version is.
    """
    loose = [file for manifest in manifests for file in files_of(manifest, day)]
    sealed = [file for file in previous.files if file.kind in COMPACTED] if previous else []
    return [*sealed, *sorted(loose, key=lambda file: file.key)]


def _footer(inputs: _Inputs, key: str) -> LakeFooter | None:
    found = inputs.events.get(key) or inputs.hourly.get(key)
    return None if found is None else found.footer


def _owners(listed: Iterable[str]) -> set[str]:
    """Return the objects that loose files belong to, by their names."""
    names = (key.rpartition("/")[2] for key in listed if not key.startswith(f"{locations.SEALED}/"))
    return {name.partition("-")[0] for name in names}
