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
from data_protection.reads.tagging import TAGS
from data_protection.remediation.plans import LeftOut, Plan, make_plan
from data_protection.remediation.policy import Policy
from data_protection.resources import account_of
from data_protection.verdicts import Status, Verdict
from tests.support.data_protection_buckets import (
    NOW,
    PLACE,
    SITE,
    TIER,
    Readings,
    assessed,
    bare,
    changes,
    healthy,
    moves,
    rule,
    verdict,
)

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


_KEPT = {"transitions": [{"days": 90, "storage_class": "STANDARD_IA"}]}
_OURS = rule("ours", Transitions=moves((90, "STANDARD_IA")))


@pytest.mark.parametrize(
    ("part", "which"),
    [
        ({"Prefix": "2026/"}, "those below '2026/'"),
        ({"Tag": {"Key": "k", "Value": "v"}}, "those with the tag k=v"),
        (
            {"And": {"ObjectSizeGreaterThan": 204_800, "ObjectSizeLessThan": 1024**4}},
            "those larger than 204800 bytes and smaller than 1099511627776 bytes",
        ),
        ({"ObjectSizeLessThan": 1000}, "those smaller than 1000 bytes"),
        (
            {"And": {"Prefix": "2026/", "Tags": [{"Key": "k", "Value": "v"}], "ObjectSizeGreaterThan": 9}},
            "those below '2026/' and with the tag k=v and larger than 9 bytes",
        ),
    ],
)
def test_foreign_rule_that_deletes_some_of_what_is_to_be_kept_warns(part: dict[str, Any], which: str) -> None:
    foreign = {**rule("foreign", Expiration={"Days": 1}), "Filter": part}

    found = _judge(_OURS, foreign, asked=_KEPT)

    assert found.status is Status.WARN
    assert found.reason == f"Objects of the bucket are to be kept; rule 'foreign' deletes {which} after 1."
    assert _judge(_OURS, {**foreign, "Status": "Disabled"}, asked=_KEPT).status is Status.PASS


@pytest.mark.parametrize(
    ("foreign", "status"),
    [
        (rule("sooner", "audio/2026/", Expiration={"Days": 2554}), Status.WARN),
        (rule("later", "audio/2026/", Expiration={"Days": 9000}), Status.PASS),
        (rule("beside", "mail/", Expiration={"Days": 1}), Status.PASS),
        (rule("cold", "audio/2026/", Transitions=moves((200, "DEEP_ARCHIVE"))), Status.WARN),
        (rule("early", "audio/2026/", Transitions=moves((100, "GLACIER"))), Status.WARN),
        (rule("along", "audio/2026/", Transitions=moves((90, "STANDARD_IA"))), Status.PASS),
        (rule("on the way", "audio/2026/", Transitions=moves((200, "GLACIER_IR"))), Status.PASS),
        (rule("after", "audio/2026/", Transitions=moves((700, "DEEP_ARCHIVE"))), Status.PASS),
    ],
)
def test_foreign_rule_about_some_objects_matters_where_it_comes_before_what_is_asked(
    foreign: dict[str, Any], status: Status
) -> None:
    found = _judge(_AUDIO, foreign)
    assert found.status is status, found.reason


def test_tier_below_another_one_is_judged_by_its_own_rule() -> None:
    readings = _site(_OURS, rule("mail", "mail/", Expiration={"Days": 30}))
    asked = {"tiers": [_KEPT, {"prefix": "mail/", "expire_days": 30}]}

    assert verdict("S3-LIFECYCLE", readings, asked).status is Status.PASS
    larger = {"tiers": [_KEPT, {"prefix": "mail/", "expire_days": 30, "larger_than_bytes": 1000}]}
    found = verdict("S3-LIFECYCLE", readings, larger)
    assert (found.status, "are to be kept" in found.reason) == (Status.WARN, True)


def test_foreign_rule_about_some_objects_keeps_no_tier_from_being_put_and_is_told_afterwards() -> None:
    foreign = rule("foreign", "2026/", Expiration={"Days": 1})
    (change,) = changes("S3-LIFECYCLE", _site(foreign), {"tiers": [_KEPT]})
    assert change.after["Rules"][0] == foreign

    with pytest.raises(CannotChange, match="rule 'foreign' deletes those below '2026/' after 1"):
        changes("S3-LIFECYCLE", _site(*change.after["Rules"]), {"tiers": [_KEPT]})


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


def test_tier_that_deletes_loses_data_and_says_which() -> None:
    (deletes,) = changes("S3-LIFECYCLE", _site(_FOREIGN))
    assert deletes.reversibility is Reversibility.LOSES_DATA
    assert "Objects below 'audio/' older than 2555 days are deleted." in deletes.risk


@pytest.mark.parametrize(
    ("step", "reversibility"),
    [
        ({"days": 0, "storage_class": "DEEP_ARCHIVE"}, Reversibility.LOSES_DATA),
        ({"days": 365, "storage_class": "GLACIER"}, Reversibility.LOSES_DATA),
        ({"days": 90, "storage_class": "GLACIER_IR"}, Reversibility.SIDE_EFFECTS),
        ({"days": 90, "storage_class": "STANDARD_IA"}, Reversibility.SIDE_EFFECTS),
    ],
)
def test_what_moved_does_not_come_back_and_archives_must_be_asked_for_by_name(
    step: dict[str, Any], reversibility: Reversibility
) -> None:
    (change,) = changes("S3-LIFECYCLE", _site(_FOREIGN), {"tiers": [{"transitions": [step]}]})
    assert change.reversibility is reversibility
    assert not change.reversibility.undone_automatically
    assert ("must be restored" in change.risk) == (reversibility is Reversibility.LOSES_DATA)


@pytest.mark.parametrize(
    ("check", "requirement"),
    [
        ("S3-LIFECYCLE", {"tiers": [{"transitions": [{"days": 0, "storage_class": "DEEP_ARCHIVE"}]}]}),
        ("S3-INTTIER", {}),
    ],
)
def test_archiving_is_planned_only_by_name_and_needs_an_approval_whatever_is_preapproved(
    check: str, requirement: dict[str, Any]
) -> None:
    untagged: Readings = {(account_of(PLACE), TAGS): {"ResourceTagMappingList": []}}

    def plan(*named: str) -> Plan:
        return make_plan(
            assessed(bare() | untagged, {"site": {check: requirement}}),
            profile="test",
            phases=[2],
            named=frozenset(named),
            policy=Policy(preapproved_phases=frozenset({1, 2})),
            requested_by="somebody",
        )

    assert (len(plan().steps), plan().omitted) == (0, {LeftOut.NOT_NAMED: 1})
    assert (len(plan(check).one_way), plan(check).approvers) == (1, 1)


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
        ("{transitions: [{days: 1, storage_class: FROZEN}]}", "is not one of STANDARD"),
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
