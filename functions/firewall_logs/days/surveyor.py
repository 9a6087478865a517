"""What is read of each object of a day: its manifest, its raw rows and its files, by ReconcileDay or ahead of it."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import TYPE_CHECKING, Final

from firewall_logs.contracts import LakeFile, Manifest
from firewall_logs.days.contracts import DayObject, SurveyUnit
from firewall_logs.days.reconciliation import EventsWitness, Evidence, HourlyWitness

if TYPE_CHECKING:
    from firewall_logs.adapters.footers import InputFooters, RawFooters
    from firewall_logs.adapters.lake import ManifestReader
    from firewall_logs.adapters.runs import ReceiptReader
    from firewall_logs.feeds import Feeds

COMPACTED: Final = ("events", "hourly")
# Requests wait side by side. Each costs some 2 ms of the one processor that Python has, which no thread takes away.
_THREADS: Final = 32


class Surveyor:
    """Reads what the objects of a day left."""

    def __init__(
        self,
        feeds: "Feeds",
        manifests: "ManifestReader",
        receipts: "ReceiptReader",
        *,
        footers: "InputFooters",
        raw_footers: "RawFooters",
    ) -> None:
        self._feeds = feeds
        self._manifests = manifests
        self._receipts = receipts
        self._footers = footers
        self._raw_footers = raw_footers

    def survey(self, entries: Iterable[DayObject]) -> list[Evidence]:
        """Return what is there of objects of a day, in their order."""
        with ThreadPoolExecutor(_THREADS) as threads:
            return list(threads.map(self._evidence, entries))

    def _evidence(self, entry: DayObject) -> Evidence:
        manifest = self._manifests.named(entry.source_id)
        files = files_of(manifest, entry.event_date)
        return Evidence(
            entry=entry,
            manifest=manifest,
            raw_rows=self._raw_rows(manifest),
            events={file.key: found for file in files if file.kind == "events" and (found := self.events(file))},
            hourly={file.key: counts for file in files if file.kind == "hourly" and (counts := self.hourly(file))},
        )

    def events(self, file: LakeFile) -> EventsWitness | None:
        """Return what a file of events says of itself; None where it is missing or no readable parquet."""
        return self._footers.events(file.key)

    def hourly(self, file: LakeFile) -> HourlyWitness | None:
        """Return what a file of hourly counts says; None where it is missing or no readable parquet."""
        return self._footers.hourly(file.key)

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


def files_of(manifest: Manifest | None, day: date) -> list[LakeFile]:
    """Return the files of an object that a day is compacted from."""
    if manifest is None:
        return []
    return [file for file in manifest.files if file.event_date == day and file.kind in COMPACTED]


def parts_of(seal_id: str, day: date, listed: int, at_once: int) -> Sequence[SurveyUnit]:
    """Return the parts in which a day is surveyed; none where there are so few objects that ReconcileDay reads them.

    Args:
        seal_id: Whose survey.
        day: Its date.
        listed: Objects of the sweep.
        at_once: So many are few.
    """
    parts = 0 if listed <= at_once else -(-listed // at_once)
    return [SurveyUnit(seal_id=seal_id, event_date=day, part=part, parts=parts) for part in range(parts)]
