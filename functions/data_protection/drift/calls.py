"""Calls that change what checks read, by the names that CloudTrail gives them.

CloudTrail's names are not always those of the API: PutBucketLifecycleConfiguration is PutBucketLifecycle, and
Application Auto Scaling calls itself autoscaling. Sources:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/cloudtrail-logging-s3-info.html,
https://docs.aws.amazon.com/autoscaling/application/userguide/logging-using-cloudtrail.html. Where AWS lists none, as of
Object Lock and Intelligent-Tiering, the API's name is taken. A name that never comes does no harm: the sweep sees what
no event told.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from data_protection.readings import Read
from data_protection.reads import (
    backup,
    cloudtrail,
    cloudwatch,
    dynamodb,
    kms,
    listings,
    rds,
    s3,
    scaling,
    secrets,
    sns,
)
from data_protection.resources import Kind

Parameters: TypeAlias = Mapping[str, Any]  # CloudTrail's requestParameters


@dataclass(frozen=True)
class Watched:
    """A call that may change what checks read.

    Attributes:
        source: CloudTrail's eventSource.
        name: CloudTrail's eventName.
        kind: Of the resource that it is about.
        named: Returns the name or ARN of that resource by the call's parameters; None where they do not tell it, as a
            profile names a key by its alias, or where the call is about the account as a whole.
        reads: Whose answers it may change.
    """

    source: str
    name: str
    kind: Kind
    named: Callable[[Parameters], str | None]
    reads: frozenset[Read]


def _by(parameter: str) -> Callable[[Parameters], str | None]:
    def named(parameters: Parameters) -> str | None:
        value = parameters.get(parameter)
        return value if isinstance(value, str) else None

    return named


def _unnamed(_: Parameters) -> None:
    return None


def _scaled_table(parameters: Parameters) -> str | None:
    """Return the table of `table/orders` and `table/orders/index/by-day`; resources of other services are not named."""
    kind, _, rest = str(parameters.get("resourceId", "")).partition("/")
    return rest.partition("/")[0] if kind == "table" else ""


def _subscribed_topic(parameters: Parameters) -> str | None:
    """Return the ARN of the topic, which a subscription's begins with."""
    return str(parameters.get("subscriptionArn", "")).rpartition(":")[0] or None


def _watched(
    source: str, kind: Kind, named: Callable[[Parameters], str | None], calls: Mapping[str, Iterable[Read]]
) -> Iterable[Watched]:
    for names, reads in calls.items():
        for name in names.split():
            yield Watched(f"{source}.amazonaws.com", name, kind, named, frozenset(reads))


_OF_TABLE: Final = (dynamodb.TABLE, dynamodb.CONTINUOUS_BACKUPS, dynamodb.TIME_TO_LIVE)
_OF_BUCKET: Final = (
    s3.VERSIONING,
    s3.OBJECT_LOCK,
    s3.LOGGING,
    s3.LIFECYCLE,
    s3.INTELLIGENT_TIERING,
    s3.ENCRYPTION,
    s3.PUBLIC_ACCESS,
    s3.POLICY,
)
_OF_TRAIL: Final = (cloudtrail.TRAILS, cloudtrail.TRAIL_STATUS, cloudtrail.EVENT_SELECTORS)
_OF_TOPIC: Final = (sns.TOPIC, sns.SUBSCRIPTIONS)

