"""Integer keys: columns packed into as few 64-bit words as hold them, so that one integer sorts or groups a row."""

import functools
import math
import operator
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from firewall_logs.dictionary import Dictionary

# Not all of a word's 2^64 values, nor all of half of one: sizes and strides are numbers of its type as well.
_WORD: Final = 2**64 - 1
_HALF_WORD: Final = 2**32 - 1


@dataclass(frozen=True)
class Part:
    """One column of a key.

    Attributes:
        values: Integers from 0 to size - 1, none null: by row, or by code.
        size: How many values there may be.
        codes: By row; a null stands for value 0. None where `values` are by row.
    """

    values: pl.Series
    size: int
    codes: pl.Series | None = None

    @classmethod
    def spanning(cls, integers: pl.Series) -> tuple["Part", int]:
        """Return integers as a part, and the smallest of them, which the part counts from; they span less than 2^63."""
        low, high = integers.to_frame("n").select(low=pl.col("n").min(), high=pl.col("n").max()).row(0)
        if low is None:
            return cls(integers, 1), 0
        return cls(integers - low, high - low + 1), low

    def times(self, stride: int, dtype: pl.DataType) -> pl.Series:
        """Return the values by row, times a number."""
        multiples = self.values.cast(dtype) * stride if stride > 1 else self.values.cast(dtype)
        return multiples if self.codes is None else multiples.gather(self.codes).fill_null(0)


@dataclass(frozen=True)
class Ranking:
    """A column of text as ranks by code point.

    Attributes:
        part: The ranks by row as a part of a key; 0 where there is no value.
        texts: By rank; null first.
    """

    part: Part
    texts: pl.Series

    @classmethod
    def of(cls, frame: pl.DataFrame, name: str) -> "Ranking":
        """Rank a column of text; one the frame lacks has no values."""
        if name not in frame.columns:
            nothing = pl.repeat(0, frame.height, dtype=pl.UInt32, eager=True)
            return cls(Part(nothing, 1), pl.Series(name, [None], pl.String))
        texts = Dictionary.of(frame[name])
        distinct = texts.values.drop_nulls().unique().sort()
        ranks = texts.values.rank("dense").cast(pl.UInt32).fill_null(0)
        found = pl.Series(name, [None], dtype=pl.String).append(distinct)
        return cls(Part(ranks, len(found), texts.codes), found)

    def enum(self) -> pl.Series:
        """Return the texts as an enum: polars writes one in a fraction of the time that it takes for text."""
        return self.texts.cast(pl.Enum(self.texts.drop_nulls()))


def pack(parts: Iterable[Part]) -> tuple[pl.DataFrame, list[list[int]]]:
    """Pack parts, the most significant first.

    Returns:
        Words (UInt32 where that holds them, else UInt64), whose lexicographic order is that of the parts; and by word
        the sizes of its parts.
    """
    words: list[list[Part]] = []
    room = 0
    for part in parts:
        if room >= part.size:
            words[-1].append(part)
            room //= part.size
        else:
            words.append([part])
            room = _WORD // part.size
    packed = [_word(together).alias(str(number)) for number, together in enumerate(words)]
    return pl.DataFrame(packed), [[part.size for part in together] for together in words]


def _word(parts: list[Part]) -> pl.Series:
    stride = math.prod(part.size for part in parts)
    dtype = pl.UInt32() if stride <= _HALF_WORD else pl.UInt64()
    terms = []
    for part in parts:
        stride //= part.size
        terms.append(part.times(stride, dtype))
    return functools.reduce(operator.add, terms)


def unpack(words: pl.DataFrame, sizes: list[list[int]]) -> list[pl.Series]:
    """Return the values of the parts that were packed."""
    parts: list[pl.Series] = []
    for word, word_sizes in zip(words.get_columns(), sizes, strict=True):
        mine: list[pl.Series] = []
        rest = word
        for size in reversed(word_sizes):
            mine.append(rest % size)
            rest = rest // size
        parts += reversed(mine)
    return parts
