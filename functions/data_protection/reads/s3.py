"""Reads of S3."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from data_protection.readings import Answer, Read
from data_protection.resources import Kind, Resource, named

LOGS_WITHIN: Final = timedelta(hours=24)
"""How old the newest access log may be. Delivery is best effort, mostly within a few hours:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html."""

_MISSING: Final = frozenset({"NoSuchBucket"})
_SOME: Final = 10  # keys: the first one is enough, unless something else lies among the logs
_LOG_NAME: Final = (
    "[YYYY]-[MM]-[DD]-[hh]-[mm]-[ss]"  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html
)


def _bucket(resource: Resource) -> Mapping[str, Any]:
    # Without the owner's guard a bucket of another account that took the name would be judged as ours.
    return {"Bucket": resource.name, "ExpectedBucketOwner": resource.place.account}


def _read(name: str, operation: str, action: str, *absent: str, leads_to: Any = None) -> Read:
    return Read(
        name=f"s3.{name}",
        kind=Kind.BUCKET,
        service="s3",
        operation=operation,
        arguments=_bucket,
        actions=frozenset({f"s3:{action}"}),
        absent=frozenset(absent),
        missing=_MISSING,
        leads_to=leads_to,
    )


def access_log(source: Resource, logging: Mapping[str, Any]) -> Resource:
    """Return the access log of a bucket, by the `LoggingEnabled` of its configuration."""
    keys = logging["TargetPrefix"] + _LOG_NAME
    if "PartitionedPrefix" in logging.get("TargetObjectKeyFormat", {}):
        place = source.place
        keys = f"{logging['TargetPrefix']}{place.account}/{place.region}/{source.name}/[YYYY]/[MM]/[DD]/{_LOG_NAME}"
    return Resource(Kind.ACCESS_LOG, source.place, f"{logging['TargetBucket']}/{keys}")


def _log_target(resource: Resource, answer: Answer) -> Iterable[Resource]:
    if logging := answer.get("LoggingEnabled"):
        yield Resource(Kind.BUCKET, resource.place, logging["TargetBucket"])
        yield access_log(resource, logging)


def _default_key(resource: Resource, answer: Answer) -> Iterable[Resource]:
    for rule in answer["ServerSideEncryptionConfiguration"]["Rules"]:
        if key := rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID"):
            yield named(Kind.KEY, resource.place, key)


def _logs(resource: Resource) -> Mapping[str, Any]:
    bucket, _, keys = resource.name.partition("/")
    return {
        "Bucket": bucket,
        "ExpectedBucketOwner": resource.place.account,
        "Prefix": keys.partition("[YYYY]")[0],
        "MaxKeys": _SOME,
    }


def _recent_logs(resource: Resource, now: datetime) -> Mapping[str, Any]:
    # Keys are listed in their order, which is that of time: the ones before cannot be recent, and may be millions.
    keys, since = resource.name.partition("/")[2], now - LOGS_WITHIN
    for part, form in (("YYYY", "%Y"), ("MM", "%m"), ("DD", "%d"), ("hh", "%H"), ("mm", "%M"), ("ss", "%S")):
        keys = keys.replace(f"[{part}]", since.strftime(form))
    return {"StartAfter": keys}


VERSIONING: Final = _read("GetBucketVersioning", "get_bucket_versioning", "GetBucketVersioning")
OBJECT_LOCK: Final = _read(
    "GetObjectLockConfiguration",
    "get_object_lock_configuration",
    "GetBucketObjectLockConfiguration",
    "ObjectLockConfigurationNotFoundError",
)
LOGGING: Final = _read("GetBucketLogging", "get_bucket_logging", "GetBucketLogging", leads_to=_log_target)
LIFECYCLE: Final = _read(
    "GetBucketLifecycleConfiguration",
    "get_bucket_lifecycle_configuration",
    "GetLifecycleConfiguration",
    "NoSuchLifecycleConfiguration",
)
INTELLIGENT_TIERING: Final = _read(
    "ListBucketIntelligentTieringConfigurations",
    "list_bucket_intelligent_tiering_configurations",
    "GetIntelligentTieringConfiguration",
)
ENCRYPTION: Final = _read(
    "GetBucketEncryption",
    "get_bucket_encryption",
    "GetEncryptionConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
    leads_to=_default_key,
)
PUBLIC_ACCESS: Final = _read(
    "GetPublicAccessBlock",
    "get_public_access_block",
    "GetBucketPublicAccessBlock",
    "NoSuchPublicAccessBlockConfiguration",
)
POLICY: Final = _read("GetBucketPolicy", "get_bucket_policy", "GetBucketPolicy", "NoSuchBucketPolicy")
REPLICATION: Final = _read(
    "GetBucketReplication",
    "get_bucket_replication",
    "GetReplicationConfiguration",
    "ReplicationConfigurationNotFoundError",
)
BUCKET_TAGS: Final = _read("GetBucketTagging", "get_bucket_tagging", "GetBucketTagging", "NoSuchTagSet")
"""Of one bucket, as S3 has them, not as the tagging service will."""

RECENT_LOGS: Final = Read(
    name="s3.ListObjectsV2",
    kind=Kind.ACCESS_LOG,
    service="s3",
    operation="list_objects_v2",
    arguments=_logs,
    timed=_recent_logs,
    actions=frozenset({"s3:ListBucket"}),
    missing=_MISSING,
)
ACCOUNT_PUBLIC_ACCESS: Final = Read(
    name="s3control.GetPublicAccessBlock",
    kind=Kind.ACCOUNT,
    service="s3control",
    operation="get_public_access_block",
    arguments=lambda resource: {"AccountId": resource.name},
    actions=frozenset({"s3:GetAccountPublicAccessBlock"}),
    absent=frozenset({"NoSuchPublicAccessBlockConfiguration"}),
)
