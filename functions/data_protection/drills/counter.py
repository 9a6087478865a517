"""Counts what was restored: in segments, within a budget of capacity and of time, as often interrupted as need be."""

from collections.abc import Callable
from datetime import datetime
from math import ceil
from typing import TYPE_CHECKING, Final

from data_protection.drills.contracts import Drill, DrillCount, DrillResult

if TYPE_CHECKING:
    from data_protection.adapters.drill_counts import ScratchCounts
    from data_protection.adapters.drills import DrillStore

_GB: Final = 1024**3
_SEGMENT: Final = 16 * 1024**2  # bytes: some seconds of reading, which is what an interruption costs
_FEWEST: Final = 16  # segments: AWS' count of bytes may be six hours old, and say nothing of a new table
# An eventually consistent read of 4 KB is half a unit:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
_UNITS_A_GB: Final = _GB / 4096 / 2


class Counter:
    """Counts the restored table of a drill.

    Args:
        drill: Which.
        tables: Counts segments of scratch tables.
        store: Keeps how far it is.
        now: The time.
    """

    def __init__(self, drill: Drill, tables: "ScratchCounts", store: "DrillStore", now: Callable[[], datetime]) -> None:
        self._drill, self._tables, self._store, self._now = drill, tables, store, now

    def go_on(self, found: DrillResult, is_late: Callable[[], bool]) -> DrillCount:
        """Count until all is counted, the budget is used up, DynamoDB throttles, or it is late; keep how far it is.

        Args:
            found: By the drill.
            is_late: Whether no further segment should be begun now.
        """
        count = self._store.count() or self._begin(found)
        if not count.is_over and not self._tables.ready(self._drill.scratch):
            return self._keep(self._end(count, self._used_up(count)))
        while not count.is_over and not is_late():
            segment = self._tables.count(self._drill.scratch, count.counted, count.segments)
            if segment is None:
                return self._keep(self._end(count, self._used_up(count)))
            items, units = segment
            count = count.model_copy(
                update={
                    "counted": count.counted + 1,
                    "items": count.items + items,
                    "units": count.units + units,
                }
            )
            count = self._keep(self._end(count, "" if count.is_whole else self._used_up(count)))
        return count

    def _begin(self, found: DrillResult) -> DrillCount:
        asked, size = self._drill.asked, found.source_bytes
        count = DrillCount(began=self._now(), segments=max(_FEWEST, ceil(size / _SEGMENT)))
        too_large = size > asked.most_counted_gb * _GB or asked.most_counted_gb == 0
        note = f"It has {size / _GB:.1f} GB, and most_counted_gb is {asked.most_counted_gb:g}." if too_large else ""
        return self._keep(self._end(count, note))

    def _used_up(self, count: DrillCount) -> str:
        """Return which budget is used up, as a sentence; nothing where none is."""
        asked = self._drill.asked
        if count.units >= asked.most_counted_gb * _UNITS_A_GB:
            return f"{count.units:.0f} read units are used, which is what most_counted_gb allows."
        if (self._now() - count.began).total_seconds() >= asked.most_counted_minutes * 60:
            return f"{asked.most_counted_minutes:g} minutes are over, which is what most_counted_minutes allows."
        return ""

    def _end(self, count: DrillCount, note: str) -> DrillCount:
        """Return the count as over where there is a reason, or where it is whole."""
        if not note and not count.is_whole:
            return count
        seconds = (self._now() - count.began).total_seconds()
        return count.model_copy(update={"is_over": True, "note": note, "seconds": seconds})

    def _keep(self, count: DrillCount) -> DrillCount:
        self._store.keep_count(count)
        return count
