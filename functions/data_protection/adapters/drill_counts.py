"""Counts the items of scratch tables of drills, and of no other table."""

from typing import TYPE_CHECKING, ClassVar, Final

from botocore.exceptions import ClientError

from data_protection.drills.scratch import is_scratch
from data_protection.errors import DrillRefused

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_THROTTLED: Final = frozenset({"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"})


class ScratchCounts:
    """Counts segments of them.

    A restored table has the capacity of its source, often a few units, and nothing that scales it: with 5 units a
    second, 10 GB would take three days. So it is switched to on-demand first; it is deleted soon.
    """

    IAM: ClassVar = frozenset({"dynamodb:DescribeTable", "dynamodb:UpdateTable", "dynamodb:Scan"})

    def __init__(self, dynamodb: "DynamoDBClient") -> None:
        self._dynamodb = dynamodb

    def ready(self, name: str) -> bool:
        """Return whether a scratch table can be counted; switch it to on-demand where it is not.

        Raises:
            DrillRefused: It has another name than a scratch table.
        """
        _require_scratch(name)
        table = self._dynamodb.describe_table(TableName=name)["Table"]
        if table["TableStatus"] != "ACTIVE":
            return False
        # Tables that never were on demand have no summary.
        if table.get("BillingModeSummary", {}).get("BillingMode") == "PAY_PER_REQUEST":
            return True
        self._dynamodb.update_table(TableName=name, BillingMode="PAY_PER_REQUEST")
        return False

    def count(self, name: str, segment: int, segments: int) -> tuple[int, float] | None:
        """Return the items of a segment, and the read capacity units that they took; None where DynamoDB throttles.

        Args:
            name: Of a scratch table.
            segment: From 0.
            segments: Of the table.

        Raises:
            DrillRefused: It has another name than a scratch table.
        """
        _require_scratch(name)
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName=name, Segment=segment, TotalSegments=segments, Select="COUNT", ReturnConsumedCapacity="TOTAL"
        )
        items, units = 0, 0.0
        try:
            for page in pages:
                items += page["Count"]
                units += page["ConsumedCapacity"]["CapacityUnits"]
        except ClientError as error:
            if error.response["Error"]["Code"] in _THROTTLED:
                return None
            raise
        return items, units


def _require_scratch(name: str) -> None:
    if not is_scratch(name):
        raise DrillRefused(f"{name} is no scratch table, and counting takes its capacity.")
