"""What a forecast of a bucket's cost found: figures, and the sentences that people need to trust or to doubt them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from data_protection.lifecycle.contracts import ForecastPlan
from data_protection.lifecycle.effects import Move, course
from data_protection.lifecycle.forecast import Bill, RuleEffect, Terms
from data_protection.lifecycle.population import Population, prefixes
from data_protection.lifecycle.restores import hours
from data_protection.lifecycle.rules import LARGEST, Configuration, Rule, StorageClass, When
from data_protection.lifecycle.tariff import RESTORED_DAYS, prices
from kernel.prices import AS_OF

_KB = 1024


@dataclass(frozen=True)
class Sample:
    """What a forecast was made from, where there was too much to list.

    Attributes:
        listed: Objects that were.
        there: Objects that there are, by CloudWatch; None where it does not say, so that USD are those of the sample.
        error: Points by which the saving may be off with 95 % confidence, if the folders are like the others; None
            where the objects lie in one folder, so that nothing can be said.
    """

    listed: int
    there: float | None
    error: float | None


@dataclass(frozen=True)
class OutOfReach:
    """Objects that cannot be read within an hour.

    Attributes:
        prefix: Of their keys.
        age: From which on, in days.
        storage_class: That they are in then.
        hours: Until one of them can be read, at most.
    """

    prefix: str
    age: int
    storage_class: StorageClass
    hours: int


@dataclass(frozen=True)
class Forecast:
    """A forecast.

    Attributes:
        plan: What was asked.
        terms: What was assumed.
        population: What was counted.
        standard: The bill with everything in STANDARD.
        present: The bill under the lifecycle that the bucket has.
        lifecycle: The bill under the lifecycle that is forecast.
        configuration: That lifecycle.
        effects: What each of its rules does.
        left_out: Objects in storage classes that no lifecycle knows.
        sample: What was sampled; None where everything was counted.
    """

    plan: ForecastPlan
    terms: Terms
    population: Population
    standard: Bill
    present: Bill
    lifecycle: Bill
    configuration: Configuration
    effects: tuple[RuleEffect, ...]
    left_out: int
    sample: Sample | None

    @property
    def saving_percent(self) -> float | None:
        """By how much the lifecycle is cheaper than STANDARD; None where nothing costs anything."""
        standard = self.standard.total
        return 100 * (1 - self.lifecycle.total / standard) if standard else None

    @property
    def is_own(self) -> bool:
        """Whether the lifecycle is the one that the bucket has."""
        return self.plan.lifecycle == self.plan.present

    @property
    def stored(self) -> Mapping[StorageClass, tuple[float, float]]:
        """Objects and bytes that are there, by storage class."""
        found: dict[StorageClass, tuple[float, float]] = {}
        for lot in self.population.stock:
            objects, size = found.get(lot.storage_class, (0.0, 0.0))
            found[lot.storage_class] = objects + lot.objects, size + lot.size
        return {one: found[one] for one in StorageClass if one in found}

    @property
    def out_of_reach(self) -> list[OutOfReach]:
        """From which age objects cannot be read within an hour, by prefix."""
        return [
            OutOfReach(prefix, move.age, move.storage_class, hours(move.storage_class))
            for prefix in reversed(prefixes([self.configuration]))
            for move in self._moves(prefix)
            if hours(move.storage_class) > 1
        ]

    def verdict(self, effect: RuleEffect) -> str:
        """Return what people should know of a rule's moves."""
        if effect.moving is None or not effect.steps:
            return "It moves nothing, or other rules move or delete everything before it would."
        if effect.pays_from is None:
            return "Its moves pay for objects of no size."
        pays = f"pays for objects {'of any size' if effect.pays_from == 0 else f'from {as_size(effect.pays_from)} on'}"
        filtered = f"ObjectSizeGreaterThan {round(effect.pays_from)}"
        if effect.loses:
            return (
                f"It loses money: it {pays}, and too many here are smaller. Let it move only larger ones: {filtered}."
            )
        if any(usd < 0 for usd in effect.moving_by_size.values()):
            return f"It {pays}, and would save more if it left smaller ones alone: {filtered}."
        return f"It {pays}, which those that it moves are." if effect.moving else f"It {pays}; here it moves none."

    @property
    def assumptions(self) -> list[str]:
        """What the figures rest on."""
        return list(self._assumptions())

    def _moves(self, prefix: str) -> tuple[Move, ...]:
        return course(self.configuration, prefix, LARGEST, self.terms.now).moves

    def _assumptions(self) -> Iterator[str]:
        asked = self.plan.asked
        unread = ", ".join(sorted(name for name, price in prices().items() if price.read is None))
        yield (
            f"Prices are AWS' list prices for us-east-1 in the first volume, as of {AS_OF}, and stay as they are. "
            f"Those found on no page: {unread}."
        )
        yield (
            f"In each month as much comes in as in the last {asked.inflow_days} days by what is still there, and "
            f"{asked.growth_percent_a_year:g} % more each year; what replaces another object counts as added."
        )
        yield (
            f"{asked.reads_percent_a_year:g} % of everything is read back in a year; what was archived is restored at "
            f"the standard speed and kept in STANDARD for {RESTORED_DAYS} days."
        )
        yield "Requests that put and get objects, replicas and transfers are left out."
        if self.plan.versioned:
            yield "What a rule expires becomes a noncurrent version, and is paid until that goes."
        rules = [rule for rule in self.configuration.rules if rule.enabled]
        if tagged := [rule.id for rule in rules if rule.tags]:
            yield f"No object carries tags, since inventories tell none: {', '.join(tagged)} does nothing here."
        if any(rule.noncurrent_kept for rule in rules):
            yield "Noncurrent versions that a rule keeps by their number are deleted with the others here."
        if any(when.date is not None and when.date > self.terms.now for rule in rules for when in _dated(rule)):
            yield "Actions of dates to come are left out."
        if self.left_out:
            yield f"{self.left_out:,} objects are in storage classes that no lifecycle knows, and in no figure."


def as_size(size: float) -> str:
    """Return bytes as people write them."""
    for unit, above in (("TB", _KB**4), ("GB", _KB**3), ("MB", _KB**2), ("KB", _KB)):
        if size >= above:
            return f"{size / above:.3g} {unit}" if size / above < 1000 else f"{size / above:,.0f} {unit}"  # noqa: PLR2004
    return f"{size:.0f} bytes"


def _dated(rule: Rule) -> Iterator[When]:
    yield from (transition.when for transition in rule.transitions)
    if rule.expiration is not None:
        yield rule.expiration
