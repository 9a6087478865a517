"""Seven years of a bucket: figures of the standard, worked out apart from this code, and what rules do to a bill."""

from typing import Any

import pytest

from data_protection.lifecycle.break_even import pays_from
from data_protection.lifecycle.charges import Item
from data_protection.lifecycle.forecast import Terms, bill, rule_effects, standard_bill
from data_protection.lifecycle.population import Lot, Population, prefix_of, prefixes, size_edges
from data_protection.lifecycle.reach import Leaving, Reach
from data_protection.lifecycle.rules import Configuration, StorageClass
from data_protection.lifecycle.tariff import prices
from data_protection.reports.forecast_words import known_there, priced
from tests.support.data_protection_buckets import NOW, moves, rule

_KB = 1024
_AUDIO = ((90, "STANDARD_IA"), (365, "GLACIER"), (1095, "DEEP_ARCHIVE"))
_TRANSCRIPTS = ((90, "STANDARD_IA"), (365, "GLACIER"))
_LOGS = ((90, "GLACIER"),)
_STANDARD, _IA, _IR = StorageClass.STANDARD, StorageClass.STANDARD_IA, StorageClass.GLACIER_IR
_COLD, _FROZEN = StorageClass.GLACIER, StorageClass.DEEP_ARCHIVE


def lifecycle(*rules: dict[str, Any]) -> Configuration:
    return Configuration.parse({"Rules": list(rules)})


def monthly(size: float, objects: int = 1000) -> Population:
    """As many objects of one size in each month, into an empty bucket."""
    return Population(inflow=(Lot("", _STANDARD, noncurrent=False, age=0, objects=objects, size=objects * size),))


def saving(population: Population, configuration: Configuration, terms: Terms | None = None) -> float:
    """Return by how many percent a lifecycle is cheaper than STANDARD."""
    given = terms or Terms(NOW)
    standard = standard_bill(population, configuration, given).total
    return 100 * (1 - bill(population, configuration, given).total / standard)


@pytest.mark.parametrize(
    ("kilobytes", "steps", "expire", "percent"),
    [
        (5 * _KB, _AUDIO, None, 73.2),
        (20 * _KB, _AUDIO, None, 74.3),
        (5 * _KB, _TRANSCRIPTS, None, 70.0),
        (5 * _KB, ((90, "STANDARD_IA"), (365, "GLACIER_IR"), (1095, "DEEP_ARCHIVE")), None, 72.8),
        (5 * _KB, ((90, "GLACIER_IR"),), None, 76.5),
        (200, _TRANSCRIPTS, None, 47.1),
        (40, _TRANSCRIPTS, None, -71.5),
        (1 * _KB, _LOGS, 2555, 74.3),
        (8, _LOGS, 2555, -466),
    ],
)
def test_steady_inflow_saves_what_was_worked_out_by_hand(
    kilobytes: int, steps: tuple[tuple[int, str], ...], expire: int | None, percent: float
) -> None:
    extra: dict[str, Any] = {} if expire is None else {"Expiration": {"Days": expire}}
    all_sizes = rule("tiers", Transitions=moves(*steps), **extra) | {"Filter": {"ObjectSizeGreaterThan": 0}}

    found = saving(monthly(kilobytes * _KB), lifecycle(all_sizes))

    # What was worked out is rounded: to a tenth, and to a whole where it has no tenth.
    assert found == pytest.approx(percent, abs=0.1 if isinstance(percent, float) else 0.5)


@pytest.mark.parametrize(("kilobytes", "steps"), [(40, _TRANSCRIPTS), (8, _LOGS)])
def test_below_128_kb_nothing_moves_by_default(kilobytes: int, steps: tuple[tuple[int, str], ...]) -> None:
    assert saving(monthly(kilobytes * _KB), lifecycle(rule("tiers", Transitions=moves(*steps)))) == 0


@pytest.mark.parametrize(
    ("kilobytes", "audio", "transcripts", "logs"),
    [(128, 38, 52, 59), (200, 55, 61, 67), (512, 72, 71, 76), (1024, 78, 74, 79)],
)
def test_single_object_kept_for_seven_years_saves_what_was_worked_out_by_hand(
    kilobytes: int, audio: int, transcripts: int, logs: int
) -> None:
    lot = Lot("", _STANDARD, noncurrent=False, age=0, objects=1, size=kilobytes * _KB)

    found = [
        saving(Population((lot,)), lifecycle(rule("tiers", Transitions=moves(*steps))))
        for steps in (_AUDIO, _TRANSCRIPTS, _LOGS)
    ]

    assert found == pytest.approx([audio, transcripts, logs], abs=0.6)


