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
class UnitSpan:
    """One unit of one run: the slices that one function call worked through.

    Attributes:
        begins: Seconds on the chart's axis, from which long pauses are cut.
        ends: The same of its end.
        lane: Row of the chart; spans of one lane do not overlap.
        peak_rss_mb: Most memory its process ever had.
    """

    run_id: str
    unit: int
    feed: str
    start: datetime
    end: datetime
    seconds: float
    rows: int
    slices: int
    peak_rss_mb: float
    begins: float = 0.0
    ends: float = 0.0
    lane: int = 0

    @property
    def rows_per_second(self) -> float:
        """Rows read in a second of work."""
        return self.rows / self.seconds if self.seconds else 0.0


def unit_spans(receipts: Iterable[Receipt]) -> list[UnitSpan]:
    """Return the units in the order of their start, each in the first lane that is free."""
    units: dict[tuple[str, int], list[Receipt]] = defaultdict(list)
    for each in receipts:
        units[each.measured.run_id, each.measured.unit].append(each)
    spans = [_span(*key, slices) for key, slices in units.items()]
    return _in_lanes(_without_pauses(sorted(spans, key=lambda span: span.start)))


def busy_window(spans: list[UnitSpan]) -> timedelta:
    """Return the time in which at least one unit was at work: pauses between runs do not count."""
    total, until = timedelta(), None
    for span in sorted(spans, key=lambda span: span.start):
        begin = span.start if until is None else max(span.start, until)
        total += max(span.end - begin, timedelta())
        until = span.end if until is None else max(until, span.end)
    return total


def _span(run_id: str, unit: int, slices: list[Receipt]) -> UnitSpan:
    measured = [each.measured for each in slices]
    feeds = sorted({each.proof.feed for each in slices})
    return UnitSpan(
        run_id=run_id,
        unit=unit,
        feed=feeds[0] if len(feeds) == 1 else "several feeds",
        start=min(each.started_at for each in measured),
        end=max(each.started_at + timedelta(seconds=each.seconds) for each in measured),
        seconds=sum(each.seconds for each in measured),
        rows=sum(each.proof.account.rows_in for each in slices),
        slices=len(slices),
        peak_rss_mb=max(each.peak_rss_mb for each in measured),
    )


def _without_pauses(spans: list[UnitSpan]) -> list[UnitSpan]:
    placed: list[UnitSpan] = []
    cut = 0.0
    until = spans[0].start if spans else None
    for span in spans:
        if until is not None and span.start > until:
            cut += max(0.0, (span.start - until).total_seconds() - LONGEST_PAUSE)
        until = max(until, span.end) if until else span.end
        begins = (span.start - spans[0].start).total_seconds() - cut
        placed.append(replace(span, begins=begins, ends=begins + (span.end - span.start).total_seconds()))
    return placed


def _in_lanes(spans: list[UnitSpan]) -> list[UnitSpan]:
    free_at: list[datetime] = []
    placed = []
    for span in spans:
        lane = next((i for i, at in enumerate(free_at) if at <= span.start), len(free_at))
        free_at[lane : lane + 1] = [span.end]
        placed.append(replace(span, lane=lane))
    return placed
