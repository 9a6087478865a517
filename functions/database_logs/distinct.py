"""Columns of text in which values recur: what is done with a value is done once."""

from collections.abc import Callable

import polars as pl


def distinct_texts(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Return the distinct texts (String) in the order in which they come, and by row the place of its text (UInt32).

    Null is no text: its place is null.
    """
    # A dictionary lives as long as a column that has codes of it.
    coded = texts.cast(pl.Categorical(pl.Categories.random()))
    codes = coded.to_physical()
    places = pl.int_range(codes.n_unique() - coded.has_nulls(), dtype=pl.UInt32, eager=True)
    return places.cat.to(coded.dtype).cast(pl.String), codes


def mapped(texts: pl.Series, function: Callable[[pl.Series], list[str]]) -> pl.Series:
    """Apply `function` to the distinct texts other than null, in the order in which they come."""
    distinct, codes = distinct_texts(texts)
    return pl.Series(texts.name, function(distinct), dtype=pl.String()).gather(codes)
