"""Drifts in the table of findings: those that are open, and how others ended."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from botocore.exceptions import ClientError

from data_protection.drift.drifts import Drift, DriftEnd, Pair
from data_protection.locations import DRIFT, DRIFT_END
from data_protection.resources import Place

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef


_ENDS_KEPT: Final = timedelta(days=400)


class DriftStore:
    """Keeps drifts while they are open, and for 400 days how they ended."""

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
        key = _key(drift.place.place, drift.pair)
        answer = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="place = :place AND entry = :entry",
            ExpressionAttributeValues={":place": key["place"], ":entry": key["entry"]},
            ConsistentRead=True,
        )
        return any(Drift.model_validate_json(item["drift"]["S"]).id == drift.id for item in answer["Items"])

    def open(self, drift: Drift) -> None:
        """Keep a drift."""
        key = _key(drift.place.place, drift.pair)
        self._dynamodb.put_item(TableName=self._table, Item={**key, "drift": {"S": drift.model_dump_json()}})

    def close(self, end: DriftEnd) -> None:
        """Keep how a drift ended, as it was seen first; it is open no more, and another one of its pair stays."""
        drift = end.drift
        with _unless_it_is_otherwise():
            self._dynamodb.put_item(
                TableName=self._table, Item=_end_item(end), ConditionExpression="attribute_not_exists(entry)"
            )
        with _unless_it_is_otherwise():
            self._dynamodb.delete_item(
                TableName=self._table,
                Key=_key(drift.place.place, drift.pair),
                ConditionExpression="contains(drift, :id)",
                ExpressionAttributeValues={":id": {"S": drift.id}},
            )

    def ended_in(self, place: Place) -> list[DriftEnd]:
        """Return how drifts of a place ended, in the order in which they were found."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="place = :place AND begins_with(entry, :ended)",
            ExpressionAttributeValues={":place": {"S": str(place)}, ":ended": {"S": DRIFT_END}},
            ConsistentRead=True,
        )
        return [DriftEnd.model_validate_json(item["end"]["S"]) for page in pages for item in page["Items"]]


def _key(place: Place, pair: Pair) -> "dict[str, AttributeValueTypeDef]":
    """Return the key of the drift of a pair that is open."""
    return {"place": {"S": str(place)}, "entry": {"S": f"{DRIFT}{'#'.join(pair)}"}}


def _end_item(end: DriftEnd) -> "dict[str, AttributeValueTypeDef]":
    """Return the item that keeps how a drift ended; one of each drift."""
    drift = end.drift
    return {
        "place": {"S": str(drift.place.place)},
        "entry": {"S": f"{DRIFT_END}{drift.found.isoformat()}#{drift.id}"},
        "end": {"S": end.model_dump_json()},
        "expires": {"N": str(int((end.ended + _ENDS_KEPT).timestamp()))},
    }


@contextmanager
def _unless_it_is_otherwise() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
            raise
