"""A slice of a raw object to the files of the lake: the whole of a unit's work, pure but for reading and writing."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from firewall_logs.contracts import Account, Drift, Slice
from firewall_logs.drift import drift
from firewall_logs.duplicates import duplicates, without
from firewall_logs.events import Gathered, write_events
from firewall_logs.files import LocalFile
from firewall_logs.judgement import judge
from firewall_logs.ndjson import NdjsonRows
from firewall_logs.order import Order
from firewall_logs.parquet_rows import ParquetRows
from firewall_logs.quarantine import Quarantine
from firewall_logs.rows import Batch, ObjectDefect, Reader
from firewall_logs.times import Bounds

__all__ = ["LocalFile", "Outcome", "transform"]


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
        raw: The object's bytes, in a file that nobody else reads meanwhile; need not exist where the task has a defect.
        out: An empty folder.

    Raises:
        OSError: Reading or writing failed; unreadable content never raises.
    """
    quarantine = Quarantine(task, out)
    if task.defect is not None:
        return _defective(task, task.defect, quarantine)
    bounds = Bounds.of(task.naive_times, task.source.last_modified)
    reader: Reader = ParquetRows(task, raw) if task.format == "parquet" else NdjsonRows(raw, bounds)
    gathered = Gathered()
    rows_in = 0
    try:
        for batch in reader.batches():
            rows_in += _sort_out(batch, bounds, gathered, quarantine)
    except ObjectDefect as defect:
        return _defective(task, str(defect), quarantine)
    events = gathered.frame()
    refused = gathered.refused
    order = Order.of(events, without(events.height, refused))
    repeated = duplicates(events, order.suspects)
    by_reason = quarantine.by_reason
    drifted = drift(events, refused, gathered.time_forms)
    files = [*write_events(task, events, order.without(repeated), out), *quarantine.write()]
    return Outcome(
        account=Account(
            rows_in=rows_in,
            rows_out=sum(file.rows for file in files if file.kind == "events"),
            quarantined=sum(by_reason.values()),
            duplicates=len(repeated),
        ),
        blank_lines=reader.blank_lines,
        source_rows=reader.source_rows,
        quarantined_by_reason=by_reason,
        object_defect=None,
        columns_seen=reader.columns_seen,
        drift=drifted,
        files=files,
    )


def _sort_out(batch: Batch, bounds: Bounds, gathered: Gathered, quarantine: Quarantine) -> int:
    """Send the rows of a batch where they belong, and return how many these are."""
    frame, refused = batch.frame, batch.refused
    judged = judge(frame, bounds)
    at = judged.refused["at"]
    late = judged.refused.select(row=batch.row.gather(at), reason="reason", field="field", raw=batch.raw(at))
    quarantine.add(pl.concat([refused, late]).sort("row"))
    gathered.add(judged.rows, judged.time_form, refused=at)
    return frame.height + refused.height


def _defective(task: Slice, defect: str, quarantine: Quarantine) -> Outcome:
    # Rows that a parquet footer promises are accounted for, although nobody will ever see them one by one.
    rows = task.rows or 0
    return Outcome(
        account=Account(rows_in=rows, quarantined=rows),
        blank_lines=0,
        source_rows=rows,
        quarantined_by_reason={defect: rows} if rows else {},
        object_defect=defect,
        columns_seen=[],
        drift=Drift(),
        files=[quarantine.write_object(defect)],
    )
