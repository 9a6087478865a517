"""The forecast is the sum of what single objects cost day by day."""

from collections import defaultdict
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from data_protection.lifecycle.forecast import Bill, Terms, bill, rule_effects
from data_protection.lifecycle.limits import faults
from data_protection.lifecycle.population import Lot, Population, prefix_of, prefixes
from data_protection.lifecycle.rules import SMALL, Configuration, StorageClass
from data_protection.lifecycle.tariff import tariff
from tests.support.data_protection_buckets import NOW
from tests.support.effort import examples
from tests.support.lifecycle_days import Thing, pay

_YEARS = 2
_NOTHING = 1e-15  # USD, by which sums of floating numbers may differ
_SETTINGS = settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)
# Two paths on which every class leads to each one behind it, so that an order of theirs is one that AWS takes.
_WAYS = (
    ["STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER_IR", "GLACIER", "DEEP_ARCHIVE"],
    ["STANDARD_IA", "ONEZONE_IA", "GLACIER", "DEEP_ARCHIVE"],
)


@st.composite
def _steps(draw: st.DrawFn, way: list[str], unit: str) -> list[dict[str, Any]]:
    classes = sorted(draw(st.sets(st.sampled_from(way), max_size=3)), key=way.index)
    days = draw(st.integers(0, 200))
    steps = []
    for storage_class in classes:
        steps.append({unit: days, "StorageClass": storage_class})
        days += draw(st.integers(1, 200))
    return steps


@st.composite
def _rules(draw: st.DrawFn) -> list[dict[str, Any]]:
    way, rules = draw(st.sampled_from(_WAYS)), []
    for number in range(draw(st.integers(0, 2))):
        terms: dict[str, Any] = {"Prefix": draw(st.sampled_from(["", "a/", "a/b/"]))}
        if draw(st.booleans()):
            terms["ObjectSizeGreaterThan"] = draw(st.sampled_from([0, 10_000, 10**6]))
        rule: dict[str, Any] = {
            "ID": f"rule-{number}",
            "Status": "Enabled",
            "Filter": {"And": terms} if len(terms) > 1 else terms,
            "Transitions": draw(_steps(way, "Days")),
            "NoncurrentVersionTransitions": draw(_steps(way, "NoncurrentDays")),
        }
        last = max([0, *(step["Days"] for step in rule["Transitions"])])
        if draw(st.booleans()):
            rule["Expiration"] = {"Days": last + draw(st.integers(1, 300))}
        last = max([0, *(step["NoncurrentDays"] for step in rule["NoncurrentVersionTransitions"])])
        if draw(st.booleans()):
            rule["NoncurrentVersionExpiration"] = {"NoncurrentDays": last + draw(st.integers(1, 300))}
        assume(not faults(rule))
        rules.append(rule)
    return rules


_THINGS = st.lists(
    st.builds(
        Thing,
        key=st.sampled_from(["x", "a/x", "a/b/x"]),
        size=st.sampled_from([0, 1, 8_000, 10_001, SMALL - 1, SMALL, 500_000, 10**7]) | st.integers(0, 3 * SMALL),
        storage_class=st.sampled_from([one.value for one in StorageClass]),
        age=st.integers(0, 900),
        noncurrent=st.booleans(),
    ),
    max_size=4,
)


def _lot(thing: Thing, known: list[str], count: int = 1) -> Lot:
    return Lot(
        prefix_of(thing.key, known),
        StorageClass(thing.storage_class),
        thing.noncurrent,
        thing.age,
        count,
        count * thing.size,
    )


def _by_class(found: Bill) -> dict[tuple[str, str], float]:
    usd: defaultdict[tuple[str, str], float] = defaultdict(float)
    for (_, storage_class, item), amount in found.usd.items():
        usd[storage_class.value, item.value] += amount
    return _paid(usd)


