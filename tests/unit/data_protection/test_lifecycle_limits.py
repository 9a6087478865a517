"""What AWS refuses, an emulator may take; so each limit is told before the call."""

from typing import Any

import pytest

from data_protection.lifecycle.limits import configuration_faults, faults
from tests.support.data_protection_buckets import moves, rule

_TAG = {"Key": "k", "Value": "v"}
_END = {"Days": 10}


def _noncurrent(*steps: tuple[int, str]) -> list[dict[str, Any]]:
    return [{"NoncurrentDays": days, "StorageClass": storage_class} for days, storage_class in steps]


@pytest.mark.parametrize(
    "good",
    [
        rule("a", Expiration=_END),
        rule("a" * 255, Expiration=_END),
        rule(
            "a", Transitions=moves((30, "STANDARD_IA"), (60, "GLACIER"), (61, "DEEP_ARCHIVE")), Expiration={"Days": 62}
        ),
        rule("a", Transitions=moves((0, "GLACIER"))),
        rule("a", Transitions=moves((0, "INTELLIGENT_TIERING"), (1, "GLACIER_IR"), (2, "GLACIER"))),
        rule("a", Transitions=[{"Date": "2027-01-01T00:00:00+00:00", "StorageClass": "GLACIER"}]),
        rule("a", NoncurrentVersionTransitions=_noncurrent((30, "STANDARD_IA"), (60, "GLACIER"))),
        rule("a", NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 100}),
        rule("a", Expiration={"ExpiredObjectDeleteMarker": True}),
        rule("a", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}),
        {"ID": "a", "Status": "Disabled", "Prefix": "x", "Expiration": _END},
        {**rule("a", Expiration=_END), "Filter": {"And": {"Prefix": "x", "Tags": [_TAG], "ObjectSizeLessThan": 9}}},
        {**rule("a", Expiration=_END), "Filter": {"And": {"Tags": [_TAG, {"Key": "l", "Value": "v"}]}}},
    ],
    ids=lambda good: str(sorted(good)),
)
def test_rule_within_the_limits_is_taken(good: dict[str, Any]) -> None:
    assert faults(good) == []


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (rule("a" * 256, Expiration=_END), "255 characters"),
        ({**rule("a", Expiration=_END), "Status": "On"}, "Status"),
        (rule("a"), "no action"),
        ({"ID": "a", "Status": "Enabled", "Expiration": _END}, "give a Filter"),
        ({**rule("a", Expiration=_END), "Prefix": "x"}, "not both"),
        ({**rule("a", Expiration=_END), "Filter": {"Prefix": "x", "Tag": _TAG}}, "join them by And"),
        ({**rule("a", Expiration=_END), "Filter": {"And": {"Prefix": "x"}}}, "fewer than two"),
        ({**rule("a", Expiration=_END), "Filter": {"And": {"Tags": [_TAG, _TAG]}}}, "a tag twice"),
        ({**rule("a", Expiration=_END), "Filter": {"ObjectSizeGreaterThan": -1}}, "negative"),
        (
            {**rule("a", Expiration=_END), "Filter": {"And": {"ObjectSizeGreaterThan": 9, "ObjectSizeLessThan": 9}}},
            "not above",
        ),
        (rule("a", Transitions=moves((29, "STANDARD_IA"))), "after 29 days; 30 are the least"),
        (rule("a", Transitions=moves((29, "ONEZONE_IA"))), "after 29 days; 30 are the least"),
        (rule("a", Transitions=moves((-1, "GLACIER"))), "after -1 days; 0 are the least"),
        (rule("a", Transitions=moves((30, "STANDARD_IA"), (59, "GLACIER"))), "stay in STANDARD_IA for 30 days"),
        (rule("a", Transitions=moves((30, "STANDARD_IA"), (59, "ONEZONE_IA"))), "stay in STANDARD_IA for 30 days"),
        (rule("a", Transitions=moves((5, "GLACIER"), (5, "DEEP_ARCHIVE"))), "objects must stay|no rule can move"),
        (rule("a", Transitions=moves((1, "INTELLIGENT_TIERING"), (90, "STANDARD_IA"))), "from INTELLIGENT_TIERING to"),
        (rule("a", Transitions=moves((30, "ONEZONE_IA"), (90, "GLACIER_IR"))), "from ONEZONE_IA to GLACIER_IR"),
        (rule("a", Transitions=moves((1, "DEEP_ARCHIVE"), (90, "GLACIER"))), "from DEEP_ARCHIVE to GLACIER"),
        (rule("a", Transitions=moves((1, "GLACIER"), (90, "GLACIER"))), "more than once"),
        (rule("a", Transitions=moves((1, "STANDARD"))), "objects to STANDARD"),
        (rule("a", Transitions=[{"StorageClass": "GLACIER"}]), "either Days or a Date"),
        (
            rule("a", Transitions=[{"Days": 1, "Date": "2027-01-01T00:00:00Z", "StorageClass": "GLACIER"}]),
            "either Days or a Date",
        ),
        (rule("a", Expiration={"Date": "2027-01-01T00:00:01+00:00"}), "midnight"),
        (rule("a", Expiration={"Date": "2027-01-01T00:00:00Z"}, Transitions=moves((1, "GLACIER"))), "cannot be mixed"),
        (rule("a", Expiration={"Days": 90}, Transitions=moves((90, "GLACIER"))), "not after they move to GLACIER"),
        (rule("a", Expiration={"Days": 0}), "1 or more"),
        (rule("a", NoncurrentVersionTransitions=_noncurrent((29, "STANDARD_IA"))), "30 are the least"),
        (
            rule(
                "a",
                NoncurrentVersionTransitions=_noncurrent((30, "GLACIER")),
                NoncurrentVersionExpiration={"NoncurrentDays": 30},
            ),
            "not after they move",
        ),
        (rule("a", NoncurrentVersionExpiration={"NewerNoncurrentVersions": 1}), "lacks NoncurrentDays"),
        (
            rule("a", NoncurrentVersionExpiration={"NoncurrentDays": 1, "NewerNoncurrentVersions": 101}),
            "1 to 100, not 101",
        ),
        (
            {
                "ID": "a",
                "Status": "Enabled",
                "Prefix": "",
                "NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 1},
            },
            "needs a Filter",
        ),
        (rule("a", Expiration={"Days": 1, "ExpiredObjectDeleteMarker": True}), "beside Days"),
        (
            {**rule("a", Expiration={"ExpiredObjectDeleteMarker": True}), "Filter": {"Tag": _TAG}},
            "beside a filter by tags",
        ),
        (rule("a", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 0}), "DaysAfterInitiation must"),
        (
            {**rule("a", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}), "Filter": {"Tag": _TAG}},
            "beside a filter by tags",
        ),
    ],
)
def test_rule_that_aws_refuses_is_told(bad: dict[str, Any], why: str) -> None:
    found = faults(bad)
    assert any(part in fault for fault in found for part in why.split("|")), found


def test_ids_are_unique_and_filters_do_not_stand_beside_legacy_prefixes() -> None:
    one = rule("a", Expiration=_END)
    legacy = {"ID": "b", "Status": "Enabled", "Prefix": "x/", "Expiration": _END}
    assert configuration_faults([one, rule("b", Expiration=_END)]) == []
    assert configuration_faults([one, one]) == ["2 lifecycle rules are called 'a'."]
    assert "cannot stand in one configuration" in configuration_faults([one, legacy])[0]


def test_legacy_rules_may_not_overlap_for_one_action() -> None:
    legacy = {"ID": "b", "Status": "Enabled", "Prefix": "x/", "Expiration": _END}
    assert configuration_faults([legacy, {**legacy, "ID": "c", "Prefix": "y/"}]) == []
    assert "overlap for Expiration" in configuration_faults([legacy, {**legacy, "ID": "c", "Prefix": ""}])[0]
    moving = {"ID": "c", "Status": "Enabled", "Prefix": "", "Transitions": moves((1, "GLACIER"))}
    assert configuration_faults([legacy, moving]) == []
