"""What discovery remembers: when an instance is looked at again, which states of its files were queued, what was heard.

Items of the table `tracking`: `instance#<DbiResourceId>` and `events#<part of the fleet>` of
`estate#<account>/<region>`, and `file#<name>` of the instance.
"""

import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from database_logs.adapters.tracking import known_item, known_of, position_of, query, query_between, unlisted_item
from database_logs.collection.unlisted import Unlisted
from database_logs.discovery.events import Heard
from database_logs.discovery.files import Known
from database_logs.discovery.instances import Instance
from database_logs.discovery.schedule import Turn
from database_logs.discovery.stalls import Watched
from database_logs.errors import TableThrottled

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Of BatchGetItem and of BatchWriteItem.
_MOST_KEYS: Final = 100
_MOST_WRITES: Final = 25
# What DynamoDB leaves of a batch is sent again after a pause with jitter, of half a minute at most in all.
_ATTEMPTS: Final = 8
_FIRST_PAUSE: Final = 0.1


@dataclass(frozen=True)
class Remembered:
    """What is noted of an instance's files.

    Attributes:
        files: By name.
        displaced: Files that are not finished and whose last names are others' by now.
    """

    files: dict[str, Known] = field(default_factory=dict)
    displaced: list[Known] = field(default_factory=list)


class Turns:
    """Instances and their turns.

    Args:
        dynamodb: The client.
        table: The table `tracking`.
        sleep: Waits for seconds.

    Raises, each method that writes several items:
        TableThrottled: Some of them are not written.
    """

    IAM: ClassVar = frozenset(
        {
            "dynamodb:BatchGetItem",
            "dynamodb:BatchWriteItem",
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Query",
        }
    )

    def __init__(self, dynamodb: "DynamoDBClient", table: str, sleep: Callable[[float], None] = time.sleep) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._sleep = sleep

    def of(self, estate: str) -> dict[str, tuple[Instance, Turn]]:
        """Return all instances that were ever looked at and are not forgotten, by DbiResourceId."""
        return {
            (instance := Instance.model_validate_json(item["instance"]["S"])).dbi_resource_id: (instance, _turn(item))
            for item in query(self._dynamodb, self._table, f"estate#{estate}", "instance#")
        }

    def set(self, turns: Iterable[tuple[str, Instance, Turn]]) -> None:
        """Remember the next turns of instances, each with its estate."""
        self._write([{"PutRequest": {"Item": _item(*turn)}} for turn in turns])

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

    def remembered(self, resource: str) -> Remembered:
        """Return what is noted of an instance's files."""
        found = Remembered()
        # Nothing else of an instance lies between them.
        for item in query_between(self._dynamodb, self._table, resource, "displaced#", "file$"):
            known = known_of(item)
            if item["item"]["S"].startswith("file#"):
                found.files[known.file] = known
            else:
                found.displaced.append(known)
        return found

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

    def note(self, resource: str, files: Iterable[Known]) -> None:
        """Remember states of files that are queued, one of each."""
        self._write([{"PutRequest": {"Item": known_item(resource, known)}} for known in files])

    def miss(self, resource: str, hours: Unlisted, now: datetime) -> bool:
        """Put hours that were never listed into the ledger, and return whether they are new in it."""
        item = unlisted_item(resource, hours, now)
        return "Attributes" not in self._dynamodb.put_item(TableName=self._table, Item=item, ReturnValues="ALL_OLD")

    def drop(self, resource: str, files: Iterable[str]) -> None:
        """Forget files that are gone and dealt with."""
        keys = [{"resource": {"S": resource}, "item": {"S": f"file#{file}"}} for file in dict.fromkeys(files)]
        self._write([{"DeleteRequest": {"Key": key}} for key in keys])

    def _write(self, requests: Sequence[Any]) -> None:
        for start in range(0, len(requests), _MOST_WRITES):
            left = requests[start : start + _MOST_WRITES]
            for attempt in range(_ATTEMPTS):
                answer: Any = self._dynamodb.batch_write_item(RequestItems={self._table: left})
                if not (left := answer.get("UnprocessedItems", {}).get(self._table, [])):
                    break
                self._sleep(random.uniform(0, _FIRST_PAUSE * 2**attempt))  # noqa: S311 - jitter
            else:
                raise TableThrottled(
                    f"DynamoDB did not take {len(left)} items of {self._table} at {_ATTEMPTS} attempts. What they tell "
                    "of is done again by the next pass."
                )


def _key(estate: str, instance: Instance) -> Any:
    return {"resource": {"S": f"estate#{estate}"}, "item": {"S": f"instance#{instance.dbi_resource_id}"}}


def _item(estate: str, instance: Instance, turn: Turn) -> Any:
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
    return item


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
