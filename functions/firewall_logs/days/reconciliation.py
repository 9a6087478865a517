"""Whether the witnesses of a day agree: pure comparisons over what was read.

Per object: the day index, the manifest, the ledger, the raw object (its footer, or the count of its lines that the
receipts keep), the footers of its files, its hourly counts, and the listing of the lake.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from firewall_logs import schema
from firewall_logs.contracts import Disagreement, LakeFile, Manifest
from firewall_logs.days.arrivals import rows_by_day
from firewall_logs.days.contracts import DayObject, PlacedRowGroup
from firewall_logs.days.cutting import Cell
from firewall_logs.locations import SEALED
from firewall_logs.reconciliation import LakeFooter
from kernel.contracts import Contract


@dataclass(frozen=True)
class EventsWitness:
    """What a file of events says of itself.

    Attributes:
        start: Offset of its footer.
        row_groups: In file order.
        encoded_bytes: Of its rows, before compression.
    """

    footer: LakeFooter
    start: int
    row_groups: list[PlacedRowGroup]
    encoded_bytes: int


@dataclass(frozen=True)
class HourlyWitness:
    """What a file of hourly counts says.

    Attributes:
        counts: Host, hour and events.
    """

    footer: LakeFooter
    counts: list[tuple[str | None, int, int]]


class Evidence(Contract):
    """What is there of an object that brought something to a day: one line of a survey.

    Attributes:
        entry: What the day index says.
        manifest: What its manifest says; None where there is none.
        raw_rows: Rows that the raw object has; None where nobody can tell any more.
        events: Its files of events of the day, by key; those that can be read.
        hourly: Its hourly counts of the day, alike.
    """

    entry: DayObject
    manifest: Manifest | None
    raw_rows: int | None
    events: dict[str, EventsWitness]
    hourly: dict[str, HourlyWitness]


@dataclass(frozen=True)
class ObjectWitnesses:
    """All that is known of one object of a day.

    Attributes:
        entry: What the day index says.
        manifest: What its manifest says; None where there is none.
        ledger: Its state in the ledger; None where that does not know it.
        raw_rows: Rows that the raw object has; None where nobody can tell any more.
    """

    entry: DayObject
    manifest: Manifest | None
    ledger: str | None
    raw_rows: int | None


@dataclass(frozen=True)
class DayWitnesses:
    """All that is known of a day.

    Attributes:
        objects: Those that the version before lacks.
        files: Files of these objects, and of the version before: what the next version is made of.
        footers: By key; None for a file that is missing or unreadable.
        hourly_events: Sum of each hourly file, by key.
        by_time: Of hours of hosts that are divided: events by the hourly counts, and by their times.
        listed: Sizes by key of everything that lies in the day's partitions.
        known: Objects whose files may lie there: those of the version before, whose files are to be removed, and those
            that no run has committed yet.
    """

    day: date
    objects: list[ObjectWitnesses]
    files: list[LakeFile]
    footers: Mapping[str, LakeFooter | None]
    hourly_events: Mapping[str, int]
    by_time: Mapping[Cell, tuple[int, int]]
    listed: Mapping[str, int]
    known: frozenset[str]


def compare(seen: DayWitnesses) -> Iterator[Disagreement]:
    """Yield every contradiction between the witnesses of a day."""
    for witnesses in seen.objects:
        yield from _object(seen.day, witnesses)
    for file in seen.files:
        yield from _file(file, seen)
    yield from _sums(seen)
    yield from _listing(seen)


def _object(day: date, seen: ObjectWitnesses) -> Iterator[Disagreement]:
    entry, manifest = seen.entry, seen.manifest
    if manifest is None or manifest.object_id != entry.object_id:
        found = "none" if manifest is None else f"that of {manifest.object_id}"
        yield _differ(entry.object_id, "manifest", "its manifest", found, "day index against manifests")
        return
    rows = rows_by_day(manifest).get(day, 0)
    if rows != entry.rows:
        yield _differ(entry.object_id, "index_rows", rows, entry.rows, "manifest against day index")
    if seen.ledger not in {"COMMITTED", "QUARANTINED"}:
        found = seen.ledger or "unknown"
        yield _differ(entry.object_id, "ledger_state", "COMMITTED", found, "manifest against ledger")
    if not manifest.account.balances:
        account = manifest.account
        yield _differ(entry.object_id, "account_unbalanced", account.rows_in, account.model_dump_json(), "manifest")
    if seen.raw_rows is not None and seen.raw_rows != manifest.account.rows_in:
        where = "raw object against manifest"
        yield _differ(entry.object_id, "raw_rows", seen.raw_rows, manifest.account.rows_in, where)


def _file(file: LakeFile, seen: DayWitnesses) -> Iterator[Disagreement]:
    footer = seen.footers.get(file.key)
    where = f"manifest against footer of {file.key}"
    if footer is None:
        yield _differ(None, "file_unreadable", f"{file.rows} rows", "no readable parquet", where)
        return
    if footer.rows != file.rows:
        yield _differ(None, "file_rows", file.rows, footer.rows, where)
    if footer.columns != schema.COLUMNS[file.kind]:
        yield _differ(None, "file_columns", ",".join(schema.COLUMNS[file.kind]), ",".join(footer.columns), where)
    if seen.listed.get(file.key) != file.bytes:
        found = seen.listed.get(file.key, "not listed")
        yield _differ(None, "file_unlisted", file.bytes, found, f"manifest against listing of {file.key}")


def _sums(seen: DayWitnesses) -> Iterator[Disagreement]:
    events = sum(footer.rows for file in seen.files if file.kind == "events" and (footer := seen.footers.get(file.key)))
    hourly = sum(seen.hourly_events.values())
    if hourly != events:
        yield _differ(None, "hourly_events", events, hourly, "footers of events against sums of hourly")
    for (_, hour), (counted, found) in seen.by_time.items():
        if counted != found:
            where = f"hourly counts of a host against its times from {hour:02}:00"
            yield _differ(None, "hour_events", counted, found, where)


def _listing(seen: DayWitnesses) -> Iterator[Disagreement]:
    named = {file.key for file in seen.files}
    for key in sorted(seen.listed.keys() - named):
        # What lies among compacted files and is no input is of a seal that was stopped: CleanDay removes it.
        if not key.startswith(f"{SEALED}/") and key.rpartition("/")[2].partition("-")[0] not in seen.known:
            yield _differ(None, "file_unclaimed", "a manifest that names it", key, "listing against manifests")


def _differ(object_id: str | None, check: str, expected: object, found: object, where: str) -> Disagreement:
    return Disagreement(object_id=object_id, check=check, expected=str(expected), found=str(found), where=where)
