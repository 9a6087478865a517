"""What discovery remembers of an instance: when it is looked at again, and which states of its files were queued.

Items of the table `tracking`: `instance#<DbiResourceId>` of `estate#<account>/<region>`, and `file#<name>` of the
instance.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from database_logs.adapters.tracking import known_item, known_of, query
from database_logs.discovery.files import Known
from database_logs.discovery.fleet import Instance
from database_logs.discovery.schedule import Formats, Turn

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class Turns:
    """Instances and their turns."""

    IAM: ClassVar = frozenset({"dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:Query"})

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
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def forget(self, estate: str, instance: Instance) -> None:
        """Forget an instance that is gone, once nothing of it is left to declare."""
        self._dynamodb.delete_item(TableName=self._table, Key=_key(estate, instance))

    def files(self, resource: str) -> dict[str, Known]:
        """Return what is noted of an instance's files."""
        return {(known := known_of(item)).file: known for item in query(self._dynamodb, self._table, resource, "file#")}

    def displaced(self, resource: str) -> list[Known]:
        """Return files that are not finished and whose last names are others' by now."""
        return [known_of(item) for item in query(self._dynamodb, self._table, resource, "displaced#")]

    def note(self, resource: str, files: Iterable[Known]) -> None:
        """Remember states of files that are queued."""
        for known in files:
            self._dynamodb.put_item(TableName=self._table, Item=known_item(resource, known))

    def drop(self, resource: str, files: Iterable[str]) -> None:
        """Forget files that are gone and dealt with."""
        for file in files:
            key: Any = {"resource": {"S": resource}, "item": {"S": f"file#{file}"}}
            self._dynamodb.delete_item(TableName=self._table, Key=key)


def _key(estate: str, instance: Instance) -> Any:
    return {"resource": {"S": f"estate#{estate}"}, "item": {"S": f"instance#{instance.dbi_resource_id}"}}


def _turn(item: dict[str, Any]) -> Turn:
    return Turn(
        timedelta(seconds=int(item["interval"]["N"])),
        datetime.fromtimestamp(int(item["due"]["N"]), UTC),
        datetime.fromtimestamp(int(item["seen"]["N"]), UTC) if "seen" in item else None,
        Formats.model_validate_json(item["formats"]["S"]) if "formats" in item else None,
    )
