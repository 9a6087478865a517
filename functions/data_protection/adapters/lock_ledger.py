"""What is kept of locks in the table of remediations, a row each."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import ClientError

from data_protection.locking.contracts import Part, ShardDone
from data_protection.remediation.approvals import Approval

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_APPROVAL: Final = "approval"  # entry and attribute, as of plans
_DOCUMENT: Final = "document"
_BEGUN: Final = "lock"
_SHARD: Final = "shard#"
_GOVERNED: Final = "governed"


class LockApprovals:
    """Opens approvals of simulations and looks them up; they are decided by whoever decides those of plans."""

    IAM: ClassVar = frozenset({"dynamodb:GetItem", "dynamodb:PutItem"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._rows = _Rows(dynamodb, table)

    def open(self, approval: Approval) -> None:
        """Keep an approval that people are to decide, unless it is there already."""
        self._rows.put_first(approval.plan, _APPROVAL, approval.model_dump_json(), _APPROVAL)

    def find(self, simulation: str) -> Approval | None:
        """Return the approval of a simulation as it stands."""
        kept = self._rows.get(simulation, _APPROVAL, _APPROVAL)
        return None if kept is None else Approval.model_validate_json(kept)


class LockMarks:
    """Keeps which locks were begun, and since when buckets are in GOVERNANCE mode."""

    IAM: ClassVar = frozenset({"dynamodb:GetItem", "dynamodb:PutItem"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._rows = _Rows(dynamodb, table)

    def begin(self, simulation: str, now: datetime) -> None:
        """Mark that the bucket of a simulation is about to be changed."""
        self._rows.put_first(simulation, _BEGUN, now.isoformat())

    def has_begun(self, simulation: str) -> bool:
        """Return whether the bucket may have been changed."""
        return self._rows.get(simulation, _BEGUN) is not None

    def govern(self, bucket_arn: str, since: datetime) -> None:
        """Mark since when the objects of a bucket are in GOVERNANCE mode; the first time counts."""
        self._rows.put_first(_GOVERNED, bucket_arn, since.isoformat())

    def governed_since(self, bucket_arn: str) -> datetime | None:
        """Return since when the objects of a bucket are in GOVERNANCE mode."""
        kept = self._rows.get(_GOVERNED, bucket_arn)
        return None if kept is None else datetime.fromisoformat(kept)


class ShardLedger:
    """Keeps what became of each shard."""

    IAM: ClassVar = frozenset({"dynamodb:GetItem", "dynamodb:PutItem"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._rows = _Rows(dynamodb, table)

    def keep(self, simulation: str, part: Part, done: ShardDone) -> None:
        """Keep what became of a shard, after all of it was done."""
        self._rows.put(simulation, f"{_shards(part)}{done.number:06d}", done.model_dump_json())

    def find(self, simulation: str, part: Part, number: int) -> ShardDone | None:
        """Return what became of a shard; None while nobody is done with it."""
        kept = self._rows.get(simulation, f"{_shards(part)}{number:06d}")
        return None if kept is None else ShardDone.model_validate_json(kept)


class ShardCounts:
    """Reads what became of all shards."""

    IAM: ClassVar = frozenset({"dynamodb:Query"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._rows = _Rows(dynamodb, table)

    def all(self, simulation: str, part: Part) -> Sequence[ShardDone]:
        """Return what became of each shard that is done, in order."""
        return [ShardDone.model_validate_json(kept) for kept in self._rows.all(simulation, _shards(part))]


class _Rows:
    """Rows of the table that hold one text each."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb, self._table = dynamodb, table

    def get(self, plan: str, entry: str, attribute: str = _DOCUMENT) -> str | None:
        item = self._dynamodb.get_item(TableName=self._table, Key=_key(plan, entry), ConsistentRead=True).get("Item")
        return None if item is None else item[attribute]["S"]

    def all(self, plan: str, prefix: str) -> Sequence[str]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#plan = :plan AND begins_with(#entry, :prefix)",
            ExpressionAttributeNames={"#plan": "plan", "#entry": "entry"},
            ExpressionAttributeValues={":plan": {"S": plan}, ":prefix": {"S": prefix}},
            ConsistentRead=True,
        )
        return [item[_DOCUMENT]["S"] for page in pages for item in page["Items"]]

    def put(self, plan: str, entry: str, text: str) -> None:
        self._dynamodb.put_item(TableName=self._table, Item=_item(plan, entry, _DOCUMENT, text))

    def put_first(self, plan: str, entry: str, text: str, attribute: str = _DOCUMENT) -> None:
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=_item(plan, entry, attribute, text),
                ConditionExpression="attribute_not_exists(entry)",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise


def _item(plan: str, entry: str, attribute: str, text: str) -> dict[str, Any]:
    return {**_key(plan, entry), attribute: {"S": text}}


def _key(plan: str, entry: str) -> dict[str, Any]:
    return {"plan": {"S": plan}, "entry": {"S": entry}}


def _shards(part: Part) -> str:
    return f"{_SHARD}{part}#"
