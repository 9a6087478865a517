"""Tiers are in effect, or the rule that keeps them from it is named."""

from datetime import timedelta
from typing import Any

import pytest

from data_protection.changes import CannotChange, Reversibility
from data_protection.errors import ProfileInvalid
from data_protection.lifecycle.rules import Configuration, Rule
from data_protection.profiles import parse
from data_protection.readings import NotConfigured
from data_protection.reads.s3 import LIFECYCLE, VERSIONING
from data_protection.verdicts import Status, Verdict
from tests.support.data_protection_buckets import NOW, SITE, TIER, Readings, changes, healthy, moves, rule, verdict

_FULL = {"Transitions": moves((90, "STANDARD_IA"), (365, "GLACIER")), "Expiration": {"Days": 2555}}
_AUDIO = rule("audio", "audio/", **_FULL)
_FOREIGN = rule("privacy", "mail/", Expiration={"Days": 90})
_UPLOADS = rule("uploads", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 7})


def _site(*rules: dict[str, Any], **more: Any) -> Readings:
    return healthy() | {(SITE, LIFECYCLE): {"Rules": list(rules), **more}}


def _judge(*rules: dict[str, Any], asked: dict[str, Any] | None = None, **more: Any) -> Verdict:
    return verdict("S3-LIFECYCLE", _site(*rules, **more), {"tiers": [asked or TIER]})


def _sized(**size: int) -> dict[str, Any]:
    return {**_AUDIO, "Filter": {"And": {"Prefix": "audio/", **size}}}


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ([_AUDIO], Status.PASS),
        ([_FOREIGN, _UPLOADS, _AUDIO], Status.PASS),
        ([{**_AUDIO, "Filter": {}}], Status.PASS),  # the whole bucket
        ([{"ID": "old", "Status": "Enabled", "Prefix": "aud", **_FULL}], Status.PASS),
        ([rule("a", "audio/", Transitions=_FULL["Transitions"]), rule("b", Expiration={"Days": 2555})], Status.PASS),
        ([{**_AUDIO, "Status": "Disabled"}], Status.FAIL),
        ([_FOREIGN], Status.FAIL),
        ([{**_AUDIO, "Filter": {"Prefix": "audio/a"}}], Status.FAIL),  # a part of it
        ([{**_AUDIO, "Filter": {"Tag": {"Key": "k", "Value": "v"}}}], Status.FAIL),
        ([{**_AUDIO, "Transitions": moves((90, "STANDARD_IA"))}], Status.FAIL),
        ([{**_AUDIO, "Expiration": {"ExpiredObjectDeleteMarker": True}}], Status.FAIL),
        ([{**_AUDIO, "Transitions": moves((60, "STANDARD_IA"), (365, "GLACIER"))}], Status.WARN),
        ([{**_AUDIO, "Expiration": {"Days": 3650}}], Status.WARN),
        ([_AUDIO, rule("short", Expiration={"Days": 400})], Status.WARN),
        ([_AUDIO, rule("short", Expiration={"Days": 30})], Status.WARN),
        ([_AUDIO, rule("cold", Transitions=moves((80, "DEEP_ARCHIVE")))], Status.WARN),
        ([_sized(ObjectSizeGreaterThan=10_000_000)], Status.WARN),
        ([_sized(ObjectSizeLessThan=10_000_000)], Status.WARN),
        ([_sized(ObjectSizeGreaterThan=1000)], Status.PASS),
    ],
)
def test_tier_is_judged_by_what_becomes_of_its_objects(rules: list[dict[str, Any]], status: Status) -> None:
    found = _judge(*rules)
    assert found.status is status, found.reason


def test_rule_that_deletes_what_is_to_be_kept_warns_and_is_named() -> None:
    found = _judge(_AUDIO, asked={**TIER, "expire_days": None})
    assert found.status is Status.WARN
    assert found.reason == "Objects below 'audio/' are to be kept; rule 'audio' deletes them after 2555."


def test_tier_of_small_objects_needs_a_rule_that_says_so() -> None:
    small = {**TIER, "larger_than_bytes": 1000}
    assert _judge(_AUDIO, asked=small).status is Status.WARN
    assert _judge(_sized(ObjectSizeGreaterThan=1000), asked=small).status is Status.PASS
    assert _judge(_sized(ObjectSizeGreaterThan=100), asked=small).status is Status.PASS


def test_small_objects_go_to_archives_by_default_only_where_the_bucket_says_so() -> None:
    asked = {"transitions": [{"days": 1, "storage_class": "GLACIER"}], "larger_than_bytes": 1000}
    archives = rule("all", Transitions=moves((1, "GLACIER")))
    assert _judge(archives, asked=asked).status is Status.WARN
    varies = {"TransitionDefaultMinimumObjectSize": "varies_by_storage_class"}
    assert _judge(archives, asked=asked, **varies).status is Status.PASS


