"""What is archived, overwritten or deleted can be read again in time."""

from typing import Any

import pytest

from data_protection.readings import Unreadable
from data_protection.reads.s3 import INTELLIGENT_TIERING, LIFECYCLE, VERSIONING
from data_protection.verdicts import Status, Verdict
from tests.support.data_protection_buckets import SITE, Readings, healthy, moves, rule, verdict


def _judged(*rules: dict[str, Any], **more: Any) -> Verdict:
    readings: Readings = healthy() | {
        (SITE, LIFECYCLE): {"Rules": list(rules)},
        (SITE, INTELLIGENT_TIERING): {"IntelligentTieringConfigurationList": []},
        **{(SITE, read): answer for read, answer in more.get("also", {}).items()},
    }
    return verdict("S3-RTO", readings, {})


@pytest.mark.parametrize(
    ("steps", "status"),
    [
        (((30, "STANDARD_IA"), (90, "GLACIER_IR")), Status.PASS),
        (((0, "INTELLIGENT_TIERING"),), Status.PASS),
        (((90, "GLACIER"),), Status.FAIL),
        (((90, "STANDARD_IA"), (1095, "DEEP_ARCHIVE")), Status.FAIL),
    ],
)
def test_archives_take_hours_and_other_classes_none(steps: tuple[tuple[int, str], ...], status: Status) -> None:
    assert _judged(rule("tiers", Transitions=moves(*steps))).status is status


def test_reason_names_prefix_age_class_and_hours() -> None:
    found = _judged(rule("one", "logs/", Transitions=moves((90, "GLACIER"))), rule("two", Expiration={"Days": 30}))
    assert found.status is Status.PASS

    found = _judged(rule("one", "logs/", Transitions=moves((90, "GLACIER"))))
    assert found.reason == (
        "Objects below 'logs/' are in GLACIER from 90 days on, and take up to 5 h to restore, of 1 h that are allowed."
    )


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"Tag": {"Key": "k", "Value": "v"}}, "Objects with the tag k=v are in DEEP_ARCHIVE"),
        ({"ObjectSizeLessThan": 1024**4}, "Objects smaller than 1099511627776 bytes are in DEEP_ARCHIVE"),
        ({"ObjectSizeLessThan": 1000}, "Objects smaller than 1000 bytes are in DEEP_ARCHIVE"),
    ],
)
def test_rule_that_archives_some_objects_is_enough_to_fail(part: dict[str, Any], said: str) -> None:
    archives = {**rule("some", Transitions=moves((1, "DEEP_ARCHIVE"))), "Filter": part}

    found = _judged(archives, rule("end", Expiration={"Days": 2}))

    assert (found.status, found.reason.startswith(said)) == (Status.FAIL, True), found.reason


@pytest.mark.parametrize(
    ("ends", "status"),
    [
        ([rule("all", Expiration={"Days": 90})], Status.PASS),
        ([rule("others", "mail/", Expiration={"Days": 30})], Status.FAIL),
        ([rule("part", "logs/2026/", Expiration={"Days": 30})], Status.FAIL),
        ([{**rule("large"), "Filter": {"ObjectSizeGreaterThan": 9999999}, "Expiration": {"Days": 30}}], Status.FAIL),
        (
            [
                {**rule("large"), "Filter": {"ObjectSizeGreaterThan": 999}, "Expiration": {"Days": 30}},
                {**rule("small"), "Filter": {"ObjectSizeLessThan": 1000}, "Expiration": {"Days": 40}},
            ],
            Status.PASS,
        ),
        ([{**rule("tag"), "Filter": {"Tag": {"Key": "k", "Value": "v"}}, "Expiration": {"Days": 30}}], Status.FAIL),
    ],
)
def test_archive_counts_unless_all_of_its_objects_are_deleted_before(
    ends: list[dict[str, Any]], status: Status
) -> None:
    found = _judged(rule("one", "logs/", Transitions=moves((90, "GLACIER"))), *ends)
    assert found.status is status, found.reason


def test_noncurrent_versions_that_are_kept_by_number_are_archived_in_spite_of_an_end() -> None:
    archived = rule("old", NoncurrentVersionTransitions=[{"NoncurrentDays": 30, "StorageClass": "GLACIER"}])
    ends = {"NoncurrentDays": 10}

    assert _judged(archived, rule("end", NoncurrentVersionExpiration=ends)).status is Status.PASS
    some = rule("end", NoncurrentVersionExpiration={**ends, "NewerNoncurrentVersions": 3})
    assert _judged(archived, some).status is Status.FAIL


def test_configurations_that_one_answer_does_not_hold_leave_it_open() -> None:
    more = {INTELLIGENT_TIERING: {"IsTruncated": True, "IntelligentTieringConfigurationList": []}}

    assert _judged(also=more).status is Status.UNKNOWN
    assert _judged(rule("r", Transitions=moves((90, "GLACIER"))), also=more).status is Status.FAIL


def test_archived_noncurrent_versions_count_too() -> None:
    archived = rule("old", NoncurrentVersionTransitions=[{"NoncurrentDays": 30, "StorageClass": "DEEP_ARCHIVE"}])

    assert "Noncurrent versions are in DEEP_ARCHIVE from 30 days on" in _judged(archived).reason


def test_archive_tiers_of_intelligent_tiering_take_hours() -> None:
    tiering = {"Id": "t", "Status": "Enabled", "Tierings": [{"AccessTier": "ARCHIVE_ACCESS", "Days": 90}]}
    on, off = (
        _judged(also={INTELLIGENT_TIERING: {"IntelligentTieringConfigurationList": [{**tiering, "Status": status}]}})
        for status in ("Enabled", "Disabled")
    )

    assert (on.status, off.status) == (Status.FAIL, Status.PASS)
    assert "not read for 90 days" in on.reason


def test_without_versions_nothing_comes_back() -> None:
    found = _judged(also={VERSIONING: {}})

    assert found.status is Status.FAIL
    assert "does not come back" in found.reason


def test_denied_read_makes_it_unknown_and_hides_no_failure() -> None:
    denied = {INTELLIGENT_TIERING: Unreadable("AccessDenied", "no")}

    assert _judged(also=denied).status is Status.UNKNOWN
    assert _judged(rule("r", Transitions=moves((90, "GLACIER"))), also=denied).status is Status.FAIL
