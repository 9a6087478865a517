from itertools import pairwise

import pytest

from firewall_logs.days.contracts import CompactionUnit, Cut, Place
from firewall_logs.days.cutting import MOST, WeighedCut, Weight
from firewall_logs.days.engines import FUNCTION_MB, Engines
from firewall_logs.errors import CutTooHeavy
from tests.support.firewall_days import a_unit

GIB = 1 << 30


def _cuts(*weights: Weight) -> list[tuple[WeighedCut, CompactionUnit]]:
    made = []
    for index, weight in enumerate(weights):
        place = Place(host=f"h{index:03}", hour=9, second=125)
        cut = Cut(start=place if index else None, end=None, rows=weight.rows)
        made.append((WeighedCut(cut, weight), a_unit(index=index, cut=cut)))
    return made


def _indexes(engines: Engines, cuts: list[tuple[WeighedCut, CompactionUnit]], day_bytes: int) -> tuple[list[int], ...]:
    light, tasks = engines.divide(cuts, day_bytes)
    return [unit.index for unit in light], [unit.index for task in tasks for unit in task.units]


def test_light_day_is_left_to_functions() -> None:
    assert _indexes(Engines(64 * GIB, 30720), _cuts(MOST, MOST), 64 * GIB) == ([0, 1], [])


def test_heavy_day_goes_to_fargate_where_there_is_one() -> None:
    cuts = _cuts(Weight(1, 1), MOST)
    assert _indexes(Engines(64 * GIB, 30720), cuts, 64 * GIB + 1) == ([], [0, 1])
    assert _indexes(Engines(64 * GIB, 0), cuts, 64 * GIB + 1) == ([0, 1], [])


@pytest.mark.parametrize("heavy", [Weight(MOST.rows + 1, 1), Weight(1, MOST.bytes + 1)])
def test_cut_that_no_function_holds_goes_to_fargate_on_any_day(heavy: Weight) -> None:
    assert _indexes(Engines(64 * GIB, 30720), _cuts(MOST, heavy, MOST), 1) == ([0, 2], [1])


def test_cut_that_nothing_holds_is_named_with_what_to_do() -> None:
    heavy = _cuts(MOST, Weight(6 * MOST.rows, 1))
    with pytest.raises(
        CutTooHeavy, match=r"24000000 events .* in one second, 09:02:05 UTC\..*deploy with FirewallLogsB"
    ):
        Engines(64 * GIB, 0).divide(heavy, 1)
    with pytest.raises(CutTooHeavy, match=r"30720 MB of a task do not hold them: raise FirewallLogsBatchCpu"):
        Engines(64 * GIB, 5 * FUNCTION_MB).divide(heavy, 1)
    assert _indexes(Engines(64 * GIB, 6 * FUNCTION_MB), heavy, 1) == ([0], [1])


def test_only_second_of_a_day_is_named_as_well() -> None:
    with pytest.raises(CutTooHeavy, match=r"in one second, the first of the day that has events\."):
        Engines(64 * GIB, 0).divide(_cuts(Weight(MOST.rows + 1, 1)), 1)


def test_tasks_take_cuts_that_follow_each_other_and_no_more_than_minutes_of_work() -> None:
    cuts = _cuts(*[MOST] * 40, *[Weight(10, 10)] * 100)
    light, tasks = Engines(GIB, 30720).divide(cuts, 2 * GIB)
    assert light == []
    assert [len(task.units) for task in tasks] == [16, 16, 108]
    indexes = [unit.index for task in tasks for unit in task.units]
    assert all(after - before == 1 for before, after in pairwise(indexes))
    assert {(task.seal_id, task.event_date) for task in tasks} == {(cuts[0][1].seal_id, cuts[0][1].event_date)}
