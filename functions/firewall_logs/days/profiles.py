"""Profiles of cuts add up to that of their day. Pure, and without polars, so that every function can add."""

from collections.abc import Iterable

from firewall_logs.days.contracts import ColumnProfile, FeedProfile
from firewall_logs.names import bounded


def add_profiles(parts: Iterable[dict[str, FeedProfile]]) -> dict[str, FeedProfile]:
    """Return what the profiles of cuts, each by feed, say together, whatever their order."""
    profiles = list(parts)
    feeds = sorted({feed for part in profiles for feed in part})
    return {feed: _feed([part[feed] for part in profiles if feed in part]) for feed in feeds}


def _feed(parts: list[FeedProfile]) -> FeedProfile:
    names = {name: None for part in parts for name in part.columns}
    return FeedProfile(
        rows=sum(part.rows for part in parts),
        duplicates=sum(part.duplicates for part in parts),
        columns={name: _column([part.columns[name] for part in parts if name in part.columns]) for name in names},
    )


def _column(parts: list[ColumnProfile]) -> ColumnProfile:
    values, values_omitted = bounded((part.values for part in parts), (part.values_omitted for part in parts))
    return ColumnProfile(
        present=sum(part.present for part in parts),
        low=min((part.low for part in parts if part.low is not None), default=None),
        high=max((part.high for part in parts if part.high is not None), default=None),
        values=values,
        values_omitted=values_omitted,
    )
