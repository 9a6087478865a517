"""Columns of `Datetime`: the common forms by whole columns, whatever is left by `times.instant`, value by value."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from firewall_logs import schema
from firewall_logs.plain import plain_values
from firewall_logs.times import EARLIEST_US, UNITS, UNIX_HIGH, UNIX_LOW, Bounds, TimeRefused, instant

FORM: Final = pl.Enum(schema.TIME_FORMS)
REASON: Final = pl.Enum(schema.ROW_REASONS)

# Of RFC 3339 texts, those whose conversion by polars is proven to agree with `times.instant`; days 29 to 31 that a
# month does not have become null and go the slow way.
_COMMON_TEXT: Final = (
    r"^20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.[0-9]{1,9})?Z$"
)
_COMMON_DIGITS: Final = "^[0-9]{1,19}$"
_SECONDS_LENGTH: Final = len("2024-06-01T09:20:02")
_NATIVE_PER_SECOND: Final = {"ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True)
class Instants:
    """The times of a column, by row.

    Attributes:
        frame: us (Int64, microseconds since 1970), ns (Int16), form (FORM), refused (REASON); the last is null where
            there is an instant, the others where there is none.
    """

    frame: pl.DataFrame


def instants(column: pl.Series, bounds: Bounds) -> pl.DataFrame:
    """Judge a column of `Datetime` of any type.

    Returns:
        By row: us (Int64, microseconds since 1970 in UTC), ns (Int16, 0 to 999), form (FORM) and refused (REASON).
        The last is null where there is a plausible instant; the others mean nothing where there is none.
    """
    dtype = column.dtype
    if dtype == pl.Null or column.null_count() == len(column):
        frame = _nothing(len(column))
    elif dtype == pl.String:
        frame = _of_texts(column, bounds)
    elif dtype.is_integer() and dtype not in (pl.Int128, pl.UInt128):
        frame = _of_integers(column)
    elif isinstance(dtype, pl.Datetime):
        frame = _of_timestamps(column, dtype, bounds)
    else:
        frame = _one_by_one(column, bounds)
    return frame.with_columns(_refusal(column, bounds))


def _nothing(rows: int) -> pl.DataFrame:
    return pl.DataFrame(
        {"us": pl.Series([None], dtype=pl.Int64), "ns": pl.Series([None], dtype=pl.Int16)},
    ).select(
        pl.all().repeat_by(rows).explode(),
        form=pl.repeat(None, rows, dtype=FORM),
        refused=pl.repeat(None, rows, dtype=REASON),
    )
