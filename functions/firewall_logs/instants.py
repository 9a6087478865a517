"""Columns of `Datetime`: the common forms by whole columns, whatever is left by `times.instant`, value by value."""

from collections.abc import Callable
from typing import Final

import polars as pl

from firewall_logs import schema
from firewall_logs.dictionary import Dictionary, as_dictionary
from firewall_logs.plain import decoded
from firewall_logs.rows import REASON
from firewall_logs.times import EARLIEST_US, UNITS, UNIX_HIGH, UNIX_LOW, Bounds, TimeRefused, instant

FORM: Final = pl.Enum(schema.TIME_FORMS)
_PARTS: Final = pl.Schema({"us": pl.Int64(), "ns": pl.Int16(), "form": FORM, "refused": REASON})

# The texts that need no more than cutting: in this century, in UTC or without zone, all their numbers in range but
# for days a month does not have.
_COMMON_TEXT: Final = (
    r"^20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{1,9})?(?:Z|[+-]00:00)?$"
)
_COMMON_DIGITS: Final = "^[0-9]{1,19}$"
_WHOLE_SECONDS: Final = len("2024-06-01T09:20:02Z")
_US: Final = 10**6
_NATIVE_PER_SECOND: Final = {"ms": 10**3, "us": _US, "ns": 10**9}
_FAR_MS: Final = 9 * 10**15


def instants(column: pl.Series, bounds: Bounds) -> pl.DataFrame:
    """Judge a column of `Datetime`: String, or of any type parquet has.

    Returns:
        By row: us (Int64, microseconds since 1970 in UTC), ns (Int16, 0 to 999), form (FORM) and refused (REASON).
        The last is null where there is a plausible instant; the others mean nothing where there is none.
    """
    judged = _judged(column, bounds)
    latest = pl.col("us") + (pl.col("ns") > 0).cast(pl.Int64)
    implausible = (pl.col("us") < EARLIEST_US) | (latest > bounds.latest_us)
    return judged.select(
        "us",
        "ns",
        "form",
        refused=pl.when(pl.lit(column.is_null()))
        .then(pl.lit("time_missing", REASON))
        .when(pl.col("refused").is_not_null())
        .then("refused")
        .when(implausible)
        .then(pl.lit("time_implausible", REASON)),
    )


def _judged(column: pl.Series, bounds: Bounds) -> pl.DataFrame:
    """Judge values that are not null; what comes of nulls means nothing."""
    match column.dtype:
        case pl.String():
            return _of_texts(column, bounds)
        case pl.Categorical() | pl.Enum():
            return _of_texts(column.cast(pl.String), bounds)
        case pl.Binary():
            texts = decoded(column)
            no_text = pl.when(pl.lit(texts.is_null())).then(pl.lit("time_type", REASON)).otherwise("refused")
            return _of_texts(texts, bounds).with_columns(refused=no_text)
        case pl.Datetime() as dtype:
            return _of_timestamps(column, dtype, bounds)
        case pl.Decimal(scale=0):
            return _of_integers(column)
    return _of_integers(column) if column.dtype.is_integer() else _of_another_type(column)


def _of_another_type(column: pl.Series) -> pl.DataFrame:
    return pl.DataFrame({"refused": pl.repeat("time_type", len(column), dtype=REASON, eager=True)}).select(
        us=pl.lit(None, pl.Int64), ns=pl.lit(None, pl.Int16), form=pl.lit(None, FORM), refused="refused"
    )


def _of_texts(column: pl.Series, bounds: Bounds) -> pl.DataFrame:
    common = column.str.contains(_COMMON_TEXT).fill_null(value=False)
    judged = _of_common_texts(column if common.all() else column.set(~common, None), bounds)
    digits = column.str.contains(_COMMON_DIGITS).fill_null(value=False) & ~common
    judged = _replaced(judged, digits, lambda rows: _of_integers(column.gather(rows).str.to_integer(dtype=pl.UInt64)))
    return _replaced(judged, ~(common | digits), lambda rows: _one_by_one(column.gather(rows), bounds))


