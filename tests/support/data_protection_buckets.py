"""Buckets before the checks: readings made by hand, and what a profile asks of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from data_protection.assessments import Assessment, assess, cases
from data_protection.changes import Change
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Case
from data_protection.profiles import Profile
from data_protection.readings import Found, NotConfigured, Read, Reading
from data_protection.reads.kms import KEY
from data_protection.reads.s3 import (
    ACCOUNT_PUBLIC_ACCESS,
    ENCRYPTION,
    INTELLIGENT_TIERING,
    LIFECYCLE,
    LOGGING,
    OBJECT_LOCK,
    POLICY,
    PUBLIC_ACCESS,
    RECENT_LOGS,
    VERSIONING,
    access_log,
)
from data_protection.resources import Kind, Place, Resource, account_of
from data_protection.snapshot import Snapshot
from data_protection.verdicts import Verdict

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PLACE = Place("123456789012", "eu-central-1")
SITE, LOGS = (Resource(Kind.BUCKET, PLACE, name) for name in ("site", "logs"))
MASTER = Resource(Kind.KEY, PLACE, "master")
SITE_LOG = access_log(SITE, {"TargetBucket": "logs", "TargetPrefix": "site/"})

Readings = dict[tuple[Resource, Read], Reading | Mapping[str, Any]]

FLAGS = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)

TIER = {
    "prefix": "audio/",
    "transitions": [{"days": 90, "storage_class": "STANDARD_IA"}, {"days": 365, "storage_class": "GLACIER"}],
    "expire_days": 2555,
}

# What is asked in these tests, by check.
ASKED: dict[str, dict[str, Any]] = {
    "S3-BPA": {},
    "S3-INTTIER": {"prefix": "mixed/"},
    "S3-KMS": {"key": "master"},
    "S3-LIFECYCLE": {"tiers": [TIER]},
    "S3-LOCK": {"mode": "GOVERNANCE", "days": 30},
    "S3-LOG": {"target": "logs"},
    "S3-RTO": {"hours": 12},
    "S3-TLS": {},
    "S3-VERSION": {},
}


def policy(*statements: Mapping[str, Any]) -> dict[str, str]:
    """Return what S3 answers about a policy of these statements."""
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})}


def allow_logs(**condition: Any) -> dict[str, Any]:
    """Return a statement that lets logs into the log bucket, under a condition."""
    return {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::logs/*",
        "Condition": condition or {"StringEquals": {"aws:SourceAccount": PLACE.account}},
    }


def deny_http(**differences: Any) -> dict[str, Any]:
    """Return a statement that denies calls without TLS to the site."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": ["arn:aws:s3:::site", "arn:aws:s3:::site/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        **differences,
    }


def key(resource: Resource = MASTER, **differences: Any) -> dict[str, Any]:
    """Return what KMS answers about a key."""
    return {
        "KeyMetadata": {
            "Arn": resource.arn,
            "KeyState": "Enabled",
            "KeyManager": "CUSTOMER",
            "KeySpec": "SYMMETRIC_DEFAULT",
            **differences,
        }
    }


def encrypted(name: str | None = "master", *, algorithm: str = "aws:kms", bucket_key: bool = True) -> dict[str, Any]:
    """Return what S3 answers about default encryption."""
    default = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": name} if name else {})
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bucket_key}
    return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}


def locked(mode: str = "GOVERNANCE", **period: Any) -> dict[str, Any]:
    """Return what S3 answers about a locked bucket."""
    default = {"Mode": mode, **(period or {"Days": 30})}
    return {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": default}}}


def rule(name: str, prefix: str = "", **actions: Any) -> dict[str, Any]:
    """Return an enabled lifecycle rule."""
    return {"ID": name, "Status": "Enabled", "Filter": {"Prefix": prefix}, **actions}


def moves(*steps: tuple[int, str]) -> list[dict[str, Any]]:
    """Return transitions, by days."""
    return [{"Days": days, "StorageClass": storage_class} for days, storage_class in steps]


def healthy() -> Readings:
    """Return the readings of a site that meets all that is asked, and of its log bucket."""
    return {
        (SITE, VERSIONING): {"Status": "Enabled"},
        (SITE, OBJECT_LOCK): locked(),
        (SITE, LOGGING): {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "site/"}},
        (SITE, LIFECYCLE): {
            "TransitionDefaultMinimumObjectSize": "all_storage_classes_128K",
            "Rules": [
                rule(
                    "audio",
                    "audio/",
                    Transitions=moves((90, "STANDARD_IA"), (365, "GLACIER")),
                    Expiration={"Days": 2555},
                ),
                rule("mixed", "mixed/", Transitions=moves((0, "INTELLIGENT_TIERING"))),
                rule("versions", NoncurrentVersionExpiration={"NoncurrentDays": 90}),
            ],
        },
        (SITE, INTELLIGENT_TIERING): {
            "IsTruncated": False,
            "IntelligentTieringConfigurationList": [
                {
                    "Id": "archive",
                    "Status": "Enabled",
                    "Filter": {"Prefix": "mixed/"},
                    "Tierings": [
                        {"AccessTier": "ARCHIVE_ACCESS", "Days": 90},
                        {"AccessTier": "DEEP_ARCHIVE_ACCESS", "Days": 180},
                    ],
                }
            ],
        },
        (SITE, ENCRYPTION): encrypted(),
        (SITE, PUBLIC_ACCESS): {"PublicAccessBlockConfiguration": FLAGS},
        (SITE, POLICY): policy(deny_http()),
        (LOGS, POLICY): policy(allow_logs()),
        (LOGS, OBJECT_LOCK): NotConfigured("ObjectLockConfigurationNotFoundError"),
        (LOGS, ENCRYPTION): encrypted(None, algorithm="AES256", bucket_key=False),
        (SITE_LOG, RECENT_LOGS): {
            "Contents": [{"Key": "site/2026-11-21-09-00-00-A1B2", "LastModified": "2026-11-21T09:10:00+00:00"}]
        },
        (MASTER, KEY): key(),
        (account_of(PLACE), ACCOUNT_PUBLIC_ACCESS): NotConfigured("NoSuchPublicAccessBlockConfiguration"),
    }


