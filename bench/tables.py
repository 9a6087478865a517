"""Tables of DynamoDB in memory, as far as discovery uses them: what moto does in milliseconds, in microseconds.

Tests hold it against moto, through the adapters that the benchmark of discovery uses.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

_Items = dict[str, dict[str, Any]]


class Tables:
    """A client of DynamoDB whose tables have the keys `resource` and `item`.

    Args:
        answered: Called after each request.

    Attributes:
        requests: As `kernel.metering` counts them: of batches their items.
    """

    def __init__(self, answered: Callable[[], None]) -> None:
        self._tables: dict[str, dict[str, _Items]] = {}
        self._answered = answered
        self.requests: Counter[str] = Counter()

    def get_item(self, *, TableName: str, Key: Any, **_: Any) -> Any:  # noqa: N803 - as boto3 has it
        """Return an item."""
        self._count("GetItem")
        found = self._partition(TableName, Key).get(Key["item"]["S"])
        return {} if found is None else {"Item": dict(found)}

    def put_item(
        self,
        *,
        TableName: str,  # noqa: N803
        Item: Any,  # noqa: N803
        ConditionExpression: str = "",  # noqa: N803
        ExpressionAttributeValues: Any = None,  # noqa: N803
        **_: Any,
    ) -> Any:
        """Put an item; the one condition that is known is that of the budget."""
        self._count("PutItem")
        partition, key = self._partition(TableName, Item), Item["item"]["S"]
        before = partition.get(key)
        if ConditionExpression:
            if ConditionExpression != "attribute_not_exists(version) OR version = :before":
                raise ValueError(f"A condition that these tables do not know: {ConditionExpression}")
            if before is not None and before.get("version") != ExpressionAttributeValues[":before"]:
                refused: Any = {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": dict(before)}
                raise ClientError(refused, "PutItem")
        partition[key] = dict(Item)
        return {} if before is None else {"Attributes": before}

    def delete_item(self, *, TableName: str, Key: Any) -> Any:  # noqa: N803
        """Delete an item, if there is one."""
        self._count("DeleteItem")
        self._partition(TableName, Key).pop(Key["item"]["S"], None)
        return {}

    def batch_write_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
        """Put and delete items."""
        for table, requests in RequestItems.items():
            self.requests["dynamodb.BatchWriteItem"] += len(requests)
            for one in requests:
                if "PutRequest" in one:
                    item = one["PutRequest"]["Item"]
                    self._partition(table, item)[item["item"]["S"]] = dict(item)
                else:
                    key = one["DeleteRequest"]["Key"]
                    self._partition(table, key).pop(key["item"]["S"], None)
        self._answered()
        return {}

    def batch_get_item(self, *, RequestItems: Any) -> Any:  # noqa: N803
        """Return those of some items that there are."""
        found = {}
        for table, wanted in RequestItems.items():
            self.requests["dynamodb.BatchGetItem"] += len(wanted["Keys"])
            items = (self._partition(table, key).get(key["item"]["S"]) for key in wanted["Keys"])
            found[table] = [dict(item) for item in items if item is not None]
        self._answered()
        return {"Responses": found}

    def get_paginator(self, operation: str) -> "Tables":
        """Return what pages of Query come from."""
        if operation != "query":
            raise ValueError(f"These tables have pages of query only, not of {operation}")
        return self

    def paginate(
        self,
        *,
        TableName: str,  # noqa: N803
        KeyConditionExpression: str,  # noqa: N803
        ExpressionAttributeValues: Any,  # noqa: N803
        **_: Any,
    ) -> Iterator[Any]:
        """Yield the one page of a Query: sort keys that begin so, or lie between both."""
        self._count("Query")
        values = {name: value["S"] for name, value in ExpressionAttributeValues.items()}
        partition = self._tables.get(TableName, {}).get(values[":resource"], {})
        keys = sorted(partition)
        if KeyConditionExpression.endswith("begins_with(#item, :prefix)"):
            first = values[":prefix"]
            keys = [key for key in keys[bisect_left(keys, first) :] if key.startswith(first)]
        elif KeyConditionExpression.endswith("#item BETWEEN :first AND :last"):
            keys = [key for key in keys if values[":first"] <= key <= values[":last"]]
        else:
            raise ValueError(f"A condition that these tables do not know: {KeyConditionExpression}")
        yield {"Items": [dict(partition[key]) for key in keys]}

    def _partition(self, table: str, key: Any) -> _Items:
        return self._tables.setdefault(table, {}).setdefault(key["resource"]["S"], {})

    def _count(self, operation: str) -> None:
        self.requests[f"dynamodb.{operation}"] += 1
        self._answered()
