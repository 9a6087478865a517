"""Buckets: private, encrypted, over TLS alone, with versions; or receivers of access logs, which must be plainer."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Final, Self

from pydantic import Field, field_validator, model_validator

from data_protection.access_logs import AccessLogging
from data_protection.bucket_policies import document, lets_logs_in, log_grant
from data_protection.buckets import bucket_call
from data_protection.changes import Call
from data_protection.checks.check import Requirement
from data_protection.checks.s3_bpa import FLAGS, PublicAccessBlock
from data_protection.checks.s3_kms import KmsEncryption
from data_protection.checks.s3_lifecycle import LifecycleTiers
from data_protection.checks.s3_lock import Mode, ObjectLock
from data_protection.checks.s3_tls import TransportSecurity
from data_protection.checks.s3_version import Versioning
from data_protection.creation.recipe import Answers, Look, Recipe, Wanted
from data_protection.creation.tags import CREATING, by_name, listed
from data_protection.lifecycle.tiers import Tier
from data_protection.policies import with_statement
from data_protection.readings import Missing
from data_protection.reads.s3 import (
    BUCKET_TAGS,
    ENCRYPTION,
    LIFECYCLE,
    LOGGING,
    OBJECT_LOCK,
    POLICY,
    PUBLIC_ACCESS,
    VERSIONING,
)
from data_protection.resources import Kind, Resource

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html. Dots are allowed there, but break TLS
# with the name of the bucket in the host, as AWS' certificate spans one label.
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_PREFIXES: Final = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES: Final = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an")


class Bucket(Wanted):
    """A bucket that is asked for. It is always private and answers over TLS alone.

    Attributes:
        key: ARN, id or alias of the key that encrypts it; none for a receiver of access logs.
        noncurrent_days: After which versions that were overwritten are deleted; None to keep them for ever.
        lock: Default retention of its objects; None for no Object Lock, which can be added later, too.
        access_logs: Where who accessed it is logged; None for nowhere.
        receives_logs: Whether other buckets log into it. Logs arrive only without a key of KMS and without a lock.
        tiers: How its objects age.
    """

    KIND: ClassVar = Kind.BUCKET

    key: str | None = Field(default=None, min_length=1)
    noncurrent_days: int | None = Field(default=90, ge=1)
    lock: ObjectLock | None = None
    access_logs: AccessLogging | None = None
    receives_logs: bool = False
    tiers: tuple[Tier, ...] = ()

    @field_validator("name")
    @classmethod
    def _is_taken_by_s3(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no name for a bucket: give 3 to 63 lower-case letters, digits and hyphens, the first and "
                "the last no hyphen"
            )
        if name.startswith(_PREFIXES) or name.endswith(_SUFFIXES):
            raise ValueError(f"{name!r} begins or ends as S3 reserves it for itself")
        return name

    @model_validator(mode="after")
    def _can_be(self) -> Self:
        if self.receives_logs and (self.key or self.lock or self.access_logs):
            raise ValueError(
                f"access logs arrive in {self.name} only without key, lock and access_logs of its own; leave them out"
            )
        if not self.receives_logs and self.key is None:
            raise ValueError(f"name the key that encrypts {self.name}")
        if self.lock and self.lock.mode is Mode.COMPLIANCE:
            raise ValueError(
                f"COMPLIANCE mode can never be taken back: make {self.name} with GOVERNANCE, and ask for COMPLIANCE "
                "once everything that writes and deletes there is seen to work"
            )
        return self

    def needs(self) -> dict[str, Requirement]:
        """Return what is asked of it, by check, in the order in which a bucket gets it."""
        needs: dict[str, Requirement] = {"S3-BPA": PublicAccessBlock(), "S3-TLS": TransportSecurity()}
        if self.key is not None:
            needs["S3-KMS"] = KmsEncryption(key=self.key)
        if not self.receives_logs:
            needs["S3-VERSION"] = Versioning(noncurrent_days=self.noncurrent_days)
        if self.tiers:
            needs["S3-LIFECYCLE"] = LifecycleTiers(tiers=self.tiers)
        if self.lock is not None:
            needs["S3-LOCK"] = self.lock
        if self.access_logs is not None:
            needs["S3-LOG"] = self.access_logs
        return needs


def _tags(look: Look[Bucket]) -> Mapping[str, str] | None:
    if isinstance(look.snapshot.reading(BUCKET_TAGS, look.resource), Missing):
        return None
    return by_name(look.snapshot.get(BUCKET_TAGS, look.resource).get("TagSet", []))


def _create(look: Look[Bucket]) -> Sequence[Call]:
    if _tags(look) is not None:
        return []
    region = look.resource.place.region
    configuration: dict[str, Any] = {"Tags": listed(look.first_tags)}
    if region != "us-east-1":  # which S3 does not let be named
        configuration["LocationConstraint"] = region
    parameters: dict[str, Any] = {
        "Bucket": look.resource.name,
        "ObjectOwnership": "BucketOwnerEnforced",
        "CreateBucketConfiguration": configuration,
    }
    if look.wanted.lock is not None:
        parameters["ObjectLockEnabledForBucket"] = True
    return [Call(service="s3", operation="create_bucket", parameters=parameters)]


def _fresh(look: Look[Bucket]) -> Answers:
    bucket, is_locked = look.resource, look.wanted.lock is not None
    lock = {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}} if is_locked else None
    return {
        (bucket, BUCKET_TAGS): {"TagSet": listed(look.first_tags)},
        (bucket, VERSIONING): {"Status": "Enabled"} if is_locked else {},
        (bucket, OBJECT_LOCK): lock,
        (bucket, LOGGING): {},
        (bucket, LIFECYCLE): None,
        (bucket, ENCRYPTION): None,
        (bucket, PUBLIC_ACCESS): None,
        (bucket, POLICY): None,
    }


def _rest(look: Look[Bucket]) -> Sequence[Call]:
    """Return the calls for its own block of public access, whatever the account blocks, and to let logs in."""
    bucket, found = look.resource, look.snapshot.get(PUBLIC_ACCESS, look.resource)
    blocked = dict.fromkeys(FLAGS, True)
    block = bucket_call(bucket, "put_public_access_block", PublicAccessBlockConfiguration=blocked)
    return [*([] if found.get("PublicAccessBlockConfiguration") == blocked else [block]), *_grant(look)]


def _grant(look: Look[Bucket]) -> Sequence[Call]:
    bucket = look.resource
    policy = document(look.snapshot.find(POLICY, bucket)) if look.wanted.receives_logs else None
    if not look.wanted.receives_logs or _lets_in(policy, bucket):
        return []
    return [bucket_call(bucket, "put_bucket_policy", Policy=with_statement(policy, log_grant(bucket)))]


def _lets_in(policy: str | None, bucket: Resource) -> bool:
    return lets_logs_in(policy, Resource(Kind.BUCKET, bucket.place, "any"), bucket, "any/")


def _differences(look: Look[Bucket]) -> Sequence[str]:
    return ["Its policy does not let S3 deliver access logs."] if _grant(look) else []


def _finish(look: Look[Bucket]) -> Sequence[Call]:
    present = by_name(look.snapshot.get(BUCKET_TAGS, look.resource).get("TagSet", []))
    kept = {name: value for name, value in present.items() if name != CREATING} | look.lasting_tags
    return [bucket_call(look.resource, "put_bucket_tagging", Tagging={"TagSet": listed(kept)})]


RECIPE: Final = Recipe(
    wanted=Bucket,
    reads=(BUCKET_TAGS,),
    tags=_tags,
    create=_create,
    fresh=_fresh,
    rest=_rest,
    finish=_finish,
    differences=_differences,
    operations=frozenset(
        {
            "s3:create_bucket",
            "s3:put_bucket_encryption",
            "s3:put_bucket_lifecycle_configuration",
            "s3:put_bucket_logging",
            "s3:put_bucket_policy",
            "s3:put_bucket_tagging",
            "s3:put_bucket_versioning",
            "s3:put_object_lock_configuration",
            "s3:put_public_access_block",
        }
    ),
    actions=frozenset(
        {
            "s3:CreateBucket",
            "s3:PutBucketLogging",
            "s3:PutBucketObjectLockConfiguration",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPolicy",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutBucketVersioning",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:TagResource",
        }
    ),
    checks=frozenset({"S3-BPA", "S3-TLS", "S3-KMS", "S3-VERSION", "S3-LIFECYCLE", "S3-LOCK", "S3-LOG"}),
)
