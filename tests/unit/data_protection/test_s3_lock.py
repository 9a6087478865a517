"""What is written stays for a time."""

from typing import Any

import pytest

from data_protection.changes import CannotChange, Reversibility
from data_protection.checks.s3_lock import retain
from data_protection.errors import ProfileInvalid
from data_protection.profiles import parse
from data_protection.readings import NotConfigured, Unreadable
from data_protection.reads.s3 import ENCRYPTION, LOGGING, OBJECT_LOCK, VERSIONING
from data_protection.resources import Resource
from data_protection.verdicts import Status
from tests.support.data_protection_buckets import LOGS, SITE, Readings, case, changes, healthy, locked, verdict

_OFF = NotConfigured("ObjectLockConfigurationNotFoundError")
_ENABLED = {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}
_HOLD: dict[str, Any] = {"DefaultEventHold": {"Days": 10}}


def _site(lock: Any) -> Readings:
    return healthy() | {(SITE, OBJECT_LOCK): lock}


@pytest.mark.parametrize(
    ("lock", "status"),
    [
        (_ENABLED, Status.WARN),
        (locked(Days=29), Status.WARN),
        (locked(Days=30), Status.PASS),
        (locked(Days=0, Years=1), Status.PASS),  # as an emulator answers
        (locked("COMPLIANCE", Years=1), Status.PASS),  # stronger than asked
        (locked(Days=30, **_HOLD), Status.PASS),
        (
            {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": _HOLD}}},
            Status.WARN,
        ),
    ],
)
def test_default_retention_is_judged_by_mode_and_period(lock: Any, status: Status) -> None:
    assert verdict("S3-LOCK", _site(lock)).status is status


def test_governance_where_compliance_is_asked_warns() -> None:
    assert verdict("S3-LOCK", _site(locked()), {"mode": "COMPLIANCE", "days": 30}).status is Status.WARN


@pytest.mark.parametrize("requirement", ["{}", "{days: 1, years: 1}", "{days: 0}", "{years: 101}"])
def test_profile_must_give_one_period_that_aws_takes(requirement: str) -> None:
    with pytest.raises(ProfileInvalid):
        parse(f"{{name: a, rules: [{{kind: s3-bucket, select: [{{name: b}}], requires: {{S3-LOCK: {requirement}}}}}]}}")


def test_bucket_that_is_to_receive_access_logs_is_never_locked() -> None:
    readings, others = _site(_OFF), {"logs": {"S3-LOG": {"target": "site"}}}
    found = verdict("S3-LOCK", readings, **others)
    assert found.status is Status.NOT_APPLICABLE
    with pytest.raises(CannotChange, match="access logs"):
        changes("S3-LOCK", readings, **others)


_DENIED = Unreadable("AccessDenied", "no")
_RECEIVES = {"LoggingEnabled": {"TargetBucket": "site", "TargetPrefix": ""}}


@pytest.mark.parametrize("check", ["S3-KMS", "S3-LOCK"])
@pytest.mark.parametrize("source", [LOGS, SITE])
@pytest.mark.parametrize(
    ("logging", "said"),
    [(_RECEIVES, "receives access logs of {}"), (_DENIED, "where {} logs could not be read .AccessDenied.")],
    ids=["logs there", "unreadable"],
)
def test_bucket_that_may_receive_access_logs_is_not_changed_and_judged_as_ever(
    check: str, source: Resource, logging: Any, said: str
) -> None:
    never = NotConfigured("ServerSideEncryptionConfigurationNotFoundError")
    quiet = _site(_OFF) | {(SITE, ENCRYPTION): never, (SITE, LOGGING): {}, (LOGS, LOGGING): {}}
    assert changes(check, quiet)
    readings = quiet | {(source, LOGGING): logging}

    assert verdict(check, readings) == verdict(check, quiet)
    with pytest.raises(CannotChange, match=said.format(source.name)):
        changes(check, readings)


def test_bucket_that_is_merely_asked_to_log_into_itself_may_be_locked() -> None:
    asked = {"site": {"S3-LOCK": {"days": 30}, "S3-LOG": {"target": "site"}}}
    found = verdict("S3-LOCK", _site(locked()) | {(SITE, LOGGING): {}}, **asked)
    assert found.status is Status.PASS


def test_first_lock_is_one_way_and_has_no_inverse() -> None:
    (change,) = changes("S3-LOCK", _site(_OFF))
    assert change.reversibility is Reversibility.ONE_WAY
    assert change.inverse is None
    retention = change.call.parameters["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert retention == {"Mode": "GOVERNANCE", "Days": 30}


def test_lock_waits_for_versioning() -> None:
    with pytest.raises(CannotChange, match="S3-VERSION"):
        changes("S3-LOCK", _site(_OFF) | {(SITE, VERSIONING): {"Status": "Suspended"}})


@pytest.mark.parametrize("lock", [_OFF, _ENABLED, locked(), locked(Years=1)])
def test_compliance_is_left_to_lock_objects_which_knows_for_how_long_a_bucket_was_governed(lock: Any) -> None:
    with pytest.raises(CannotChange, match="GOVERNANCE of site first; from there only lock_objects"):
        changes("S3-LOCK", _site(lock), {"mode": "COMPLIANCE", "days": 30})


def test_longer_period_keeps_the_stronger_mode_and_an_event_hold_and_can_be_taken_back_for_new_objects() -> None:
    (change,) = changes("S3-LOCK", _site(locked(Days=7, Years=0, **_HOLD)))
    assert change.after["Rule"]["DefaultRetention"] == {"Mode": "GOVERNANCE", "Days": 30, **_HOLD}
    assert change.reversibility is Reversibility.SIDE_EFFECTS
    assert change.inverse is not None
    earlier = change.inverse.parameters["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert earlier == {"Mode": "GOVERNANCE", "Days": 7, **_HOLD}
    (kept,) = changes("S3-LOCK", _site(locked("COMPLIANCE", Days=7)))
    assert kept.after["Rule"]["DefaultRetention"]["Mode"] == "COMPLIANCE"


def test_stronger_mode_does_not_shorten_a_longer_period() -> None:
    asked = {"site": {"S3-LOCK": {"mode": "COMPLIANCE", "days": 30}}}
    (change,) = retain(case("S3-LOCK", _site(locked(Years=1)), asked))
    assert change.after["Rule"]["DefaultRetention"] == {"Mode": "COMPLIANCE", "Days": 365}
    assert change.reversibility is Reversibility.ONE_WAY
