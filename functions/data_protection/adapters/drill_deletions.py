"""Deletes scratch tables of drills, and no other table."""

from typing import TYPE_CHECKING, ClassVar

from data_protection.drills.scratch import is_scratch
from data_protection.errors import DrillRefused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class ScratchTables:
    """Deletes them, by their name, which the policy of the function asks for too, and by what they were made from."""

    IAM: ClassVar = frozenset({"dynamodb:DescribeTable", "dynamodb:UpdateTable", "dynamodb:DeleteTable"})

    def __init__(self, dynamodb: "DynamoDBClient") -> None:
        self._dynamodb = dynamodb

    def delete(self, name: str, source_arn: str) -> bool:
        """Delete a scratch table, and return whether it is gone; while AWS works on it, it cannot be deleted.

        Raises:
            DrillRefused: It has another name than a scratch table, or was not restored from this source.
        """
        if not is_scratch(name):
            raise DrillRefused(f"{name} is no scratch table of a drill; it is left alone.")
        try:
            table = self._dynamodb.describe_table(TableName=name)["Table"]
        except self._dynamodb.exceptions.ResourceNotFoundException:
            return True
        if table["TableStatus"] == "DELETING":
            return False
        made_from = table.get("RestoreSummary", {}).get("SourceTableArn")
        if made_from != source_arn:
            raise DrillRefused(
                f"{name} was made from {made_from or 'nothing'}, not from {source_arn}; it is left alone."
            )
        if table["TableStatus"] == "ACTIVE":
            if table.get("DeletionProtectionEnabled"):
                self._dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
            else:
                self._dynamodb.delete_table(TableName=name)
        return False
