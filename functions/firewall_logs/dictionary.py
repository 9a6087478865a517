"""Columns of text as codes into their distinct values: rules on strings run once per distinct value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl

_NAMESPACE = "firewall_logs"


def encoding(name: str) -> pl.Categorical:
    """Return the dictionary type of a column.

    Its codes depend on what was seen first, also by other threads, and never leave the process: parquet dictionaries
    are written in the order in which a row group meets their values, and orders are made of ranks of texts.
    """
    return pl.Categorical(pl.Categories(name, namespace=_NAMESPACE))


@dataclass(frozen=True)
class Dictionary:
    """A column of text, taken apart where it is a dictionary; one of mostly distinct texts stays as it is.

    Attributes:
        values: String: by code, and may hold values that no row has; or by row.
        codes: UInt32, by row, null where there is no value; None where `values` are by row.
    """

    values: pl.Series
    codes: pl.Series | None

    @classmethod
    def of(cls, column: pl.Series) -> "Dictionary":
        """Take a Categorical or String column apart."""
        dtype = column.dtype
        if isinstance(dtype, pl.Categorical):
            return cls(dtype.categories.to_series(), column.to_physical())
        return cls(column, None)

    @classmethod
    def occurring(cls, column: pl.Series) -> "Dictionary":
        """Take a column apart, and keep of its values only those that a row has.

        All batches of a slice share a dictionary, so a batch may have few of its values.
        """
        if not isinstance(column.dtype, pl.Categorical):
            return cls.of(column)
        found = column.drop_nulls().unique()
        codes = found.to_physical()
        highest = codes.to_frame("code").select(pl.col("code").max()).item()
        places = pl.repeat(0, (highest or 0) + 1, dtype=pl.UInt32, eager=True)
        numbers = places.scatter(codes, pl.int_range(len(found), dtype=pl.UInt32, eager=True))
        return cls(found.cast(pl.String), numbers.gather(column.to_physical()))

    def map(self, rule: Callable[[str], Any], dtype: pl.DataType) -> pl.Series:
        """Return what the rule makes of each distinct value."""
        results = [None if value is None else rule(value) for value in self.values.to_list()]
        return pl.Series(self.values.name, results, dtype=dtype, strict=True)

    def spread(self, by_value: pl.Series) -> pl.Series:
        """Return by row what there is by distinct value; null where a row has no value."""
        return by_value if self.codes is None else by_value.gather(self.codes)

    def rows(self, mask: pl.Series) -> pl.Series:
        """Return the positions (UInt32) of the rows whose value the mask marks."""
        if not mask.any():
            return pl.Series(dtype=pl.get_index_type())
        return self.spread(mask).fill_null(value=False).arg_true()


def as_dictionary(texts: pl.Series, name: str) -> pl.Series:
    """Return a column of text as a Categorical one of this name."""
    return texts.cast(pl.String).alias(name).cast(encoding(name))
