"""Row groups are left out where their statistics say that they hold nothing of a cut, and never else."""

from firewall_logs.days.contracts import Cut, Place, PlacedRowGroup
from firewall_logs.days.spans import Span, may_hold, may_hold_cell, span


def _place(host: str | None, hour: int = 0, second: int = 0) -> Place:
    return Place(host=host, hour=hour, second=second)


def _group(low: Place | None, high: Place | None, rows: int = 16, start: int = 4) -> PlacedRowGroup:
    return PlacedRowGroup(rows=rows, start=start, end=start + 100, low=low, high=high)


def _may(group: PlacedRowGroup, start: Place | None, end: Place | None) -> bool:
    return may_hold(group, Cut(start=start, end=end, rows=1))


def test_group_may_hold_a_cut_unless_its_hosts_lie_outside() -> None:
    group = _group(_place("b"), _place("d", 23, 3599))
    assert _may(group, None, None)
    assert _may(group, _place("d", 23), None)
    assert not _may(group, _place("da"), None)
    assert _may(group, None, _place("b", 1))
    assert not _may(group, None, _place("b"))
    assert not _may(group, None, _place("az", 23))
    assert not _may(group, None, _place(None, 23))
    assert _may(group, _place("c", 3), _place("c", 4))


def test_group_whose_times_lie_outside_a_cut_of_one_host_is_left_out() -> None:
    group = _group(_place("b", 5, 100), _place("d", 5, 400))
    assert _may(group, _place("c", 5), _place("c", 6))
    assert _may(group, _place("c", 5, 400), _place("c", 5, 500))
    assert not _may(group, _place("c", 5, 401), _place("c", 5, 500))
    assert not _may(group, _place("c", 4), _place("c", 5, 100))
    assert _may(group, _place("b", 6), _place("c", 1)), "a row of a host in between may have any time"
    assert not _may(group, _place("d", 6), None), "its last host ends before"


def test_hosts_are_compared_as_the_lake_sorts_them() -> None:
    group = _group(_place("\uffff"), _place("😀", 1))
    assert _may(group, _place("😀"), None)
    assert not _may(group, None, _place("\uffff"))


def test_group_with_rows_without_host_holds_the_beginning() -> None:
    group = _group(_place(None), _place("d"))
    assert _may(group, None, _place(None, 1))
    assert not _may(group, _place("e"), None)


def test_group_without_statistics_may_hold_anything() -> None:
    group = _group(None, None)
    assert _may(group, _place("z", 23), None)
    assert _may(group, None, _place(None, 1))
    assert _may(group, _place("z", 1), _place("z", 2))
    assert may_hold_cell(group, ("z", 23))


def test_hour_of_a_host_is_looked_for_where_host_and_times_allow_it() -> None:
    group = _group(_place(None, 5, 100), _place("d", 6, 400))
    assert [hour for hour in range(24) if may_hold_cell(group, ("c", hour))] == [5, 6]
    assert may_hold_cell(group, (None, 5))
    assert not may_hold_cell(group, ("e", 5))
    assert not may_hold_cell(_group(_place("b", 5), _place("d", 6)), (None, 5))


def test_span_reaches_from_the_first_to_the_last_group_of_a_cut() -> None:
    groups = [
        _group(_place(host), _place(host, 23), rows=10 + number, start=4 + 100 * number)
        for number, host in enumerate("abcd")
    ]
    assert span(groups, Cut(start=_place("b"), end=_place("d"), rows=1)) == Span(10, 23, 104, 304)
    assert span(groups, Cut(start=_place("e"), end=None, rows=1)) is None
