"""An account as the standard found it: six tables and four buckets with things in them, and hardly anything protected.

Of the 36 points that were counted first (recovery, deletion protection, stream and key of six tables; versioning, lock,
logging and lifecycle of three buckets) three hold, which are the 8 %. Much here is somebody else's and must outlive any
fix: lifecycle rules, notifications and statements of policies.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any, Final

KEY_ALIAS: Final = "alias/gatehouse-data"
ALERTS: Final = "gatehouse-alerts"
ON_CALL: Final = "on-call"
INDEX: Final = "player-index"
ROTATION: Final = "rotate-conversations-database"
TRAIL: Final = "account"

# By table: keys, as name and role. Three of the six are missing, and none has its index.
_TABLES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "conversations": (("conversation_id", "HASH"),),
    "messages": (("conversation_id", "HASH"), ("sent_at", "RANGE")),
    "users": (("user_id", "HASH"),),
}
_ITEMS: Final = 25
_OBJECTS: Final = 12
_ROLES: Final = ("conversations-ec2", "conversations-ecs", "conversations-lambda")
_SERVICES: Final = {
    "conversations-ec2": "ec2.amazonaws.com",
    "conversations-ecs": "ecs-tasks.amazonaws.com",
    "conversations-lambda": "lambda.amazonaws.com",
    "gatehouse-backup": "backup.amazonaws.com",
    ROTATION: "lambda.amazonaws.com",
}
# Rules of others, by bucket.
FOREIGN_RULES: Final[Mapping[str, list[dict[str, Any]]]] = {
    "audio": [
        {
            "ID": "player-uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": "uploads/"},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        },
        {
            "ID": "player-old-versions",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "NoncurrentVersionExpiration": {"NoncurrentDays": 90},
        },
    ],
    "logs": [
        {
            "ID": "shipper-leftovers",
            "Status": "Enabled",
            "Filter": {"Prefix": "shipper/"},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3},
        }
    ],
}


class Account:
    """Builds the account.

    Args:
        client: Returns the client of a service.
        account: Its twelve digits.
        region: Where it is.
    """

    def __init__(self, client: Callable[[str], Any], account: str, region: str) -> None:
        self._client = client
        self._account = account
        self._region = region

    def bucket(self, name: str) -> str:
        """Return the name of a bucket, `audio`, `transcripts`, `logs` or `access-logs`."""
        return f"{name}-{self._account}"

    def build(self) -> None:
        """Make everything, the account having nothing of it."""
        self._roles()
        self._key()
        for queue in (ON_CALL, INDEX):
            self._client("sqs").create_queue(QueueName=queue)
        for name in _TABLES:
            self._table(name)
        for name in ("audio", "transcripts", "logs", "access-logs"):
            self._bucket(name)
        self._guards()
        self._database()
        # What holds, of all that was counted.
        tables, s3 = self._client("dynamodb"), self._client("s3")
        tables.update_continuous_backups(
            TableName="users", PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
        )
        tables.update_table(TableName="messages", DeletionProtectionEnabled=True)
        s3.put_bucket_versioning(Bucket=self.bucket("audio"), VersioningConfiguration={"Status": "Enabled"})

    def foreign(self) -> dict[str, Any]:
        """Return what belongs to others and is there now, by bucket: rules, notifications and statements."""
        return {name: self._foreign(self.bucket(name)) for name in ("audio", "transcripts", "logs")}

    def contents(self) -> dict[str, int]:
        """Return how many items and objects there are, by table and bucket."""
        tables, s3 = self._client("dynamodb"), self._client("s3")
        items = {name: tables.scan(TableName=name, Select="COUNT")["Count"] for name in _TABLES}
        buckets = [self.bucket(name) for name in ("audio", "transcripts", "logs")]
        return items | {name: s3.list_objects_v2(Bucket=name)["KeyCount"] for name in buckets}

    def _foreign(self, bucket: str) -> dict[str, Any]:
        s3, name = self._client("s3"), bucket.rpartition("-")[0]
        wanted = {rule["ID"] for rule in FOREIGN_RULES.get(name, [])}
        rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] if wanted else []
        notifications = s3.get_bucket_notification_configuration(Bucket=bucket)
        notifications.pop("ResponseMetadata")
        statements = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"] if name != "logs" else []
        return {
            "rules": sorted((rule for rule in rules if rule.get("ID") in wanted), key=lambda rule: str(rule["ID"])),
            "notifications": notifications,
            "statements": [statement for statement in statements if statement.get("Sid") == "PartnerReads"],
        }

    def _roles(self) -> None:
        iam = self._client("iam")
        for name, service in _SERVICES.items():
            trusting = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trusting))
        for name in _ROLES:
            tables = f"arn:aws:dynamodb:{self._region}:{self._account}:table/conversations"
            reading = {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:Query"], "Resource": tables}
            iam.put_role_policy(RoleName=name, PolicyName="conversations", PolicyDocument=_document(reading))

    def _key(self) -> None:
        kms = self._client("kms")
        root = {"AWS": f"arn:aws:iam::{self._account}:root"}
        trails = {"Service": "cloudtrail.amazonaws.com"}
        policy = _document(
            {"Sid": "Account", "Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"},
            {
                "Sid": "Trails",
                "Effect": "Allow",
                "Principal": trails,
                "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"],
                "Resource": "*",
            },
        )
        arn = kms.create_key(Description="Data of conversations", Policy=policy)["KeyMetadata"]["Arn"]
        kms.create_alias(AliasName=KEY_ALIAS, TargetKeyId=arn)

    def _table(self, name: str) -> None:
        tables, keys = self._client("dynamodb"), _TABLES[name]
        tables.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": role} for key, role in keys],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            ProvisionedThroughput={"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
        )
        for number in range(_ITEMS):
            item = {key: {"S": f"{key}-{number}"} for key, _ in keys}
            tables.put_item(TableName=name, Item={**item, "text": {"S": "kept"}})
        # Left behind by a template: items go by it, where the standard wants none to go.
        tables.update_time_to_live(
            TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": "remove_after"}
        )

    def _bucket(self, name: str) -> None:
        s3, bucket = self._client("s3"), self.bucket(name)
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": self._region})
        # As buckets were made before public access was blocked by itself.
        s3.delete_public_access_block(Bucket=bucket)
        if name == "access-logs":
            return
        for number in range(_OBJECTS):
            s3.put_object(Bucket=bucket, Key=f"2026/11/{number:02}.bin", Body=b"kept" * (number + 1))
        if name in FOREIGN_RULES:
            s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": FOREIGN_RULES[name]})
        if name != "logs":
            reading = {
                "Sid": "PartnerReads",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{self._account}:role/{_ROLES[0]}"},
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{bucket}/shared/*",
            }
            s3.put_bucket_policy(Bucket=bucket, Policy=_document(reading))
        indexing = {"Id": "player-index", "QueueArn": self._queue(INDEX), "Events": ["s3:ObjectCreated:*"]}
        told: dict[str, Any] = (
            {"QueueConfigurations": [indexing]} if name == "audio" else {"EventBridgeConfiguration": {}}
        )
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=told)

    def _queue(self, name: str) -> str:
        return f"arn:aws:sqs:{self._region}:{self._account}:{name}"

    def _guards(self) -> None:
        self._client("sns").create_topic(Name=ALERTS)
        trails = self._client("cloudtrail")
        trails.create_trail(Name=TRAIL, S3BucketName=self.bucket("access-logs"))
        trails.stop_logging(Name=TRAIL)

    def _database(self) -> None:
        databases, group = self._client("rds"), "conversations"
        databases.create_db_parameter_group(
            DBParameterGroupName=group, DBParameterGroupFamily="postgres14", Description="Of conversations"
        )
        databases.create_db_instance(
            DBInstanceIdentifier="conversations",
            DBInstanceClass="db.t4g.micro",
            Engine="postgres",
            EngineVersion="14.13",
            AllocatedStorage=20,
            MasterUsername="conversations",
            MasterUserPassword="of-the-demo-alone",
            DBParameterGroupName=group,
            StorageEncrypted=True,
            PubliclyAccessible=True,
            BackupRetentionPeriod=1,
        )
        self._client("secretsmanager").create_secret(Name="conversations-database", SecretString="of-the-demo-alone")
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as code:
            code.writestr("rotate.py", "def handle(event, context):\n    return None\n")
        self._client("lambda").create_function(
            FunctionName=ROTATION,
            Runtime="python3.11",
            Role=f"arn:aws:iam::{self._account}:role/{ROTATION}",
            Handler="rotate.handle",
            Code={"ZipFile": archive.getvalue()},
        )


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
