"""What is not accessed is archived."""

from typing import Any

import pytest

from data_protection.changes import CannotChange, Reversibility
from data_protection.errors import ProfileInvalid
from data_protection.profiles import parse
from data_protection.readings import Unreadable
from data_protection.reads.s3 import INTELLIGENT_TIERING, LIFECYCLE
from data_protection.verdicts import Status
from tests.support.data_protection_buckets import SITE, Readings, changes, healthy, moves, rule, verdict

_DAYS = (("ARCHIVE_ACCESS", 90), ("DEEP_ARCHIVE_ACCESS", 180))


def _entry(name: str = "archive", days: Any = _DAYS, **more: Any) -> dict[str, Any]:
    tierings = [{"AccessTier": tier, "Days": after} for tier, after in days]
    return {"Id": name, "Status": "Enabled", "Tierings": tierings, **more}


def _site(*entries: dict[str, Any], truncated: bool = False) -> Readings:
    answer = {"IsTruncated": truncated, "IntelligentTieringConfigurationList": list(entries)}
    return healthy() | {(SITE, INTELLIGENT_TIERING): answer}


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        (_entry(), Status.PASS),
        (_entry(Filter={"Prefix": "mixed/"}), Status.PASS),
        (_entry(days=reversed(_DAYS)), Status.PASS),
        (_entry(days=_DAYS[:1]), Status.WARN),
        (_entry(days=(("ARCHIVE_ACCESS", 91), _DAYS[1])), Status.WARN),
        (_entry(Filter={"Prefix": "mixed/a"}), Status.FAIL),
        (_entry(Filter={"Tag": {"Key": "k", "Value": "v"}}), Status.FAIL),
        (_entry(Filter={"And": {"Prefix": "mixed/", "Tags": [{"Key": "k", "Value": "v"}]}}), Status.FAIL),
        (_entry(Status="Disabled"), Status.FAIL),
    ],
)
def test_enabled_configuration_must_cover_the_prefix_by_the_days_that_are_asked(
    entry: dict[str, Any], status: Status
) -> None:
    assert verdict("S3-INTTIER", _site(entry)).status is status


def test_configuration_that_may_be_on_a_further_page_is_unknown() -> None:
    assert verdict("S3-INTTIER", _site(_entry(Status="Disabled"), truncated=True)).status is Status.UNKNOWN
    assert verdict("S3-INTTIER", _site(_entry(), truncated=True)).status is Status.PASS


def test_configuration_without_anything_that_moves_objects_there_warns() -> None:
    found = verdict("S3-INTTIER", _site(_entry()) | {(SITE, LIFECYCLE): {"Rules": []}})
    assert found.status is Status.WARN
    assert "S3-LIFECYCLE" in found.reason


def test_rule_that_moves_objects_of_some_sizes_warns() -> None:
    moved = {**rule("some", Transitions=moves((0, "INTELLIGENT_TIERING"))), "Filter": {"ObjectSizeLessThan": 1024**3}}
    found = verdict("S3-INTTIER", _site(_entry()) | {(SITE, LIFECYCLE): {"Rules": [moved]}})
    assert (found.status, "all sizes" in found.reason) == (Status.WARN, True)


@pytest.mark.parametrize(
    "other",
    [
        _entry("other", days=(("ARCHIVE_ACCESS", 91), _DAYS[1]), Filter={"Prefix": "mixed/a/"}),
        _entry("other", days=_DAYS[1:], Filter={"Prefix": "mixed/a/"}),
        _entry("other", days=(("ARCHIVE_ACCESS", 90), ("DEEP_ARCHIVE_ACCESS", 180)), Filter={"Prefix": "else/"}),
        _entry("other", Filter={"Prefix": "mixed/a/"}, Status="Disabled"),
    ],
)
def test_configuration_of_others_that_archives_nothing_earlier_changes_nothing(other: dict[str, Any]) -> None:
    assert verdict("S3-INTTIER", _site(_entry(), other)).status is Status.PASS


@pytest.mark.parametrize("part", [{"Prefix": "mixed/a/"}, {"Tag": {"Key": "k", "Value": "v"}}])
def test_configuration_of_others_that_archives_some_objects_earlier_warns(part: dict[str, Any]) -> None:
    other = _entry("other", Filter=part)
    readings = _site(_entry(days=(("ARCHIVE_ACCESS", 120),)), other)
    requirement = {"prefix": "mixed/", "archive_days": 120, "deep_archive_days": None}
    found = verdict("S3-INTTIER", readings, requirement)
    assert (found.status, "other archives some" in found.reason) == (Status.WARN, True)
    with pytest.raises(CannotChange, match="other of site is not ours"):
        changes("S3-INTTIER", readings, requirement)


def test_archiving_must_be_asked_for_by_name() -> None:
    (change,) = changes("S3-INTTIER", _site())
    assert change.reversibility is Reversibility.LOSES_DATA
    assert "must be restored" in change.risk


def test_denied_lifecycle_hides_no_failure() -> None:
    denied = {(SITE, LIFECYCLE): Unreadable("AccessDenied", "no")}
    assert verdict("S3-INTTIER", _site() | denied).status is Status.FAIL
    assert verdict("S3-INTTIER", _site(_entry()) | denied).status is Status.UNKNOWN


def test_configuration_is_added_beside_others_and_then_passes() -> None:
    other = _entry("other", Filter={"Prefix": "else/"})
    (change,) = changes("S3-INTTIER", _site(other))
    assert change.inverse is not None
    assert change.inverse.operation == "delete_bucket_intelligent_tiering_configuration"
    put = _site(other, change.call.parameters["IntelligentTieringConfiguration"])
    assert verdict("S3-INTTIER", put).status is Status.PASS
    assert changes("S3-INTTIER", put) == []


def test_our_own_configuration_is_replaced_and_can_be_had_back() -> None:
    ours = _entry("gatehouse", days=_DAYS[:1])
    (change,) = changes("S3-INTTIER", _site(ours))
    assert change.inverse is not None
    assert change.inverse.parameters["IntelligentTieringConfiguration"] == ours


def test_foreign_configuration_with_other_days_is_left_alone() -> None:
    with pytest.raises(CannotChange, match="not ours"):
        changes("S3-INTTIER", _site(_entry(days=_DAYS[:1])))


def test_thousand_configurations_are_all_that_aws_takes() -> None:
    with pytest.raises(CannotChange, match="1000"):
        changes("S3-INTTIER", _site(*(_entry(f"c{number}", Filter={"Prefix": "x"}) for number in range(1000))))


@pytest.mark.parametrize(
    "requirement",
    [
        "{archive_days: 89}",
        "{deep_archive_days: 179}",
        "{deep_archive_days: 731}",
        "{archive_days: 200, deep_archive_days: 200}",
        "{archive_days: null, deep_archive_days: null}",
    ],
)
def test_days_that_aws_would_refuse_are_refused_in_the_profile(requirement: str) -> None:
    with pytest.raises(ProfileInvalid):
        parse(
            f"{{name: a, rules: [{{kind: s3-bucket, select: [{{name: b}}], requires: {{S3-INTTIER: {requirement}}}}}]}}"
        )


def test_one_access_tier_is_enough() -> None:
    (change,) = changes("S3-INTTIER", _site(), {"archive_days": None})
    assert change.after["Tierings"] == [{"AccessTier": "DEEP_ARCHIVE_ACCESS", "Days": 180}]
    assert "Filter" not in change.after
