"""Buckets of other regions than the one that is assessed: their keys, logs, backups and trails are those of theirs."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from data_protection.assessments import assess, cases
from data_protection.changes import CannotChange, Change
from data_protection.checks.catalogue import catalogue
from data_protection.collection import Questions
from data_protection.readings import Missing, NotConfigured, Read, Unreadable
from data_protection.reads import backup, cloudtrail, kms, listings, s3, tagging
from data_protection.resources import Kind, Resource, account_of, named
from data_protection.snapshot import Snapshot
from data_protection.verdicts import Status, Verdict
from tests.support.data_protection_account import (
    ACCOUNT,
    AUDIO,
    NOW,
    PLACE,
    Asked,
    Readings,
    ago,
    profile,
    require_valid,
    taken,
)
from tests.support.data_protection_healthy import DESCRIBED, METADATA, SUBJECTS, TRAIL, healthy

IRELAND = replace(PLACE, region="eu-west-1")
HOME_KEY = METADATA["Arn"]
IRISH_KEY = "arn:aws:kms:eu-west-1:123456789012:key/5678"
LOGS = Resource(Kind.BUCKET, PLACE, "access-logs")
GONE = Missing("NotFoundException")

Answers: TypeAlias = dict[tuple[Resource, Read], Any]


def key(arn: str) -> dict[str, Any]:
    return {"KeyMetadata": {**METADATA, "Arn": arn}}


def encrypted(name: str) -> dict[str, Any]:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": name}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


def account(default: str | None = IRISH_KEY, **regions: str) -> Answers:
    """Return an account with buckets in Ireland, a key there and one at home, which share an alias."""
    names = {"audio": "eu-west-1", "access-logs": "eu-west-1", **regions}
    return healthy() | {
        (ACCOUNT, listings.BUCKETS): {
            "Buckets": [{"Name": name, "BucketRegion": region} for name, region in names.items()]
        },
        (account_of(IRELAND), tagging.TAGS): {"ResourceTagMappingList": []},
        (AUDIO, s3.LOGGING): {},
        (AUDIO, s3.ENCRYPTION): encrypted(default)
        if default
        else NotConfigured("ServerSideEncryptionConfigurationNotFoundError"),
        **{
            (named(Kind.KEY, place, name), kms.KEY): key(arn)
            for place, name, arn in (
                (PLACE, "alias/data", HOME_KEY),
                (IRELAND, HOME_KEY, HOME_KEY),
                (IRELAND, "alias/data", IRISH_KEY),
                (IRELAND, "5678", IRISH_KEY),
            )
        },
    }


def look(asked: Asked, answers: Readings) -> Snapshot:
    return taken(Questions(PLACE, profile(asked)), answers)


def verdict(check: str, of: Resource, asked: Asked, answers: Readings) -> Verdict:
    found = assess(look(asked, answers), profile(asked), NOW).findings
    return next(one.verdict for one in found if (one.check.id, one.resource) == (check, of))


def changes(check: str, asked: Asked, answers: Readings) -> list[Change]:
    found = cases(look(asked, answers), profile(asked), NOW)
    case = next(case for one, case in found if one.id == check)
    mutator = catalogue()[check].mutator
    assert mutator is not None
    made = list(mutator.propose(case))
    for change in made:
        require_valid(change.call)
    return made


def kms_asked(**asked: Any) -> Asked:
    return {AUDIO: {"S3-KMS": asked}}


def put(change: Change) -> str:
    """Return the key that a change puts on the bucket."""
    [rule] = change.call.parameters["ServerSideEncryptionConfiguration"]["Rules"]
    return str(rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"])


@pytest.mark.parametrize("name", [IRISH_KEY, "5678", "alias/data"])
@pytest.mark.parametrize("asked", [{}, {"key": IRISH_KEY}, {"key": "alias/data"}], ids=str)
def test_key_of_the_buckets_own_region_is_read_there_and_passes(name: str, asked: Mapping[str, Any]) -> None:
    found = verdict("S3-KMS", AUDIO, kms_asked(**asked), account(name))
    assert found.status is Status.PASS, found.reason


def test_key_of_another_region_fails_as_s3_refuses_every_object() -> None:
    found = verdict("S3-KMS", AUDIO, kms_asked(), account(HOME_KEY))
    assert found.status is Status.FAIL
    assert "is not of eu-west-1" in found.reason


@pytest.mark.parametrize("wanted", [HOME_KEY, "alias/home"])
def test_approved_key_that_is_only_at_home_makes_the_buckets_own_one_a_warning(wanted: str) -> None:
    answers = account() | {(Resource(Kind.KEY, IRELAND, "alias/home"), kms.KEY): GONE}
    assert verdict("S3-KMS", AUDIO, kms_asked(key=wanted), answers).status is Status.WARN


@pytest.mark.parametrize("default", [None, HOME_KEY], ids=["none", "home key"])
def test_alias_stands_for_the_key_of_the_buckets_region_in_the_fix(default: str | None) -> None:
    [change] = changes("S3-KMS", kms_asked(key="alias/data"), account(default))
    assert put(change) == IRISH_KEY


@pytest.mark.parametrize("wanted", [HOME_KEY, "alias/home"])
def test_key_that_is_only_at_home_is_never_put_on_a_bucket_elsewhere(wanted: str) -> None:
    answers = account(None) | {(Resource(Kind.KEY, IRELAND, "alias/home"), kms.KEY): GONE}
    with pytest.raises(CannotChange, match="eu-west-1"):
        changes("S3-KMS", kms_asked(key=wanted), answers)


@pytest.mark.parametrize(
    "listing", [Unreadable("AccessDenied", "no"), {"Buckets": [{"Name": "audio"}]}], ids=["denied", "without region"]
)
def test_encryption_is_unknown_where_nobody_says_where_the_bucket_is(listing: Any) -> None:
    answers = account() | {(ACCOUNT, listings.BUCKETS): listing}
    assert verdict("S3-KMS", AUDIO, kms_asked(key="alias/data"), answers).status is Status.UNKNOWN


def test_partitioned_logs_are_looked_for_below_the_buckets_own_region() -> None:
    logging = {
        "TargetBucket": "access-logs",
        "TargetPrefix": "audio/",
        "TargetObjectKeyFormat": {"PartitionedPrefix": {}},
    }
    asked: Asked = {AUDIO: {"S3-LOG": {"target": "access-logs"}}}
    newest = "audio/123456789012/eu-west-1/audio/2026/11/21/2026-11-21-09-00-00-A1B2"
    elsewhere = Resource(Kind.BUCKET, IRELAND, "audio")
    log = replace(s3.access_log(elsewhere, logging), place=PLACE)
    answers = account() | {
        (AUDIO, s3.LOGGING): {"LoggingEnabled": logging},
        (LOGS, s3.OBJECT_LOCK): NotConfigured("ObjectLockConfigurationNotFoundError"),
        (LOGS, s3.ENCRYPTION): NotConfigured("ServerSideEncryptionConfigurationNotFoundError"),
        (LOGS, s3.POLICY): {"Policy": '{"Statement": []}'},
        (log, s3.RECENT_LOGS): {"Contents": [{"Key": newest, "LastModified": ago(hours=3)}]},
    }
    assert "eu-west-1" in log.name
    assert look(asked, answers).get(s3.RECENT_LOGS, log)["Contents"]
    # All but the policy is right: what is said is of that, and not that no log arrived or could not be read.
    assert "policy" in verdict("S3-LOG", AUDIO, asked, answers).reason


def test_logs_are_not_sent_to_a_bucket_of_another_region() -> None:
    asked: Asked = {AUDIO: {"S3-LOG": {"target": "access-logs"}}}
    answers = account(**{"access-logs": PLACE.region}) | {
        (LOGS, s3.OBJECT_LOCK): NotConfigured("ObjectLockConfigurationNotFoundError"),
        (LOGS, s3.ENCRYPTION): NotConfigured("ServerSideEncryptionConfigurationNotFoundError"),
        (LOGS, s3.POLICY): NotConfigured("NoSuchBucketPolicy"),
    }
    with pytest.raises(CannotChange, match="audio is in eu-west-1 and access-logs in eu-central-1"):
        changes("S3-LOG", asked, answers)


SCOPE: Asked = {AUDIO: {"S3-BPA": {}}}


def test_backup_plan_of_the_home_region_does_not_answer_for_a_bucket_elsewhere() -> None:
    _, requirement = SUBJECTS["BK-PLAN"]
    asked = {**SCOPE, ACCOUNT: {"BK-PLAN": requirement}}
    assert verdict("BK-PLAN", ACCOUNT, asked, account(audio=PLACE.region)).status is Status.PASS

    found = verdict("BK-PLAN", ACCOUNT, asked, account())
    assert found.status is Status.WARN
    assert "in other regions" in found.reason

    left_out = {**SCOPE, ACCOUNT: {"BK-PLAN": {**requirement, "leave_out": ["audio"]}}}
    assert verdict("BK-PLAN", ACCOUNT, left_out, account()).status is Status.PASS


def test_bucket_elsewhere_is_not_selected_by_a_plan_of_the_home_region() -> None:
    plan = {"name": "daily", "vault": "main", "role": "arn:aws:iam::123456789012:role/backup"}
    logs: Asked = {LOGS: {"S3-BPA": {}}}
    asked = {**SCOPE, **logs, ACCOUNT: {"BK-PLAN": {"plan": plan}}}
    answers = account(**{"access-logs": PLACE.region}) | {
        (ACCOUNT, backup.PLANS): {"BackupPlansList": [{"BackupPlanId": "plan-1", "BackupPlanName": "daily"}]},
        (Resource(Kind.BACKUP_PLAN, PLACE, "plan-1"), backup.SELECTIONS): {"BackupSelectionsList": []},
    }
    [change] = changes("BK-PLAN", asked, answers)
    assert change.call.parameters["BackupSelection"]["Resources"] == [LOGS.arn]


@pytest.mark.parametrize(("is_multi_region", "status"), [(True, Status.PASS), (False, Status.FAIL)])
def test_trail_of_one_region_does_not_record_a_bucket_elsewhere(is_multi_region: bool, status: Status) -> None:  # noqa: FBT001 - a parameter of a test
    asked = {**SCOPE, ACCOUNT: {"CT-DATA": {}}}
    answers = account() | {
        (ACCOUNT, cloudtrail.TRAILS): {"trailList": [{**DESCRIBED, "IsMultiRegionTrail": is_multi_region}]}
    }
    assert verdict("CT-DATA", ACCOUNT, asked, answers).status is status


def test_trail_of_one_region_gets_no_selector_for_a_bucket_elsewhere() -> None:
    asked = {**SCOPE, LOGS: {"S3-BPA": {}}, ACCOUNT: {"CT-DATA": {}}}
    answers = account(**{"access-logs": PLACE.region}) | {
        (ACCOUNT, cloudtrail.TRAILS): {"trailList": [{**DESCRIBED, "IsMultiRegionTrail": False}]},
        (TRAIL, cloudtrail.EVENT_SELECTORS): {"EventSelectors": []},
    }
    [change] = changes("CT-DATA", asked, answers)
    ours = change.call.parameters["AdvancedEventSelectors"][-1]
    assert {"Field": "resources.ARN", "StartsWith": [f"{LOGS.arn}/"]} in ours["FieldSelectors"]


def test_trail_that_records_all_it_reaches_is_left_as_it_is() -> None:
    asked = {**SCOPE, ACCOUNT: {"CT-DATA": {}}}
    answers = account() | {
        (ACCOUNT, cloudtrail.TRAILS): {"trailList": [{**DESCRIBED, "IsMultiRegionTrail": False}]},
    }
    with pytest.raises(CannotChange, match="CT-HARDEN comes first"):
        changes("CT-DATA", asked, answers)
