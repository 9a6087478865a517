"""Values of parquet columns as the values of JSON, for the rare places where a row is handled value by value."""

import math
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from firewall_logs.values import Number


def plain_values(column: pl.Series) -> Iterable[Any]:
    """Yield a column's values as None, bool, Number, str, list and dict, the domain of `values`."""
    return map(_plain, column.to_list())


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value
        case int():
            return Number(value)
        case float():
            return Number(repr(value)) if math.isfinite(value) else str(value)
        case Decimal():
            return Number(f"{value:f}")
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case dict():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case list():
            return [_plain(inner) for inner in value]
        case pl.Series():
            return [_plain(inner) for inner in value.to_list()]
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta():
            return str(value)
    raise TypeError(f"A parquet column holds a {type(value).__name__}.")
