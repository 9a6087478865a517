"""What discovery remembers: when an instance is looked at again, which states of its files were queued, what was heard.

Items of the table `tracking`: `instance#<DbiResourceId>` and `events#<part of the fleet>` of
`estate#<account>/<region>`, and `file#<name>` of the instance.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from database_logs.adapters.tracking import known_item, known_of, position_of, query, unlisted_item
from database_logs.collection.unlisted import Unlisted
from database_logs.discovery.events import Heard
from database_logs.discovery.files import Known
from database_logs.discovery.instances import Instance
from database_logs.discovery.schedule import Turn
from database_logs.discovery.stalls import Watched

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Of BatchGetItem.
_MOST_KEYS: Final = 100


class Turns:
    """Instances and their turns."""

    IAM: ClassVar = frozenset(
        {
            "dynamodb:BatchGetItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
        }
    )

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def of(self, estate: str) -> dict[str, tuple[Instance, Turn]]:
        """Return all instances that were ever looked at and are not forgotten, by DbiResourceId."""
        return {
            (instance := Instance.model_validate_json(item["instance"]["S"])).dbi_resource_id: (instance, _turn(item))
            for item in query(self._dynamodb, self._table, f"estate#{estate}", "instance#")
        }

    def set(self, estate: str, instance: Instance, turn: Turn) -> None:
        """Remember an instance's next turn."""
        item: Any = {
            **_key(estate, instance),
            "instance": {"S": instance.model_dump_json()},
            "interval": {"N": str(int(turn.interval.total_seconds()))},
            "due": {"N": str(int(turn.due.timestamp()))},
        }
        if turn.seen is not None:
            item["seen"] = {"N": str(int(turn.seen.timestamp()))}
        if turn.asleep is not None:
            item["asleep"] = {"N": str(int(turn.asleep.timestamp()))}
        if turn.watched:
            item["watched"] = {"M": {name: {"S": one.model_dump_json()} for name, one in turn.watched.items()}}
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def forget(self, estate: str, instance: Instance) -> None:
        """Forget an instance that is gone, once nothing of it is left to declare."""
        self._dynamodb.delete_item(TableName=self._table, Key=_key(estate, instance))

    def heard(self, estate: str, listener: str) -> Heard | None:
        """Return what a part of the fleet has heard of an estate's events; None if it never asked."""
        answer = self._dynamodb.get_item(TableName=self._table, Key=_listener(estate, listener))
        return Heard.model_validate_json(answer["Item"]["heard"]["S"]) if "Item" in answer else None

    def hear(self, estate: str, listener: str, heard: Heard) -> None:
        """Remember what was heard."""
        item = {**_listener(estate, listener), "heard": {"S": heard.model_dump_json()}}
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def files(self, resource: str) -> dict[str, Known]:
        """Return what is noted of an instance's files."""
        return {(known := known_of(item)).file: known for item in query(self._dynamodb, self._table, resource, "file#")}

    def offsets(self, resource: str, generations: Iterable[str]) -> dict[str, int]:
        """Return up to where generations are stored; of those that DynamoDB has no time for, nothing."""
        found = {}
        keys: Any = [{"resource": {"S": resource}, "item": {"S": f"position#{one}"}} for one in generations]
        for start in range(0, len(keys), _MOST_KEYS):
            some = keys[start : start + _MOST_KEYS]
            answer: Any = self._dynamodb.batch_get_item(RequestItems={self._table: {"Keys": some}})
            positions = [position_of(item) for item in answer["Responses"][self._table]]
            found.update({position.identity: position.offset for position in positions})
        return found

    def displaced(self, resource: str) -> list[Known]:
        """Return files that are not finished and whose last names are others' by now."""
        return [known_of(item) for item in query(self._dynamodb, self._table, resource, "displaced#")]

    def note(self, resource: str, files: Iterable[Known]) -> None:
        """Remember states of files that are queued."""
        for known in files:
            self._dynamodb.put_item(TableName=self._table, Item=known_item(resource, known))

    def miss(self, resource: str, hours: Unlisted, now: datetime) -> bool:
        """Put hours that were never listed into the ledger, and return whether they are new in it."""
        item = unlisted_item(resource, hours, now)
        return "Attributes" not in self._dynamodb.put_item(TableName=self._table, Item=item, ReturnValues="ALL_OLD")

    def drop(self, resource: str, files: Iterable[str]) -> None:
        """Forget files that are gone and dealt with."""
        for file in files:
            key: Any = {"resource": {"S": resource}, "item": {"S": f"file#{file}"}}
            self._dynamodb.delete_item(TableName=self._table, Key=key)


def _key(estate: str, instance: Instance) -> Any:
    return {"resource": {"S": f"estate#{estate}"}, "item": {"S": f"instance#{instance.dbi_resource_id}"}}


def _listener(estate: str, listener: str) -> Any:
    return {"resource": {"S": f"estate#{estate}"}, "item": {"S": f"events#{listener}"}}


def _turn(item: dict[str, Any]) -> Turn:
    return Turn(
        timedelta(seconds=int(item["interval"]["N"])),
        datetime.fromtimestamp(int(item["due"]["N"]), UTC),
        datetime.fromtimestamp(int(item["seen"]["N"]), UTC) if "seen" in item else None,
        datetime.fromtimestamp(int(item["asleep"]["N"]), UTC) if "asleep" in item else None,
        {name: Watched.model_validate_json(one["S"]) for name, one in item.get("watched", {"M": {}})["M"].items()},
    )
