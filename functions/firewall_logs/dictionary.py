"""Columns of text as codes into their distinct values: rules on strings run once per distinct value."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

# Distinct texts of a sample below which a column is taken to have few: half of what codes of one byte can tell apart.
_FEW: Final = 128
_SAMPLE_ROWS: Final = 65_536


def wide() -> pl.Categorical:
    """Return a new dictionary type, whose codes (UInt32) are nobody else's.

    Codes depend on what was seen first and never leave the process: parquet dictionaries are written in orders of
    their own, and orders of rows are made of ranks of texts.
    """
    return pl.Categorical(pl.Categories.random())


def encoding(distinct: int) -> pl.Categorical:
    """Return a new dictionary type for a column of which a sample has so many distinct texts.

    Where they are few, codes are of one byte (UInt8): half the time to write, a quarter of the memory. ComputeError
    then says that there are more than 255 after all.
    """
    return pl.Categorical(pl.Categories.random(physical=pl.UInt8)) if distinct <= _FEW else wide()


def is_narrow(dtype: pl.DataType) -> bool:
    """Return whether this is a dictionary type with codes of one byte."""
    return isinstance(dtype, pl.Categorical) and dtype.categories.physical() == pl.UInt8


@dataclass(frozen=True)
class Dictionary:
    """A column of text, taken apart where it is a dictionary; one of mostly distinct texts stays as it is.

    Attributes:
        values: String: by code, and may hold values that no row has; or by row.
        codes: UInt32 or UInt8, by row, null where there is no value; None where `values` are by row.
    """

    values: pl.Series
    codes: pl.Series | None

    @classmethod
    def of(cls, column: pl.Series) -> "Dictionary":
        """Take a Categorical or String column apart."""
        if not isinstance(column.dtype, pl.Categorical):
            return cls(column, None)
        codes = column.to_physical()
        return cls(texts_of(column.dtype, range(number_of_codes(codes))).alias(column.name), codes)

    @classmethod
    def occurring(cls, column: pl.Series) -> "Dictionary":
        """Take a column apart, and keep of its values only those that a row has.

        All batches of a slice share a dictionary, so a batch may have few of its values.
        """
        if not isinstance(column.dtype, pl.Categorical):
            return cls.of(column)
        found = column.drop_nulls().unique()
        codes = found.to_physical()
        places = pl.repeat(0, number_of_codes(codes), dtype=pl.UInt32, eager=True)
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


@dataclass(frozen=True)
class Few:
    """A column of few texts, as an enum: polars writes one in half the time that it takes for a dictionary.

    Attributes:
        name: Of the column.
        texts: By code of the column, as an enum (codes of UInt8). In it those that are frequent in the first rows come
            first, as small codes take the fewest bytes. Reading gives codes only to texts that a row has, so the enum
            depends on nothing but the rows. The dictionary of each row group has all of them, whichever its own rows
            have; its statistics do not.
    """

    name: str
    texts: pl.Series

    @classmethod
    def of(cls, column: pl.Series) -> "Few":
        """Look at a column with codes of one byte."""
        texts, codes = Dictionary.of(column).values, column.to_physical()
        counts = dict(codes.head(_SAMPLE_ROWS).drop_nulls().value_counts().iter_rows())
        ranked = sorted(range(len(texts)), key=lambda code: (-counts.get(code, 0), texts[code]))
        return cls(column.name, texts.cast(pl.Enum([texts[code] for code in ranked])))

    def enum(self, rows: pl.DataFrame) -> pl.Series:
        """Return the column of some of its rows as an enum."""
        return self.texts.gather(rows[self.name].to_physical()).alias(self.name)


def number_of_codes(codes: pl.Series) -> int:
    """Return one more than the highest code; 0 where there is none."""
    highest = codes.max()
    return highest + 1 if isinstance(highest, int) else 0


def texts_of(dtype: pl.Categorical, codes: range) -> pl.Series:
    """Return the texts that codes of a dictionary stand for (String)."""
    # Categories.to_series does this one by one in Python.
    numbers = pl.select(pl.int_range(codes.start, codes.stop)).to_series()
    return numbers.cast(dtype.categories.physical()).cat.to(dtype).cast(pl.String)


def as_dictionary(texts: pl.Series) -> pl.Series:
    """Return a column of text as a Categorical one."""
    return texts.cast(pl.String).cast(wide())
