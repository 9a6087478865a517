"""Raw parquet to rows."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
from polars.exceptions import PanicException, PolarsError

from firewall_logs import schema
from firewall_logs.contracts import Slice
from firewall_logs.dictionary import wide
from firewall_logs.encodings import SAMPLE_ROWS, repetitive
from firewall_logs.extras import join_members, json_texts
from firewall_logs.parquet_codes import TextAsCodes
from firewall_logs.plain import plain_values
from firewall_logs.rows import REASON, REFUSED, ObjectDefect
from firewall_logs.values import canonical

# Rows decoded at a time: until it is made codes, their text takes memory in full.
_BATCH_ROWS: Final = 262_144
_MAGIC: Final = b"PAR1"
# Writes texts, booleans and integers as `canonical` does, in a tenth of the time.
_JSON: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"))
_NO_EVENTS: Final = pl.DataFrame(schema={schema.TIME_FIELD: pl.String})


@dataclass(frozen=True)
class ParquetBatch:
    """Rows of a parquet object; `source` has all of their columns."""

    source: pl.DataFrame
    first_row: int

    @property
    def frame(self) -> pl.DataFrame:
        """The documented columns, and `extra` where there are others; no rows where none has a time."""
        if schema.TIME_FIELD not in self.source.columns:
            return _NO_EVENTS
        known = self.source.select(field.raw for field in schema.FIELDS if field.raw in self.source.columns)
        unknown = self.source.drop(known.columns)
        if unknown.width == 0:
            return known
        return known.with_columns(join_members({column.name: json_texts(column) for column in unknown.get_columns()}))

    @property
    def row(self) -> pl.Series:
        """Positions of the frame's rows."""
        rows = self.source.height if schema.TIME_FIELD in self.source.columns else 0
        return pl.int_range(self.first_row, self.first_row + rows, dtype=pl.Int64, eager=True)

    @property
    def refused(self) -> pl.DataFrame:
        """All rows, where the object has no column of event time."""
        if schema.TIME_FIELD in self.source.columns:
            return REFUSED.to_frame()
        foreign = schema.FOREIGN_TIME_FIELD in self.source.columns
        rows = pl.int_range(self.source.height, dtype=pl.Int64, eager=True)
        return pl.DataFrame({"row": rows + self.first_row, "raw": self.raw(rows)}).select(
            "row",
            reason=pl.lit("wrong_dataset" if foreign else "time_missing", REASON),
            field=pl.lit(None if foreign else schema.TIME_FIELD, pl.String),
            raw="raw",
        )

    def raw(self, positions: pl.Series) -> pl.Series:
        """Return rows as canonical JSON; a null is an absent value."""
        wanted = self.source[positions]
        if all(map(_is_plain, wanted.dtypes)):
            texts = [_JSON.encode(_present(row)).encode() for row in wanted.iter_rows(named=True)]
            return pl.Series("raw", texts, dtype=pl.Binary)
        rows = zip(*(plain_values(column) for column in wanted.get_columns()), strict=True)
        names = wanted.columns
        texts = [canonical(_present(dict(zip(names, row, strict=True)))).encode() for row in rows]
        return pl.Series("raw", texts, dtype=pl.Binary)


def _is_plain(dtype: pl.DataType) -> bool:
    return dtype in {pl.String, pl.Boolean} or dtype.is_integer() or isinstance(dtype, pl.Categorical)


def _present(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


class ParquetRows:
    """Reads a slice of a parquet object."""

    blank_lines: Final = 0

    def __init__(self, task: Slice, raw: Path) -> None:
        """Note which rows of which file."""
        self._task = task
        self._raw = raw
        self.columns_seen: list[str] = []
        self.source_rows = 0

    def batches(self) -> Iterator[ParquetBatch]:
        """Yield the slice's rows; other row groups are not read.

        Raises:
            ObjectDefect: `empty` or `parquet_unreadable`.
        """
        _check_magic(self._raw)
        try:
            yield from self._decoded()
        except (PolarsError, PanicException):
            # polars panics on some broken pages; either way these bytes give no rows.
            raise ObjectDefect("parquet_unreadable") from None

    def _decoded(self) -> Iterator[ParquetBatch]:
        scan = pl.scan_parquet(self._raw)
        columns = scan.collect_schema()
        self.columns_seen = sorted(columns.names())
        first = self._task.first_row
        rows = self._task.rows
        self.source_rows = scan.select(pl.len()).collect().item() if rows is None else rows
        sample = scan.slice(first, min(SAMPLE_ROWS, self.source_rows))
        # Columns that the file itself notes as dictionaries share one with all others of the process: what theirs has
        # depends on what else was read.
        noted = pl.Schema({f.raw: pl.String() for f in schema.FIELDS if isinstance(columns.get(f.raw), pl.Categorical)})
        with TextAsCodes(self._raw, _repetitive(sample, columns)) as source:
            for start in range(first, first + self.source_rows, _BATCH_ROWS):
                length = min(_BATCH_ROWS, first + self.source_rows - start)
                yield ParquetBatch(source.rows(start, length).cast(noted), start)


def _repetitive(sample: pl.LazyFrame, columns: pl.Schema) -> dict[str, pl.Categorical]:
    """Return which documented columns of text are better kept as dictionaries."""
    texts = [f for f in schema.FIELDS if f.type != "time" and columns.get(f.raw) == pl.String]
    rows = sample.select(field.raw for field in texts).collect()
    dtypes = {field.raw: repetitive(rows[field.raw]) for field in texts}
    # Beside the texts that come, a dictionary of JSON has their canonical forms.
    dtypes |= {field.raw: wide() for field in texts if field.type == "json" and dtypes[field.raw] is not None}
    return {name: dtype for name, dtype in dtypes.items() if dtype is not None}


def _check_magic(raw: Path) -> None:
    with raw.open("rb") as file:
        head = file.read(len(_MAGIC))
    if not head:
        raise ObjectDefect("empty")
    if head != _MAGIC:
        raise ObjectDefect("parquet_unreadable")
