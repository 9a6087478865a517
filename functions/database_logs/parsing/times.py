"""Times as logs write them, to instants."""

from datetime import UTC, datetime
from functools import cache
from typing import Final

import polars as pl

INSTANT: Final = pl.Datetime("us", "UTC")
# Servers that write logs for RDS are of this time. Statements may hold lines that look like a record's first one with
# any time, for which there is no day, neither in Python nor in the lake.
_EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST: Final = datetime(2200, 1, 1, tzinfo=UTC)


@cache
def zone_exists(name: str) -> bool:
    """Return whether this is an IANA name; `SYSTEM` and abbreviations are none."""
    try:
        pl.Series([datetime(1970, 1, 1)]).dt.replace_time_zone(name)  # noqa: DTZ001 - it is given a zone
    except pl.exceptions.ComputeError:
        return False
    return bool(name)


def with_possible_times(records: pl.DataFrame, zone: str) -> pl.DataFrame:
    """Return records whose instants are null where there can be none, with the reason.

    Args:
        records: Those of a segment, with the columns of COMMON.
        zone: Of times that name none.
    """
    possible = {
        name: pl.col(name).is_between(_EARLIEST, _LATEST, closed="left").fill_null(value=True)
        for name, kind in records.schema.items()
        if kind == INSTANT
    }
    impossible = ~pl.all_horizontal(possible.values())
    unknown = pl.col("event_time").is_null() & (not zone_exists(zone))
    if not records.select((impossible | unknown).any()).item():
        return records
    possible["time_source"] = possible["event_time"]
    return records.with_columns(
        *(pl.when(one).then(pl.col(name)).alias(name) for name, one in possible.items()),
        pl.coalesce(
            pl.col("parse_reason"),
            pl.when(impossible).then(pl.lit("time_impossible")),
            pl.when(unknown).then(pl.lit("time_zone_unknown")),
        ).alias("parse_reason"),
    )


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
    if not zone_exists(zone):
        return pl.lit(None, INSTANT)
    # Of an hour that is there twice the first: the log does not tell.
    known = time.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return known.dt.convert_time_zone("UTC")
