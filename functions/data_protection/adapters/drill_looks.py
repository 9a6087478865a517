"""Looks at a table and at what it was restored to."""

from typing import TYPE_CHECKING, ClassVar

from data_protection.drills.comparison import Look

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Looks:
    """Reads tables."""

    IAM: ClassVar = frozenset(
        {
            "dynamodb:DescribeTable",
            "dynamodb:DescribeContinuousBackups",
            "dynamodb:DescribeTimeToLive",
            "dynamodb:ListTagsOfResource",
        }
    )

    def __init__(self, dynamodb: "DynamoDBClient") -> None:
        self._dynamodb = dynamodb

    def of(self, name: str) -> Look:
        """Return what a table is like; of one that is not active, its description alone."""
        table = self._dynamodb.describe_table(TableName=name)["Table"]
        if table["TableStatus"] != "ACTIVE":
            return Look(dict(table))
        pages = self._dynamodb.get_paginator("list_tags_of_resource").paginate(ResourceArn=table["TableArn"])
        return Look(
            table=dict(table),
            backups=dict(self._dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]),
            ttl=dict(self._dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]),
            tags={tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]},
        )