_ALL: Final = (
    *_watched(
        "dynamodb",
        Kind.TABLE,
        _by("tableName"),
        {
            "CreateTable DeleteTable": (*_OF_TABLE, listings.TABLES),
            "UpdateTable": (dynamodb.TABLE,),
            "UpdateContinuousBackups": (dynamodb.CONTINUOUS_BACKUPS,),
            "UpdateTimeToLive": (dynamodb.TIME_TO_LIVE,),
        },
    ),
    *_watched(
        "dynamodb",
        Kind.TABLE,
        _by("targetTableName"),
        {"RestoreTableFromBackup RestoreTableToPointInTime": (*_OF_TABLE, listings.TABLES)},
    ),
    *_watched(
        "autoscaling",
        Kind.TABLE,
        _scaled_table,
        {
            "RegisterScalableTarget DeregisterScalableTarget": (scaling.TARGETS, scaling.POLICIES),
            "PutScalingPolicy DeleteScalingPolicy": (scaling.POLICIES,),
        },
    ),
    *_watched(
        "s3",
        Kind.BUCKET,
        _by("bucketName"),
        {
            "CreateBucket DeleteBucket": _OF_BUCKET,
            "PutBucketVersioning": (s3.VERSIONING,),
            "PutBucketLifecycle PutBucketLifecycleConfiguration DeleteBucketLifecycle": (s3.LIFECYCLE,),
            "PutBucketLogging": (s3.LOGGING,),
            "PutBucketEncryption DeleteBucketEncryption": (s3.ENCRYPTION,),
            "PutBucketPublicAccessBlock DeleteBucketPublicAccessBlock": (s3.PUBLIC_ACCESS,),
            "PutBucketObjectLockConfiguration PutObjectLockConfiguration": (s3.OBJECT_LOCK,),
            "PutBucketPolicy DeleteBucketPolicy": (s3.POLICY,),
            "PutBucketIntelligentTieringConfiguration DeleteBucketIntelligentTieringConfiguration": (
                s3.INTELLIGENT_TIERING,
            ),
        },
    ),
    *_watched(
        "s3",
        Kind.ACCOUNT,
        _unnamed,
        {"PutAccountPublicAccessBlock DeleteAccountPublicAccessBlock": (s3.ACCOUNT_PUBLIC_ACCESS,)},
    ),
    *_watched(
        "cloudtrail",
        Kind.TRAIL,
        _by("name"),
        {
            "StartLogging StopLogging": (cloudtrail.TRAIL_STATUS,),
            "CreateTrail DeleteTrail UpdateTrail": _OF_TRAIL,
        },
    ),
    *_watched("cloudtrail", Kind.TRAIL, _by("trailName"), {"PutEventSelectors": (cloudtrail.EVENT_SELECTORS,)}),
    *_watched(
        "monitoring",
        Kind.ACCOUNT,
        _unnamed,
        {"PutMetricAlarm PutCompositeAlarm DeleteAlarms DisableAlarmActions EnableAlarmActions": (cloudwatch.ALARMS,)},
    ),
    *_watched(
        "sns",
        Kind.TOPIC,
        _by("topicArn"),
        {
            "DeleteTopic": _OF_TOPIC,
            "SetTopicAttributes AddPermission RemovePermission": (sns.TOPIC,),
            "Subscribe ConfirmSubscription": (sns.SUBSCRIPTIONS,),
        },
    ),
    *_watched("sns", Kind.TOPIC, _by("name"), {"CreateTopic": _OF_TOPIC}),
    *_watched("sns", Kind.TOPIC, _subscribed_topic, {"Unsubscribe": (sns.SUBSCRIPTIONS,)}),
    *_watched(
        "backup",
        Kind.ACCOUNT,
        _unnamed,
        {
            "CreateBackupPlan UpdateBackupPlan DeleteBackupPlan": (backup.PLANS, backup.PLAN),
            "CreateBackupSelection DeleteBackupSelection": (backup.SELECTIONS, backup.SELECTION),
            "CreateBackupVault DeleteBackupVault": (backup.VAULTS,),
            "UpdateRegionSettings": (backup.OPT_IN,),
        },
    ),
    *_watched(
        "kms",
        Kind.KEY,
        _unnamed,
        {
            "EnableKey DisableKey ScheduleKeyDeletion CancelKeyDeletion": (kms.KEY,),
            "CreateAlias UpdateAlias DeleteAlias": (kms.KEY,),
            "EnableKeyRotation DisableKeyRotation": (kms.ROTATION,),
            "PutKeyPolicy": (kms.KEY_POLICY,),
        },
    ),
    *_watched(
        "rds",
        Kind.DATABASE,
        _by("dBInstanceIdentifier"),
        {"CreateDBInstance DeleteDBInstance ModifyDBInstance": (rds.INSTANCES,)},
    ),
    *_watched(
        "rds",
        Kind.PARAMETER_GROUP,
        _by("dBParameterGroupName"),
        {"ModifyDBParameterGroup ResetDBParameterGroup": (rds.PARAMETERS,)},
    ),
    *_watched(
        "rds",
        Kind.CLUSTER,
        _by("dBClusterIdentifier"),
        {"CreateDBCluster DeleteDBCluster ModifyDBCluster": (rds.CLUSTERS,)},
    ),
    *_watched(
        "rds",
        Kind.CLUSTER_PARAMETER_GROUP,
        _by("dBClusterParameterGroupName"),
        {"ModifyDBClusterParameterGroup ResetDBClusterParameterGroup": (rds.CLUSTER_PARAMETERS,)},
    ),
    # A secret's ARN ends in characters that its name in a profile lacks.
    *_watched(
        "secretsmanager",
        Kind.SECRET,
        _unnamed,
        {"CreateSecret DeleteSecret RestoreSecret RotateSecret CancelRotateSecret": (secrets.SECRET,)},
    ),
)

CALLS: Final[Mapping[tuple[str, str], Watched]] = {(one.source, one.name): one for one in _ALL}
"""By eventSource and eventName; the rules of the stack let just these pass."""
