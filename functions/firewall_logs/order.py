"""The order of events, and the days it is cut into."""

from typing import Final

import polars as pl

from firewall_logs.keys import Part, Ranking, pack

ORDER_KEYS: Final = ("event_time", "event_time_ns", "client_request_host")
_DAY_US: Final = 86_400_000_000


def arranged(events: pl.DataFrame, kept: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    """Return positions of the events in lake order, and the days as ranges of that order.

    Args:
        events: Those that count, in the order of `row`: ORDER_KEYS, of which client_request_host may be absent.
        kept: Their positions among all, in ascending order.

    Returns:
        Positions (UInt32), by event_date, client_request_host with nulls first, instant and row; and by event_date
        in ascending order: event_date (Date), start and rows (UInt32), min_time and max_time.
    """
    times = events["event_time"].to_physical()
    days = times // _DAY_US
    day, _ = Part.spanning(days)
    nanoseconds, _ = Part.spanning(events["event_time_ns"])
    hosts = Ranking.of(events, "client_request_host")
    words, _ = pack([day, hosts.part, Part(times - days * _DAY_US, _DAY_US), nanoseconds])
    ranges = (
        events.group_by(event_date=days.cast(pl.Int32))
        .agg(rows=pl.len(), min_time=pl.col("event_time").min(), max_time=pl.col("event_time").max())
        .sort("event_date")
        .with_columns(pl.col("event_date").cast(pl.Date), start=pl.col("rows").cum_sum() - pl.col("rows"))
    )
    return words.with_columns(kept.alias("position")).sort(words.columns, maintain_order=True)["position"], ranges
