"""Integer keys: columns packed into as few 64-bit words as hold them, so that one integer sorts or groups a row."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import polars as pl

from firewall_logs.dictionary import Dictionary

_WORD: Final = 2**64


@dataclass(frozen=True)
class Part:
    """One column of a key.

    Attributes:
        values: Integers from 0 to size - 1, none null.
        size: How many values there may be.
    """

    values: pl.Series
    size: int

    @classmethod
    def spanning(cls, integers: pl.Series) -> tuple["Part", int]:
        """Return integers as a part, and the smallest of them, which the part counts from; they span less than 2^63."""
        low, high = integers.to_frame("n").select(low=pl.col("n").min(), high=pl.col("n").max()).row(0)
        if low is None:
            return cls(integers, 1), 0
        return cls(integers - low, high - low + 1), low


@dataclass(frozen=True)
class Ranking:
    """A column of text as ranks by code point.

    Attributes:
        ranks: By row, UInt32; 0 where there is no value.
        texts: By rank; null first.
    """

    ranks: pl.Series
    texts: pl.Series

    @classmethod
    def of(cls, frame: pl.DataFrame, name: str) -> "Ranking":
        """Rank a column of text; one the frame lacks has no values."""
        if name not in frame.columns:
            return cls(pl.repeat(0, frame.height, dtype=pl.UInt32, eager=True), pl.Series(name, [None], pl.String))
        texts = Dictionary.of(frame[name])
        by_value = texts.values.rank("dense").cast(pl.UInt32)
        distinct = texts.values.drop_nulls().unique().sort()
        nothing = pl.Series(name, [None], dtype=pl.String)
        return cls(texts.spread(by_value).fill_null(0), nothing.append(distinct))

    @property
    def part(self) -> Part:
        """The ranks as a part of a key."""
        return Part(self.ranks, len(self.texts))


def pack(parts: Iterable[Part]) -> tuple[pl.DataFrame, list[list[int]]]:
    """Pack parts, the most significant first.

    Returns:
        Words (UInt64), whose lexicographic order is that of the parts; and by word the sizes of its parts.
    """
    words: list[pl.Series] = []
    sizes: list[list[int]] = []
    room = 0
    for part in parts:
        values = part.values.cast(pl.UInt64)
        if room >= part.size:
            words[-1] = words[-1] * part.size + values
            sizes[-1].append(part.size)
            room //= part.size
        else:
            words.append(values)
            sizes.append([part.size])
            room = _WORD // part.size
    return pl.DataFrame([word.alias(str(number)) for number, word in enumerate(words)]), sizes


def unpack(words: pl.DataFrame, sizes: list[list[int]]) -> list[pl.Series]:
    """Return the values of the parts that were packed (UInt64)."""
    parts: list[pl.Series] = []
    for word, word_sizes in zip(words.get_columns(), sizes, strict=True):
        mine: list[pl.Series] = []
        rest = word
        for size in reversed(word_sizes):
            mine.append(rest % size)
            rest = rest // size
        parts += reversed(mine)
    return parts
