"""The objects of a bucket, by prefix, storage class, age and size: what a forecast is made of.

Every cost is affine in the size of an object between two sizes at which a rule or a class treats it otherwise. So lots
hold objects of any sizes between two edges, with the bytes they have together, and nothing is lost by that.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from data_protection.lifecycle.effects import course
from data_protection.lifecycle.rules import SMALL, Configuration, StorageClass

DAYS_OF_YEAR: Final = 365
MONTHS_OF_YEAR: Final = 12
_OCTAVES: Final = tuple(1 << power for power in range(10, 43))  # 1 KB to the 5 TB that an object may have


@dataclass(frozen=True)
class Lot:
    """Objects of one kind.

    Attributes:
        prefix: The longest of those that rules name which begins their keys.
        storage_class: That they are in.
        noncurrent: Whether they are noncurrent versions.
        age: In days: since they were put, or since they became noncurrent.
        objects: How many; of an inflow, a month.
        size: Bytes of them together.
    """

    prefix: str
    storage_class: StorageClass
    noncurrent: bool
    age: int
    objects: float
    size: float

    @property
    def mean(self) -> float:
        """Bytes of one of them, in the mean; to the hundredth, so that fractions stay on their side of an edge."""
        return round(self.size / self.objects, 2)

    @property
    def is_small(self) -> bool:
        """Whether each has less than 128 KB."""
        return self.mean < SMALL

    @property
    def octave(self) -> int:
        """The power of two at or below their mean size, in bytes; 0 below 1 KB."""
        index = bisect_right(_OCTAVES, self.mean)
        return _OCTAVES[index - 1] if index else 0


@dataclass(frozen=True)
class Population:
    """What is in a bucket, and what comes.

    Attributes:
        stock: Objects that are there.
        inflow: Objects that come in each month, of age 0.
    """

    stock: tuple[Lot, ...] = ()
    inflow: tuple[Lot, ...] = ()


def joined(lots: Iterable[Lot], edges: Sequence[int]) -> tuple[Lot, ...]:
    """Return lots with those of one kind as one, in order.

    Args:
        lots: Of one bucket.
        edges: Sizes at which lots were told apart, ascending.
    """
    found: dict[tuple[str, StorageClass, bool, int, int], Lot] = {}
    for lot in lots:
        kind = (lot.prefix, lot.storage_class, lot.noncurrent, lot.age, bisect_right(edges, lot.mean))
        other = found.get(kind)
        found[kind] = (
            lot if other is None else replace(lot, objects=lot.objects + other.objects, size=lot.size + other.size)
        )
    return tuple(lot for _, lot in sorted(found.items()))


def inflow(stock: Iterable[Lot], present: Configuration, now: datetime, days: int) -> tuple[Lot, ...]:
    """Return what comes in each month: as much as is there of what is younger than some days.

    What is there no more is not seen: objects that were deleted or replaced within these days are missing, and one that
    replaces another counts as added. Noncurrent versions come in only where no rule makes them by expiring objects.

    Args:
        stock: Objects of the bucket.
        present: Its lifecycle; a class to which this moves objects so early is none in which they are put.
        now: The time.
        days: How far to look back.
    """
    factor = DAYS_OF_YEAR / MONTHS_OF_YEAR / days
    return tuple(
        replace(
            lot,
            age=0,
            objects=lot.objects * factor,
            size=lot.size * factor,
            storage_class=StorageClass.STANDARD if life.reaches(lot.storage_class) else lot.storage_class,
        )
        for lot in stock
        if lot.age < days
        for life in [course(present, lot.prefix, int(lot.mean), now)]
        if not lot.noncurrent or life.expires is None
    )


def prefixes(configurations: Iterable[Configuration]) -> list[str]:
    """Return the prefixes by which objects must be told apart, the longest first; the last one is empty."""
    named = {rule.prefix for configuration in configurations for rule in configuration.rules}
    return sorted(named | {""}, key=lambda prefix: (-len(prefix), prefix))


def size_edges(configurations: Iterable[Configuration]) -> list[int]:
    """Return the sizes at which objects must be told apart, in bytes: a lot holds what is between two of them."""
    filters = {
        edge
        for configuration in configurations
        for rule in configuration.rules
        for edge in (None if rule.larger_than is None else rule.larger_than + 1, rule.smaller_than)
        if edge is not None
    }
    return sorted(filters | {SMALL} | set(_OCTAVES))


def prefix_of(key: str, known: Sequence[str]) -> str:
    """Return the first of some prefixes, the longest first, that begins a key."""
    return next(prefix for prefix in known if key.startswith(prefix))
