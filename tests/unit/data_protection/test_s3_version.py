"""Versions are kept, and go in the end."""

import pytest

from data_protection.changes import CannotChange, Reversibility
from data_protection.readings import NotConfigured, Reading, Unreadable
from data_protection.reads.s3 import LIFECYCLE, VERSIONING
from data_protection.verdicts import Status
from tests.support.data_protection_buckets import SITE, Readings, bare, changes, healthy, rule, verdict

_NONE = NotConfigured("NoSuchLifecycleConfiguration")
_EXPIRES = rule("tidy", "tmp/", Expiration={"Days": 30})


def _site(status: str | None, lifecycle: Reading | dict[str, object] = _NONE, **more: str) -> Readings:
    versioning = ({"Status": status} if status else {}) | more
    return healthy() | {(SITE, VERSIONING): versioning, (SITE, LIFECYCLE): lifecycle}


def test_suspended_versioning_fails() -> None:
    assert verdict("S3-VERSION", _site("Suspended")).status is Status.FAIL


def test_versioning_that_is_off_fails_even_where_the_lifecycle_cannot_be_read() -> None:
    assert verdict("S3-VERSION", _site(None, Unreadable("AccessDenied", "no"))).status is Status.FAIL


def test_bucket_without_lifecycle_passes_as_nothing_is_hidden() -> None:
    assert verdict("S3-VERSION", _site("Enabled")).status is Status.PASS


def test_expiration_without_a_rule_for_noncurrent_versions_warns_and_names_it() -> None:
    found = verdict("S3-VERSION", _site("Enabled", {"Rules": [_EXPIRES]}))
    assert found.status is Status.WARN
    assert "rule 'tidy'" in found.reason


@pytest.mark.parametrize(
    "noncurrent",
    [
        rule("other", "logs/", NoncurrentVersionExpiration={"NoncurrentDays": 30}),
        {**rule("off", NoncurrentVersionExpiration={"NoncurrentDays": 30}), "Status": "Disabled"},
        {
            "ID": "tagged",
            "Status": "Enabled",
            "Filter": {"Tag": {"Key": "kind", "Value": "draft"}},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
        },
    ],
    ids=lambda one: str(one["ID"]),
)
def test_rule_for_noncurrent_versions_of_other_objects_does_not_help(noncurrent: dict[str, object]) -> None:
    assert verdict("S3-VERSION", _site("Enabled", {"Rules": [_EXPIRES, noncurrent]})).status is Status.WARN


def test_rule_for_noncurrent_versions_of_the_same_prefix_is_enough() -> None:
    own = rule("own", "tmp/", NoncurrentVersionExpiration={"NoncurrentDays": 7})
    assert verdict("S3-VERSION", _site("Enabled", {"Rules": [_EXPIRES, own]})).status is Status.PASS


def test_profile_may_keep_versions_for_ever() -> None:
    found = verdict("S3-VERSION", _site("Enabled", {"Rules": [_EXPIRES]}), {"noncurrent_days": None})
    assert found.status is Status.PASS


def test_versions_get_their_rule_before_the_first_of_them_is_made() -> None:
    first, second = changes("S3-VERSION", bare())
    assert first.call.operation == "put_bucket_lifecycle_configuration"
    assert first.reversibility is Reversibility.REVERSIBLE
    assert first.inverse is not None
    assert first.inverse.operation == "delete_bucket_lifecycle"
    assert second.call.parameters["VersioningConfiguration"] == {"Status": "Enabled"}
    assert second.reversibility is Reversibility.ONE_WAY


def test_second_change_is_the_same_once_the_first_was_made() -> None:
    first, second = changes("S3-VERSION", bare())
    made = bare() | {(SITE, LIFECYCLE): first.call.parameters["LifecycleConfiguration"]}
    assert changes("S3-VERSION", made) == [second]


def test_rule_for_versions_that_are_there_already_loses_data() -> None:
    (change,) = changes("S3-VERSION", _site("Enabled", {"Rules": [_EXPIRES]}))
    assert change.reversibility is Reversibility.LOSES_DATA
    assert "older than 90 days" in change.risk


def test_suspended_versioning_can_be_had_back() -> None:
    change = changes("S3-VERSION", _site("Suspended"), {"noncurrent_days": None})[0]
    assert change.reversibility is Reversibility.SIDE_EFFECTS


def test_mfa_delete_excludes_the_rule_and_is_said() -> None:
    with pytest.raises(CannotChange, match="MFA delete"):
        changes("S3-VERSION", _site("Enabled", {"Rules": [_EXPIRES]}, MFADelete="Enabled"))
