"""Which row groups of an events file can hold rows of a cut: by their statistics, without reading any of them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from firewall_logs.days.contracts import Cut, PlacedRowGroup
from firewall_logs.days.cutting import HOUR_SECONDS, Cell, position, second_of_day


@dataclass(frozen=True)
class Span:
    """Row groups of an events file that follow each other.

    Attributes:
        first_row: Position in the file of their first row.
        start: Offset of their first byte.
        end: Offset after their last byte.
    """

    first_row: int
    rows: int
    start: int
    end: int


def span(groups: Iterable[PlacedRowGroup], cut: Cut) -> Span | None:
    """Return the rows from the first to the last of the row groups that may hold rows of a cut; None if none may."""
    wanted: list[tuple[int, PlacedRowGroup]] = []
    row = 0
    for group in groups:
        if may_hold(group, cut):
            wanted.append((row, group))
        row += group.rows
    if not wanted:
        return None
    (first_row, first), (last_row, last) = wanted[0], wanted[-1]
    return Span(first_row, last_row + last.rows - first_row, first.start, last.end)


def may_hold(group: PlacedRowGroup, cut: Cut) -> bool:
    """Return False where no row of the group is in the cut."""
    if cut.start and group.high:
        if position(group.high) < position(cut.start):
            return False
        # A cut of one host is a range of instants as well, and an object has rows of a few minutes.
        if cut.end and cut.start.host == cut.end.host and second_of_day(group.high) < second_of_day(cut.start):
            return False
    if cut.end and group.low:
        if position(group.low) >= position(cut.end):
            return False
        if cut.start and cut.start.host == cut.end.host and second_of_day(group.low) >= second_of_day(cut.end):
            return False
    return True


def may_hold_cell(group: PlacedRowGroup, cell: Cell) -> bool:
    """Return False where no row of the group is of a host's hour."""
    host, hour = cell
    before = group.high is not None and (
        _host(group.high.host) < _host(host) or second_of_day(group.high) < hour * HOUR_SECONDS
    )
    after = group.low is not None and (
        _host(group.low.host) > _host(host) or second_of_day(group.low) >= (hour + 1) * HOUR_SECONDS
    )
    return not (before or after)


def _host(host: str | None) -> tuple[bool, str]:
    return host is not None, host or ""
