"""Where a day is cut: ranges of its order that one call can hold, by the hourly counts of its inputs. Pure."""

from collections.abc import Iterator, Mapping
from typing import Final

from firewall_logs.days.contracts import Cut, Place

# What one call sorts and writes at once; docs/firewall_logs.md gives the memory that takes.
CUT_ROWS: Final = 4_000_000

# Host, null for none, and hour: what an hourly count is about.
Cell = tuple[str | None, int]


def cuts(histogram: Mapping[Cell, int], limit: int = CUT_ROWS) -> list[Cut]:
    """Cut a day into ranges, each as long as the limit lets it be.

    Args:
        histogram: Rows of the day by host and hour, in any order: sums of the inputs' hourly counts.
        limit: Most rows of a cut. A cell that has more is a cut of its own, since nothing finer is counted.

    Returns:
        Ranges that follow each other and cover everything; none of a day without rows.
    """
    ranges = list(_ranges(histogram, limit))
    between = [Place(host=host, hour=hour) for (host, hour), _ in ranges[1:]]
    return [
        Cut(start=start, end=end, rows=rows)
        # A day without rows has no ranges, but two ends.
        for (_, rows), start, end in zip(ranges, [None, *between], [*between, None], strict=False)
    ]


def position(host: str | None, hour: int) -> tuple[bool, str, int]:
    """Return what sorts as a day does: no host first, then hosts by code point, which is by UTF-8 byte; then hour."""
    return host is not None, host or "", hour


def _ranges(histogram: Mapping[Cell, int], limit: int) -> Iterator[tuple[Cell, int]]:
    """Yield first cell and rows of each range."""
    first: Cell | None = None
    total = 0
    for cell in sorted((cell for cell, rows in histogram.items() if rows), key=lambda cell: position(*cell)):
        rows = histogram[cell]
        if first is not None and total + rows > limit:
            yield first, total
            first, total = None, 0
        first = first or cell
        total += rows
    if first is not None:
        yield first, total
