"""An account in which every check that is not about buckets passes, to be broken by one reading at a time."""

import json
from typing import Any

from data_protection.readings import NotConfigured
from data_protection.reads import (
    backup,
    cloudtrail,
    cloudwatch,
    dynamodb,
    iam,
    kms,
    rds,
    scaling,
    secrets,
    sns,
    tagging,
)
from data_protection.resources import Kind, Resource
from tests.support.data_protection_account import ACCOUNT, AUDIO, KEY_ARN, ORDERS, PLACE, Asked, ago

KEY = Resource(Kind.KEY, PLACE, "1234abcd")
ALIAS = Resource(Kind.KEY, PLACE, "alias/data")
TOPIC = Resource(Kind.TOPIC, PLACE, "alerts")
TRAIL = Resource(Kind.TRAIL, PLACE, "arn:aws:cloudtrail:eu-central-1:123456789012:trail/main")
PLAN = Resource(Kind.BACKUP_PLAN, PLACE, "plan-1")
SELECTION = Resource(Kind.BACKUP_SELECTION, PLACE, "plan-1/selection-1")
SECRET = Resource(Kind.SECRET, PLACE, "database")
DATABASE = Resource(Kind.DATABASE, PLACE, "orders")
GROUP = Resource(Kind.PARAMETER_GROUP, PLACE, "orders-pg16")
ROLE = Resource(Kind.ROLE, PLACE, "worker")

TABLE: dict[str, Any] = {
    "TableName": "orders",
    "TableStatus": "ACTIVE",
    "ItemCount": 12,
    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
    "AttributeDefinitions": [
        {"AttributeName": "id", "AttributeType": "S"},
        {"AttributeName": "day", "AttributeType": "S"},
    ],
    "ProvisionedThroughput": {"ReadCapacityUnits": 10, "WriteCapacityUnits": 10},
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by-day",
            "IndexStatus": "ACTIVE",
            "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": 10, "WriteCapacityUnits": 10},
        }
    ],
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    "SSEDescription": {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": KEY_ARN},
    "DeletionProtectionEnabled": True,
}

METADATA: dict[str, Any] = {
    "Arn": KEY_ARN,
    "KeyState": "Enabled",
    "KeyManager": "CUSTOMER",
    "KeySpec": "SYMMETRIC_DEFAULT",
    "Origin": "AWS_KMS",
}

STATUS: dict[str, Any] = {"IsLogging": True, "LatestDeliveryTime": ago(hours=1)}
DESCRIBED: dict[str, Any] = {
    "Name": "main",
    "TrailARN": TRAIL.name,
    "HomeRegion": PLACE.region,
    "S3BucketName": "trail-logs",
    "IsMultiRegionTrail": True,
    "LogFileValidationEnabled": True,
    "KmsKeyId": KEY_ARN,
}

INSTANCE: dict[str, Any] = {
    "DBInstanceIdentifier": "orders",
    "DBInstanceStatus": "available",
    "Engine": "postgres",
    "StorageEncrypted": True,
    "BackupRetentionPeriod": 30,
    "PubliclyAccessible": False,
    "DBParameterGroups": [{"DBParameterGroupName": "orders-pg16", "ParameterApplyStatus": "in-sync"}],
}
FORCE_SSL: dict[str, Any] = {
    "ParameterName": "rds.force_ssl",
    "ParameterValue": "1",
    "Source": "user",
    "ApplyType": "dynamic",
    "IsModifiable": True,
}

TRUST: dict[str, Any] = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}


def statement(**members: Any) -> dict[str, Any]:
    """Return a policy of one statement that allows something."""
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **members}]}


def role(*policies: dict[str, Any], attached: tuple[str, ...] = (), **members: Any) -> dict[str, Any]:
    """Return a role with inline policies and the ARNs of attached ones."""
    return {
        "RoleName": "worker",
        "Arn": ROLE.arn,
        "AssumeRolePolicyDocument": TRUST,
        "RolePolicyList": [{"PolicyName": f"own-{n}", "PolicyDocument": one} for n, one in enumerate(policies)],
        "AttachedManagedPolicies": [{"PolicyName": arn.split("/")[-1], "PolicyArn": arn} for arn in attached],
        **members,
    }


def for_cloudwatch(*actions: str, resource: str = "*", **members: Any) -> str:
    """Return a policy that lets CloudWatch do something."""
    who = {"Service": "cloudwatch.amazonaws.com"}
    return json.dumps(statement(Principal=who, Action=list(actions), Resource=resource, **members))


