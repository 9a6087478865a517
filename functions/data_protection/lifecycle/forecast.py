"""What keeping a bucket's objects costs over seven years under a lifecycle, and what each rule saves or loses.

Days are whole and counted from the time of the forecast; a year has 365, a month's inflow comes on its first day. All
prices are those of the first volume, and stay as they are. Requests that put and get objects are left out: they are the
same under every lifecycle.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeAlias

from data_protection.lifecycle.break_even import pays_from, zero
from data_protection.lifecycle.charges import Charge, Item, charges
from data_protection.lifecycle.effects import Course, course, makes, noncurrent_course
from data_protection.lifecycle.population import DAYS_OF_YEAR, MONTHS_OF_YEAR, Lot, Population, size_edges
from data_protection.lifecycle.reach import Reach, reach
from data_protection.lifecycle.rules import LARGEST, SMALL, Configuration, Rule, StorageClass
from data_protection.lifecycle.stays import Fate, stays
from data_protection.lifecycle.tariff import Amount, total

YEARS: Final = 7

_Kind: TypeAlias = tuple[Fate, StorageClass, bool, int, int, bool]


@dataclass(frozen=True)
class Terms:
    """What is assumed.

    Attributes:
        now: The time; actions of dates to come are left out.
        versioned: Whether the bucket keeps versions.
        reads_a_year: How often an object is read back in a year, in the mean.
        growth_a_year: By how much more comes in with each year; 0.1 is a tenth.
        years: How far to look.
    """

    now: datetime
    versioned: bool = False
    reads_a_year: float = 0.0
    growth_a_year: float = 0.0
    years: int = YEARS

    @property
    def horizon(self) -> int:
        """Days of the forecast."""
        return self.years * DAYS_OF_YEAR


@dataclass(frozen=True)
class Bill:
    """What is paid.

    Attributes:
        usd: By year from 1, storage class and kind of charge.
        by_size: USD by octave of size, in bytes.
    """

    usd: Mapping[tuple[int, StorageClass, Item], float]
    by_size: Mapping[int, float]

    @property
    def total(self) -> float:
        """USD of all years."""
        return sum(self.usd.values())


@dataclass(frozen=True)
class StepEffect:
    """A move of a rule, and from which size it pays for an object that lives as the rules say.

    Attributes:
        noncurrent: Whether it is one of noncurrent versions.
        source: Where objects come from.
        storage_class: Where they go.
        days: Age at which they do.
        stay: Days that they stay there within the forecast.
        pays_from: Bytes; None where it never pays.
    """

    noncurrent: bool
    source: StorageClass
    storage_class: StorageClass
    days: int
    stay: int
    pays_from: float | None


@dataclass(frozen=True)
class RuleEffect:
    """What a rule does for the bill: that of the lifecycle without the rule's moves, or deletions, less the one with.

    Attributes:
        rule: Its id.
        prefix: Of the keys that it is about.
        moving: USD that its moves save; negative, they lose money. None where it moves nothing.
        deleting: USD that its deletions save; None where it deletes nothing.
        moving_by_size: As `moving`, by octave of size.
        pays_from: Bytes from which all its moves together pay for a new object, if those of all sizes moved; None where
            they never do, or where it moves nothing.
        steps: Its moves that come about; what another rule preempts is left out.
        reach: Which of the objects that are there it moves, and why not the others; None where it moves nothing.
    """

    rule: str
    prefix: str
    moving: float | None
    deleting: float | None
    moving_by_size: Mapping[int, float]
    pays_from: float | None
    steps: tuple[StepEffect, ...]
    reach: Reach | None

    @property
    def loses(self) -> bool:
        """Whether its moves cost more than they save."""
        return self.moving is not None and self.moving < 0


def bill(population: Population, configuration: Configuration, terms: Terms) -> Bill:
    """Return what a population costs under a lifecycle."""
    usd: defaultdict[tuple[int, StorageClass, Item], float] = defaultdict(float)
    by_size: defaultdict[int, float] = defaultdict(float)
    for kind, octaves in _kinds(population, configuration, terms).items():
        objects_and_bytes = _add(*octaves.values())
        found = list(_charges(kind, terms))
        for charge in found:
            usd[charge.year, charge.storage_class, charge.item] += charge.amount.of(*objects_and_bytes)
        whole = total(charge.amount for charge in found)
        for octave, some in octaves.items():
            by_size[octave] += whole.of(*some)
    return Bill(dict(sorted(usd.items())), dict(sorted(by_size.items())))


def standard_bill(population: Population, configuration: Configuration, terms: Terms) -> Bill:
    """Return what a population costs with everything in STANDARD, deleted as the lifecycle says."""
    kept = Population(
        tuple(replace(lot, storage_class=StorageClass.STANDARD) for lot in population.stock),
        tuple(replace(lot, storage_class=StorageClass.STANDARD) for lot in population.inflow),
    )
    return bill(kept, _each(configuration, _without_moves), terms)


def rule_effects(population: Population, configuration: Configuration, terms: Terms) -> list[RuleEffect]:
    """Return what each enabled rule does for the bill, in the configuration's order.

    Rules about tags are left out, as in bills: neither an inventory nor a listing tells tags.
    """
    return [
        _effect(index, _below(rule.prefix, population), configuration, terms)
        for index, rule in enumerate(configuration.rules)
        if rule.enabled and not rule.tags
    ]


def _below(prefix: str, population: Population) -> Population:
    """Return the part of a population that a rule for a prefix can be about; all else costs the same without it."""
    stock, inflow = (
        tuple(lot for lot in lots if lot.prefix.startswith(prefix)) for lots in (population.stock, population.inflow)
    )
    return Population(stock, inflow)


def _effect(index: int, population: Population, configuration: Configuration, terms: Terms) -> RuleEffect:
    rule, whole = configuration.rules[index], bill(population, configuration, terms)

    def changed(change: Callable[[Rule], Rule]) -> Configuration:
        rules = list(configuration.rules)
        rules[index] = change(rule)
        return replace(configuration, rules=tuple(rules))

    def other(change: Callable[[Rule], Rule]) -> Bill:
        return bill(population, changed(change), terms)

    moves = bool(rule.transitions or rule.noncurrent_transitions)
    unmoved = other(_without_moves) if moves else None
    deletes = rule.expiration is not None or rule.noncurrent_days is not None
    return RuleEffect(
        rule=rule.id,
        prefix=rule.prefix,
        moving=None if unmoved is None else unmoved.total - whole.total,
        deleting=other(_without_deletions).total - whole.total if deletes else None,
        moving_by_size={}
        if unmoved is None
        else {octave: usd - whole.by_size.get(octave, 0.0) for octave, usd in unmoved.by_size.items()},
        pays_from=_pays_from(rule.prefix, changed(_of_all_sizes), changed(_without_moves), terms) if moves else None,
        steps=tuple(_steps(rule, configuration, terms)),
        reach=reach(rule, population, configuration, terms.now, terms.horizon) if moves else None,
    )


def _pays_from(prefix: str, moving: Configuration, unmoved: Configuration, terms: Terms) -> float | None:
    """Return the size from which a new object costs less under one lifecycle than under another."""

    def saved(size: int) -> Amount:
        lot = Lot(prefix, StorageClass.STANDARD, noncurrent=False, age=0, objects=1, size=size)

        def cost(configuration: Configuration) -> Amount:
            kind = (_Fates(configuration, terms).of(lot), lot.storage_class, lot.noncurrent, 0, 0, lot.is_small)
            return total(charge.amount for charge in _charges(kind, terms))

        return total([cost(unmoved), cost(moving).times(-1)])

    return zero(small=saved(SMALL - 1), large=saved(LARGEST))


def _steps(rule: Rule, configuration: Configuration, terms: Terms) -> Iterable[StepEffect]:
    size = LARGEST if rule.smaller_than is None else rule.smaller_than - 1
    lives = (
        (False, course(configuration, rule.prefix, size, terms.now)),
        (True, noncurrent_course(configuration, rule.prefix, size)),
    )
    for noncurrent, life in lives:
        source, entered = StorageClass.STANDARD, 0
        for number, move in enumerate(life.moves):
            if move.age >= terms.horizon:
                break
            if makes(rule, move, noncurrent=noncurrent):
                yield _step(number, life, source, move.age - entered, terms, noncurrent=noncurrent)
            source, entered = move.storage_class, move.age


def _step(number: int, life: Course, source: StorageClass, held: int, terms: Terms, *, noncurrent: bool) -> StepEffect:
    move = life.moves[number]
    following = [later.age for later in life.moves[number + 1 : number + 2]]
    ends = [*following, *([] if life.expires is None else [life.expires])]
    end = min([*ends, terms.horizon])
    return StepEffect(
        noncurrent=noncurrent,
        source=source,
        storage_class=move.storage_class,
        days=move.age,
        stay=end - move.age,
        pays_from=pays_from(
            source,
            move.storage_class,
            end - move.age,
            held=held,
            leaves=end < terms.horizon,
            reads_a_year=terms.reads_a_year,
        ),
    )


def _kinds(
    population: Population, configuration: Configuration, terms: Terms
) -> Mapping[_Kind, Mapping[int, tuple[float, float]]]:
    """Return objects and bytes by octave of size, of each kind of objects that costs the same."""
    fates = _Fates(configuration, terms)
    kinds: defaultdict[_Kind, dict[int, tuple[float, float]]] = defaultdict(dict)

    def add(lot: Lot, begin: int, factor: float) -> None:
        kind = (fates.of(lot), lot.storage_class, lot.noncurrent, lot.age, begin, lot.is_small)
        octaves = kinds[kind]
        octaves[lot.octave] = _add(octaves.get(lot.octave, (0, 0)), (lot.objects * factor, lot.size * factor))

    for lot in population.stock:
        add(lot, 0, 1)
    for month in range(terms.years * MONTHS_OF_YEAR):
        grown = (1 + terms.growth_a_year) ** (month / MONTHS_OF_YEAR)
        for lot in population.inflow:
            add(lot, round(month * DAYS_OF_YEAR / MONTHS_OF_YEAR), grown)
    return kinds


class _Fates:
    """What becomes of lots; told once for each prefix and each span of sizes that the rules treat alike."""

    def __init__(self, configuration: Configuration, terms: Terms) -> None:
        self._configuration, self._terms = configuration, terms
        self._edges = size_edges([configuration])
        self._known: dict[tuple[str, int], Fate] = {}

    def of(self, lot: Lot) -> Fate:
        size = int(lot.mean)
        span = (lot.prefix, bisect_right(self._edges, size))
        if span not in self._known:
            self._known[span] = Fate(
                course(self._configuration, lot.prefix, size, self._terms.now),
                noncurrent_course(self._configuration, lot.prefix, size),
                self._terms.versioned,
            )
        return self._known[span]


def _charges(kind: _Kind, terms: Terms) -> Iterable[Charge]:
    fate, storage_class, noncurrent, age, begin, small = kind
    for stay in stays(fate, storage_class, age, noncurrent=noncurrent, begin=begin, horizon=terms.horizon):
        yield from charges(stay, small=small, reads_a_year=terms.reads_a_year)


def _add(*pairs: tuple[float, float]) -> tuple[float, float]:
    return sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)


def _each(configuration: Configuration, change: Callable[[Rule], Rule]) -> Configuration:
    return replace(configuration, rules=tuple(change(rule) for rule in configuration.rules))


def _without_moves(rule: Rule) -> Rule:
    return replace(rule, transitions=(), noncurrent_transitions=())


def _of_all_sizes(rule: Rule) -> Rule:
    return replace(rule, larger_than=0, smaller_than=None)


def _without_deletions(rule: Rule) -> Rule:
    return replace(rule, expiration=None, noncurrent_days=None)
