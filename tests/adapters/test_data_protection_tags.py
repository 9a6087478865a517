"""Tags and regions as services tell them, in moto's AWS: what is protected there is left alone."""

from collections.abc import Iterator
from typing import Any

import pytest

from data_protection.remediation.plans import LeftOut
from data_protection.verdicts import Status
from tests.support.protection import ACCOUNT, REGION, Protected, profile_of, protected

TAG = {"Key": "gatehouse:protected", "Value": "yes"}
IRELAND = "eu-west-1"


@pytest.fixture
def account() -> Iterator[Protected]:
    with protected() as account:
        yield account


def bucket(account: Protected, name: str, region: str = REGION) -> Any:
    client = account.client("s3", region)
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    return client


def test_secret_that_a_tag_protects_is_not_rotated(account: Protected) -> None:
    for name, tags in (("free", []), ("kept", [TAG])):
        account.client("secretsmanager").create_secret(Name=name, SecretString="x", Tags=tags)
    function = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:rotate"

    plan = account.plan(profile_of("secretsmanager-secret", ["free", "kept"], {"SEC-ROT": {"function": function}}), 3)

    assert [step.name for step in plan.steps] == ["free"]
    assert [omission.why for omission in plan.omissions] == [LeftOut.PROTECTED]
    arns = (plan.steps[0].arn, plan.omissions[0].arn)
    assert arns == tuple(
        account.client("secretsmanager").describe_secret(SecretId=one)["ARN"] for one in ("free", "kept")
    )


def test_key_that_a_tag_protects_is_not_changed_under_its_alias(account: Protected) -> None:
    kms = account.client("kms")
    key = kms.create_key(Tags=[{"TagKey": TAG["Key"], "TagValue": TAG["Value"]}])["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/data", TargetKeyId=key)

    plan = account.plan(profile_of("kms-key", ["alias/data"], {"KMS-ROT": {}}), 1)

    assert not plan.steps
    assert [(one.why, one.arn) for one in plan.omissions] == [(LeftOut.PROTECTED, key)]


def test_bucket_of_logs_that_a_tag_protects_keeps_its_policy(account: Protected) -> None:
    bucket(account, "data")
    bucket(account, "access-logs").put_bucket_tagging(Bucket="access-logs", Tagging={"TagSet": [TAG]})

    plan = account.plan(profile_of("s3-bucket", ["data"], {"S3-LOG": {"target": "access-logs"}}), 1)

    assert not plan.steps
    assert [omission.why for omission in plan.omissions] == [LeftOut.PROTECTED]


def test_bucket_elsewhere_is_protected_by_its_tags_there(account: Protected) -> None:
    bucket(account, "free", IRELAND)
    bucket(account, "kept", IRELAND).put_bucket_tagging(Bucket="kept", Tagging={"TagSet": [TAG]})

    plan = account.plan(profile_of("s3-bucket", ["free", "kept"], {"S3-BPA": {}}), 1)

    assert [step.name for step in plan.steps] == ["free"]
    assert [omission.why for omission in plan.omissions] == [LeftOut.PROTECTED]


def test_bucket_elsewhere_is_encrypted_with_keys_of_its_region_alone(account: Protected) -> None:
    s3, keys = bucket(account, "audio", IRELAND), {}
    for region in (REGION, IRELAND):
        kms = account.client("kms", region)
        keys[region] = kms.create_key()["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName="alias/data", TargetKeyId=keys[region])
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": keys[IRELAND]}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}
    by_alias, by_arn = (
        profile_of("s3-bucket", ["audio"], {"S3-KMS": {"key": key}}) for key in ("alias/data", keys[REGION])
    )

    [step] = account.plan(by_alias, 2).steps
    assert keys[IRELAND] in str(step.change.call)
    assert not account.plan(by_arn, 2).steps

    s3.put_bucket_encryption(Bucket="audio", ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert [one.status for one in account.assess(by_alias).findings] == [Status.PASS]
    assert [one.status for one in account.assess(by_arn).findings] == [Status.WARN]
    assert not account.plan(by_arn, 2).steps
