"""What a stay in a storage class costs, by year and kind of charge."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from data_protection.lifecycle.population import DAYS_OF_YEAR
from data_protection.lifecycle.rules import StorageClass
from data_protection.lifecycle.stays import Stay
from data_protection.lifecycle.tariff import Amount, Phase, tariff


class Item(StrEnum):
    """Kinds of charges."""

    STORAGE = "storage"
    MONITORING = "monitoring"
    MOVING = "moving"
    MINIMUM = "minimum"  # of days, of a class that was left early
    READING = "reading"


@dataclass(frozen=True)
class Charge:
    """One charge.

    Attributes:
        year: Of the forecast, from 1.
        storage_class: That asks for it: the one that an object moved to, or left early.
        item: Its kind.
        amount: By objects and bytes.
    """

    year: int
    storage_class: StorageClass
    item: Item
    amount: Amount


def charges(stay: Stay, *, small: bool, reads_a_year: float) -> Iterator[Charge]:
    """Yield the charges of a stay.

    Args:
        stay: Which.
        small: Whether the object has less than 128 KB.
        reads_a_year: How often an object is read back in a year, in the mean.
    """
    asked = tariff(stay.storage_class, small)

    def charge(day: int, item: Item, amount: Amount) -> Charge:
        return Charge(day // DAYS_OF_YEAR + 1, stay.storage_class, item, amount)

    if stay.moved:
        yield charge(stay.start, Item.MOVING, asked.moving)
    for start, end in _years(stay.start, stay.end):
        days = end - start
        for since, until, daily in _phases(stay, asked.phases):
            within = min(end, until) - max(start, since)
            if within > 0:
                yield charge(start, Item.STORAGE, daily.times(within))
        if asked.monitoring != Amount():
            yield charge(start, Item.MONITORING, asked.monitoring.times(days))
        if reads_a_year and asked.reading != Amount():
            yield charge(start, Item.READING, asked.reading.times(reads_a_year * days / DAYS_OF_YEAR))
    missing = asked.minimum_days - stay.held - (stay.end - stay.start)
    if stay.left and missing > 0:
        yield charge(max(stay.end - 1, 0), Item.MINIMUM, asked.phases[0].daily.times(missing))


def _years(start: int, end: int) -> Iterator[tuple[int, int]]:
    first = start - start % DAYS_OF_YEAR + DAYS_OF_YEAR
    yield from pairwise([start, *range(first, end, DAYS_OF_YEAR), end]) if end > start else ()


def _phases(stay: Stay, phases: Sequence[Phase]) -> Iterator[tuple[int, int, Amount]]:
    """Yield spans of days of the forecast that have one price, and that price a day."""
    entered = stay.start - stay.held
    ends = [entered + phase.since for phase in phases[1:]]
    for phase, end in zip(phases, [*ends, stay.end], strict=True):
        yield entered + phase.since, end, phase.daily
