"""The table `instance-metadata`: facts of the instances of each estate, for seven days.

Items `instance#<DbiResourceId>` of `estate#<account>/<region>`, each with `expires_at`.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from database_logs.adapters.tracking import query
from database_logs.discovery.facts import Facts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT: Final = timedelta(days=7)


class InstanceFacts:
    """Facts, by estate and DbiResourceId."""

    IAM: ClassVar = frozenset({"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str, now: Callable[[], datetime]) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._now = now

    def of(self, estate: str) -> dict[str, Facts]:
        """Return the facts of all instances of an estate, by DbiResourceId."""
        items = query(self._dynamodb, self._table, f"estate#{estate}", "instance#")
        found = (self._facts(item) for item in items)
        return {facts.instance.dbi_resource_id: facts for facts in found if facts is not None}

    def get(self, estate: str, resource: str) -> Facts | None:
        """Return the facts of an instance; None if it is not known, or not any more."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=_key(estate, resource), ConsistentRead=True)
        return self._facts(answer["Item"]) if "Item" in answer else None

    def put(self, estate: str, facts: Facts) -> None:
        """Note the facts of an instance."""
        instance = facts.instance
        item: Any = {
            **_key(estate, instance.dbi_resource_id),
            "instance_id": {"S": instance.instance_id},
            "engine": {"S": instance.engine},
            "status": {"S": instance.status},
            "facts": {"S": facts.model_dump_json()},
            "expires_at": {"N": str(int((facts.last_seen + _KEPT).timestamp()))},
        }
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def forget(self, estate: str, resource: str) -> None:
        """Forget an instance that is gone."""
        self._dynamodb.delete_item(TableName=self._table, Key=_key(estate, resource))

    def _facts(self, item: Any) -> Facts | None:
        # DynamoDB removes what has expired within days (developer guide, "Time to Live").
        if datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC) <= self._now():
            return None
        return Facts.model_validate_json(item["facts"]["S"])


def _key(estate: str, resource: str) -> Any:
    return {"resource": {"S": f"estate#{estate}"}, "item": {"S": f"instance#{resource}"}}
