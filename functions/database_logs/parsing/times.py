"""Times as logs write them, to instants."""

from typing import Final

import polars as pl

INSTANT: Final = pl.Datetime("us", "UTC")


def rfc3339(text: pl.Expr) -> pl.Expr:
    """Return instants of `2017-12-13T02:41:18.673330Z` or with an offset; null for other texts."""
    return text.str.to_datetime("%+", time_unit="us", strict=False)


def short(text: pl.Expr, zone: str) -> pl.Expr:
    """Return instants of `131128  1:05:31`, local to `zone`; null for other texts."""
    padded = _with_blank(text).str.replace(r"^(\d{6}) +(\d):", "${1} 0${2}:")
    return _local(padded.str.to_datetime("%y%m%d %H:%M:%S%.f", time_unit="us", strict=False), zone)


def spaced(text: pl.Expr, zone: str) -> pl.Expr:
    """Return instants of `2024-05-01  1:05:31`, local to `zone`; null for other texts."""
    padded = _with_blank(text).str.replace(r" +(\d):", " 0${1}:")
    return _local(padded.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False), zone)


def dense(text: pl.Expr, zone: str) -> pl.Expr:
    """Return instants of `20240501 01:05:31`, local to `zone`; null for other texts."""
    return _local(_with_blank(text).str.to_datetime("%Y%m%d %H:%M:%S", time_unit="us", strict=False), zone)


def named_day(text: pl.Expr, zone: str) -> pl.Expr:
    """Return instants of `Wed May 01 10:00:00 2024`, local to `zone`; null for other texts."""
    return _local(text.str.slice(4).str.to_datetime("%b %e %H:%M:%S %Y", time_unit="us", strict=False), zone)


def inherited(time: str, begin: pl.Expr) -> pl.Expr:
    """Return the time of the record before, for records without one; null for those that `begin` anew."""
    return pl.when(~begin).then(pl.col(time).forward_fill().over(begin.cum_sum()))


def _with_blank(text: pl.Expr) -> pl.Expr:
    # Times of other forms have none, and to find that out is faster than to fail to parse them.
    return pl.when(text.str.contains(" ", literal=True)).then(text)


def _local(time: pl.Expr, zone: str) -> pl.Expr:
    # Of an hour that is there twice the first: the log does not tell.
    known = time.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return known.dt.convert_time_zone("UTC")
