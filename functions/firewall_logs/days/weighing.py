"""What the inputs of a day weigh, and where: by host and hour, and by the second where an hour is too heavy. Pure."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from firewall_logs.days.contracts import PlacedRowGroup
from firewall_logs.days.cutting import NOTHING, Cell, Moment, Weight
from firewall_logs.days.reconciliation import EventsWitness, HourlyWitness
from firewall_logs.days.spans import may_hold_cell

Weights = dict[Moment, Weight]


def by_hour(events: Mapping[str, EventsWitness], hourly: Mapping[str, HourlyWitness]) -> Weights:
    """Return the weights of all rows by host and hour.

    Args:
        events: By key; how wide rows are is taken from the file of events that has the name of the hourly counts.
        hourly: By key.
    """
    widths = {_name(key): width(found) for key, found in events.items()}
    day: defaultdict[Moment, Weight] = defaultdict(lambda: NOTHING)
    for key, found in hourly.items():
        for host, hour, rows in found.counts:
            day[host, hour, 0] += _weight(rows, widths.get(_name(key), 0))
    return dict(day)


def by_second(
    day: Weights,
    heavy: Collection[Cell],
    seconds: Mapping[str, Mapping[Moment, int]],
    events: Mapping[str, EventsWitness],
) -> Weights:
    """Return the weights of a day, with those of some hours of hosts by the second.

    Args:
        day: As it is by hour.
        heavy: The hours.
        seconds: Their rows by second, by the key of the file of events.
        events: By key.
    """
    divided: defaultdict[Moment, Weight] = defaultdict(lambda: NOTHING)
    divided.update((moment, weight) for moment, weight in day.items() if moment[:2] not in heavy)
    for key, counts in seconds.items():
        for moment, rows in counts.items():
            divided[moment] += _weight(rows, width(events[key]))
    return dict(divided)


def rows_of(day: Weights, cells: Collection[Cell]) -> dict[Cell, int]:
    """Return the rows of some hours of hosts."""
    total = dict.fromkeys(cells, 0)
    for (host, hour, _), weight in day.items():
        if (host, hour) in total:
            total[host, hour] += weight.rows
    return total


def groups_with(groups: list[PlacedRowGroup], cells: Collection[Cell]) -> list[int]:
    """Return the numbers of the row groups that may have rows of some hours of hosts."""
    return [number for number, group in enumerate(groups) if any(may_hold_cell(group, cell) for cell in cells)]


def width(found: EventsWitness) -> float:
    """Return the encoded bytes of a row of a file."""
    return found.encoded_bytes / max(1, found.footer.rows)


def _weight(rows: int, row_bytes: float) -> Weight:
    return Weight(rows, round(rows * row_bytes))


def _name(key: str) -> str:
    return key.rpartition("/")[2]
