"""Values of parquet columns as the values of JSON, for the rare places where a row is handled value by value."""

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import polars as pl
from polars.exceptions import ComputeError

from firewall_logs.values import Number

_PER_SECOND: Final = {"ms": 10**3, "us": 10**6, "ns": 10**9}
# What a calendar of four-digit years holds; polars panics on what it cannot format.
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_DAY: Final = 86_400


def plain_values(column: pl.Series) -> Iterator[Any]:
    """Yield a column's values as None, bool, Number, str, list and dict, the domain of `values`.

    Dates and timestamps are texts of RFC 3339, or integers of their unit where a calendar does not reach or where
    they are inside of something else.
    """
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        pattern = "%Y-%m-%dT%H:%M:%S%.f" + ("Z" if dtype.time_zone else "")
        utc = column.dt.convert_time_zone("UTC") if dtype.time_zone else column
        column = _formatted(utc, pattern, _DAY * _PER_SECOND[dtype.time_unit])
    elif dtype == pl.Date:
        column = _formatted(column, "%Y-%m-%d", 1)
    else:
        column = column.cast(_without_times(dtype))
    return map(_plain, column.to_list())


def decoded(column: pl.Series) -> pl.Series:
    """Return the text of a Binary column, null where it is no UTF-8."""
    try:
        return column.cast(pl.String)
    except ComputeError:
        return pl.Series(column.name, map(_text, column.to_list()), dtype=pl.String)


def _formatted(column: pl.Series, pattern: str, per_day: int) -> pl.Series:
    numbers = column.to_physical()
    reached = (numbers // per_day).is_between(_FIRST_DAY, _LAST_DAY)
    texts = column.set(~reached, None).dt.to_string(pattern)
    return texts.zip_with(reached, numbers.cast(pl.String))


def _without_times(dtype: Any) -> pl.DataType:
    """Return a type with integers wherever it has dates, times and durations."""
    result: pl.DataType = dtype
    match dtype:
        case pl.List() | pl.Array():
            result = pl.List(_without_times(dtype.inner))
        case pl.Struct():
            result = pl.Struct({field.name: _without_times(field.dtype) for field in dtype.fields})
        case pl.Map():
            result = pl.Map(dtype.key, _without_times(dtype.value))
        case pl.Date():
            result = pl.Int32()
        case pl.Datetime() | pl.Time() | pl.Duration():
            result = pl.Int64()
    return result


def _plain(value: Any) -> Any:
    plain: Any
    match value:
        case bool() | str() | None:
            plain = value
        case int():
            plain = Number(value)
        case float():
            plain = Number(repr(value)) if math.isfinite(value) else str(value)
        case Decimal():
            plain = Number(f"{value:f}")
        case bytes():
            plain = value.decode("utf-8", "backslashreplace")
        case dict():
            plain = {str(key): _plain(inner) for key, inner in value.items()}
        case list():
            plain = [_plain(inner) for inner in value]
        case _:
            raise TypeError(f"A parquet column holds a {type(value).__name__}.")
    return plain


def _text(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return None