def bare() -> Readings:
    """Return the readings of a site on which nothing was ever configured, and of a log bucket that is ready."""
    return healthy() | {
        (SITE, VERSIONING): {},
        (SITE, OBJECT_LOCK): NotConfigured("ObjectLockConfigurationNotFoundError"),
        (SITE, LOGGING): {},
        (SITE, LIFECYCLE): NotConfigured("NoSuchLifecycleConfiguration"),
        (SITE, INTELLIGENT_TIERING): {"IsTruncated": False},
        (SITE, ENCRYPTION): NotConfigured("ServerSideEncryptionConfigurationNotFoundError"),
        (SITE, PUBLIC_ACCESS): NotConfigured("NoSuchPublicAccessBlockConfiguration"),
        (SITE, POLICY): NotConfigured("NoSuchBucketPolicy"),
    }


def _snapshot(readings: Readings) -> Snapshot:
    return Snapshot(
        PLACE,
        NOW,
        {
            (resource, read.name): Found(reading) if isinstance(reading, Mapping) else reading
            for (resource, read), reading in readings.items()
        },
    )


def profile(asked: Mapping[str, Mapping[str, Any]]) -> Profile:
    """Return the profile that asks of buckets, by name, what checks require."""
    rules = [
        {"kind": Kind.BUCKET, "select": [{"name": name}], "requires": requires} for name, requires in asked.items()
    ]
    return Profile.model_validate({"name": "test", "rules": rules})


def case(check: str, readings: Readings, asked: Mapping[str, Mapping[str, Any]]) -> Case[Any]:
    """Return the case of the site before a check."""
    found = cases(_snapshot(readings), profile(asked), NOW)
    return next(case for one, case in found if one.id == check and case.resource == SITE)


def all_cases(readings: Readings, asked: Mapping[str, Mapping[str, Any]]) -> Sequence[Case[Any]]:
    """Return all cases of a place."""
    return [case for _, case in cases(_snapshot(readings), profile(asked), NOW)]


def assessed(readings: Readings, asked: Mapping[str, Mapping[str, Any]]) -> Assessment:
    """Return what is found of buckets, by name."""
    return assess(_snapshot(readings), profile(asked), NOW)


def verdict(check: str, readings: Readings, requirement: Mapping[str, Any] | None = None, **others: Any) -> Verdict:
    """Return what a check says of the site.

    Args:
        check: Its id.
        readings: Of site and log bucket.
        requirement: What is asked; that of these tests if left out.
        others: What is asked of other buckets, by name.
    """
    asked = {"site": {check: ASKED[check] if requirement is None else requirement}, **others}
    return next(
        one.verdict for one in assessed(readings, asked).findings if one.check.id == check and one.resource == SITE
    )


def changes(
    check: str, readings: Readings, requirement: Mapping[str, Any] | None = None, **others: Any
) -> Sequence[Change]:
    """Return what a check's mutator proposes for the site."""
    asked = {"site": {check: ASKED[check] if requirement is None else requirement}, **others}
    mutator = catalogue()[check].mutator
    assert mutator is not None
    return list(mutator.propose(case(check, readings, asked)))


def reads_of(check: str) -> Iterator[tuple[Resource, Read]]:
    """Yield what must be readable for a check on the site to pass."""
    one = catalogue()[check]
    for resource, read in healthy():
        if (read in one.reads and resource == SITE) or (read in one.further and resource != SITE):
            yield resource, read