@pytest.mark.parametrize(
    ("source", "target", "days", "kilobytes"),
    [
        (_STANDARD, _IA, 275, 120),
        (_STANDARD, _COLD, 2465, 35),
        (_STANDARD, _COLD, 275, 195),
        (_IA, _COLD, 730, 181),
        (_COLD, _FROZEN, 1460, 387),
        (_STANDARD, _IR, 2465, 34),
    ],
)
def test_move_pays_from_the_size_that_was_worked_out_by_hand(
    source: StorageClass, target: StorageClass, days: int, kilobytes: int
) -> None:
    found = pays_from(source, target, days)

    assert found is not None
    assert found / _KB == pytest.approx(kilobytes, abs=0.5)


def test_what_is_read_often_never_pays_in_a_class_that_asks_for_reading() -> None:
    assert pays_from(_STANDARD, _IA, 365, reads_a_year=6) is not None
    assert pays_from(_STANDARD, _IA, 365, reads_a_year=13) is None


def test_leaving_a_class_early_makes_the_move_dearer() -> None:
    early, late = (pays_from(_STANDARD, _COLD, 60, leaves=leaves) for leaves in (True, False))

    assert early is not None
    assert late is not None
    assert early > late


def test_rule_over_small_objects_is_told_to_lose_and_from_which_size_it_pays() -> None:
    forced = rule("logs", Transitions=moves(*_LOGS)) | {"Filter": {"ObjectSizeGreaterThan": 0}}
    sizes = Population(monthly(8 * _KB).inflow + monthly(300 * _KB, objects=1).inflow)

    (effect,) = rule_effects(sizes, lifecycle(forced), Terms(NOW))

    assert effect.loses
    assert effect.pays_from == pytest.approx(35.2 * _KB, abs=_KB)
    assert effect.moving_by_size[8 * _KB] < 0 < effect.moving_by_size[256 * _KB]
    assert sum(effect.moving_by_size.values()) == pytest.approx(effect.moving)


def test_rule_is_told_by_what_it_adds_to_the_others() -> None:
    one, other = rule("one", Transitions=moves((30, "GLACIER_IR"))), rule("two", Transitions=moves((30, "GLACIER")))

    effects = rule_effects(monthly(_KB * _KB), lifecycle(one, other), Terms(NOW))

    # Of two moves at one age the coldest happens, so that the other rule adds nothing.
    assert effects[0].moving == 0
    assert effects[0].steps == ()
    assert effects[1].moving is not None
    assert effects[1].moving != 0
    assert [step.storage_class for step in effects[1].steps] == [_COLD]


def test_deletions_of_a_rule_are_told_apart_from_its_moves() -> None:
    both = rule("logs", Transitions=moves(*_LOGS), Expiration={"Days": 400})

    (effect,) = rule_effects(monthly(_KB * _KB), lifecycle(both), Terms(NOW))

    assert effect.moving is not None
    assert effect.deleting is not None
    assert effect.moving > 0
    assert effect.deleting > 0
    assert effect.steps[0].stay == 310


@pytest.mark.parametrize(
    ("changes", "age", "size", "storage_class", "leaving"),
    [
        ({"Filter": {"ObjectSizeGreaterThan": _KB * _KB}}, 5, 200 * _KB, _STANDARD, Leaving.FILTERED),
        ({}, 5, 127 * _KB, _STANDARD, Leaving.SMALL),
        ({}, 5, 200 * _KB, _FROZEN, Leaving.THERE),
        ({"Expiration": {"Days": 300}}, 301, 200 * _KB, _STANDARD, Leaving.DELETED),
        ({"Transitions": moves((7 * 365 + 1, "GLACIER"))}, 0, 200 * _KB, _STANDARD, Leaving.LATER),
        (
            {"Transitions": [{"Date": "2040-01-01T00:00:00Z", "StorageClass": "GLACIER"}]},
            5,
            200 * _KB,
            _STANDARD,
            "later",
        ),
    ],
)
def test_object_that_a_rule_does_not_move_is_counted_with_the_reason(
    changes: dict[str, Any], age: int, size: int, storage_class: StorageClass, leaving: str
) -> None:
    given = rule("r", Transitions=moves(*_LOGS)) | changes
    there = Population(stock=(Lot("", storage_class, noncurrent=False, age=age, objects=3, size=3 * size),))

    (effect,) = rule_effects(there, lifecycle(given), Terms(NOW))

    assert effect.moving == 0
    assert effect.reach == Reach(0, 0, {Leaving(leaving): 3})


