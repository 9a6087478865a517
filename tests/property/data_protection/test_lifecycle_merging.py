"""Whatever rules a bucket has, merging ours changes none of them and is undone to what was there."""

import copy
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data_protection.changes import CannotChange
from data_protection.lifecycle.effects import course
from data_protection.lifecycle.limits import configuration_faults, faults
from data_protection.lifecycle.merging import Family, merge, unmerge
from data_protection.lifecycle.rules import Configuration, StorageClass
from data_protection.lifecycle.tiers import Step, Tier, shortfalls
from tests.support.data_protection_buckets import NOW
from tests.support.effort import examples

_SETTINGS = settings(
    max_examples=examples(40), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)

_PREFIXES = st.sampled_from(["", "a/", "a/b/", "audio/", "b/", "logs/", "ä/ö/"])
_DAYS = st.integers(1, 4000)
_TAGS = st.lists(
    st.fixed_dictionaries({"Key": st.sampled_from("klm"), "Value": st.sampled_from("vw")}),
    min_size=1,
    max_size=2,
    unique_by=lambda tag: tag["Key"],
)
_SIZES = st.fixed_dictionaries(
    {}, optional={"ObjectSizeGreaterThan": st.integers(0, 10**6), "ObjectSizeLessThan": st.integers(10**6 + 1, 10**9)}
)
_CLASSES = st.sampled_from([one.value for one in StorageClass if one is not StorageClass.STANDARD])


@st.composite
def _filters(draw: st.DrawFn) -> dict[str, Any]:
    terms: dict[str, Any] = dict(draw(_SIZES))
    if draw(st.booleans()):
        terms["Prefix"] = draw(_PREFIXES)
    tags = draw(_TAGS) if draw(st.booleans()) else []
    if len(terms) + len(tags) > 1:
        return {"And": terms | ({"Tags": tags} if tags else {})}
    return {"Tag": tags[0]} if tags else terms


_ACTIONS = st.fixed_dictionaries(
    {},
    optional={
        "Transitions": st.lists(
            st.fixed_dictionaries({"Days": _DAYS, "StorageClass": _CLASSES}), min_size=1, max_size=3
        ),
        "Expiration": st.fixed_dictionaries({"Days": _DAYS})
        | st.just({"Date": "2027-01-01T00:00:00+00:00"})
        | st.just({"ExpiredObjectDeleteMarker": True}),
        "NoncurrentVersionExpiration": st.fixed_dictionaries(
            {"NoncurrentDays": _DAYS}, optional={"NewerNoncurrentVersions": st.integers(1, 100)}
        ),
        "AbortIncompleteMultipartUpload": st.fixed_dictionaries({"DaysAfterInitiation": st.integers(1, 30)}),
    },
).filter(bool)

_STATES = st.fixed_dictionaries(
    {"Status": st.sampled_from(["Enabled", "Disabled"])}, optional={"ID": st.text(max_size=20)}
)


def _is_foreign(rule: dict[str, Any]) -> bool:
    return not any(family.owns(rule) for family in Family)


_MODERN = st.builds(lambda state, where, what: {**state, "Filter": where, **what}, _STATES, _filters(), _ACTIONS)
_LEGACY = st.builds(lambda state, where, what: {**state, "Prefix": where, **what}, _STATES, _PREFIXES, _ACTIONS)
_FOREIGN = (
    st.lists(_MODERN.filter(_is_foreign), max_size=6) | st.lists(_LEGACY.filter(_is_foreign), max_size=3)
).filter(lambda rules: not configuration_faults(rules))