def recovery(status: str = "ENABLED", **members: Any) -> dict[str, Any]:
    """Return what DynamoDB answers about point-in-time recovery."""
    on = {"RecoveryPeriodInDays": 35, "LatestRestorableDateTime": ago(minutes=5)} if status == "ENABLED" else {}
    description = {"PointInTimeRecoveryStatus": status, **on, **members}
    return {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": description}}


def alarm(name: str, action: str = TOPIC.arn, **members: Any) -> dict[str, Any]:
    """Return an alarm that reaches the topic."""
    return {
        "AlarmName": name,
        "ActionsEnabled": True,
        "AlarmActions": [action] if action else [],
        "StateValue": "OK",
        "AlarmConfigurationUpdatedTimestamp": ago(days=30),
        "StateUpdatedTimestamp": ago(days=1),
        **members,
    }


def targets() -> list[dict[str, Any]]:
    """Return the scalable targets of the table and its index."""
    return [
        {
            "ResourceId": resource,
            "ScalableDimension": f"dynamodb:{scales}:{direction}CapacityUnits",
            "MinCapacity": 5,
            "MaxCapacity": 100,
        }
        for scales, resource in (("table", "table/orders"), ("index", "table/orders/index/by-day"))
        for direction in ("Read", "Write")
    ]


def policies(percent: float = 70.0) -> list[dict[str, Any]]:
    """Return the scaling policies of the targets."""
    return [
        {
            "PolicyName": f"policy-{number}",
            "ResourceId": target["ResourceId"],
            "ScalableDimension": target["ScalableDimension"],
            "TargetTrackingScalingPolicyConfiguration": {
                "TargetValue": percent,
                "ScaleInCooldown": 60,
                "PredefinedMetricSpecification": {
                    "PredefinedMetricType": "DynamoDBReadCapacityUtilization"
                    if "Read" in target["ScalableDimension"]
                    else "DynamoDBWriteCapacityUtilization"
                },
            },
        }
        for number, target in enumerate(targets())
    ]


def selector(type_: str, **arns: list[str]) -> dict[str, Any]:
    """Return an advanced selector of data events, narrowed by ARN if any are given."""
    fields: list[dict[str, Any]] = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": [type_]},
    ]
    return {"Name": type_, "FieldSelectors": fields + ([{"Field": "resources.ARN", **arns}] if arns else [])}


def healthy() -> dict[tuple[Resource, Any], Any]:
    """Return the readings of an account in which everything passes."""
    return {
        (ORDERS, dynamodb.TABLE): TABLE_ANSWER,
        (ORDERS, dynamodb.TIME_TO_LIVE): {"TimeToLiveDescription": {"TimeToLiveStatus": "DISABLED"}},
        (ORDERS, dynamodb.CONTINUOUS_BACKUPS): recovery(),
        (KEY, kms.KEY): {"KeyMetadata": METADATA},
        (ALIAS, kms.KEY): {"KeyMetadata": METADATA},
        (KEY, kms.ROTATION): {"KeyRotationEnabled": True, "RotationPeriodInDays": 365},
        (KEY, kms.KEY_POLICY): {"Policy": for_cloudwatch("kms:Decrypt", "kms:GenerateDataKey*")},
        (ACCOUNT, scaling.TARGETS): {"ScalableTargets": targets()},
        (ACCOUNT, scaling.POLICIES): {"ScalingPolicies": policies()},
        (ACCOUNT, scaling.SCHEDULED): {"ScheduledActions": []},
        (ACCOUNT, cloudtrail.TRAILS): {"trailList": [DESCRIBED]},
        (TRAIL, cloudtrail.TRAIL_STATUS): STATUS,
        (TRAIL, cloudtrail.EVENT_SELECTORS): {
            "AdvancedEventSelectors": [
                selector("AWS::S3::Object", NotStartsWith=["arn:aws:s3:::trail-logs/"]),
                selector("AWS::DynamoDB::Table"),
            ]
        },
        (ACCOUNT, cloudwatch.ALARMS): {
            "MetricAlarms": [alarm(f"alarm-{number}") for number in range(10)],
            "CompositeAlarms": [],
        },
        (TOPIC, sns.TOPIC): {
            "Attributes": {"Policy": for_cloudwatch("sns:Publish", resource=TOPIC.arn), "KmsMasterKeyId": "1234abcd"}
        },
        (TOPIC, sns.SUBSCRIPTIONS): {
            "Subscriptions": [{"SubscriptionArn": f"{TOPIC.arn}:1", "Protocol": "email", "Endpoint": "ops@example.com"}]
        },
        (ACCOUNT, backup.PLANS): {"BackupPlansList": [{"BackupPlanId": "plan-1", "BackupPlanName": "daily"}]},
        (PLAN, backup.PLAN): {"BackupPlan": {"BackupPlanName": "daily", "Rules": [{"RuleName": "daily"}]}},
        (PLAN, backup.SELECTIONS): {"BackupSelectionsList": [{"SelectionId": "selection-1"}]},
        (SELECTION, backup.SELECTION): {"BackupSelection": {"Resources": ["*"]}},
        (ACCOUNT, backup.OPT_IN): {"ResourceTypeOptInPreference": {"DynamoDB": True, "S3": True}},
        (ACCOUNT, backup.PROTECTED): {
            "Results": [{"ResourceArn": one.arn, "LastBackupTime": ago(hours=9)} for one in (ORDERS, AUDIO)]
        },
        (ACCOUNT, backup.VAULTS): {"BackupVaultList": [{"BackupVaultName": "Default"}]},
        (ACCOUNT, tagging.TAGS): {"ResourceTagMappingList": []},
        (SECRET, secrets.SECRET): {"RotationEnabled": True, "LastRotatedDate": ago(days=20)},
        (ACCOUNT, rds.INSTANCES): {"DBInstances": [INSTANCE]},
        (GROUP, rds.PARAMETERS): {"Parameters": [FORCE_SSL]},
        (ACCOUNT, iam.AUTHORIZATION): {
            "RoleDetailList": [role(statement(Action="s3:GetObject", Resource="arn:aws:s3:::audio/*"))],
            "Policies": [],
        },
    }


