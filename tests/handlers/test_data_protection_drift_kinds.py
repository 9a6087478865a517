"""Each kind of change that takes protection away: seen by its event or by a sweep, and taken back."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from data_protection.handlers import start_sweep
from kernel import aws
from kernel.settings import load
from tests.support.aws import LAKE
from tests.support.data_protection_drift import CONTEXT, OUR_ROLE, Watched, client, event, watched

RULES: Final[list[dict[str, Any]]] = [
    {"kind": "dynamodb-table", "select": [{"name": "orders"}], "requires": {"DDB-DELPROT": {}}},
    {
        "kind": "s3-bucket",
        "select": [{"name": "audio"}],
        "requires": {
            "S3-BPA": {},
            "S3-TLS": {},
            "S3-LIFECYCLE": {"tiers": [{"transitions": [{"days": 90, "storage_class": "GLACIER"}]}]},
        },
    },
    {"kind": "account", "requires": {"CT-LOGGING": {}}},
    {"kind": "kms-key", "select": [{"name": "alias/data"}], "requires": {"KMS-ROT": {}}},
]
CHECKS: Final = ["DDB-DELPROT", "S3-BPA", "S3-TLS", "CT-LOGGING", "KMS-ROT"]
BLOCKED: Final[Any] = dict.fromkeys(
    ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
)
ARCHIVE: Final[Any] = {
    "ID": "archive",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "Transitions": [{"Days": 90, "StorageClass": "GLACIER"}],
}
FOREIGN: Final[Any] = {
    "ID": "of-others",
    "Status": "Enabled",
    "Filter": {"Prefix": "tmp/"},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
}


@pytest.fixture
def aws_account() -> None:
    """Leave the account to `watched`."""


@pytest.fixture(scope="module")
def everything() -> Iterator[Watched]:
    """Give an account in which all that is asked for passes."""
    with watched() as made:
        made.profile(RULES, drift={"fix": CHECKS, "fixes_an_hour": 20})
        made.table("orders")
        made.tables.update_table(TableName="orders", DeletionProtectionEnabled=True)
        s3, trail = client("s3"), client("cloudtrail")
        for bucket in ("audio", "trail-logs"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        s3.put_public_access_block(Bucket="audio", PublicAccessBlockConfiguration=BLOCKED)
        tls = {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::audio", "arn:aws:s3:::audio/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        s3.put_bucket_policy(Bucket="audio", Policy=json.dumps({"Version": "2012-10-17", "Statement": [tls]}))
        put_rules(ARCHIVE, FOREIGN)
        trail.create_trail(Name="main", S3BucketName="trail-logs", IsMultiRegionTrail=True)
        trail.start_logging(Name="main")
        key = client("kms").create_key()["KeyMetadata"]["KeyId"]
        client("kms").create_alias(AliasName="alias/data", TargetKeyId=key)
        client("kms").enable_key_rotation(KeyId=key)
        made.sweep("first")
        assert made.told() == []
        yield made


@pytest.fixture
def account(everything: Watched) -> Iterator[Watched]:
    """Give that account, and have it as it was afterwards: all that these tests break is fixed."""
    yield everything
    everything.profile(RULES, drift={"fix": CHECKS, "fixes_an_hour": 20})
    everything.estate({})
    everything.sweep("last")
    everything.fix()
    everything.told()
    assert set(everything.statuses().values()) == {"pass"}


def key_id() -> Any:
    return client("kms").describe_key(KeyId="alias/data")["KeyMetadata"]["KeyId"]


def put_rules(*rules: Any) -> None:
    client("s3").put_bucket_lifecycle_configuration(Bucket="audio", LifecycleConfiguration={"Rules": list(rules)})


CHANGES: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "DDB-DELPROT": (
        lambda: client("dynamodb").update_table(TableName="orders", DeletionProtectionEnabled=False),
        lambda: event("dynamodb", "UpdateTable", {"tableName": "orders", "deletionProtectionEnabled": False}),
    ),
    "S3-BPA": (
        lambda: client("s3").delete_public_access_block(Bucket="audio"),
        lambda: event("s3", "DeleteBucketPublicAccessBlock", {"bucketName": "audio", "publicAccessBlock": ""}),
    ),
    "S3-TLS": (
        lambda: client("s3").delete_bucket_policy(Bucket="audio"),
        lambda: event("s3", "DeleteBucketPolicy", {"bucketName": "audio", "policy": ""}),
    ),
    "CT-LOGGING": (
        lambda: client("cloudtrail").stop_logging(Name="main"),
        lambda: event("cloudtrail", "StopLogging", {"name": "main"}),
    ),
    "KMS-ROT": (
        lambda: client("kms").disable_key_rotation(KeyId=key_id()),
        lambda: event("kms", "DisableKeyRotation", {"keyId": key_id()}),
    ),
}


@pytest.mark.parametrize("check", CHANGES)
@pytest.mark.parametrize("by", ["event", "sweep"])
def test_what_is_taken_away_is_found_and_given_back(account: Watched, check: str, by: str) -> None:
    before = account.statuses()
    change, told_of = CHANGES[check]
    change()

    assert (account.recheck(told_of()) if by == "event" else account.sweep()) == []

    assert [(noun, detail["check"]) for noun, detail in account.told()] == [("DriftFound", check)]
    assert {pair[0] for pair, status in account.statuses().items() if status != before[pair]} == {check}

    assert account.fix() == 1

    assert [noun for noun, _ in account.told()] == ["DriftFixed"]
    assert account.statuses() == before


@pytest.mark.parametrize("by", ["event", "sweep"])
def test_tiers_that_are_taken_away_are_found_and_left_to_people_as_what_was_archived_stays_so(
    account: Watched, by: str
) -> None:
    put_rules(FOREIGN)
    told_of = event("s3", "PutBucketLifecycle", {"bucketName": "audio", "lifecycle": ""})

    assert (account.recheck(told_of) if by == "event" else account.sweep()) == []

    assert [(noun, detail["check"]) for noun, detail in account.told()] == [("DriftFound", "S3-LIFECYCLE")]
    assert account.fix() == 0
    put_rules(ARCHIVE, FOREIGN)
    account.recheck(told_of)
    assert [noun for noun, _ in account.told()] == ["DriftFixed"]


def test_a_sweep_has_the_trail_fixed_before_it_looks_at_anything_else(account: Watched) -> None:
    client("cloudtrail").stop_logging(Name="main")
    client("s3").delete_public_access_block(Bucket="audio")

    account.sweep()

    assert [detail["check"] for _, detail in account.told()] == ["CT-LOGGING", "S3-BPA"]


def test_each_place_of_the_estate_is_queued_for_a_sweep(account: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    regions = ["eu-central-1", "us-east-1"]
    estate = {"accounts": [{"account": "123456789012", "regions": regions}]}
    account.estate(estate)
    queue = aws.sqs().create_queue(QueueName="sweeps")["QueueUrl"]
    monkeypatch.setenv("SWEEP_QUEUE_URL", queue)
    load.cache_clear()

    assert start_sweep.handler({"time": "2026-11-21T12:15:00Z"}, CONTEXT) == {"places": 2}

    messages = aws.sqs().receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    asked = [json.loads(message["Body"]) for message in messages]
    assert {one["run"] for one in asked} == {"sweep-20261121T121500Z"}
    assert [(one["place"]["region"], one["place"]["is_home"]) for one in asked] == [
        ("eu-central-1", True),
        ("us-east-1", False),
    ]


def test_roles_of_the_estate_are_ours_too(account: Watched) -> None:
    role = "arn:aws:iam::123456789012:role/remediate"
    estate = {
        "accounts": [
            {
                "account": "123456789012",
                "regions": ["eu-central-1"],
                "remediate": {"1": {"arn": role, "external_id": "gatehouse"}},
            }
        ]
    }
    account.estate(estate)
    change, told_of = CHANGES["S3-BPA"]
    change()
    made = told_of()
    made["detail"]["userIdentity"] = {
        "type": "AssumedRole",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role}},
    }

    assert role != OUR_ROLE
    account.recheck(made)
    assert account.told() == []


def test_a_profile_that_cannot_be_used_makes_the_sweep_come_again(account: Watched) -> None:
    aws.s3().put_object(Bucket=LAKE, Key="data_protection/profiles/rfc-008.yaml", Body=b"rules: none")

    assert account.sweep() == ["message-0"]
