"""When each unit of work ran, how fast it was, and how many were under way at once."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from firewall_logs.contracts import Receipt

# A pause longer than this would squeeze the work itself into slivers; it is drawn this short.
LONGEST_PAUSE: Final = 2.0


@dataclass(frozen=True)
class SliceSpan:
    """One slice of a raw object at work."""

    key: str
    feed: str
    start: datetime
    seconds: float
    rows: int

    @property
    def end(self) -> datetime:
        """When it was done."""
        return self.start + timedelta(seconds=self.seconds)

    @property
    def rows_per_second(self) -> float:
        """Rows read in a second of work."""
        return self.rows / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class UnitSpan:
    """One unit of one run: the slices that one function call worked through, one after the other.

    Attributes:
        peak_rss_mb: Most memory its process ever had.
        cut: Seconds of long pauses before it, which the chart leaves out.
        lane: Row of the chart; units of one lane do not overlap.
    """

    run_id: str
    unit: int
    slices: tuple[SliceSpan, ...]
    peak_rss_mb: float
    cut: float = 0.0
    lane: int = 0

    @property
    def start(self) -> datetime:
        """When its first slice began."""
        return self.slices[0].start

    @property
    def end(self) -> datetime:
        """When its last slice was done."""
        return max(each.end for each in self.slices)

    @property
    def feeds(self) -> str:
        """Names of the feeds its slices belong to."""
        return ", ".join(sorted({each.feed for each in self.slices}))

    @property
    def seconds(self) -> float:
        """Time its slices took."""
        return sum(each.seconds for each in self.slices)

    @property
    def rows(self) -> int:
        """Rows of its slices."""
        return sum(each.rows for each in self.slices)

    @property
    def rows_per_second(self) -> float:
        """Rows read in a second of work."""
        return self.rows / self.seconds if self.seconds else 0.0


def unit_spans(receipts: Iterable[Receipt]) -> list[UnitSpan]:
    """Return the units in the order of their start, each in the first lane that is free."""
    units: dict[tuple[str, int], list[Receipt]] = defaultdict(list)
    for each in receipts:
        units[each.measured.run_id, each.measured.unit].append(each)
    spans = [_span(*key, members) for key, members in units.items()]
    return _in_lanes(_without_pauses(sorted(spans, key=lambda span: span.start)))


def busy_window(spans: list[UnitSpan]) -> timedelta:
    """Return the time in which at least one unit was at work: pauses between runs do not count."""
    total, until = timedelta(), None
    for span in sorted(spans, key=lambda span: span.start):
        begin = span.start if until is None else max(span.start, until)
        total += max(span.end - begin, timedelta())
        until = span.end if until is None else max(until, span.end)
    return total


def _span(run_id: str, unit: int, receipts: list[Receipt]) -> UnitSpan:
    slices = [
        SliceSpan(
            key=each.proof.source.key,
            feed=each.proof.feed,
            start=each.measured.started_at,
            seconds=each.measured.seconds,
            rows=each.proof.account.rows_in,
        )
        for each in receipts
    ]
    return UnitSpan(
        run_id=run_id,
        unit=unit,
        slices=tuple(sorted(slices, key=lambda each: each.start)),
        peak_rss_mb=max(each.measured.peak_rss_mb for each in receipts),
    )


def _without_pauses(spans: list[UnitSpan]) -> list[UnitSpan]:
    placed: list[UnitSpan] = []
    cut, until = 0.0, None
    for span in spans:
        if until is not None:
            cut += max(0.0, (span.start - until).total_seconds() - LONGEST_PAUSE)
        until = span.end if until is None else max(until, span.end)
        placed.append(replace(span, cut=cut))
    return placed


def _in_lanes(spans: list[UnitSpan]) -> list[UnitSpan]:
    free_at: list[datetime] = []
    placed = []
    for span in spans:
        lane = next((i for i, at in enumerate(free_at) if at <= span.start), len(free_at))
        free_at[lane : lane + 1] = [span.end]
        placed.append(replace(span, lane=lane))
    return placed
