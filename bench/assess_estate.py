"""An account to assess: so many tables and buckets, half of them as the profile asks, and what guards them.

Made by boto3 alone, with nothing of the checks. What half of it has is what `profile.yaml` and `policies.yaml` in
`assess_rules/` ask for.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from local.endpoints import ACCOUNT, REGION

TARGET: Final = "bench-access-logs"
TOPIC: Final = "bench-alerts"
_ALARMS: Final = 10
_THREADS: Final = 8
_TIERS: Final = [{"Days": 90, "StorageClass": "STANDARD_IA"}, {"Days": 365, "StorageClass": "GLACIER"}]
_FLAGS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class Estate:
    """Builds the account.

    Args:
        client: Returns the client of a service.
        tables, buckets: How many; one of the buckets receives the access logs of the others.
    """

    def __init__(self, client: Callable[[str], Any], tables: int, buckets: int) -> None:
        self._client = client
        self._tables = tables
        self._buckets = buckets

    @property
    def names(self) -> list[str]:
        """The tables and buckets."""
        tables = [f"bench-table-{number:03}" for number in range(self._tables)]
        return [*tables, *(f"bench-bucket-{number:03}" for number in range(self._buckets - 1)), TARGET]

    def build(self) -> None:
        """Make everything, the account being empty."""
        key = self._key()
        self._bucket_of_logs()
        with ThreadPoolExecutor(_THREADS) as pool:
            list(pool.map(lambda number: self._table(number, key), range(self._tables)))
            list(pool.map(lambda number: self._bucket(number, key), range(self._buckets - 1)))
        self._guards()

    def _key(self) -> str:
        kms = self._client("kms")
        arn: str = kms.create_key(Description="data")["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName="alias/bench-data", TargetKeyId=arn)
        kms.enable_key_rotation(KeyId=arn)
        return arn

    def _table(self, number: int, key: str) -> None:
        tables, name, good = self._client("dynamodb"), f"bench-table-{number:03}", number % 2 == 0
        tables.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            DeletionProtectionEnabled=good,
            **(
                {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}} if good else {}
            ),
            **({"SSESpecification": {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}} if good else {}),
        )
        if not good:
            return
        # One in ten tables keeps less than the profile asks, which only a reader of the period sees.
        period = 7 if number % 10 == 8 else 35  # noqa: PLR2004 - as said
        tables.update_continuous_backups(
            TableName=name,
            PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": period},
        )
        self._scale(name)

    def _scale(self, table: str) -> None:
        scaling = self._client("application-autoscaling")
        for direction in ("Read", "Write"):
            target = {
                "ServiceNamespace": "dynamodb",
                "ResourceId": f"table/{table}",
                "ScalableDimension": f"dynamodb:table:{direction}CapacityUnits",
            }
            scaling.register_scalable_target(**target, MinCapacity=5, MaxCapacity=100)
            scaling.put_scaling_policy(
                **target,
                PolicyName=f"{table}-{direction}",
                PolicyType="TargetTrackingScaling",
                TargetTrackingScalingPolicyConfiguration={
                    "TargetValue": 70.0,
                    "PredefinedMetricSpecification": {
                        "PredefinedMetricType": f"DynamoDB{direction}CapacityUtilization"
                    },
                },
            )

    def _bucket_of_logs(self) -> None:
        self._create(TARGET)
        statement = {
            "Sid": "AccessLogs",
            "Effect": "Allow",
            "Principal": {"Service": "logging.s3.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": f"arn:aws:s3:::{TARGET}/*",
            "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
        }
        document = {"Version": "2012-10-17", "Statement": [_tls_only(TARGET), statement]}
        self._client("s3").put_bucket_policy(Bucket=TARGET, Policy=json.dumps(document))

    def _bucket(self, number: int, key: str) -> None:
        s3, name, good = self._client("s3"), f"bench-bucket-{number:03}", number % 2 == 0
        self._create(name, **({"ObjectLockEnabledForBucket": True} if good else {}))
        if not good:
            return
        s3.put_object_lock_configuration(
            Bucket=name,
            ObjectLockConfiguration={
                "ObjectLockEnabled": "Enabled",
                "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 90}},
            },
        )
        # One bucket in ten has a rule that is not the one that is asked for.
        tiers = _TIERS[:1] if number % 10 == 8 else _TIERS  # noqa: PLR2004 - as said
        s3.put_bucket_lifecycle_configuration(
            Bucket=name,
            LifecycleConfiguration={
                "Rules": [
                    {
                        "ID": "tiers",
                        "Status": "Enabled",
                        "Filter": {"Prefix": ""},
                        "Transitions": tiers,
                        "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
                    }
                ]
            },
        )
        encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
        s3.put_bucket_encryption(
            Bucket=name,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": encryption, "BucketKeyEnabled": True}]
            },
        )
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(_FLAGS, True))
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [_tls_only(name)]}))
        s3.put_bucket_logging(
            Bucket=name,
            BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": TARGET, "TargetPrefix": "logs/"}},
        )

    def _create(self, name: str, **given: Any) -> None:
        self._client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION}, **given)

    def _guards(self) -> None:
        topic = self._client("sns").create_topic(Name=TOPIC)["TopicArn"]
        for number in range(_ALARMS):
            self._client("cloudwatch").put_metric_alarm(
                AlarmName=f"bench-alarm-{number}",
                Namespace="AWS/DynamoDB",
                MetricName="ThrottledRequests",
                Dimensions=[
                    {"Name": "TableName", "Value": f"bench-table-{number:03}"},
                    {"Name": "Operation", "Value": "PutItem"},
                ],
                Statistic="Sum",
                Period=300,
                EvaluationPeriods=1,
                Threshold=1,
                ComparisonOperator="GreaterThanOrEqualToThreshold",
                AlarmActions=[topic],
            )
        trails = self._client("cloudtrail")
        trails.create_trail(Name="bench", S3BucketName=TARGET, IsMultiRegionTrail=True)
        trails.start_logging(Name="bench")
        backup = self._client("backup")
        backup.create_backup_vault(BackupVaultName="bench")
        backup.create_backup_plan(
            BackupPlan={
                "BackupPlanName": "bench",
                "Rules": [
                    {
                        "RuleName": "daily",
                        "TargetBackupVaultName": "bench",
                        "ScheduleExpression": "cron(0 5 * * ? *)",
                        "Lifecycle": {"DeleteAfterDays": 35},
                    }
                ],
            }
        )


def _tls_only(bucket: str) -> dict[str, Any]:
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
