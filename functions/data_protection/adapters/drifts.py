"""Drifts that are open, in the table of findings."""

from typing import TYPE_CHECKING, ClassVar

from botocore.exceptions import ClientError

from data_protection.drift.drifts import Drift, Pair
from data_protection.locations import DRIFT
from data_protection.resources import Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


class DriftStore:
    """Keeps drifts while they are open."""

    IAM: ClassVar = frozenset({"dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def open_in(self, place: Place) -> dict[Pair, Drift]:
        """Return the open drifts of a place, by check and ARN."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="place = :place AND begins_with(entry, :drift)",
            ExpressionAttributeValues={":place": {"S": str(place)}, ":drift": {"S": DRIFT}},
            ConsistentRead=True,
        )
        drifts = [Drift.model_validate_json(item["drift"]["S"]) for page in pages for item in page["Items"]]
        return {drift.pair: drift for drift in drifts}

    def is_open(self, drift: Drift) -> bool:
        """Return whether a drift is open: not closed since, nor another one of its pair in its place."""
        key = _key(drift)
        answer = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="place = :place AND entry = :entry",
            ExpressionAttributeValues={":place": key["place"], ":entry": key["entry"]},
            ConsistentRead=True,
        )
        return any(Drift.model_validate_json(item["drift"]["S"]).id == drift.id for item in answer["Items"])

    def open(self, drift: Drift) -> None:
        """Keep a drift."""
        self._dynamodb.put_item(TableName=self._table, Item={**_key(drift), "drift": {"S": drift.model_dump_json()}})

    def close(self, drift: Drift) -> None:
        """Forget a drift, unless another one of its pair has taken its place."""
        try:
            self._dynamodb.delete_item(
                TableName=self._table,
                Key=_key(drift),
                ConditionExpression="contains(drift, :id)",
                ExpressionAttributeValues={":id": {"S": drift.id}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise


def _key(drift: Drift) -> "dict[str, AttributeValueTypeDef]":
    return {"place": {"S": str(drift.place.place)}, "entry": {"S": f"{DRIFT}{'#'.join(drift.pair)}"}}
