"""What a forecast of a bucket's cost found: figures, and the sentences that people need to trust or to doubt them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil

from data_protection.lifecycle.contracts import ForecastPlan
from data_protection.lifecycle.effects import Move, course
from data_protection.lifecycle.forecast import Bill, RuleEffect, Terms
from data_protection.lifecycle.population import Population, prefixes
from data_protection.lifecycle.restores import hours
from data_protection.lifecycle.rules import LARGEST, Configuration, Rule, StorageClass, When
from data_protection.lifecycle.tariff import RESTORED_DAYS, prices
from data_protection.reports.forecast_words import LEAVINGS, as_size, dollars, known_there, priced
from kernel.prices import AS_OF, REGION


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

    @property
    def is_priced_elsewhere(self) -> bool:
        """Whether the prices are those of another region than the bucket's."""
        return self.plan.region != REGION

    @property
    def prices_note(self) -> str:
        """Whose prices the figures are made of."""
        if self.is_priced_elsewhere:
            return (
                f"All USD are at prices of {REGION} as of {AS_OF}, since Gatehouse's price table does not have all of "
                f"{self.plan.region}: what AWS asks there may differ, and with it what is saved and from which size on."
                f"{known_there(self.plan.region)}"
            )
        return f"All USD are at AWS' list prices of {REGION} as of {AS_OF}."

    def verdict(self, effect: RuleEffect) -> str:
        """Return what people should know of a rule's moves."""
        if effect.moving is None:
            return "It moves nothing." if effect.deleting is None else "It deletes, and moves nothing."
        if not effect.steps:
            return "It moves nothing: other rules move or delete everything before it would."
        if effect.moving:
            return f"{_gain(effect.moving)} {_sized(effect)}"
        if effect.reach is not None and effect.reach.moved:
            return f"It adds nothing: without it other rules would move the same objects just so. {_sized(effect)}"
        return f"Here it moves none. {_sized(effect)}"

    def standing(self, effect: RuleEffect) -> str:
        """Return in two words how a rule does."""
        if not effect.moving:
            return "moves nothing" if effect.deleting is None else "deletes only"
        return "loses money" if effect.loses else "saves money"

    def reached(self, effect: RuleEffect) -> list[str]:
        """Return which of the objects that are there a rule moves, and why it leaves the others."""
        reach = effect.reach
        if reach is None:
            return []
        if not reach.objects:
            return ["Nothing that is there now has such a key, or is such a version."]
        moved = f"it moves {reach.at_once:,.0f} at once and {reach.as_they_age:,.0f} more as they age."
        return [f"Of {reach.objects:,.0f} objects that are there {moved}"] + [
            f"It leaves {objects:,.0f} where they are: they {LEAVINGS[leaving]}."
            for leaving, objects in reach.left.items()
        ]

    @property
    def assumptions(self) -> list[str]:
        """What the figures rest on."""
        return list(self._assumptions())

    def _moves(self, prefix: str) -> tuple[Move, ...]:
        return course(self.configuration, prefix, LARGEST, self.terms.now).moves

    def _assumptions(self) -> Iterator[str]:
        asked = self.plan.asked
        unread = ", ".join(sorted(priced(name) for name, price in prices().items() if price.read is None))
        yield (
            f"Prices are AWS' list prices for {REGION} in the first volume, as of {AS_OF}, and stay as they are. "
            f"Of these nobody has found a page that prints them: {unread}."
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


def _gain(usd: float) -> str:
    if usd < 0:
        return f"It loses money: its moves cost {dollars(-usd)} more than they save."
    return f"Its moves save {dollars(usd)}."


def _sized(effect: RuleEffect) -> str:
    """Return from which size moves pay, and how to leave the others alone where that would save more."""
    if effect.pays_from is None:
        return "Moving pays for objects of no size."
    if effect.pays_from == 0:
        return "Moving pays for objects of any size."
    pays = f"Moving pays for objects from {as_size(effect.pays_from)} on"
    if not any(usd < 0 for usd in effect.moving_by_size.values()):
        return f"{pays}."
    smaller = ceil(effect.pays_from) - 1
    return f"{pays}, and some here are smaller: let it move only larger ones, by ObjectSizeGreaterThan {smaller}."


def _dated(rule: Rule) -> Iterator[When]:
    yield from (transition.when for transition in rule.transitions)
    if rule.expiration is not None:
        yield rule.expiration
