"""Which of the objects that are there a rule moves, and why it leaves the others where they are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from data_protection.lifecycle.effects import Course, course, is_large_enough, makes, noncurrent_course
from data_protection.lifecycle.population import Lot, Population
from data_protection.lifecycle.rules import Configuration, Rule, Transition
from data_protection.lifecycle.stays import due


class Leaving(StrEnum):
    """Why a rule leaves an object where it is; of several reasons the first one."""

    FILTERED = "filtered"  # by its size
    SMALL = "small"  # below the default minimum
    THERE = "there"  # in the class, or in one from which no rule leads to it
    DELETED = "deleted"  # before it would move
    LATER = "later"  # than the forecast goes
    OTHERS = "others"  # other rules move it first


@dataclass(frozen=True)
class Reach:
    """Which of the objects that are there a rule moves; each is counted once, and noncurrent versions are objects.

    Attributes:
        at_once: Objects that are old enough already.
        as_they_age: Objects that it moves within the forecast.
        left: Objects that it leaves where they are, by the reason.
    """

    at_once: float
    as_they_age: float
    left: Mapping[Leaving, float]

    @property
    def moved(self) -> float:
        """Objects that it moves."""
        return self.at_once + self.as_they_age

    @property
    def objects(self) -> float:
        """Objects that it could be about, by their keys."""
        return self.moved + sum(self.left.values())


def reach(rule: Rule, population: Population, configuration: Configuration, now: datetime, horizon: int) -> Reach:
    """Return what a rule does to the objects that are there; versions that it has no moves for are not counted.

    Args:
        rule: One of the configuration, without tags.
        population: Objects below its prefix.
        configuration: All rules.
        now: The time; dates to come are left out.
        horizon: Days of the forecast.
    """
    at_once, as_they_age = 0.0, 0.0
    left: defaultdict[Leaving, float] = defaultdict(float)
    for lot in population.stock:
        transitions = rule.noncurrent_transitions if lot.noncurrent else rule.transitions
        if not transitions:
            continue
        size = int(lot.mean)
        life = (
            noncurrent_course(configuration, lot.prefix, size)
            if lot.noncurrent
            else course(configuration, lot.prefix, size, now)
        )
        days = (
            after
            for after, move in due(life, lot.storage_class, lot.age)
            if after < horizon and makes(rule, move, noncurrent=lot.noncurrent)
        )
        match next(days, None):
            case None:
                ages = [age for one in transitions if (age := one.when.age(now)) is not None]
                left[_reason(rule, transitions, lot, configuration, life, ages, horizon)] += lot.objects
            case 0:
                at_once += lot.objects
            case _:
                as_they_age += lot.objects
    return Reach(at_once, as_they_age, dict(sorted(left.items())))


def _reason(  # noqa: PLR0917 - one of six, of what they depend on
    rule: Rule,
    transitions: Sequence[Transition],
    lot: Lot,
    configuration: Configuration,
    life: Course,
    ages: Sequence[int],
    horizon: int,
) -> Leaving:
    size = int(lot.mean)
    if not rule.covers(lot.prefix, size):
        return Leaving.FILTERED
    if not any(is_large_enough(rule, one, size, configuration.minimum) for one in transitions):
        return Leaving.SMALL
    if not any(lot.storage_class.leads_to(one.storage_class) for one in transitions):
        return Leaving.THERE
    first = min(ages, default=None)
    if first is not None and life.expires is not None and life.expires <= max(first, lot.age):
        return Leaving.DELETED
    if first is None or first - lot.age >= horizon:
        return Leaving.LATER
    return Leaving.OTHERS
