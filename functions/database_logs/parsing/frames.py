"""What all grammars do to get from records to a frame of the lake."""

from collections.abc import Mapping

import polars as pl


def conform(records: pl.DataFrame, columns: Mapping[str, pl.Expr], schema: pl.Schema) -> pl.DataFrame:
    """Return the columns of `schema`: computed by `columns`, else those of the records, else null."""
    here = set(records.columns)

    def column(name: str, dtype: pl.DataType) -> pl.Expr:
        expression = columns.get(name, pl.col(name) if name in here else pl.lit(None))
        return expression.cast(dtype).alias(name)

    return records.select(column(name, dtype) for name, dtype in schema.items())


def unless_empty(text: pl.Expr) -> pl.Expr:
    """Return texts, null for empty ones."""
    return pl.when(text != "").then(text)