def _replaced(judged: pl.DataFrame, mask: pl.Series, judge: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    """Return the frame with the rows that the mask marks judged otherwise."""
    rows = mask.arg_true()
    if rows.is_empty():
        return judged
    other = judge(rows)
    return judged.with_columns(judged[name].scatter(rows, other[name]) for name in judged.columns)


def _of_common_texts(texts: pl.Series, bounds: Bounds) -> pl.DataFrame:
    """Cut texts that _COMMON_TEXT matches, and nulls; days and times of day are parsed once per distinct text."""
    days = Dictionary.of(as_dictionary(texts.str.slice(0, 10)))
    clocks = Dictionary.of(as_dictionary(texts.str.slice(11, 8)))
    day = days.spread(days.values.str.to_date("%Y-%m-%d", strict=False).cast(pl.Int64))
    us = (day * 86_400 + clocks.spread(_seconds(clocks.values))) * _US
    no_day = pl.when(day.is_null()).then(pl.lit("time_format", REASON))
    if (texts.str.len_bytes() == _WHOLE_SECONDS).all():
        ns, form = pl.repeat(0, len(texts), dtype=pl.Int16), pl.repeat("rfc3339", len(texts), dtype=FORM)
        return pl.select(us=us, ns=ns, form=form, refused=no_day)
    rest = texts.str.slice(19)
    nanoseconds = rest.str.extract(r"^\.([0-9]+)").str.pad_end(9, "0").str.to_integer().fill_null(0)
    zoned = rest.str.contains("[Z+-]")
    unzoned = pl.lit(None, REASON) if bounds.naive_is_utc else pl.lit("time_naive", REASON)
    return pl.select(
        us=us + nanoseconds // 1000,
        ns=(nanoseconds % 1000).cast(pl.Int16),
        form=pl.when(zoned).then(pl.lit("rfc3339", FORM)).otherwise(pl.lit("naive", FORM)),
        refused=pl.coalesce(no_day, pl.when(~zoned).then(unzoned)),
    )


def _seconds(clocks: pl.Series) -> pl.Series:
    hours, minutes, seconds = (clocks.str.slice(start, 2).str.to_integer() for start in (0, 3, 6))
    return hours * 3600 + minutes * 60 + seconds


def _of_integers(numbers: pl.Series) -> pl.DataFrame:
    """Judge integers of any width; what int64 does not hold is in no unit's window."""
    n = numbers.cast(pl.Int64, strict=False).alias("n")
    us, ns, form = pl.lit(None, pl.Int64), pl.lit(None, pl.Int16), pl.lit(None, FORM)
    for name, per_second in UNITS.items():
        within = pl.col("n").is_between(UNIX_LOW * per_second, UNIX_HIGH * per_second, closed="left")
        if n.is_between(UNIX_LOW * per_second, UNIX_HIGH * per_second, closed="left").any():
            exact_us, exact_ns = _split(pl.col("n"), per_second)
            us = pl.when(within).then(exact_us).otherwise(us)
            ns = pl.when(within).then(exact_ns).otherwise(ns)
            form = pl.when(within).then(pl.lit(name, FORM)).otherwise(form)
    refused = pl.when(us.is_null()).then(pl.lit("time_unit", REASON))
    return n.to_frame().with_columns(us=us, ns=ns, form=form, refused=refused).drop("n")


def _split(n: pl.Expr, per_second: int) -> tuple[pl.Expr, pl.Expr]:
    """Return whole microseconds and the nanoseconds past them of integers of this unit."""
    if per_second > _US:
        per_us = per_second // _US
        return n // per_us, (n % per_us).cast(pl.Int16)
    return n * (_US // per_second), pl.lit(0, pl.Int16)


def _of_timestamps(column: pl.Series, dtype: pl.Datetime, bounds: Bounds) -> pl.DataFrame:
    form, refused = ("native", None) if dtype.time_zone else ("naive", None if bounds.naive_is_utc else "time_naive")
    # The farthest milliseconds would overflow as microseconds; clipped they are as implausible.
    physical = column.to_physical().clip(-_FAR_MS, _FAR_MS) if dtype.time_unit == "ms" else column.to_physical()
    us, ns = _split(pl.col("n"), _NATIVE_PER_SECOND[dtype.time_unit])
    numbers = physical.alias("n").to_frame()
    return numbers.with_columns(us=us, ns=ns, form=pl.lit(form, FORM), refused=pl.lit(refused, REASON)).drop("n")


def _one_by_one(column: pl.Series, bounds: Bounds) -> pl.DataFrame:
    return pl.DataFrame([_row(value, bounds) for value in column.to_list()], schema=_PARTS, orient="row")


def _row(value: object, bounds: Bounds) -> tuple[int | None, int | None, str | None, str | None]:
    try:
        found = instant(value, bounds)
    except TimeRefused as refusal:
        return None, None, None, str(refusal)
    return found.us, found.ns, found.form, None
