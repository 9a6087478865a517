"""Restores a table to a scratch table beside it."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from botocore.exceptions import ClientError

from data_protection.drills.contracts import Drill
from data_protection.errors import DrillRefused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Restores:
    """Asks for restores.

    DynamoDB reads and writes the new table in the name of who asks, and uses the table's key likewise:
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/backuprestore_IAM.html
    """

    IAM: ClassVar = frozenset(
        {
            "dynamodb:DescribeTable",
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:RestoreTableToPointInTime",
            "dynamodb:BatchWriteItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
            "dynamodb:Scan",
            "dynamodb:UpdateItem",
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
        }
    )

    def __init__(self, dynamodb: "DynamoDBClient") -> None:
        self._dynamodb = dynamodb

    def table(self, name: str) -> tuple[str, int]:
        """Return ARN and bytes of a table; AWS counts the bytes every six hours or so.

        Raises:
            DrillRefused: There is no such table.
        """
        try:
            table = self._dynamodb.describe_table(TableName=name)["Table"]
        except self._dynamodb.exceptions.ResourceNotFoundException as missing:
            raise DrillRefused(f"There is no table {name} in this account and region.") from missing
        return table["TableArn"], table.get("TableSizeBytes", 0)

    def latest(self, name: str) -> datetime:
        """Return the latest moment to which a table can be restored.

        Raises:
            DrillRefused: Point-in-time recovery is off.
        """
        answer = self._dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        recovery = answer.get("PointInTimeRecoveryDescription", {})
        latest = recovery.get("LatestRestorableDateTime")
        if recovery.get("PointInTimeRecoveryStatus") != "ENABLED" or latest is None:
            raise DrillRefused(f"Point-in-time recovery of {name} is off, so that nothing can be restored: turn it on.")
        return latest

    def restore(self, drill: Drill) -> None:
        """Ask for the restore of a drill; one that was asked for before goes on.

        Raises:
            DrillRefused: A table that is no restore of this one has the scratch table's name.
        """
        try:
            self._dynamodb.restore_table_to_point_in_time(
                SourceTableName=drill.asked.table, TargetTableName=drill.scratch, RestoreDateTime=drill.restored_to
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"TableAlreadyExistsException", "ResourceInUseException"}:
                raise
            table = self._dynamodb.describe_table(TableName=drill.scratch)["Table"]
            if table.get("RestoreSummary", {}).get("SourceTableArn") != drill.source_arn:
                raise DrillRefused(
                    f"{drill.scratch} is there and is no restore of {drill.source_arn}: look who made it."
                ) from error
