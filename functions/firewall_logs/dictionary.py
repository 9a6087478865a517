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
    """A column of text.

    Attributes:
        values: String, by code; may hold values that no row has.
        codes: UInt32, by row; null where there is no value.
    """

    values: pl.Series
    codes: pl.Series

    @classmethod
    def of(cls, column: pl.Series) -> "Dictionary":
        """Take a String or Categorical column apart."""
        if column.dtype == pl.String:
            column = column.cast(encoding(column.name))
        dtype = column.dtype
        if not isinstance(dtype, pl.Categorical):
            raise TypeError(f"Column '{column.name}' is {dtype}, no text.")
        return cls(dtype.categories.to_series(), column.to_physical())

    def map(self, rule: Callable[[str], Any], dtype: pl.DataType) -> "pl.Series":
        """Return what the rule makes of each distinct value."""
        return pl.Series(self.values.name, [rule(value) for value in self.values.to_list()], dtype=dtype, strict=True)

    def spread(self, by_value: pl.Series) -> pl.Series:
        """Return by row what there is by distinct value; null where a row has no value."""
        return by_value.gather(self.codes)

    def rows(self, mask: pl.Series) -> pl.Series:
        """Return the positions (UInt32) of the rows whose value the mask marks."""
        if not mask.any():
            return pl.Series(dtype=pl.get_index_type())
        return self.spread(mask).fill_null(value=False).arg_true()


def as_dictionary(texts: pl.Series, name: str) -> pl.Series:
    """Return a column of text as a Categorical one of this name."""
    return texts.alias(name).cast(encoding(name))
