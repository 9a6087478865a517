"""What an event of CloudTrail says was touched, and which verdicts that may change."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from data_protection.drift.cloudtrail_events import CloudTrailEvent
from data_protection.drift.touches import Touch, Touches
from data_protection.estate import Account
from data_protection.resources import Kind, Place, Resource
from tests.support.data_protection_account import ACCOUNT, AUDIO, ORDERS, PLACE
from tests.support.data_protection_drift import OUR_ROLE, ROOT, USER, event, role
from tests.support.data_protection_healthy import ALIAS, DATABASE, TOPIC

EVERYWHERE = Account(account=PLACE.account, regions=("eu-central-1", "us-east-1"))
USERS = Resource(Kind.TABLE, PLACE, "users")
LOGS = Resource(Kind.BUCKET, PLACE, "logs")
INDEX = {"resourceId": "table/orders/index/by-day", "serviceNamespace": "dynamodb"}
INSTANCE, GROUP = {"dBInstanceIdentifier": "orders"}, {"dBParameterGroupName": "orders-pg16"}
CLUSTER_GROUP = {"dBClusterParameterGroupName": "ledger-tls"}
OTHER_DATABASE = Resource(Kind.DATABASE, PLACE, "users")
OTHER_TOPIC = Resource(Kind.TOPIC, PLACE, "pager")


def called(*given: Any, **others: Any) -> CloudTrailEvent:
    return CloudTrailEvent.model_validate(event(*given, **others))


def touch(*given: Any, **others: Any) -> Touch:
    found = called(*given, **others).touch
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("by", "ours"),
    [
        (USER, False),
        (ROOT, False),
        (role("arn:aws:iam::123456789012:role/admin"), False),
        ({"type": "AWSService", "invokedBy": "dynamodb.amazonaws.com"}, False),
        ({"type": "IAMUser", "arn": OUR_ROLE}, False),
        (role(OUR_ROLE), True),
    ],
    ids=["user", "root", "another role", "a service", "a user who is called as our role", "our role"],
)
def test_only_calls_in_our_roles_are_ours(by: Mapping[str, Any], *, ours: bool) -> None:
    assert called("s3", "DeleteBucketPolicy", {"bucketName": "audio"}, by=by).is_by(frozenset({OUR_ROLE})) is ours


@pytest.mark.parametrize(
    ("by", "name"),
    [
        (USER, USER["arn"]),
        (ROOT, ROOT["arn"]),
        ({"type": "AWSService", "invokedBy": "dynamodb.amazonaws.com"}, "dynamodb.amazonaws.com"),
        ({"type": "Unknown"}, "Unknown"),
    ],
)
def test_who_called_is_told_by_the_best_name_there_is(by: Mapping[str, Any], name: str) -> None:
    assert touch("s3", "DeleteBucketPolicy", {"bucketName": "audio"}, by=by).cause.by == name


@pytest.mark.parametrize(
    "others",
    [
        {"errorCode": "AccessDenied"},
        {"readOnly": True},
        {"eventName": "ListTables"},
        {"eventSource": "x.amazonaws.com"},
    ],
)
def test_what_changes_nothing_touches_nothing(others: dict[str, Any]) -> None:
    assert called("dynamodb", "UpdateTable", {"tableName": "orders"}, **others).touch is None


@pytest.mark.parametrize(
    ("source", "call", "parameters", "concerned", "left"),
    [
        ("dynamodb", "UpdateContinuousBackups", {"tableName": "orders"}, ("DDB-PITR", ORDERS), ("DDB-PITR", USERS)),
        ("dynamodb", "UpdateContinuousBackups", {"tableName": ORDERS.arn}, ("DDB-PITR", ORDERS), ("DDB-TTL", ORDERS)),
        ("dynamodb", "UpdateTable", {"tableName": "orders"}, ("DDB-DELPROT", ORDERS), ("DDB-PITR", ORDERS)),
        ("dynamodb", "DeleteTable", {"tableName": "orders"}, ("DDB-PITR", ORDERS), ("DDB-PITR", USERS)),
        # An alarm on a table that is gone watches nothing.
        ("dynamodb", "DeleteTable", {"tableName": "orders"}, ("CW-ALARMS", ACCOUNT), ("CT-DATA", ACCOUNT)),
        ("autoscaling", "DeleteScalingPolicy", INDEX, ("DDB-SCALE", ORDERS), ("DDB-SCALE", USERS)),
        ("autoscaling", "DeregisterScalableTarget", INDEX, ("DDB-SCALE", ORDERS), ("DDB-PITR", ORDERS)),
        ("s3", "DeleteBucketPublicAccessBlock", {"bucketName": "audio"}, ("S3-BPA", AUDIO), ("S3-BPA", LOGS)),
        ("s3", "DeleteBucketLifecycle", {"bucketName": "audio"}, ("S3-LIFECYCLE", AUDIO), ("S3-BPA", AUDIO)),
        ("s3", "PutAccountPublicAccessBlock", {"accountId": "1"}, ("S3-BPA", LOGS), ("S3-TLS", LOGS)),
        # Whoever logs into a bucket sees its policy, and no bucket that receives logs is to be locked.
        ("s3", "PutBucketPolicy", {"bucketName": "logs"}, ("S3-LOG", AUDIO), ("S3-TLS", AUDIO)),
        ("s3", "PutBucketLogging", {"bucketName": "audio"}, ("S3-LOCK", LOGS), ("S3-LOG", LOGS)),
        ("cloudtrail", "StopLogging", {"name": "main"}, ("CT-LOGGING", ACCOUNT), ("CT-HARDEN", ACCOUNT)),
        ("cloudtrail", "PutEventSelectors", {"trailName": "main"}, ("CT-DATA", ACCOUNT), ("CT-LOGGING", ACCOUNT)),
        ("monitoring", "DisableAlarmActions", {"alarmNames": ["a"]}, ("CW-ALARMS", ACCOUNT), ("CT-DATA", ACCOUNT)),
        ("sns", "Unsubscribe", {"subscriptionArn": f"{TOPIC.arn}:1"}, ("SNS-ALERT", TOPIC), ("SNS-KMS", TOPIC)),
        ("sns", "Unsubscribe", {"subscriptionArn": f"{TOPIC.arn}:1"}, ("CW-ALARMS", ACCOUNT), ("SNS-KMS", TOPIC)),
        ("sns", "SetTopicAttributes", {"topicArn": TOPIC.arn}, ("CW-ALARMS", ACCOUNT), ("CT-DATA", ACCOUNT)),
        # Whom else a key serves matters to an undoing, and to no verdict.
        ("sns", "SetTopicAttributes", {"topicArn": TOPIC.arn}, ("SNS-KMS", TOPIC), ("SNS-KMS", OTHER_TOPIC)),
        ("sns", "SetTopicAttributes", {"topicArn": TOPIC.arn}, ("SNS-ALERT", TOPIC), ("SNS-ALERT", OTHER_TOPIC)),
        ("backup", "DeleteBackupSelection", {"backupPlanId": "p"}, ("BK-PLAN", ACCOUNT), ("CW-ALARMS", ACCOUNT)),
        # A profile names a key by its alias, an event by its id.
        ("kms", "DisableKey", {"keyId": "1234abcd"}, ("KMS-ROT", ALIAS), ("DDB-PITR", ORDERS)),
        ("kms", "ScheduleKeyDeletion", {"keyId": "1234abcd"}, ("DDB-KMS", ORDERS), ("DDB-PITR", ORDERS)),
        ("rds", "ModifyDBInstance", INSTANCE, ("RDS-PUBLIC", DATABASE), ("RDS-PUBLIC", OTHER_DATABASE)),
        ("rds", "ModifyDBParameterGroup", GROUP, ("RDS-TLS", DATABASE), ("RDS-PUBLIC", DATABASE)),
        ("rds", "ModifyDBCluster", {"dBClusterIdentifier": "c"}, ("RDS-BACKUP", DATABASE), ("DDB-PITR", ORDERS)),
        ("rds", "ResetDBClusterParameterGroup", CLUSTER_GROUP, ("RDS-TLS", DATABASE), ("RDS-PUBLIC", DATABASE)),
    ],
)  # fmt: skip
def test_a_call_concerns_the_verdicts_that_read_what_it_changed(
    source: str,
    call: str,
    parameters: dict[str, Any],
    concerned: tuple[str, Resource],
    left: tuple[str, Resource],
) -> None:
    touched = touch(source, call, parameters)

    assert touched.concerns(*concerned)
    assert not touched.concerns(*left)


def test_scaling_of_other_services_concerns_no_table() -> None:
    touched = touch("autoscaling", "DeregisterScalableTarget", {"resourceId": "service/cluster/orders"})
    assert not touched.concerns("DDB-SCALE", ORDERS)


@pytest.mark.parametrize(
    ("source", "call", "region", "regions"),
    [
        ("dynamodb", "UpdateTable", "us-east-1", ["us-east-1"]),
        ("dynamodb", "UpdateTable", "eu-west-3", []),
        ("s3", "DeleteBucketPolicy", "eu-west-3", ["eu-central-1"]),
        ("s3", "DeleteAccountPublicAccessBlock", "us-east-1", ["eu-central-1"]),
        ("cloudtrail", "StopLogging", "eu-west-3", ["eu-central-1", "us-east-1"]),
    ],
)
def test_a_call_is_followed_where_its_resource_is_judged(
    source: str, call: str, region: str, regions: list[str]
) -> None:
    places = touch(source, call, {}, awsRegion=region).places(EVERYWHERE, "aws")

    assert [place.region for place in places] == regions
    assert [place.is_home for place in places] == [place.region == "eu-central-1" for place in places]


def test_of_several_touches_the_latest_is_the_cause() -> None:
    noon = datetime(2026, 11, 21, 12, tzinfo=UTC)
    earlier, later = (
        touch("dynamodb", "UpdateContinuousBackups", {"tableName": "orders"}, by=by, at=noon + timedelta(seconds=after))
        for by, after in ((USER, 0), (ROOT, 5))
    )
    other = touch("dynamodb", "UpdateTable", {"tableName": "orders"}, at=noon + timedelta(seconds=9))
    touches = Touches([later, earlier, other])

    cause = touches.cause("DDB-PITR", ORDERS)
    assert cause is not None
    assert cause.by == ROOT["arn"]
    assert ("DDB-PITR", ORDERS) in touches
    assert ("DDB-PITR", USERS) not in touches
    assert touches.cause("DDB-PITR", Resource(Kind.TABLE, Place("210987654321", PLACE.region), "users")) is None
