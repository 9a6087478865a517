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
