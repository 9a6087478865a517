"""Who can read a bucket: keys, public access, transport."""

import json
from typing import Any

import pytest

from data_protection.changes import CannotChange
from data_protection.readings import Missing, NotConfigured, Unreadable
from data_protection.reads.kms import KEY
from data_protection.reads.s3 import ACCOUNT_PUBLIC_ACCESS, ENCRYPTION, POLICY, PUBLIC_ACCESS
from data_protection.resources import Kind, Resource, account_of
from data_protection.verdicts import Status
from tests.support.data_protection_buckets import (
    FLAGS,
    MASTER,
    PLACE,
    SITE,
    Readings,
    bare,
    changes,
    deny_http,
    encrypted,
    healthy,
    key,
    policy,
    verdict,
)

_OTHER = Resource(Kind.KEY, PLACE, "other")


def _encrypted(answer: dict[str, Any], **keys: Any) -> Readings:
    return (
        healthy()
        | {(SITE, ENCRYPTION): answer}
        | {(Resource(Kind.KEY, PLACE, name), KEY): it for name, it in keys.items()}
    )


@pytest.mark.parametrize(
    ("readings", "status"),
    [
        (_encrypted(encrypted(None, algorithm="AES256")), Status.FAIL),
        (_encrypted(encrypted(None)), Status.WARN),  # aws/s3
        (_encrypted(encrypted(), master=key(KeyManager="AWS")), Status.WARN),
        (_encrypted(encrypted("other"), other=key(_OTHER)), Status.WARN),
        (_encrypted(encrypted("other"), other=key(_OTHER, KeyState="PendingDeletion")), Status.FAIL),
        (_encrypted(encrypted(), master=key(KeyState="Disabled")), Status.FAIL),
        (_encrypted(encrypted(), master=Missing("NotFoundException")), Status.FAIL),
        (_encrypted(encrypted(), master=Unreadable("AccessDenied", "no")), Status.UNKNOWN),
        (_encrypted(encrypted(bucket_key=False)), Status.WARN),
        (_encrypted(encrypted(algorithm="aws:kms:dsse")), Status.PASS),
        (_encrypted(encrypted(MASTER.arn)), Status.PASS),
        (_encrypted(encrypted("alias/one"), **{"alias/one": key()}), Status.PASS),
    ],
)
def test_default_encryption_is_judged_by_the_key_and_its_state(readings: Readings, status: Status) -> None:
    found = verdict("S3-KMS", readings)
    assert found.status is status, found.reason


def test_any_customer_managed_key_will_do_where_none_is_named() -> None:
    assert verdict("S3-KMS", _encrypted(encrypted("other"), other=key(_OTHER)), {}).status is Status.PASS


def test_bucket_that_receives_access_logs_is_not_encrypted_by_kms() -> None:
    found = verdict("S3-KMS", bare(), logs={"S3-LOG": {"target": "site"}})
    assert found.status is Status.NOT_APPLICABLE


def test_encryption_is_put_with_the_key_that_kms_knows_and_the_bucket_key() -> None:
    (change,) = changes("S3-KMS", bare())
    assert change.after == {
        "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": MASTER.arn},
        "BucketKeyEnabled": True,
    }
    assert change.inverse is not None
    assert change.inverse.operation == "delete_bucket_encryption"


