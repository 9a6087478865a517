"""Rows that are one event: equal in every column of the lake (docs/firewall_logs.md, "Duplicates")."""

from typing import Final

import polars as pl

# Columns that are cheap to hash and tell most events apart. Which they are changes the speed, never the result.
_TELLING: Final = (
    "event_time",
    "event_time_ns",
    "client_request_host",
    "client_request_path",
    "match_index",
    "ray_id",
    "rule_id",
)
# Whole events are copied to be compared: all of them at once would take twice the memory of a slice that came twice.
_COMPARED_AT_ONCE: Final = 262_144


def duplicates(events: pl.DataFrame, suspects: pl.Series) -> pl.Series:
    """Return the positions (UInt32) of the events that repeat an earlier one.

    Args:
        events: In the order of the object: the lake's columns that the slice has. Those it lacks are null throughout
            and tell nothing apart, as do those derived from others.
        suspects: Positions (UInt32, ascending) of events, among them all that are equal to another one.
    """
    telling = events.select(pl.col(name).to_physical() for name in _TELLING if name in events.columns)
    hashes = telling[suspects].hash_rows()
    ascending = hashes.sort()
    repeated = ascending.filter(ascending == ascending.shift(1)).unique()
    # Equal events have equal hashes; which of these are equal events is then decided by all their columns.
    alike = hashes.is_in(repeated.implode())
    suspects, hashes = suspects.filter(alike), hashes.filter(alike)
    parts = len(suspects) // _COMPARED_AT_ONCE + 1
    part = hashes % parts
    first = pl.concat(_first(events, suspects.filter(part == number)) for number in range(parts))
    return suspects.filter(~suspects.is_in(first.implode()))


def _first(events: pl.DataFrame, suspects: pl.Series) -> pl.Series:
    """Return the positions of the first of each of the events that are equal in all their columns."""
    content = events[suspects].with_columns(position=suspects)
    return content.unique(events.columns, keep="first", maintain_order=True)["position"]


def without(rows: int, excluded: pl.Series) -> pl.Series:
    """Return all positions (UInt32) of so many rows but the excluded ones."""
    return pl.repeat(value=True, n=rows, dtype=pl.Boolean, eager=True).scatter(excluded, values=False).arg_true()