def test_objects_that_other_rules_move_first_are_theirs() -> None:
    one, other = rule("one", Transitions=moves((90, "GLACIER_IR"))), rule("two", Transitions=moves((30, "GLACIER")))
    there = Population(
        stock=tuple(Lot("", _STANDARD, noncurrent=False, age=age, objects=3, size=3 * _KB * _KB) for age in (10, 40))
    )

    first, second = rule_effects(there, lifecycle(one, other), Terms(NOW))

    assert first.reach == Reach(0, 0, {Leaving.OTHERS: 6})
    assert second.reach == Reach(3, 3, {})


def test_rule_about_tags_is_in_no_figure_as_nothing_tells_who_carries_them() -> None:
    tagged = rule("tagged", Transitions=moves((30, "GLACIER"))) | {"Filter": {"Tag": {"Key": "k", "Value": "v"}}}

    assert saving(monthly(_KB * _KB), lifecycle(tagged)) == 0
    assert rule_effects(monthly(_KB * _KB), lifecycle(tagged), Terms(NOW)) == []


def test_versions_are_paid_until_they_are_deleted_as_such() -> None:
    def cost(*, versioned: bool, noncurrent_days: int) -> float:
        deleting = rule("r", Expiration={"Days": 100}, NoncurrentVersionExpiration={"NoncurrentDays": noncurrent_days})
        return bill(monthly(_KB * _KB), lifecycle(deleting), Terms(NOW, versioned=versioned)).total

    assert cost(versioned=False, noncurrent_days=90) == cost(versioned=False, noncurrent_days=10)
    assert cost(versioned=True, noncurrent_days=90) == pytest.approx(
        cost(versioned=False, noncurrent_days=1) * 1.89, rel=0.02
    )


def test_more_comes_in_with_each_year_as_it_is_said_to_grow() -> None:
    steady, grown = (
        bill(monthly(_KB * _KB), Configuration(), Terms(NOW, growth_a_year=growth)).total for growth in (0.0, 0.2)
    )
    assert 1.2 < grown / steady < 1.2**6


def test_intelligent_tiering_is_watched_from_128_kb_on() -> None:
    tiering = lifecycle(
        rule("t", Transitions=moves((0, "INTELLIGENT_TIERING"))) | {"Filter": {"ObjectSizeGreaterThan": 0}}
    )

    def items(size: int) -> set[Item]:
        found = bill(monthly(size), tiering, Terms(NOW))
        return {item for _, storage_class, item in found.usd if storage_class is StorageClass.INTELLIGENT_TIERING}

    assert items(127 * _KB) == {Item.STORAGE, Item.MOVING}
    assert items(128 * _KB) == {Item.STORAGE, Item.MOVING, Item.MONITORING}


def test_objects_are_told_apart_where_rules_treat_them_otherwise() -> None:
    configuration = lifecycle(
        rule("one", "a/"), rule("two", "a/b/"), rule("three") | {"Filter": {"ObjectSizeGreaterThan": 5000}}
    )
    known = prefixes([configuration])

    assert [prefix_of(key, known) for key in ("a/b/c", "a/c", "x")] == ["a/b/", "a/", ""]
    assert {5001, 128 * _KB} <= set(size_edges([configuration]))


def test_every_class_has_its_prices_and_those_that_nobody_read_are_known() -> None:
    unread = {name for name, price in prices().items() if price.read is None}

    assert {f"s3_transitions_{one.lower()}" for one in StorageClass if one is not _STANDARD} <= prices().keys()
    assert "s3_transitions_intelligent_tiering" in unread
    assert "s3_storage" not in unread


@pytest.mark.parametrize(
    ("region", "said"),
    [
        ("eu-central-1", "storage in STANDARD 0.0245 instead of 0.023 USD for a GB and month of the first 50 TB"),
        ("eu-west-1", "Of the prices that are known there all are the same."),
    ],
)
def test_what_is_known_of_another_region_is_said(region: str, said: str) -> None:
    assert said in known_there(region)


def test_of_a_region_of_which_nothing_is_known_nothing_is_said() -> None:
    assert known_there("ap-south-1") == ""


def test_every_price_has_a_name_for_people() -> None:
    assert priced("s3_restores_deep_archive") == "objects restored from DEEP_ARCHIVE"
    assert not [name for name in prices() if "s3" in priced(name)]
