"""What becomes of an object where rules meet."""

from typing import Any

import pytest

from data_protection.lifecycle.effects import Move, course, noncurrent_days
from data_protection.lifecycle.rules import Configuration, StorageClass
from tests.support.data_protection_buckets import NOW, moves, rule

_MB = 1024**2
_IA, _COLD, _FROZEN = StorageClass.STANDARD_IA, StorageClass.GLACIER, StorageClass.DEEP_ARCHIVE


def _ages(*rules: dict[str, Any], size: int = _MB, **more: Any) -> list[tuple[int, StorageClass]]:
    configuration = Configuration.parse({"Rules": list(rules), **more})
    return [(move.age, move.storage_class) for move in course(configuration, "a/b", size, NOW).moves]


def test_object_moves_by_all_rules_that_are_about_it() -> None:
    found = _ages(
        rule("one", "a/", Transitions=moves((30, "STANDARD_IA"))),
        rule("two", Transitions=moves((90, "GLACIER"))),
        rule("three", "b/", Transitions=moves((1, "GLACIER"))),
        {**rule("four", Transitions=moves((2, "GLACIER"))), "Status": "Disabled"},
    )
    assert found == [(30, _IA), (90, _COLD)]


def test_coldest_of_a_day_wins_and_nothing_gets_warmer() -> None:
    found = _ages(
        rule("one", Transitions=moves((30, "STANDARD_IA"))),
        rule("two", Transitions=moves((30, "GLACIER"))),
        rule("three", Transitions=moves((60, "STANDARD_IA"), (90, "DEEP_ARCHIVE"))),
    )
    assert found == [(30, _COLD), (90, _FROZEN)]


def test_intelligent_tiering_is_left_for_colder_classes_only() -> None:
    found = _ages(
        rule("one", Transitions=moves((0, "INTELLIGENT_TIERING"))), rule("two", Transitions=moves((90, "STANDARD_IA")))
    )
    assert found == [(0, StorageClass.INTELLIGENT_TIERING)]


def test_earliest_expiration_counts_and_ends_all_moves() -> None:
    configuration = Configuration.parse(
        {
            "Rules": [
                rule("late", Expiration={"Days": 100}, Transitions=moves((90, "GLACIER"))),
                rule("soon", Expiration={"Days": 40}, Transitions=moves((30, "STANDARD_IA"))),
            ]
        }
    )
    life = course(configuration, "x", _MB, NOW)
    assert (life.expires, life.expired_by) == (40, "soon")
    assert life.moves == (Move(30, _IA, "soon"),)
    assert [life.at(age) for age in (0, 29, 30, 39, 40)] == [
        StorageClass.STANDARD,
        StorageClass.STANDARD,
        _IA,
        _IA,
        None,
    ]


@pytest.mark.parametrize(
    ("size", "minimum", "expected"),
    [
        (128 * 1024 - 1, "all_storage_classes_128K", []),
        (128 * 1024, "all_storage_classes_128K", [(30, _IA), (90, _COLD)]),
        (128 * 1024 - 1, "varies_by_storage_class", [(90, _COLD)]),
    ],
)
def test_small_objects_stay_unless_the_bucket_says_otherwise(
    size: int, minimum: str, expected: list[tuple[int, StorageClass]]
) -> None:
    steps = rule("one", Transitions=moves((30, "STANDARD_IA"), (90, "GLACIER")))
    assert _ages(steps, size=size, TransitionDefaultMinimumObjectSize=minimum) == expected


def test_filter_by_size_moves_small_objects_and_small_ones_expire_in_any_case() -> None:
    forced = {**rule("one", Transitions=moves((90, "GLACIER"))), "Filter": {"ObjectSizeGreaterThan": 10}}
    assert _ages(forced, size=11) == [(90, _COLD)]
    assert _ages(forced, size=10) == []
    tiny = Configuration.parse({"Rules": [rule("end", Expiration={"Days": 3})]})
    assert course(tiny, "x", 1, NOW).expires == 3


def test_objects_with_a_tag_live_by_the_rules_of_the_tag() -> None:
    tagged = {**rule("one", Expiration={"Days": 9}), "Filter": {"Tag": {"Key": "k", "Value": "v"}}}
    configuration = Configuration.parse({"Rules": [tagged]})
    assert course(configuration, "x", _MB, NOW).expires is None
    assert course(configuration, "x", _MB, NOW, frozenset({("k", "v")})).expires == 9


def test_noncurrent_versions_of_a_prefix_go_by_the_shortest_rule_about_all_of_them() -> None:
    def ends(days: int, prefix: str = "") -> dict[str, Any]:
        return rule(f"n{days}", prefix, NoncurrentVersionExpiration={"NoncurrentDays": days})

    sized = {**ends(2), "Filter": {"ObjectSizeGreaterThan": 1}}
    configuration = Configuration.parse({"Rules": [ends(90), ends(30, "a/"), ends(1, "a/b/"), sized]})
    assert noncurrent_days(configuration, "a/") == 30
    assert noncurrent_days(configuration, "c/") == 90
    assert noncurrent_days(Configuration(), "") is None
