"""The profile of a cut: what the quality rules want to know of its rows, by feed."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, Final

import polars as pl

from firewall_logs import schema
from firewall_logs.days.contracts import ColumnProfile, FeedProfile
from firewall_logs.names import bounded

_INTEGERS: Final = frozenset(name for name, kind in schema.EVENTS.items() if kind == "int64")
_ENUMERATED: Final = tuple(field.lake for field in schema.FIELDS if field.known is not None)
# With a space, so that they are no column's.
_ROWS: Final = "all rows"
_STAYS: Final = "row stays"


def profile(events: pl.DataFrame, repeated: pl.Series) -> dict[str, FeedProfile]:
    """Count the rows of a cut by feed, and the values of each column of those that stay.

    Args:
        events: The columns of the lake that have a value anywhere, `feed` among them.
        repeated: Positions (UInt32) of the rows that do not stay.
    """
    stays = pl.repeat(value=True, n=events.height, dtype=pl.Boolean, eager=True).scatter(repeated, values=False)
    # One pass over the columns as they lie, without a copy of those that stay.
    marked = events.with_columns(stays.alias(_STAYS))
    keys = ("feed", _STAYS)
    measures = [pl.len().alias(_ROWS)]
    for name in events.columns:
        measures.append(pl.col(name).count().alias(f"present {name}"))
        if name in _INTEGERS:
            measures += [pl.col(name).min().alias(f"low {name}"), pl.col(name).max().alias(f"high {name}")]
    by_feed = {
        (row["feed"], row[_STAYS]): row
        for row in marked.group_by(keys).agg(measures).with_columns(pl.col("feed").cast(pl.String)).to_dicts()
    }
    values = {name: _values(marked, name) for name in _ENUMERATED if name in events.columns}
    return {
        feed: FeedProfile(
            rows=stay.get(_ROWS, 0),
            duplicates=by_feed.get((feed, False), {}).get(_ROWS, 0),
            columns={name: _column(name, stay, values.get(name, {}).get(feed, {})) for name in schema.EVENTS},
        )
        for feed in sorted({feed for feed, _ in by_feed})
        for stay in [by_feed.get((feed, True), {})]
    }


def _column(name: str, measured: dict[str, Any], values: dict[str, int]) -> ColumnProfile:
    kept, omitted = bounded([values], [])
    return ColumnProfile(
        present=measured.get(f"present {name}", 0),
        low=measured.get(f"low {name}"),
        high=measured.get(f"high {name}"),
        values=kept,
        values_omitted=omitted,
    )


def _values(marked: pl.DataFrame, name: str) -> Mapping[str, Counter[str]]:
    """Return the rows that stay by feed and value of a column, in lower case."""
    counted = (
        marked.lazy()
        .select("feed", _STAYS, name)
        .filter(_STAYS, pl.col(name).is_not_null())
        .group_by("feed", name)
        .agg(rows=pl.len())
        .with_columns(pl.col("feed", name).cast(pl.String))
        .collect()
    )
    by_feed: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for feed, value, rows in counted.select("feed", name, "rows").iter_rows():
        by_feed[feed][value.lower()] += rows
    return by_feed
