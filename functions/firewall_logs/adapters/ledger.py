"""The ledger: one DynamoDB item for each object version, its state changed only after the effect it stands for.

    (none) → CLAIMED → COMMITTED | QUARANTINED
                └────→ FAILED → CLAIMED

A claim is a lease with a fencing number, the `epoch`: whoever takes an object over raises it, and every later change
by the former holder fails its condition. The item is kept as long as the data, so an object is never processed again
because its mark ran out.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, cast

from botocore.exceptions import ClientError

from firewall_logs.contracts import Account, SourceObject
from firewall_logs.errors import LeaseLost

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

State = Literal["CLAIMED", "COMMITTED", "QUARANTINED", "FAILED"]
_FINAL: Final = frozenset({"COMMITTED", "QUARANTINED"})
_BATCH: Final = 100  # BatchGetItem's limit


@dataclass(frozen=True)
class Entry:
    """What the ledger says of an object."""

    object_id: str
    state: State
    owner: str
    epoch: int
    written: frozenset[int]


@dataclass(frozen=True)
class Claim:
    """The answer to a claim.

    Attributes:
        epoch: Under which the object is ours; 0 where it is not.
        holder: Who has it, or had it committed; None where it is ours.
    """

    epoch: int
    holder: Entry | None = None


class LedgerClaims:
    """Takes objects for a run."""

    IAM: ClassVar = frozenset({"dynamodb:UpdateItem"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def claim(self, object_id: str, source: SourceObject, run_id: str, *, now: datetime, lease_seconds: int) -> Claim:
        """Take an object, unless it is done or in other hands; the run that already holds it keeps its epoch."""
        seconds = int(now.timestamp())
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key={"object_id": {"S": object_id}},
                UpdateExpression=(
                    "SET #state = :claimed, #owner = :run, lease_until = :until, epoch = if_not_exists(epoch, :zero) "
                    "+ :one, first_seen = if_not_exists(first_seen, :now), updated_at = :now, raw_object = :source"
                ),
                ConditionExpression=(
                    "attribute_not_exists(object_id) OR #state = :failed "
                    "OR (#state = :claimed AND #owner <> :run AND lease_until < :seconds)"
                ),
                ExpressionAttributeNames={"#state": "state", "#owner": "owner"},
                ExpressionAttributeValues={
                    ":claimed": {"S": "CLAIMED"},
                    ":failed": {"S": "FAILED"},
                    ":run": {"S": run_id},
                    ":until": {"N": str(seconds + lease_seconds)},
                    ":seconds": {"N": str(seconds)},
                    ":zero": {"N": "0"},
                    ":one": {"N": "1"},
                    ":now": {"S": now.isoformat()},
                    ":source": {"S": source.model_dump_json()},
                },
                ReturnValues="UPDATED_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            holder = _entry(_refused(error))
            if holder.state == "CLAIMED" and holder.owner == run_id:
                return Claim(holder.epoch)
            return Claim(0, holder)
        return Claim(int(answer["Attributes"]["epoch"]["N"]))


class LedgerLease:
    """What a worker may do with an object its run holds."""

    IAM: ClassVar = frozenset({"dynamodb:UpdateItem"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def renew(self, object_id: str, epoch: int, *, now: datetime, lease_seconds: int) -> None:
        """Extend the lease before writing.

        Raises:
            LeaseLost: Another run has taken the object over, or it is committed.
        """
        until = {":until": {"N": str(int(now.timestamp()) + lease_seconds)}}
        self._update(object_id, epoch, "SET lease_until = :until", until)

    def mark_written(self, object_id: str, epoch: int, index: int) -> None:
        """Note that a slice's files and receipt are in place.

        Raises:
            LeaseLost: Another run has taken the object over, or it is committed.
        """
        self._update(object_id, epoch, "ADD written :index", {":index": {"NS": [str(index)]}})

    def _update(self, object_id: str, epoch: int, expression: str, values: dict[str, Any]) -> None:
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"object_id": {"S": object_id}},
                UpdateExpression=expression,
                ConditionExpression="#state = :claimed AND epoch = :epoch",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":claimed": {"S": "CLAIMED"},
                    ":epoch": {"N": str(epoch)},
                    **values,
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            holder = _refused(error)
            raise LeaseLost(
                f"Object {object_id} was claimed under epoch {epoch}, but the ledger says: {_describe(holder)}. "
                "The run that holds it now finishes it; this one must not."
            ) from error


class LedgerReader:
    """Reads what the ledger says."""

    IAM: ClassVar = frozenset({"dynamodb:BatchGetItem"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def entries(self, object_ids: Iterable[str]) -> Iterator[Entry]:
        """Yield the entry of each object that has one; read consistently, in no order."""
        yield from map(_entry, self._items(object_ids))

    def sources(self, object_ids: Iterable[str]) -> dict[str, SourceObject]:
        """Return which object version each identity is of."""
        return {
            item["object_id"]["S"]: SourceObject.model_validate_json(item["raw_object"]["S"])
            for item in self._items(object_ids)
        }

    def _items(self, object_ids: Iterable[str]) -> Iterator[dict[str, Any]]:
        wanted = list(object_ids)
        for start in range(0, len(wanted), _BATCH):
            keys = [{"object_id": {"S": object_id}} for object_id in wanted[start : start + _BATCH]]
            request: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
            while request:
                answer = self._dynamodb.batch_get_item(RequestItems=request)
                yield from answer["Responses"].get(self._table, [])
                request = answer.get("UnprocessedKeys")


class LedgerCommits:
    """Closes objects whose manifest is written."""

    IAM: ClassVar = frozenset({"dynamodb:UpdateItem"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def commit(self, object_id: str, epoch: int, account: Account, *, defect: str | None, now: datetime) -> None:
        """Mark an object as committed, or as quarantined whole; harmless when repeated.

        Raises:
            LeaseLost: Another run has taken the object over.
        """
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"object_id": {"S": object_id}},
                UpdateExpression="SET #state = :state, account = :account, updated_at = :now REMOVE lease_until",
                ConditionExpression="#state = :claimed AND epoch = :epoch",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":state": {"S": "QUARANTINED" if defect else "COMMITTED"},
                    ":claimed": {"S": "CLAIMED"},
                    ":epoch": {"N": str(epoch)},
                    ":account": {"S": account.model_dump_json()},
                    ":now": {"S": now.isoformat()},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            holder = _refused(error)
            if holder and _entry(holder).state in _FINAL and _entry(holder).epoch == epoch:
                return
            raise LeaseLost(f"Object {object_id} cannot be committed: the ledger says {_describe(holder)}.") from error


class LedgerReleases:
    """Gives back what a failed run still holds."""

    IAM: ClassVar = frozenset({"dynamodb:UpdateItem"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def release(self, object_id: str, run_id: str, *, now: datetime) -> bool:
        """Mark an object as failed if this run still holds it, so that the next one may take it at once.

        Returns:
            Whether the object is failed by this run, now or since an earlier call.
        """
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key={"object_id": {"S": object_id}},
                UpdateExpression="SET #state = :failed, updated_at = :now REMOVE lease_until",
                ConditionExpression="#state = :claimed AND #owner = :run",
                ExpressionAttributeNames={"#state": "state", "#owner": "owner"},
                ExpressionAttributeValues={
                    ":failed": {"S": "FAILED"},
                    ":claimed": {"S": "CLAIMED"},
                    ":run": {"S": run_id},
                    ":now": {"S": now.isoformat()},
                },
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            holder = _refused(error)
            return bool(holder) and _entry(holder).state == "FAILED" and _entry(holder).owner == run_id
        return True


def _refused(error: ClientError) -> dict[str, Any]:
    """Return the item that failed the condition; raise what is no failed condition."""
    if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
        raise error
    return cast("dict[str, Any]", error.response.get("Item", {}))


def _entry(item: dict[str, Any]) -> Entry:
    return Entry(
        object_id=item["object_id"]["S"],
        state=item["state"]["S"],
        owner=item["owner"]["S"],
        epoch=int(item["epoch"]["N"]),
        written=frozenset(map(int, item.get("written", {}).get("NS", []))),
    )


def _describe(item: dict[str, Any]) -> str:
    if not item:
        return "no such object"
    entry = _entry(item)
    return f"{entry.state} by run {entry.owner} under epoch {entry.epoch}"