def _paid(usd: dict[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    return {name: amount for name, amount in usd.items() if amount > _NOTHING}


@_SETTINGS
@given(rules=_rules(), things=_THINGS, versioned=st.booleans(), reads=st.sampled_from([0.0, 0.5, 3.0]))
def test_forecast_equals_keeping_each_object_day_by_day(
    *, rules: list[dict[str, Any]], things: list[Thing], versioned: bool, reads: float
) -> None:
    configuration = Configuration.parse({"Rules": rules})
    known = prefixes([configuration])
    terms = Terms(NOW, versioned=versioned, reads_a_year=reads, years=_YEARS)

    forecast = bill(Population(tuple(_lot(thing, known) for thing in things)), configuration, terms)

    expected = _paid(pay(things, rules, days=_YEARS * 365, versioned=versioned, reads_a_year=reads))
    assert _by_class(forecast) == pytest.approx(expected, rel=1e-6, abs=_NOTHING)
    assert sum(forecast.by_size.values()) == pytest.approx(forecast.total, rel=1e-9)


@_SETTINGS
@given(rules=_rules(), size=st.integers(0, 10**6), versioned=st.booleans())
def test_inflow_equals_an_object_that_comes_on_the_first_day_of_each_month(
    *, rules: list[dict[str, Any]], size: int, versioned: bool
) -> None:
    configuration = Configuration.parse({"Rules": rules})
    known = prefixes([configuration])
    terms = Terms(NOW, versioned=versioned, years=1)
    months = [Thing("a/x", size, comes=round(month * 365 / 12)) for month in range(12)]

    forecast = bill(Population(inflow=(_lot(months[0], known),)), configuration, terms)

    expected = _paid(pay(months, rules, days=365, versioned=versioned, reads_a_year=0))
    assert _by_class(forecast) == pytest.approx(expected, rel=1e-6, abs=_NOTHING)


@_SETTINGS
@given(rules=_rules(), some=_THINGS, more=_THINGS, versioned=st.booleans())
def test_cost_is_additive_over_objects(
    *, rules: list[dict[str, Any]], some: list[Thing], more: list[Thing], versioned: bool
) -> None:
    configuration = Configuration.parse({"Rules": rules})
    known, terms = prefixes([configuration]), Terms(NOW, versioned=versioned, years=_YEARS)

    def cost(things: list[Thing]) -> float:
        return bill(Population(tuple(_lot(thing, known) for thing in things)), configuration, terms).total

    assert cost(some + more) == pytest.approx(cost(some) + cost(more), rel=1e-9, abs=_NOTHING)


@_SETTINGS
@given(_rules(), st.integers(0, 800), st.lists(st.integers(SMALL, 2 * SMALL - 1), min_size=1, max_size=5))
def test_objects_of_one_lot_cost_what_they_cost_apart(rules: list[dict[str, Any]], age: int, sizes: list[int]) -> None:
    configuration = Configuration.parse({"Rules": rules})
    known, terms = prefixes([configuration]), Terms(NOW, years=_YEARS)

    together = replace(_lot(Thing("a/x", 0, age=age), known), objects=len(sizes), size=sum(sizes))
    apart = tuple(_lot(Thing("a/x", size, age=age), known) for size in sizes)

    one, other = (bill(Population(stock), configuration, terms).total for stock in ((together,), apart))
    assert one == pytest.approx(other, rel=1e-9)


@_SETTINGS
@given(
    st.sampled_from([one for one in StorageClass if one is not StorageClass.INTELLIGENT_TIERING][1:]),
    st.integers(30, 400),
    st.integers(1, 100),
    st.integers(0, 10**7),
)
def test_more_days_in_a_dearer_class_are_never_cheaper(target: StorageClass, days: int, later: int, size: int) -> None:
    lot = Lot("", StorageClass.STANDARD, noncurrent=False, age=0, objects=1, size=size)
    dear, cheap = (tariff(one, size < SMALL).phases[0].daily.of(1, size) for one in (StorageClass.STANDARD, target))
    assume(dear >= cheap)

    def cost(after: int) -> float:
        move = {"Days": after, "StorageClass": target.value}
        rule = {"ID": "r", "Status": "Enabled", "Filter": {"ObjectSizeGreaterThan": 0}, "Transitions": [move]}
        return bill(Population((lot,)), Configuration.parse({"Rules": [rule]}), Terms(NOW, years=_YEARS)).total

    assert cost(days + later) >= cost(days) - 1e-15


@_SETTINGS
@given(rules=_rules(), versioned=st.booleans())
def test_what_pays_from_a_size_pays_above_it_and_loses_below(*, rules: list[dict[str, Any]], versioned: bool) -> None:
    for rule in rules:
        rule["Filter"] = {"And": {"Prefix": "", "ObjectSizeGreaterThan": 0}}
    configuration = Configuration.parse({"Rules": rules})
    terms = Terms(NOW, versioned=versioned, years=_YEARS)

    for effect, number in zip(rule_effects(Population(), configuration, terms), range(len(rules)), strict=True):
        if effect.pays_from is None:
            continue

        def saved(size: float, number: int = number) -> float:
            population = Population((Lot("", StorageClass.STANDARD, noncurrent=False, age=0, objects=1, size=size),))
            found = rule_effects(population, configuration, terms)[number].moving
            assert found is not None
            return found

        assert saved(effect.pays_from * 1.01 + 1) >= -1e-12
        assert saved(effect.pays_from * 10 + 10**6) >= -1e-12
        if effect.pays_from > 1:
            assert saved(effect.pays_from * 0.99) <= 1e-12


@_SETTINGS
@given(rules=_rules(), things=_THINGS)
def test_each_object_is_moved_or_left_for_a_reason_and_what_is_left_saves_nothing(
    rules: list[dict[str, Any]], things: list[Thing]
) -> None:
    configuration = Configuration.parse({"Rules": rules})
    known = prefixes([configuration])
    stock = Population(tuple(_lot(thing, known) for thing in things))

    for rule, effect in zip(
        configuration.rules, rule_effects(stock, configuration, Terms(NOW, years=_YEARS)), strict=True
    ):
        if effect.reach is None:
            continue
        about = [
            lot
            for lot in stock.stock
            if lot.prefix.startswith(rule.prefix)
            and (rule.noncurrent_transitions if lot.noncurrent else rule.transitions)
        ]
        assert effect.reach.objects == sum(lot.objects for lot in about)
        if not effect.reach.moved:
            assert effect.moving == 0