def test_two_layers_and_blocked_types_of_encryption_stay() -> None:
    present = encrypted("other", algorithm="aws:kms:dsse")
    present["ServerSideEncryptionConfiguration"]["Rules"][0]["BlockedEncryptionTypes"] = {"EncryptionType": ["SSE-C"]}
    (change,) = changes("S3-KMS", _encrypted(present, other=key(_OTHER)))
    assert change.after["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms:dsse"
    assert change.after["BlockedEncryptionTypes"] == {"EncryptionType": ["SSE-C"]}
    assert change.inverse is not None
    assert (
        change.inverse.parameters["ServerSideEncryptionConfiguration"] == present["ServerSideEncryptionConfiguration"]
    )


def test_key_that_is_gone_is_replaced() -> None:
    (change,) = changes("S3-KMS", _encrypted(encrypted("other"), other=Missing("NotFoundException")))
    assert change.after["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == MASTER.arn


def test_bucket_key_is_neither_taken_away_nor_asked_where_there_are_two_layers() -> None:
    (kept,) = changes(
        "S3-KMS", _encrypted(encrypted("other"), other=key(_OTHER)), {"key": "master", "bucket_key": False}
    )
    assert kept.after["BucketKeyEnabled"] is True
    layered = _encrypted(encrypted(algorithm="aws:kms:dsse", bucket_key=False))
    assert verdict("S3-KMS", layered).status is Status.PASS
    assert changes("S3-KMS", layered) == []


def test_bucket_key_is_added_to_the_key_that_is_there() -> None:
    (change,) = changes("S3-KMS", _encrypted(encrypted("other", bucket_key=False), other=key(_OTHER)), {})
    assert change.after["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == _OTHER.arn
    assert change.after["BucketKeyEnabled"] is True


@pytest.mark.parametrize("state", [{"KeyState": "Disabled"}, {"KeyManager": "AWS"}, {"KeySpec": "RSA_2048"}])
def test_key_that_cannot_serve_is_not_put(state: dict[str, Any]) -> None:
    with pytest.raises(CannotChange, match="master"):
        changes("S3-KMS", bare() | {(MASTER, KEY): key(**state)})


def test_without_a_key_in_the_profile_nothing_is_put() -> None:
    with pytest.raises(CannotChange, match="names no key"):
        changes("S3-KMS", bare(), {})


def _blocked(bucket: dict[str, bool], account: dict[str, bool]) -> Readings:
    return healthy() | {
        (SITE, PUBLIC_ACCESS): {"PublicAccessBlockConfiguration": bucket},
        (account_of(PLACE), ACCOUNT_PUBLIC_ACCESS): {"PublicAccessBlockConfiguration": account},
    }


def test_flags_of_bucket_and_account_count_together() -> None:
    half = {**FLAGS, "BlockPublicPolicy": False, "RestrictPublicBuckets": False}
    rest = {flag: not on for flag, on in half.items()}
    assert verdict("S3-BPA", _blocked(half, rest)).status is Status.PASS
    found = verdict("S3-BPA", _blocked(half, half))
    assert found.status is Status.FAIL
    assert "BlockPublicPolicy and RestrictPublicBuckets" in found.reason


def test_block_is_put_whole_and_undone_to_what_was_there() -> None:
    half = {**FLAGS, "BlockPublicPolicy": False}
    (change,) = changes("S3-BPA", _blocked(half, half))
    assert change.call.parameters["PublicAccessBlockConfiguration"] == FLAGS
    assert change.inverse is not None
    assert change.inverse.parameters["PublicAccessBlockConfiguration"] == half
    (first,) = changes("S3-BPA", bare())
    assert first.inverse is not None
    assert first.inverse.operation == "delete_public_access_block"


@pytest.mark.parametrize(
    ("statements", "is_enough"),
    [
        ([deny_http()], True),
        ([deny_http(Principal={"AWS": ["*"]}, Action=["S3:*"])], True),
        ([deny_http(Condition={"BoolIfExists": {"AWS:SecureTransport": [False]}})], True),
        ([deny_http(Resource="arn:aws:s3:::site"), deny_http(Resource="arn:aws:s3:::site/*")], True),
        ([deny_http(Resource="*")], True),
        ([deny_http(Resource="arn:aws:s3:::site/*")], False),
        ([deny_http(Resource=["arn:aws:s3:::site", "arn:aws:s3:::site/a*"])], False),
        ([deny_http(Effect="Allow")], False),
        ([deny_http(Action="s3:GetObject")], False),
        ([deny_http(Principal={"AWS": "arn:aws:iam::123456789012:root"})], False),
        ([deny_http(Condition={"Bool": {"aws:SecureTransport": "true"}})], False),
        ([deny_http(Condition={})], False),
        ([deny_http(Condition={"Bool": {"aws:SecureTransport": "false", "aws:ViaAWSService": "false"}})], False),
        ([], False),
    ],
)
def test_only_a_denial_of_everything_to_everybody_is_tls_only(
    statements: list[dict[str, Any]], *, is_enough: bool
) -> None:
    found = verdict("S3-TLS", healthy() | {(SITE, POLICY): policy(*statements)})
    assert found.status is (Status.PASS if is_enough else Status.FAIL)


def test_denial_is_added_to_what_the_policy_says_and_then_passes() -> None:
    foreign = {**deny_http(Action="s3:GetObject"), "Sid": "Theirs"}
    (change,) = changes("S3-TLS", healthy() | {(SITE, POLICY): policy(foreign)})
    merged = change.call.parameters["Policy"]
    assert json.loads(merged)["Statement"][0] == foreign
    put: Readings = healthy() | {(SITE, POLICY): {"Policy": merged}}
    assert verdict("S3-TLS", put).status is Status.PASS
    assert changes("S3-TLS", put) == []


def test_denial_of_a_bucket_without_policy_is_undone_by_deleting_it() -> None:
    (change,) = changes("S3-TLS", bare() | {(SITE, POLICY): NotConfigured("NoSuchBucketPolicy")})
    assert change.before is None
    assert change.inverse is not None
    assert change.inverse.operation == "delete_bucket_policy"
