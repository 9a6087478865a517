"""What the witnesses of a day say of an hour that is divided."""

from datetime import date

from firewall_logs.days.cutting import Cell
from firewall_logs.days.reconciliation import DayWitnesses, compare


def _witnesses(by_time: dict[Cell, tuple[int, int]]) -> DayWitnesses:
    return DayWitnesses(
        day=date(2026, 6, 1),
        objects=[],
        files=[],
        footers={},
        hourly_events={},
        by_time=by_time,
        listed={},
        known=frozenset(),
    )


def test_times_of_an_hour_that_are_as_many_as_its_counts_say_agree() -> None:
    assert list(compare(_witnesses({("shop.example.com", 9): (7, 7)}))) == []


def test_other_times_than_counted_disagree_and_the_host_is_not_named() -> None:
    [found] = compare(_witnesses({("shop.example.com", 9): (7, 6), (None, 3): (2, 2)}))
    assert (found.check, found.expected, found.found) == ("hour_events", "7", "6")
    assert found.where == "hourly counts of a host against its times from 09:00"
