from firewall_logs.days.contracts import Place, PlacedRowGroup
from firewall_logs.days.cutting import Cell, Moment, Weight
from firewall_logs.days.reconciliation import EventsWitness, HourlyWitness
from firewall_logs.days.weighing import by_hour, by_second, groups_with, rows_of
from firewall_logs.reconciliation import LakeFooter

NAMED = {"events/a.parquet": (10, 1000), "events/b.parquet": (20, 400)}
COUNTS: dict[str, dict[Cell, int]] = {
    "hourly/a.parquet": {("x", 1): 6, (None, 2): 4},
    "hourly/b.parquet": {("x", 1): 15, ("y", 3): 5},
}


def _footer(rows: int) -> LakeFooter:
    return LakeFooter(rows=rows, bytes=1, columns=(), min_time=None, max_time=None)


EVENTS = {
    key: EventsWitness(footer=_footer(rows), start=1, row_groups=[], encoded_bytes=encoded)
    for key, (rows, encoded) in NAMED.items()
}
HOURLY = {
    key: HourlyWitness(footer=_footer(2), counts=[(*cell, rows) for cell, rows in counts.items()])
    for key, counts in COUNTS.items()
}


def test_rows_weigh_what_those_of_their_file_do() -> None:
    assert by_hour(EVENTS, HOURLY) == {
        ("x", 1, 0): Weight(21, 6 * 100 + 15 * 20),
        (None, 2, 0): Weight(4, 400),
        ("y", 3, 0): Weight(5, 100),
    }


def test_heavy_hour_is_replaced_by_its_seconds_and_others_stay() -> None:
    seconds: dict[str, dict[Moment, int]] = {
        "events/a.parquet": {("x", 1, 7): 6},
        "events/b.parquet": {("x", 1, 7): 5, ("x", 1, 8): 10},
    }
    day = by_second(by_hour(EVENTS, HOURLY), {("x", 1)}, seconds, EVENTS)
    assert day == {
        ("x", 1, 7): Weight(11, 700),
        ("x", 1, 8): Weight(10, 200),
        (None, 2, 0): Weight(4, 400),
        ("y", 3, 0): Weight(5, 100),
    }
    assert rows_of(day, {("x", 1), ("z", 1)}) == {("x", 1): 21, ("z", 1): 0}


def test_file_of_hourly_counts_without_events_beside_it_weighs_nothing() -> None:
    assert by_hour({}, HOURLY)["x", 1, 0] == Weight(21, 0)


def test_row_groups_that_may_have_rows_of_an_hour_are_found() -> None:
    groups = [
        PlacedRowGroup(
            rows=1, start=4, end=5, low=Place(host=host, hour=hour), high=Place(host=host, hour=hour, second=9)
        )
        for host, hour in [("x", 1), ("x", 2), ("y", 1)]
    ]
    assert groups_with(groups, {("x", 1), ("y", 1)}) == [0, 2]
    assert groups_with(groups, {("z", 1)}) == []