@st.composite
def _tiers(draw: st.DrawFn) -> list[Tier]:
    """Draw tiers that AWS takes, of different prefixes."""
    found = []
    for prefix in draw(st.lists(_PREFIXES, min_size=1, max_size=3, unique=True)):
        ages = sorted(draw(st.lists(st.integers(30, 3000), max_size=3, unique=True)))
        classes = draw(st.permutations(list(StorageClass)[1:]))
        try:
            found.append(
                Tier(
                    prefix=prefix,
                    transitions=tuple(
                        Step(days=age, storage_class=storage_class)
                        for age, storage_class in zip(ages, classes, strict=False)
                    ),
                    expire_days=draw(st.none() | st.integers(3001, 9000)),
                    larger_than_bytes=draw(st.none() | st.integers(0, 10**6)),
                )
            )
        except ValidationError:
            assume(False)  # noqa: FBT003 - as Hypothesis has it
    return found


def _merged(foreign: list[dict[str, Any]], tiers: list[Tier]) -> list[Any]:
    try:
        return merge(foreign, [tier.rule() for tier in tiers], Family.TIER)
    except CannotChange:
        assume(False)  # noqa: FBT003 - as Hypothesis has it
        raise


@_SETTINGS
@given(_FOREIGN, _tiers())
def test_no_foreign_rule_changes_nor_moves(foreign: list[dict[str, Any]], tiers: list[Tier]) -> None:
    before = copy.deepcopy(foreign)
    merged = _merged(foreign, tiers)
    assert merged[: len(before)] == before
    assert foreign == before


@_SETTINGS
@given(_FOREIGN, _tiers())
def test_merging_twice_is_merging_once(foreign: list[dict[str, Any]], tiers: list[Tier]) -> None:
    merged = _merged(foreign, tiers)
    assert _merged(merged, tiers) == merged


@_SETTINGS
@given(_FOREIGN, _tiers())
def test_unmerging_gives_what_was_there(foreign: list[dict[str, Any]], tiers: list[Tier]) -> None:
    assert unmerge(_merged(foreign, tiers), Family.TIER) == foreign


@_SETTINGS
@given(_FOREIGN, _tiers(), _tiers())
def test_other_tiers_replace_ours_and_leave_nothing_behind(
    foreign: list[dict[str, Any]], tiers: list[Tier], others: list[Tier]
) -> None:
    assert _merged(_merged(foreign, tiers), others) == _merged(foreign, others)


@_SETTINGS
@given(_FOREIGN, _tiers(), _DAYS)
def test_families_leave_each_other_alone(foreign: list[dict[str, Any]], tiers: list[Tier], days: int) -> None:
    noncurrent = {
        "ID": f"{Family.NONCURRENT}bucket",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": days},
    }
    merged = _merged(foreign, tiers)
    try:
        both = merge(merged, [noncurrent], Family.NONCURRENT)
    except CannotChange:
        assume(False)  # noqa: FBT003 - as Hypothesis has it
        raise
    assert unmerge(both, Family.NONCURRENT) == merged


@_SETTINGS
@given(_FOREIGN, _tiers())
def test_what_is_merged_is_what_aws_takes(foreign: list[dict[str, Any]], tiers: list[Tier]) -> None:
    merged = _merged(foreign, tiers)
    assert configuration_faults(merged) == []
    assert [fault for rule in merged[len(foreign) :] for fault in faults(rule)] == []


@_SETTINGS
@given(_tiers())
def test_tier_alone_in_a_bucket_is_in_effect(tiers: list[Tier]) -> None:
    tier = tiers[0]
    assert shortfalls(tier, Configuration.parse({"Rules": [tier.rule()]}), NOW) == []


@_SETTINGS
@given(_FOREIGN, st.sampled_from(["a/b/x", "logs/y", "z"]), st.integers(0, 10**7))
def test_object_only_ever_gets_colder_and_never_comes_back(foreign: list[dict[str, Any]], key: str, size: int) -> None:
    life = course(Configuration.parse({"Rules": foreign}), key, size, NOW)
    current = StorageClass.STANDARD
    for move in life.moves:
        assert current.leads_to(move.storage_class)
        assert life.expires is None or move.age < life.expires
        current = move.storage_class
    ages = [move.age for move in life.moves]
    assert ages == sorted(set(ages))
    if life.expires is not None:
        assert life.at(life.expires) is None
    else:
        assert life.at(10_000) is current