def test_expiration_of_a_date_to_come_is_none_yet_and_of_a_past_one_is_at_once() -> None:
    kept = {**TIER, "expire_days": None}
    steps = rule("audio", "audio/", Transitions=_FULL["Transitions"])
    later, earlier = ((NOW + timedelta(days=days)).isoformat() for days in (10, -10))
    assert _judge(steps, rule("end", Expiration={"Date": later}), asked=kept).status is Status.PASS
    assert _judge(steps, rule("end", Expiration={"Date": earlier}), asked=kept).status is Status.WARN


def test_foreign_rules_and_the_minimum_size_are_kept() -> None:
    untidy = {"Status": "Enabled", "Filter": {"Prefix": "x"}, "Expiration": {"Days": 1}}  # without an ID
    minimum = {"TransitionDefaultMinimumObjectSize": "varies_by_storage_class"}
    (change,) = changes("S3-LIFECYCLE", _site(_FOREIGN, untidy, _UPLOADS, **minimum))
    put = change.call.parameters
    assert put["LifecycleConfiguration"]["Rules"][:3] == [_FOREIGN, untidy, _UPLOADS]
    assert put["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"
    assert change.inverse is not None
    assert change.inverse.parameters["LifecycleConfiguration"] == {"Rules": [_FOREIGN, untidy, _UPLOADS]}
    assert change.inverse.parameters["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"


def test_what_is_put_passes_and_is_not_put_again() -> None:
    (change,) = changes("S3-LIFECYCLE", _site(_FOREIGN))
    made = healthy() | {(SITE, LIFECYCLE): change.call.parameters["LifecycleConfiguration"]}
    assert verdict("S3-LIFECYCLE", made).status is Status.PASS
    assert changes("S3-LIFECYCLE", made) == []


def test_rule_of_a_tier_that_is_no_longer_asked_goes_and_the_others_stay() -> None:
    old = rule("gatehouse-tier-old-00000000", "old/", Expiration={"Days": 5})
    versions = rule("gatehouse-noncurrent-bucket-e3b0c442", NoncurrentVersionExpiration={"NoncurrentDays": 90})
    (change,) = changes("S3-LIFECYCLE", _site(old, versions, _FOREIGN))
    assert [one["ID"] for one in change.after["Rules"]] == [versions["ID"], "privacy", "gatehouse-tier-audio-5f01b625"]


def test_bucket_without_lifecycle_gets_one_and_loses_it_when_undone() -> None:
    readings = healthy() | {(SITE, LIFECYCLE): NotConfigured("NoSuchLifecycleConfiguration")}
    (change,) = changes("S3-LIFECYCLE", readings)
    assert "TransitionDefaultMinimumObjectSize" not in change.call.parameters
    assert change.inverse is not None
    assert change.inverse.operation == "delete_bucket_lifecycle"


def test_only_a_tier_that_deletes_loses_data_and_says_which() -> None:
    (deletes,) = changes("S3-LIFECYCLE", _site(_FOREIGN))
    assert deletes.reversibility is Reversibility.LOSES_DATA
    assert "Objects below 'audio/' older than 2555 days are deleted." in deletes.risk
    (keeps,) = changes("S3-LIFECYCLE", _site(_FOREIGN), {"tiers": [{**TIER, "expire_days": None}]})
    assert keeps.reversibility is Reversibility.REVERSIBLE
    assert "restored" in keeps.risk


def test_expiry_that_becomes_shorter_is_told_with_the_one_before() -> None:
    (change,) = changes("S3-LIFECYCLE", _site(rule("late", Expiration={"Days": 5000})))
    assert "older than 2555 days are deleted, so far at 5000 days by rule 'late'." in change.risk


def test_foreign_rule_that_would_win_over_ours_is_named_and_nothing_is_put() -> None:
    with pytest.raises(CannotChange, match="rule 'short' deletes them after 400"):
        changes("S3-LIFECYCLE", _site(rule("short", Expiration={"Days": 400})))


def test_bucket_with_mfa_delete_takes_no_lifecycle() -> None:
    readings = _site() | {(SITE, VERSIONING): {"Status": "Enabled", "MFADelete": "Enabled"}}
    with pytest.raises(CannotChange, match="MFA delete"):
        changes("S3-LIFECYCLE", readings)


def test_rules_beside_legacy_ones_are_written_as_those_are() -> None:
    legacy = {"ID": "old", "Status": "Enabled", "Prefix": "mail/", "Expiration": {"Days": 90}}
    (change,) = changes("S3-LIFECYCLE", _site(legacy))
    first, second = change.after["Rules"]
    assert first == legacy
    assert second["Prefix"] == "audio/"
    assert "Filter" not in second
    made = healthy() | {(SITE, LIFECYCLE): change.call.parameters["LifecycleConfiguration"]}
    assert verdict("S3-LIFECYCLE", made).status is Status.PASS
    assert changes("S3-LIFECYCLE", made) == []


def test_rule_with_a_size_cannot_stand_beside_legacy_ones() -> None:
    legacy = {"ID": "old", "Status": "Enabled", "Prefix": "mail/", "Expiration": {"Days": 90}}
    with pytest.raises(CannotChange, match="Prefix outside of a Filter"):
        changes("S3-LIFECYCLE", _site(legacy), {"tiers": [{**TIER, "larger_than_bytes": 1}]})


def test_rule_that_overlaps_a_legacy_one_is_refused_before_the_call() -> None:
    legacy = {"ID": "old", "Status": "Enabled", "Prefix": "", "Expiration": {"Days": 9000}}
    with pytest.raises(CannotChange, match="overlap for Expiration"):
        changes("S3-LIFECYCLE", _site(legacy))


def test_thousandth_rule_is_put_and_no_further_one() -> None:
    full = [rule(f"r{number}", f"{number}/", Expiration={"Days": 1}) for number in range(1000)]
    assert len(changes("S3-LIFECYCLE", _site(*full[:999]))[0].after["Rules"]) == 1000
    with pytest.raises(CannotChange, match="may have 1000 lifecycle rules, these are 1001"):
        changes("S3-LIFECYCLE", _site(*full))


@pytest.mark.parametrize(
    ("tier", "why"),
    [
        ("{transitions: [{days: 29, storage_class: STANDARD_IA}]}", "30 are the least"),
        ("{transitions: [{days: 1, storage_class: STANDARD}]}", "to STANDARD"),
        ("{transitions: [{days: 1, storage_class: FROZEN}]}", "Input should be"),
        ("{transitions: [{days: 30, storage_class: STANDARD_IA}], expire_days: 30}", "not after they move"),
        ("{prefix: a}", "it has no action"),
    ],
)
def test_tier_that_aws_would_refuse_is_refused_in_the_profile(tier: str, why: str) -> None:
    requires = f"requires: {{S3-LIFECYCLE: {{tiers: [{tier}]}}}}"
    with pytest.raises(ProfileInvalid, match=why):
        parse(f"{{name: a, rules: [{{kind: s3-bucket, select: [{{name: b}}], {requires}}}]}}")


def test_prefix_has_one_tier() -> None:
    requires = "{S3-LIFECYCLE: {tiers: [{prefix: a, expire_days: 1}, {prefix: a, expire_days: 2}]}}"
    with pytest.raises(ProfileInvalid, match="one tier for the prefix 'a'"):
        parse(f"{{name: a, rules: [{{kind: s3-bucket, select: [{{name: b}}], requires: {requires}}}]}}")


def test_rule_is_parsed_with_all_that_its_filter_says() -> None:
    raw = {
        "ID": "all",
        "Status": "Disabled",
        "Filter": {
            "And": {
                "Prefix": "p/",
                "Tags": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}],
                "ObjectSizeGreaterThan": 1,
                "ObjectSizeLessThan": 9,
            }
        },
        "NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2},
    }
    parsed = Rule.parse(raw)
    assert (parsed.prefix, parsed.larger_than, parsed.smaller_than, parsed.enabled) == ("p/", 1, 9, False)
    assert parsed.tags == {("a", "1"), ("b", "2")}
    assert (parsed.noncurrent_days, parsed.noncurrent_kept) == (3, 2)
    assert parsed.covers("p/x", 5, frozenset({("a", "1"), ("b", "2"), ("c", "3")}))
    assert not parsed.covers("p/x", 5, frozenset({("a", "1")}))
    assert not parsed.covers("p/x", 1, parsed.tags)
    assert not parsed.covers("p/x", 9, parsed.tags)
    assert not parsed.covers("q/x", 5, parsed.tags)


@pytest.mark.parametrize(
    "raw",
    [
        {"ID": "a", "Status": "Enabled", "Expiration": {"Days": 1}},
        {"ID": "a", "Filter": {}, "Expiration": {"Days": 1}},
        {"ID": "a", "Status": "Enabled", "Filter": {}, "Transitions": [{"StorageClass": "GLACIER"}]},
        {"ID": "a", "Status": "Enabled", "Filter": {}, "Transitions": moves((1, "FROZEN"))},
    ],
)
def test_rule_of_an_unknown_form_is_not_guessed_at(raw: dict[str, Any]) -> None:
    with pytest.raises((LookupError, ValueError)):
        Configuration.parse({"Rules": [raw]})
