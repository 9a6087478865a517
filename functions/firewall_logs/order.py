"""The order of events, and the days it is cut into."""

from typing import Final

import polars as pl

from firewall_logs.keys import Part, Ranking, pack

_KEYS: Final = ("event_time", "event_time_ns", "client_request_host")
_DAY_US: Final = 86_400_000_000


def arranged(events: pl.DataFrame, kept: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    """Return positions of the events in lake order, and the days as ranges of that order.

    Args:
        events: In the order of `row`: event_time, event_time_ns, and client_request_host where the slice has it.
        kept: Positions of the rows that count, in ascending order.

    Returns:
        Positions (UInt32), by event_date, client_request_host with nulls first, instant and row; and by event_date
        in ascending order: event_date (Date), start and rows (UInt32), min_time and max_time.
    """
    events = events.select(name for name in _KEYS if name in events.columns)[kept]
    times = events["event_time"].to_physical()
    day, _ = Part.spanning(times // _DAY_US)
    nanoseconds, _ = Part.spanning(events["event_time_ns"])
    hosts = Ranking.of(events, "client_request_host")
    words, _ = pack([day, hosts.part, Part(times % _DAY_US, _DAY_US), nanoseconds])
    days = (
        events.group_by(event_date=pl.col("event_time").dt.date())
        .agg(rows=pl.len(), min_time=pl.col("event_time").min(), max_time=pl.col("event_time").max())
        .sort("event_date")
        .with_columns(start=pl.col("rows").cum_sum() - pl.col("rows"))
    )
    return words.with_columns(kept.alias("position")).sort(words.columns, maintain_order=True)["position"], days
