"""Where a day is cut: ranges of its order that one call can hold, by counts of its inputs. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from firewall_logs.days.contracts import Cut, Place

HOUR_SECONDS: Final = 3600

# Host, null for none, and hour: what an hourly count is about.
Cell = tuple[str | None, int]
# The same, and second of the hour.
Moment = tuple[str | None, int, int]


@dataclass(frozen=True)
class Weight:
    """What some rows of a day take.

    Attributes:
        rows: How many.
        bytes: Of them as parquet encodes them, before compression.
    """

    rows: int
    bytes: int

    def __add__(self, other: "Weight") -> "Weight":
        """Return what both take."""
        return Weight(self.rows + other.rows, self.bytes + other.bytes)

    def exceeds(self, limit: "Weight") -> bool:
        """Return whether either is over its limit."""
        return self.rows > limit.rows or self.bytes > limit.bytes


NOTHING: Final = Weight(0, 0)
# What one call sorts and writes at once; docs/firewall_logs.md gives the memory that takes. Where a day is cut decides
# bytes, so it does not depend on the machine that compacts.
MOST: Final = Weight(rows=4_000_000, bytes=2 << 30)


@dataclass(frozen=True)
class WeighedCut:
    """A cut, and what it takes."""

    cut: Cut
    weight: Weight


def too_heavy(day: Mapping[Moment, Weight], limit: Weight) -> set[Cell]:
    """Return the host's hours that must be divided by the second."""
    return {(host, hour) for (host, hour, _), weight in day.items() if weight.exceeds(limit)}


def cuts(day: Mapping[Moment, Weight], limit: Weight) -> list[WeighedCut]:
    """Cut a day into ranges, each as long as the limit lets it be.

    Args:
        day: What its inputs have by host, hour and second, in any order.
        limit: What a cut may take at most. A second of one host that takes more is a cut of its own, since nothing
            finer is counted.

    Returns:
        Ranges that follow each other and cover everything; none of a day without rows.
    """
    ranges = list(_ranges(day, limit))
    between = [Place(host=host, hour=hour, second=second) for (host, hour, second), _ in ranges[1:]]
    return [
        WeighedCut(Cut(start=start, end=end, rows=weight.rows), weight)
        # A day without rows has no ranges, but two ends.
        for (_, weight), start, end in zip(ranges, [None, *between], [*between, None], strict=False)
    ]


def position(place: Place) -> tuple[bool, str, int]:
    """Return what sorts as a day does: no host first, then hosts by code point, which is by UTF-8 byte; then second."""
    return place.host is not None, place.host or "", second_of_day(place)


def second_of_day(place: Place) -> int:
    """Return the second of the day that a place begins with."""
    return place.hour * HOUR_SECONDS + place.second


def _ranges(day: Mapping[Moment, Weight], limit: Weight) -> Iterator[tuple[Moment, Weight]]:
    """Yield first moment and weight of each range."""
    first: Moment | None = None
    total = NOTHING
    for moment in sorted((moment for moment, weight in day.items() if weight.rows), key=_order):
        weight = day[moment]
        if first is not None and (total + weight).exceeds(limit):
            yield first, total
            first, total = None, NOTHING
        first = first or moment
        total += weight
    if first is not None:
        yield first, total


def _order(moment: Moment) -> tuple[bool, str, int, int]:
    host, hour, second = moment
    return host is not None, host or "", hour, second
