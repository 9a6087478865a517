"""S3-KMS: new objects are encrypted with a key that we control."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from data_protection import keys
from data_protection.access_logs import asked_sources, require_no_logs
from data_protection.buckets import bucket_call
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.readings import Found
from data_protection.reads.kms import KEY
from data_protection.reads.s3 import ENCRYPTION, LOGGING
from data_protection.resources import Kind, Resource, named
from data_protection.snapshot import ResourceMissing
from data_protection.verdicts import Status, Verdict, worst

# Has no bucket keys:
# https://docs.aws.amazon.com/systems-manager-automation-runbooks/latest/userguide/automation-aws-enableS3bucketkeys.html
_TWO_LAYERS: Final = "aws:kms:dsse"


class KmsEncryption(Requirement):
    """What is asked of default encryption.

    Attributes:
        key: ARN, id or alias of the approved key; None for any customer managed key. Of a bucket in another region
            than the one that is assessed, an alias stands for the key of that name there.
        bucket_key: Whether S3 is to derive a key for the bucket, which saves nearly all calls to KMS.
    """

    key: str | None = None
    bucket_key: bool = True


def _default(case: Case[KmsEncryption]) -> Mapping[str, Any]:
    """Return the rule of default encryption; empty for SSE-S3 that nobody configured."""
    answer = case.find(ENCRYPTION)
    rules: Sequence[Mapping[str, Any]] = answer["ServerSideEncryptionConfiguration"]["Rules"] if answer else ()
    return rules[0] if rules else {}


def _named(case: Case[KmsEncryption], name: str) -> Resource:
    """Return a key by what S3 understands by its name: an id or alias is of the bucket's own region."""
    return named(Kind.KEY, case.snapshot.where(case.resource), name)


def _key(case: Case[KmsEncryption], name: str) -> Mapping[str, Any]:
    metadata: Mapping[str, Any] = case.get(KEY, _named(case, name))["KeyMetadata"]
    return metadata


def _is_elsewhere(case: Case[KmsEncryption], key: Mapping[str, Any]) -> bool:
    """Return whether a key is of another region than the bucket: S3 takes the setting, and then refuses every object.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    """
    return bool(key["Arn"].split(":")[3] != case.snapshot.where(case.resource).region)


def _is_approved(case: Case[KmsEncryption], key: Mapping[str, Any]) -> bool:
    wanted, bucket = case.requirement.key, case.resource
    try:
        return wanted is None or bool(_key(case, wanted)["Arn"] == key["Arn"])
    except ResourceMissing:
        if case.snapshot.where(bucket) == bucket.place:
            raise
        return False  # of that name there is none in the bucket's region


def _validate(case: Case[KmsEncryption]) -> Verdict:
    if receiving := asked_sources(case):
        return Verdict(
            Status.NOT_APPLICABLE,
            f"It is to receive the access logs of {receiving[0].name}, which arrive only in buckets with SSE-S3.",
        )
    rule, wanted = _default(case), case.requirement
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    algorithm, key = default.get("SSEAlgorithm", "AES256"), default.get("KMSMasterKeyID")
    observed = {"algorithm": algorithm, "key": key, "bucket_key": bool(rule.get("BucketKeyEnabled"))}
    expected = {"algorithm": "aws:kms", "key": wanted.key, "bucket_key": wanted.bucket_key}
    if not algorithm.startswith("aws:kms"):
        return Verdict(Status.FAIL, f"New objects are encrypted by {algorithm}, with keys of S3.", observed, expected)
    if key is None:
        reason = "New objects are encrypted with AWS' own key aws/s3, whose use cannot be restricted."
        return Verdict(Status.WARN, reason, observed, expected)
    return worst(
        lambda: _of_key(case, key, observed, expected),
        lambda: _of_bucket_key(case, observed, expected),
    )


def _of_key(case: Case[KmsEncryption], name: str, observed: dict[str, Any], expected: dict[str, Any]) -> Verdict:
    key, wanted = _key(case, name), case.requirement.key
    region = case.snapshot.where(case.resource).region
    observed = {**observed, "key": key["Arn"], "state": key["KeyState"]}
    if key["KeyState"] != "Enabled":
        reason = f"The key is {key['KeyState']}: objects can be neither written nor read."
        return Verdict(Status.FAIL, reason, observed, expected)
    if _is_elsewhere(case, key):
        reason = f"The key {key['Arn']} is not of {region}, where the bucket is: S3 refuses every object."
        return Verdict(Status.FAIL, reason, observed, expected)
    if key["KeyManager"] != "CUSTOMER":
        return Verdict(Status.WARN, "The key is managed by AWS; its use cannot be restricted.", observed, expected)
    if not _is_approved(case, key):
        return Verdict(
            Status.WARN, f"New objects are encrypted with {key['Arn']}, not with {wanted}.", observed, expected
        )
    return Verdict(Status.PASS, "New objects are encrypted with an approved key.", observed, expected)


