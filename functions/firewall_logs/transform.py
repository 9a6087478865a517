"""A slice of a raw object to the files of the lake: the whole of a unit's work, pure but for reading and writing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import polars as pl

from firewall_logs import ndjson, parquet_rows, schema
from firewall_logs.aggregate import hourly
from firewall_logs.contracts import Account, Drift, FileKind, Slice
from firewall_logs.derive import DomainList, path_templates
from firewall_logs.dictionary import Dictionary, as_dictionary
from firewall_logs.drift import drift
from firewall_logs.duplicates import duplicates
from firewall_logs.files import ROW_GROUP_ROWS, write
from firewall_logs.frames import SCHEMAS
from firewall_logs.judgement import judge
from firewall_logs.order import arranged
from firewall_logs.rows import ObjectDefect, RawRows
from firewall_logs.times import Bounds


@dataclass(frozen=True)
class LocalFile:
    """A file of the lake that waits to be uploaded.

    Attributes:
        event_date: Its partition; None for quarantine.
        min_time: Earliest event_time of an events file, else None.
        max_time: Latest.
    """

    kind: FileKind
    path: Path
    event_date: date | None
    rows: int
    min_time: datetime | None
    max_time: datetime | None


@dataclass(frozen=True)
class Outcome:
    """What a slice became.

    Attributes:
        blank_lines: Lines of white space, outside the account.
        source_rows: Rows by an independent count: non-blank lines of the decompressed bytes, or the footer's rows.
        object_defect: Why the object cannot be read as a whole; then the account is empty.
        columns_seen: Keys or columns the slice has, in alphabetical order.
    """

    account: Account
    blank_lines: int
    source_rows: int
    quarantined_by_reason: dict[str, int]
    object_defect: str | None
    columns_seen: list[str]
    drift: Drift
    files: list[LocalFile]


def transform(task: Slice, raw: Path, out: Path) -> Outcome:
    """Turn a slice of a raw object into files below `out`.

    Args:
        task: Which slice of which object.
        raw: The object's bytes; need not exist where the task has a defect.
        out: An empty folder.

    Raises:
        OSError: Reading or writing failed; unreadable content never raises.
    """
    bounds = Bounds.of(task.naive_times, task.source.last_modified)
    try:
        if task.defect is not None:
            raise ObjectDefect(task.defect)
        rows = parquet_rows.read(task, raw) if task.format == "parquet" else ndjson.read(raw, bounds)
    except ObjectDefect as defect:
        return _defective(task, str(defect), out)
    return _lake(task, rows, bounds, out)


def _defective(task: Slice, defect: str, out: Path) -> Outcome:
    record = pl.DataFrame({"at": [None], "reason": [defect], "field": [None]}, schema={"at": pl.Int64, "reason": pl.String, "field": pl.String})
    file = _write_quarantine(task, record, iter([None]), out)
    return Outcome(
        account=Account(),
        blank_lines=0,
        source_rows=0,
        quarantined_by_reason={},
        object_defect=defect,
        columns_seen=[],
        drift=Drift(),
        files=[file],
    )


def _lake(task: Slice, rows: RawRows, bounds: Bounds, out: Path) -> Outcome:
    judged = judge(rows.frame, bounds)
    events = judged.rows
    passed = _others(pl.int_range(events.height, dtype=pl.UInt32, eager=True), judged.refused["at"])
    repeated = duplicates(events, passed)
    refused = pl.concat(
        [rows.refused, judged.refused.with_columns(at=rows.row.gather(judged.refused["at"]))]
    ).sort("at")
    files = [*_write_events(task, events, _others(passed, repeated), out)]
    if not refused.is_empty():
        files.append(_write_quarantine(task, refused, rows.raw(refused["at"]), out))
    counts = refused["reason"].cast(pl.String).value_counts(name="rows")
    return Outcome(
        account=Account(
            rows_in=rows.frame.height + rows.refused.height,
            rows_out=sum(file.rows for file in files if file.kind == "events"),
            quarantined=refused.height,
            duplicates=len(repeated),
        ),
        blank_lines=rows.blank_lines,
        source_rows=rows.source_rows,
        quarantined_by_reason=dict(sorted(counts.iter_rows())),
        object_defect=None,
        columns_seen=rows.columns_seen,
        drift=drift(events, judged.time_form, passed),
        files=files,
    )


def _others(positions: pl.Series, excluded: pl.Series) -> pl.Series:
    """Return the ascending positions that are not among the excluded ones."""
    return positions.filter(~positions.is_in(excluded.cast(pl.UInt32).implode())) if len(excluded) else positions


def _write_quarantine(task: Slice, findings: pl.DataFrame, raws: Iterator[bytes | None], out: Path) -> LocalFile:
    path = out / "quarantine" / "data.parquet"

    def slabs() -> Iterator[pl.DataFrame]:
        for start in range(0, findings.height, ROW_GROUP_ROWS):
            slab = findings.slice(start, ROW_GROUP_ROWS)
            raw = pl.Series([next(raws) for _ in range(slab.height)], dtype=pl.Binary)
            yield slab.select(
                pl.col("reason").cast(pl.String),
                "field",
                row="at",
                raw=raw,
                object_id=pl.lit(task.object_id),
                bucket=pl.lit(task.source.bucket),
                key=pl.lit(task.source.key),
                version_id=pl.lit(task.source.version_id, pl.String),
                feed=pl.lit(task.feed),
            )

    write("quarantine", path, slabs(), SCHEMAS["quarantine"])
    return LocalFile("quarantine", path, None, findings.height, None, None)


def _write_events(task: Slice, events: pl.DataFrame, kept: pl.Series, out: Path) -> Iterator[LocalFile]:
    positions, days = arranged(events, kept)
    counts = hourly(events, kept)
    events = _derived(events)
    columns = _lake_columns(events, task)
    slab_schema = events.head(0).select(columns).schema
    for day, rows, low, high, start in days.iter_rows():
        mine = positions.slice(start, rows)
        path = out / "events" / f"event_date={day}" / "data.parquet"
        slabs = (
            events[mine.slice(offset, ROW_GROUP_ROWS)].select(columns) for offset in range(0, rows, ROW_GROUP_ROWS)
        )
        write("events", path, slabs, slab_schema)
        yield LocalFile("events", path, day, rows, low, high)
    for (day,), of_day in counts.partition_by("event_date", include_key=False, as_dict=True).items():
        path = out / "hourly" / f"event_date={day}" / "data.parquet"
        write("hourly", path, iter([of_day]), of_day.schema)
        yield LocalFile("hourly", path, day, of_day.height, None, None)


def _lake_columns(events: pl.DataFrame, task: Slice) -> list[pl.Expr]:
    given = {
        "feed": pl.lit(task.feed, pl.Categorical(pl.Categories("feed"))),
        "zone": pl.lit(task.zone, pl.Categorical(pl.Categories("zone"))),
        "event_hour": pl.col("event_time").dt.hour(),
    }
    return [
        given[name].alias(name)
        if name in given
        else pl.col(name)
        if name in events.columns
        else pl.lit(None, dtype).alias(name)
        for name, dtype in SCHEMAS["events"].items()
    ]


def _derived(events: pl.DataFrame) -> pl.DataFrame:
    derived: list[pl.Series] = []
    if "client_request_host" in events.columns:
        hosts = Dictionary.of(events["client_request_host"])
        domains = hosts.map(DomainList().registered_domain, pl.String())
        derived.append(hosts.spread(as_dictionary(domains, "registered_domain")))
    if "client_request_path" in events.columns:
        paths = Dictionary.of(events["client_request_path"])
        derived.append(paths.spread(as_dictionary(path_templates(paths.values), "path_template")))
    return events.with_columns(derived)
