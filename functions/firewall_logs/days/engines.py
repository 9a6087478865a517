"""Which machine compacts which cut of a day: functions, or tasks on Fargate. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from firewall_logs.days import cutting
from firewall_logs.days.contracts import CompactionTask, CompactionUnit
from firewall_logs.days.cutting import NOTHING, WeighedCut, Weight
from firewall_logs.errors import CutTooHeavy

# Memory of CompactUnit; docs/firewall_logs.md has what of it a cut as heavy as can be takes.
FUNCTION_MB: Final = 6144
# Of one task: some minutes of work, since it takes about one to start.
_FULL_CUTS: Final = 16


@dataclass(frozen=True)
class Engines:
    """What a seal may use.

    Attributes:
        heavy_bytes: Bytes of a day's inputs above which tasks compact it.
        task_memory_mb: Memory of a task on Fargate; 0 where the stack has none.
    """

    heavy_bytes: int
    task_memory_mb: int

    def divide(
        self, cuts: Iterable[tuple[WeighedCut, CompactionUnit]], day_bytes: int
    ) -> tuple[list[CompactionUnit], list[CompactionTask]]:
        """Return the cuts that functions compact, and the tasks that compact the others.

        Raises:
            CutTooHeavy: Nothing that the seal may use can hold a cut.
        """
        given = list(cuts)
        heavy_day = self.task_memory_mb > 0 and day_bytes > self.heavy_bytes
        for weighed, _ in given:
            self._require_room(weighed)
        light = [unit for weighed, unit in given if not heavy_day and not weighed.weight.exceeds(cutting.MOST)]
        heavy = [(weighed.weight, unit) for weighed, unit in given if heavy_day or weighed.weight.exceeds(cutting.MOST)]
        return light, list(_packed(heavy))

    def _require_room(self, weighed: WeighedCut) -> None:
        weight, place = weighed.weight, weighed.cut.start
        if not weight.exceeds(_most(max(self.task_memory_mb, FUNCTION_MB))):
            return
        when = (
            f"{place.hour:02}:{place.second // 60:02}:{place.second % 60:02} UTC"
            if place
            else "the first of the day that has events"
        )
        remedy = (
            f"{self.task_memory_mb} MB of a task do not hold them: raise FirewallLogsBatchCpu"
            if self.task_memory_mb
            else "no function holds them: deploy with FirewallLogsBatch=enabled, and Fargate takes them"
        )
        raise CutTooHeavy(
            f"One host has {weight.rows} events ({weight.bytes} bytes) in one second, {when}. A day is divided no "
            f"further, and {remedy}; then seal the day again."
        )


def _most(memory_mb: int) -> Weight:
    """Return what a machine can hold: in proportion to its memory."""
    return Weight(cutting.MOST.rows * memory_mb // FUNCTION_MB, cutting.MOST.bytes * memory_mb // FUNCTION_MB)


def _packed(heavy: Iterable[tuple[Weight, CompactionUnit]]) -> Iterator[CompactionTask]:
    """Put cuts that follow each other together as long as one task may have them."""
    limit = Weight(_FULL_CUTS * cutting.MOST.rows, _FULL_CUTS * cutting.MOST.bytes)
    together: list[CompactionUnit] = []
    total = NOTHING
    for weight, unit in heavy:
        if together and (total + weight).exceeds(limit):
            yield _task(together)
            together, total = [], NOTHING
        together.append(unit)
        total += weight
    if together:
        yield _task(together)


def _task(units: list[CompactionUnit]) -> CompactionTask:
    return CompactionTask(seal_id=units[0].seal_id, event_date=units[0].event_date, units=units)
