"""The order of events, and the days it is cut into."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from firewall_logs.duplicates import without
from firewall_logs.keys import Part, Ranking, pack

ORDER_KEYS: Final = ("event_time", "event_time_ns", "client_request_host")
_DAY_US: Final = 86_400_000_000


@dataclass(frozen=True)
class Order:
    """Events in the order of the lake: by event_date, client_request_host with nulls first, instant and row.

    Attributes:
        positions: Of the events among all rows (UInt32).
        tied: Where in `positions` the events are that agree in host and instant with another one (UInt32, ascending).
    """

    positions: pl.Series
    tied: pl.Series

    @classmethod
    def of(cls, events: pl.DataFrame, counted: pl.Series) -> "Order":
        """Sort events.

        Args:
            events: All rows, of which those that count have the instant; ORDER_KEYS, of which client_request_host may
                be absent.
            counted: Positions (UInt32) of the events among the rows, in ascending order.
        """
        keys = events.select(name for name in ORDER_KEYS if name in events.columns)[counted]
        times = keys["event_time"].to_physical()
        days = times // _DAY_US
        day, _ = Part.spanning(days)
        nanoseconds, _ = Part.spanning(keys["event_time_ns"])
        hosts = Ranking.of(keys, "client_request_host")
        words, _ = pack([day, hosts.part, Part(times - days * _DAY_US, _DAY_US), nanoseconds])
        names = words.columns
        arranged = words.with_columns(counted.alias("position")).sort(names, maintain_order=True)
        repeats = pl.all_horizontal(pl.col(names) == pl.col(names).shift(1)).fill_null(value=False)
        ties = arranged.select(repeats | repeats.shift(-1, fill_value=False)).to_series()
        return cls(arranged["position"], ties.arg_true())

    @property
    def suspects(self) -> pl.Series:
        """Positions of events that agree in host and instant with another one (UInt32, ascending)."""
        return self.positions.gather(self.tied).sort()

    def without(self, repeated: pl.Series) -> pl.Series:
        """Return `positions` without some of the suspects (UInt32)."""
        excluded = self.tied.filter(self.positions.gather(self.tied).is_in(repeated.implode()))
        return self.positions.gather(without(len(self.positions), excluded))


def days(events: pl.DataFrame) -> pl.DataFrame:
    """Return the days of events as ranges of their order.

    Returns:
        By event_date in ascending order: event_date (Date), rows and start (UInt32), min_time and max_time.
    """
    return (
        events.group_by(event_date=(pl.col("event_time").to_physical() // _DAY_US).cast(pl.Int32))
        .agg(rows=pl.len(), min_time=pl.col("event_time").min(), max_time=pl.col("event_time").max())
        .sort("event_date")
        .with_columns(pl.col("event_date").cast(pl.Date), start=pl.col("rows").cum_sum() - pl.col("rows"))
    )
