"""Raw parquet to rows: decoded in batches, text as dictionaries, nothing judged yet."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PanicException, PolarsError

from firewall_logs import schema
from firewall_logs.contracts import Slice
from firewall_logs.dictionary import encoding
from firewall_logs.extras import extra
from firewall_logs.judgement import FINDINGS
from firewall_logs.plain import plain_values
from firewall_logs.rows import ObjectDefect, RawRows
from firewall_logs.values import canonical

# Rows decoded at a time: their text takes memory in full until it is made codes.
_BATCH_ROWS: Final = 262_144
# Column of text is made codes where its first batch has at most this share of distinct values.
_DISTINCT_SHARE: Final = 0.5
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
    return RawRows(
        frame=known.with_columns(rows, extra(unknown)) if refused.is_empty() else _no_rows(),
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
