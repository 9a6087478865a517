"""The hourly counts."""

from typing import Final

import polars as pl

from firewall_logs import schema
from firewall_logs.keys import Part, Ranking, pack, unpack

_TEXTS: Final = tuple(name for name, kind in schema.HOURLY.items() if kind == "string")
HOURLY_KEYS: Final = ("event_time", *_TEXTS)
HOUR_US: Final = 3_600_000_000
HOURS: Final = 24


def hourly(events: pl.DataFrame) -> pl.DataFrame:
    """Count events by day, hour, host, action, source and rule.

    Args:
        events: Those that count: HOURLY_KEYS, of which only event_time must be there.

    Returns:
        event_date (Date) and `schema.HOURLY`, in the order of its keys with nulls first.
    """
    hours, first = Part.spanning(events["event_time"].to_physical() // HOUR_US)
    rankings = [Ranking.of(events, name) for name in _TEXTS]
    words, sizes = pack([hours, *(ranking.part for ranking in rankings)])
    # One sorted word, as nearly always, is counted by its runs: sorting and counting take a third of hashing.
    counted = words.sort(words.columns).group_by(words.columns, maintain_order=True).agg(events=pl.len().cast(pl.Int64))
    hour, *ranks = unpack(counted.select(words.columns), sizes)
    hour = hour.cast(pl.Int64) + first
    texts = [ranking.enum().gather(by_row) for ranking, by_row in zip(rankings, ranks, strict=True)]
    return pl.DataFrame(
        [
            (hour // HOURS).cast(pl.Int32).cast(pl.Date).alias("event_date"),
            (hour % HOURS).cast(pl.Int8).alias("event_hour"),
            *texts,
            counted["events"],
        ]
    )
