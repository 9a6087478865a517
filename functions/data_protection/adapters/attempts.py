"""Attempts to fix drift, and frozen resources, in the table of remediations."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from data_protection.drift.attempts import Attempt, Freeze
from data_protection.drift.drifts import Drift

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ATTEMPT: Final = "attempt#"
_FROZEN: Final = "frozen"


class AttemptStore:
    """Keeps what was tried on a resource."""

    IAM: ClassVar = frozenset({"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def since(self, drift: Drift, since: datetime) -> list[Attempt]:
        """Return what was tried on the resource of a drift since a time, in order."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#plan = :resource AND entry BETWEEN :since AND :last",
            ExpressionAttributeNames={"#plan": "plan"},
            ExpressionAttributeValues={
                ":resource": {"S": _resource(drift)},
                ":since": {"S": f"{_ATTEMPT}{since.isoformat()}"},
                ":last": {"S": f"{_ATTEMPT}9"},
            },
            ConsistentRead=True,
        )
        return [Attempt.model_validate_json(item["attempt"]["S"]) for page in pages for item in page["Items"]]

    def keep(self, attempt: Attempt) -> None:
        """Keep an attempt as it is now."""
        entry = f"{_ATTEMPT}{attempt.began.isoformat()}#{attempt.drift.id}"
        self._put(attempt.drift, entry, {"attempt": {"S": attempt.model_dump_json()}})

    def frozen(self, drift: Drift) -> Freeze | None:
        """Return the freeze of the resource of a drift, over or not."""
        answer = self._dynamodb.get_item(
            TableName=self._table,
            Key={"plan": {"S": _resource(drift)}, "entry": {"S": _FROZEN}},
            ConsistentRead=True,
        )
        return Freeze.model_validate_json(answer["Item"]["freeze"]["S"]) if "Item" in answer else None

    def freeze(self, freeze: Freeze) -> None:
        """Keep a freeze in the place of an earlier one."""
        self._put(freeze.drift, _FROZEN, {"freeze": {"S": freeze.model_dump_json()}})

    def _put(self, drift: Drift, entry: str, content: dict[str, Any]) -> None:
        item = {"plan": {"S": _resource(drift)}, "entry": {"S": entry}, **content}
        self._dynamodb.put_item(TableName=self._table, Item=item)


def _resource(drift: Drift) -> str:
    """Return the partition of a resource; the ARN of the account is the same in all its regions."""
    return f"drift#{drift.place.place}#{drift.resource.arn}"
