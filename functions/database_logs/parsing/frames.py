"""What all grammars do to get from records to a frame of the lake."""

from collections.abc import Mapping
from typing import Final

import polars as pl

from database_logs.parsing.columns import COMMON

# Bytes of a text in a column that a grammar adds. Rules on statements take many copies of a text, and nobody reads
# megabytes of one; `raw` has all of it.
LONGEST_TEXT: Final = 1 << 20


def capped(records: pl.DataFrame) -> pl.DataFrame:
    """Return records whose texts beside those of COMMON are LONGEST_TEXT long at most; where one was not: `truncated`.

    Args:
        records: With `truncated`, and any other columns.
    """
    cut: dict[str, pl.Series] = {}
    truncated = records["truncated"]
    for text in records.select(pl.col(pl.String).exclude(COMMON.names())).get_columns():
        rows = (text.str.len_bytes() > LONGEST_TEXT).arg_true()
        if len(rows):
            begins = text.gather(rows).cast(pl.Binary).bin.head(LONGEST_TEXT)
            cut[text.name] = text.scatter(rows, [begin.decode(errors="ignore") for begin in begins])
            truncated = truncated.scatter(rows, values=True)
    return records.with_columns(*cut.values(), truncated)


def conform(records: pl.DataFrame, columns: Mapping[str, pl.Expr], schema: pl.Schema) -> pl.DataFrame:
    """Return the columns of `schema`: computed by `columns`, else those of the records, else null; texts are capped.

    A number that a column cannot hold is null: whatever stands in a log is somebody's text.
    """
    here = set(records.columns)

    def column(name: str, dtype: pl.DataType) -> pl.Expr:
        expression = columns.get(name, pl.col(name) if name in here else pl.lit(None))
        return expression.cast(dtype, strict=False).alias(name)

    return capped(records.select(column(name, dtype) for name, dtype in schema.items()))


def unless_empty(text: pl.Expr) -> pl.Expr:
    """Return texts, null for empty ones."""
    return pl.when(text != "").then(text)


def sliced(text: pl.Expr, start: pl.Expr | int, length: pl.Expr | None = None) -> pl.Expr:
    """Return bytes of texts as texts, without counting characters; they must begin and end where characters do."""
    return text.cast(pl.Binary).bin.slice(start, length).cast(pl.String)
