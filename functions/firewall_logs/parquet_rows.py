"""Raw parquet to rows: decoded in batches, text as dictionaries, nothing judged yet."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PanicException, PolarsError

from firewall_logs import schema
from firewall_logs.contracts import Slice
from firewall_logs.encodings import Encodings
from firewall_logs.extras import join_members, json_texts
from firewall_logs.judgement import FINDINGS
from firewall_logs.plain import plain_values
from firewall_logs.rows import ObjectDefect, RawRows
from firewall_logs.values import canonical

# Rows decoded at a time: their text takes memory in full until it is made codes.
_BATCH_ROWS: Final = 262_144
_MAGIC: Final = b"PAR1"


def read(task: Slice, raw: Path) -> RawRows:
    """Read the rows of a slice.

    Raises:
        ObjectDefect: `empty` or `parquet_unreadable`.
    """
    _check_magic(raw)
    try:
        frame, total = _decode(task, raw)
    except (PolarsError, PanicException):
        # polars panics on some broken pages; either way these bytes give no rows.
        raise ObjectDefect("parquet_unreadable") from None
    known = frame.select(field.raw for field in schema.FIELDS if field.raw in frame.columns)
    unknown = frame.drop(known.columns)
    rows = pl.int_range(task.first_row, task.first_row + frame.height, dtype=pl.Int64, eager=True).alias("row")
    refused = _without_time(frame.columns, rows)
    if unknown.width:
        known = known.with_columns(join_members({column.name: json_texts(column) for column in unknown.get_columns()}))
    if not refused.is_empty():
        known = pl.DataFrame(schema={schema.TIME_FIELD: pl.String})
    return RawRows(
        frame=known,
        row=rows.head(known.height),
        refused=refused,
        columns_seen=sorted(frame.columns),
        blank_lines=0,
        source_rows=total,
        raw=lambda wanted: _raw(frame, wanted - task.first_row),
    )


def _check_magic(raw: Path) -> None:
    with raw.open("rb") as file:
        head = file.read(len(_MAGIC))
    if not head:
        raise ObjectDefect("empty")
    if head != _MAGIC:
        raise ObjectDefect("parquet_unreadable")


def _decode(task: Slice, raw: Path) -> tuple[pl.DataFrame, int]:
    """Return the slice's columns and the number of its rows by the footer."""
    scan = pl.scan_parquet(raw)
    total = task.rows if task.rows is not None else scan.select(pl.len()).collect().item()
    starts = range(task.first_row, task.first_row + total, _BATCH_ROWS)
    end = task.first_row + total
    encodings = Encodings()
    batches = [encodings.apply(scan.slice(start, min(_BATCH_ROWS, end - start)).collect()) for start in starts]
    return pl.concat(batches, rechunk=True) if batches else scan.head(0).collect(), total


def _without_time(columns: list[str], rows: pl.Series) -> pl.DataFrame:
    """Refuse all rows of an object that has no column of event time."""
    if schema.TIME_FIELD in columns:
        return FINDINGS.to_frame()
    foreign = schema.FOREIGN_TIME_FIELD in columns
    return rows.alias("at").to_frame().with_columns(
        reason=pl.lit("wrong_dataset" if foreign else "time_missing", FINDINGS["reason"]),
        field=pl.lit(None if foreign else schema.TIME_FIELD, pl.String),
    )


def _raw(frame: pl.DataFrame, positions: pl.Series) -> Iterator[bytes]:
    """Yield rows as canonical JSON; a null is an absent value."""
    wanted = frame[positions]
    for values in zip(*(plain_values(column) for column in wanted.get_columns()), strict=True):
        row = {name: value for name, value in zip(wanted.columns, values, strict=True) if value is not None}
        yield canonical(row).encode()