TABLE_ANSWER = {"Table": TABLE}
TABLE_KEYS = {
    "keys": {"partition": {"name": "id"}},
    "indexes": [{"name": "by-day", "partition": {"name": "day"}}],
}

# By check: the resource that is judged, and what is asked of it.
SUBJECTS: dict[str, tuple[Resource, dict[str, Any]]] = {
    "BK-PLAN": (ACCOUNT, {}),
    "CT-DATA": (ACCOUNT, {}),
    "CT-HARDEN": (ACCOUNT, {}),
    "CT-LOGGING": (ACCOUNT, {}),
    "CW-ALARMS": (ACCOUNT, {}),
    "DDB-DELPROT": (ORDERS, {}),
    "DDB-EXISTS": (ORDERS, TABLE_KEYS),
    "DDB-KMS": (ORDERS, {"key": "alias/data"}),
    "DDB-PITR": (ORDERS, {}),
    "DDB-SCALE": (ORDERS, {}),
    "DDB-STREAM": (ORDERS, {}),
    "DDB-TTL": (ORDERS, {}),
    "IAM-LEAST": (ROLE, {}),
    "KMS-ROT": (ALIAS, {}),
    "RDS-BACKUP": (DATABASE, {}),
    "RDS-ENC": (DATABASE, {}),
    "RDS-PUBLIC": (DATABASE, {}),
    "RDS-TLS": (DATABASE, {}),
    "SEC-ROT": (SECRET, {}),
    "SNS-ALERT": (TOPIC, {}),
    "SNS-KMS": (TOPIC, {"key": "alias/data"}),
}

# What account-wide checks find in scope.
SCOPE: Asked = {ORDERS: {"DDB-DELPROT": {}}, AUDIO: {"S3-BPA": {}}}


def bare() -> dict[tuple[Resource, Any], Any]:
    """Return the readings of the same account before anything was ever configured."""
    table = {name: value for name, value in TABLE.items() if name not in {"StreamSpecification", "SSEDescription"}}
    table |= {"DeletionProtectionEnabled": False, "GlobalSecondaryIndexes": []}
    return healthy() | {
        (ORDERS, dynamodb.TABLE): {"Table": table},
        (ORDERS, dynamodb.TIME_TO_LIVE): {
            "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "gone_at"}
        },
        (ORDERS, dynamodb.CONTINUOUS_BACKUPS): recovery("DISABLED"),
        (KEY, kms.ROTATION): {"KeyRotationEnabled": False},
        (ACCOUNT, scaling.TARGETS): {"ScalableTargets": []},
        (ACCOUNT, scaling.POLICIES): {"ScalingPolicies": []},
        (ACCOUNT, cloudtrail.TRAILS): {"trailList": []},
        (ACCOUNT, cloudwatch.ALARMS): {"MetricAlarms": [], "CompositeAlarms": []},
        (TOPIC, sns.TOPIC): {"Attributes": {}},
        (TOPIC, sns.SUBSCRIPTIONS): {"Subscriptions": []},
        (ACCOUNT, backup.PLANS): {"BackupPlansList": []},
        (SECRET, secrets.SECRET): {},
        (ACCOUNT, rds.INSTANCES): {
            "DBInstances": [
                INSTANCE | {"StorageEncrypted": False, "BackupRetentionPeriod": 0, "PubliclyAccessible": True}
            ]
        },
        (GROUP, rds.PARAMETERS): {"Parameters": [FORCE_SSL | {"ParameterValue": "0", "Source": "system"}]},
        (ACCOUNT, iam.AUTHORIZATION): {
            "RoleDetailList": [role(statement(Action="*", Resource="*"))],
            "Policies": [],
        },
    }


UNSUPPORTED = NotConfigured("UnsupportedOperationException")