def _of_bucket_key(case: Case[KmsEncryption], observed: dict[str, Any], expected: dict[str, Any]) -> Verdict:
    if case.requirement.bucket_key and not observed["bucket_key"] and observed["algorithm"] != _TWO_LAYERS:
        reason = "The bucket has no bucket key: each object is a call to KMS, paid and limited."
        return Verdict(Status.WARN, reason, observed, expected)
    return Verdict(Status.PASS, "The bucket key is as asked.", observed, expected)


def _is_present(case: Case[KmsEncryption], arn: str) -> bool:
    """Return whether new objects are encrypted with a key; of a present one that is gone or hidden, no."""
    name = _default(case).get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
    if name is None:
        return False
    reading = case.snapshot.reading(KEY, _named(case, name))
    return isinstance(reading, Found) and bool(reading.answer["KeyMetadata"]["Arn"] == arn)


def _propose(case: Case[KmsEncryption]) -> Sequence[Change]:
    require_no_logs(case, "which arrive only in buckets with SSE-S3")
    bucket, wanted, rule = case.resource, case.requirement, _default(case)
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    name = wanted.key or default.get("KMSMasterKeyID")
    if name is None:
        raise CannotChange(f"The profile names no key for {bucket.name}: give the ARN of one as key.")
    # S3 takes the id of any key, and then refuses every object.
    region = case.snapshot.where(bucket).region
    try:
        key = _key(case, name)
    except ResourceMissing:
        raise CannotChange(
            f"There is no key {name} in {region}, where {bucket.name} is: create it there, or correct the profile."
        ) from None
    if _is_elsewhere(case, key):
        raise CannotChange(
            f"{name} is no key of {region}, where {bucket.name} is, and S3 would refuse every object: name it by an "
            "alias that a key of each region has."
        )
    if (key["KeyState"], key["KeyManager"], key["KeySpec"]) != ("Enabled", "CUSTOMER", "SYMMETRIC_DEFAULT"):
        raise CannotChange(
            f"{name} is {key['KeyState']}, managed by {key['KeyManager']} and of {key['KeySpec']}; name a symmetric "
            "key of the customer's that is enabled."
        )
    has_two_layers = default.get("SSEAlgorithm") == _TWO_LAYERS  # which stay where somebody asked for them
    has_bucket_key = bool(rule.get("BucketKeyEnabled"))
    wants_bucket_key = has_bucket_key or (wanted.bucket_key and not has_two_layers)
    if _is_present(case, key["Arn"]) and has_bucket_key == wants_bucket_key:
        return []
    after = {
        **rule,
        "ApplyServerSideEncryptionByDefault": {
            "SSEAlgorithm": _TWO_LAYERS if has_two_layers else "aws:kms",
            "KMSMasterKeyID": key["Arn"],
        },
        "BucketKeyEnabled": wants_bucket_key,
    }
    put = "put_bucket_encryption"
    return [
        Change(
            check="S3-KMS",
            title=f"Encrypt new objects in {bucket.name} with {key['Arn']}",
            call=bucket_call(bucket, put, ServerSideEncryptionConfiguration={"Rules": [after]}),
            inverse=bucket_call(bucket, put, ServerSideEncryptionConfiguration={"Rules": [dict(rule)]})
            if rule
            else bucket_call(bucket, "delete_bucket_encryption"),
            reversibility=Reversibility.REVERSIBLE,
            before=dict(rule) or None,
            after=after,
            risk="Who reads or writes new objects needs kms:Decrypt or kms:GenerateDataKey with this key.",
            cost="A key is 1 USD a month; with a bucket key calls to it are few.",
        )
    ]


def _present(case: Case[KmsEncryption], _: Change) -> Any:
    return dict(_default(case)) or None


CHECK: Final = Check(
    id="S3-KMS",
    title="New objects are encrypted with an approved key",
    why="Who may read objects needs the key as well, and its use is logged and can be withdrawn at once.",
    severity=Severity.MEDIUM,
    kind=Kind.BUCKET,
    requirement=KmsEncryption,
    reads=(ENCRYPTION, LOGGING),
    others=(LOGGING,),  # where they log tells whether this one receives logs
    further=(KEY,),
    names=lambda place, asked: keys.asked_key(place, asked.key),
    validate=_validate,
    cost="A key is 1 USD a month, and its calls 0.03 USD for 10,000, of which a bucket key leaves few.",
    advice="Name a customer managed key in the profile, and let the readers and writers of the bucket use it.",
    controls={
        "AWS FSBP": ("S3.17",),
        "NIST 800-53 r5": (
            "SC-12(2)",
            "CM-3(6)",
            "SC-13",
            "SC-28",
            "SC-28(1)",
            "SC-7(10)",
            "CA-9(1)",
            "SI-7(6)",
            "AU-9",
        ),
        "PCI DSS 4.0.1": ("3.5.1",),
    },
    mutator=Mutator(
        phase=2,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"s3:put_bucket_encryption", "s3:delete_bucket_encryption"}),
        actions=frozenset({"s3:PutEncryptionConfiguration"}),
        propose=_propose,
        present=_present,
    ),
)
