"""What a lock would break, by how the bucket is configured."""

import json
from datetime import timedelta
from typing import Any

import pytest

from data_protection.errors import BucketMissing, LockRefused, ResourceUnreadable
from data_protection.locking.facts import READS, Facts, facts_of
from data_protection.locking.hazards import Gravity, Hazard, hazards
from data_protection.locking.simulation import require_allowed
from data_protection.locking.terms import Terms
from data_protection.readings import Missing, NotConfigured, Read, Unreadable
from data_protection.reads.s3 import ENCRYPTION, LIFECYCLE, LOGGING, OBJECT_LOCK, POLICY, REPLICATION, VERSIONING
from data_protection.resources import Kind, Resource
from tests.support.data_protection_account import AUDIO, KEY_ARN, NOW, PLACE, operation, snapshot

SITE = Resource(Kind.BUCKET, PLACE, "site")
UNCONFIGURED: dict[tuple[Resource, Read], Any] = {
    (AUDIO, VERSIONING): {},
    (AUDIO, LOGGING): {},
    **{(AUDIO, read): NotConfigured("no") for read in (OBJECT_LOCK, LIFECYCLE, REPLICATION, POLICY, ENCRYPTION)},
}


def facts(**changed: Any) -> Facts:
    return facts_of(snapshot(UNCONFIGURED), AUDIO).model_copy(update=changed)


def found(**changed: Any) -> dict[str, Hazard]:
    return {hazard.title: hazard for hazard in hazards(facts(**changed))}


def policy(principal: Any, *actions: str, effect: str = "Allow") -> str:
    return json.dumps({"Statement": [{"Effect": effect, "Principal": principal, "Action": actions, "Resource": "*"}]})


def test_a_bucket_without_anything_has_only_what_holds_for_all() -> None:
    assert [(hazard.title, hazard.gravity) for hazard in hazards(facts())] == [
        ("Writes without a checksum", Gravity.MAY_BREAK)
    ]


def test_access_logs_that_arrive_forbid_a_lock() -> None:
    read = snapshot(
        {**UNCONFIGURED, (SITE, LOGGING): {"LoggingEnabled": {"TargetBucket": "audio", "TargetPrefix": ""}}}
    )
    [first, *_] = hazards(facts_of(read, AUDIO))
    terms = Terms(bucket="audio", mode="GOVERNANCE", days=1, at=NOW)

    assert (first.title, first.gravity) == ("Access logs", Gravity.FORBIDS)
    with pytest.raises(LockRefused, match="site would log here no more"):
        require_allowed(terms, [first], named=frozenset(), governed_since=None)


def test_logging_that_cannot_be_seen_is_told() -> None:
    read = snapshot({**UNCONFIGURED, (SITE, LOGGING): Unreadable("AccessDenied", "no")})

    assert (
        "site"
        in {hazard.title: hazard for hazard in hazards(facts_of(read, AUDIO))}[
            "Access logs that nobody can see"
        ].sentence
    )


def test_replication_names_where_object_lock_is_needed_too() -> None:
    def rule(status: str, bucket: str) -> dict[str, Any]:
        return {"Status": status, "Destination": {"Bucket": f"arn:aws:s3:::{bucket}"}}

    given = {"Role": "arn:role", "Rules": [rule("Enabled", "copy"), rule("Disabled", "old")]}
    told = found(replication={"ReplicationConfiguration": given})["Replication"]

    assert told.gravity is Gravity.BREAKS
    assert "replicated to copy," in told.sentence
    assert "arn:role" in told.sentence
    assert "Replication" not in found(replication={"ReplicationConfiguration": {**given, "Rules": given["Rules"][1:]}})


def test_config_does_not_deliver_to_a_locked_bucket() -> None:
    delivers = policy({"Service": "config.amazonaws.com"}, "s3:PutObject")

    assert found(policy=delivers)["AWS Config"].gravity is Gravity.BREAKS
    assert "AWS Config" not in found(policy=policy({"Service": "config.amazonaws.com"}, "s3:*", effect="Deny"))


def test_access_logs_of_other_accounts_may_be_lost() -> None:
    assert "Access logs of other accounts" in found(
        policy=policy({"Service": "logging.s3.amazonaws.com"}, "s3:PutObject")
    )


@pytest.mark.parametrize(
    ("actions", "titles"),
    [
        (["s3:GetObject"], set()),
        (["s3:PutObject"], {"Who writes"}),
        (["s3:DeleteObjectVersion"], {"Who deletes"}),
        (["s3:*"], {"Who writes", "Who deletes"}),
    ],
)
def test_who_writes_and_deletes_by_the_policy_is_named(actions: list[str], titles: set[str]) -> None:
    told = found(policy=policy({"AWS": "arn:aws:iam::1:role/backup"}, *actions))

    assert {title for title in told if title.startswith("Who")} == titles
    assert all("role/backup" in told[title].sentence for title in titles)


def test_the_key_is_not_protected_by_the_lock() -> None:
    by_default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY_ARN}}

    assert (
        KEY_ARN
        in found(encryption={"ServerSideEncryptionConfiguration": {"Rules": [by_default]}})["Encryption key"].sentence
    )


@pytest.mark.parametrize("read", READS, ids=str)
def test_nothing_is_said_of_a_bucket_that_cannot_be_read(read: Any) -> None:
    with pytest.raises(ResourceUnreadable, match=read.name):
        facts_of(snapshot({**UNCONFIGURED, (AUDIO, read): Unreadable("AccessDenied", "no")}), AUDIO)


def test_a_bucket_that_does_not_exist_is_missing() -> None:
    with pytest.raises(BucketMissing):
        facts_of(snapshot({**UNCONFIGURED, (AUDIO, POLICY): Missing("NoSuchBucket")}), AUDIO)


def test_any_change_of_the_configuration_changes_its_hash() -> None:
    changes: list[dict[str, Any]] = [
        {},
        {"versioning": "Enabled"},
        {"policy": "{}"},
        {"logged_from": ("site",)},
        {"lifecycle": {}},
    ]
    hashes = {facts(**changed).hash for changed in changes}

    assert len(hashes) == 5


def test_the_default_retention_is_read_in_days_or_years() -> None:
    def lock(**default: Any) -> dict[str, Any]:
        return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": default}}

    assert facts(lock=lock(Mode="GOVERNANCE", Years=2)).default == ("GOVERNANCE", 730)
    assert facts(lock={"ObjectLockEnabled": "Enabled"}).default is None
    assert facts(lock={"ObjectLockEnabled": "Enabled"}).is_locked


def test_compliance_is_for_buckets_that_were_governed_for_a_month() -> None:
    terms = Terms(bucket="audio", mode="COMPLIANCE", days=1, at=NOW)

    require_allowed(terms, [], named=frozenset(), governed_since=NOW - timedelta(days=30))
    require_allowed(terms, [], named=frozenset({"COMPLIANCE"}), governed_since=None)
    for since in (None, NOW - timedelta(days=29)):
        with pytest.raises(LockRefused, match="30 days"):
            require_allowed(terms, [], named=frozenset(), governed_since=since)


@pytest.mark.parametrize("read", READS, ids=str)
def test_aws_has_the_reads(read: Any) -> None:
    assert operation(read.service, read.operation).name == read.name.partition(".")[2]
