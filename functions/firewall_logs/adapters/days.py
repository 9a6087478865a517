"""Event days in DynamoDB: which objects brought rows to a day, and what state each day is in.

Partition `<event date>`, item `<object id>`: a DayObject. Partition `days`, item `<event date>`: the day itself, with
the lease of the seal that works on it.

    (none) → OPEN → SEALED ⇄ REOPENED, and BLOCKED from any of them until the next seal
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import ClientError

from firewall_logs.days.contracts import Day, DayObject, SealedDay
from firewall_logs.errors import DayBusy

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_DAYS: Final = "days"
# DynamoDB's reserved words among the attributes.
_NAMES: Final = {"#status": "status", "#rows": "rows", "#owner": "owner"}


class _Table:
    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def _update(self, day: date, expression: str, condition: str | None, values: dict[str, Any]) -> bool:
        """Change the item of a day; return False where the condition does not hold."""
        request: Any = {
            "TableName": self._table,
            "Key": {"partition": {"S": _DAYS}, "item": {"S": day.isoformat()}},
            "UpdateExpression": expression,
            "ExpressionAttributeValues": values,
        }
        if condition:
            request["ConditionExpression"] = condition
        if used := {name: real for name, real in _NAMES.items() if name in f"{expression} {condition or ''}"}:
            request["ExpressionAttributeNames"] = used
        try:
            self._dynamodb.update_item(**request)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _get(self, day: date) -> dict[str, Any]:
        key = {"partition": {"S": _DAYS}, "item": {"S": day.isoformat()}}
        return self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item", {})

    def _query(self, partition: str, first: str, last: str) -> Iterator[dict[str, Any]]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="#partition = :partition AND #item BETWEEN :first AND :last",
            ExpressionAttributeNames={"#partition": "partition", "#item": "item"},
            ExpressionAttributeValues={
                ":partition": {"S": partition},
                ":first": {"S": first},
                ":last": {"S": last},
            },
        )
        for page in pages:
            yield from page["Items"]


class DayIndex(_Table):
    """Notes what committed objects brought to which days, and reopens days that were sealed without it."""

    IAM: ClassVar = frozenset({"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:GetItem"})

    def add(self, entry: DayObject) -> None:
        """Note an object of a day; harmless when repeated."""
        self._dynamodb.put_item(
            TableName=self._table,
            Item={
                "partition": {"S": entry.event_date.isoformat()},
                "item": {"S": entry.object_id},
                "source_id": {"S": entry.source_id},
                "feed": {"S": entry.feed},
                "rows": {"N": str(entry.rows)},
            },
        )

    def open(self, day: date) -> Day:
        """Open a day that nothing came for before, and return its state: after its new rows are in the index."""
        if self._update(day, "SET #status = :open", "attribute_not_exists(#status)", {":open": {"S": "OPEN"}}):
            return Day(event_date=day)
        return _day(self._get(day))

    def reopen(self, day: date, run_id: str, version: int) -> bool:
        """Open a day again whose version lacks rows, before anybody says that these are committed.

        A later version is left alone: its seal has read the index after its state was written, and so saw the rows.

        Returns:
            Whether this run reopened it, also by an earlier attempt; False where it was open anyway.
        """
        reopened = self._update(
            day,
            "SET #status = :reopened, reopened_by = :run, reason = :reason",
            "#status = :sealed AND version = :version",
            {
                ":reopened": {"S": "REOPENED"},
                ":sealed": {"S": "SEALED"},
                ":version": {"N": str(version)},
                ":run": {"S": run_id},
                ":reason": {"S": f"run {run_id} brought rows after the seal"},
            },
        )
        if reopened:
            return True
        item = self._get(day)
        return bool(item["status"]["S"] == "REOPENED" and item["reopened_by"]["S"] == run_id)


class DayReader(_Table):
    """Reads days and what belongs to them, consistently."""

    IAM: ClassVar = frozenset({"dynamodb:Query", "dynamodb:GetItem"})

    def objects(self, day: date, first: str = "", last: str = "f") -> Iterator[DayObject]:
        """Yield every object that brought something to a day, by object id.

        Args:
            day: Which.
            first: Beginning of the first identities that are wanted.
            last: Beginning of the last ones.
        """
        # `~` comes after every hex digit.
        for item in self._query(day.isoformat(), first or "0", f"{last}~"):
            yield DayObject(
                event_date=day,
                object_id=item["item"]["S"],
                source_id=item["source_id"]["S"],
                feed=item["feed"]["S"],
                rows=int(item["rows"]["N"]),
            )

    def state(self, day: date) -> Day:
        """Return the state of a day; OPEN of version 0 where nothing ever came for it."""
        item = self._get(day)
        return _day(item) if "status" in item else Day(event_date=day)

    def all(self) -> Iterator[Day]:
        """Yield the state of every day that ever had rows or a seal, by date."""
        yield from (_day(item) for item in self._query(_DAYS, "0", "9~") if "status" in item)


class DaySeals(_Table):
    """Takes a day for a seal, and notes how the seal ends."""

    IAM: ClassVar = frozenset({"dynamodb:UpdateItem"})

    def claim(self, day: date, seal_id: str, *, now: datetime, lease_seconds: int) -> None:
        """Take a day: two seals at once would each remove what the other reads.

        Raises:
            DayBusy: Another seal is at work on it.
        """
        seconds = int(now.timestamp())
        taken = self._update(
            day,
            "SET #owner = :seal, lease_until = :until, #status = if_not_exists(#status, :open)",
            "attribute_not_exists(#owner) OR #owner = :seal OR lease_until < :seconds",
            {
                ":seal": {"S": seal_id},
                ":until": {"N": str(seconds + lease_seconds)},
                ":seconds": {"N": str(seconds)},
                ":open": {"S": "OPEN"},
            },
        )
        if not taken:
            raise DayBusy(f"Another seal is at work on {day}. Wait for its end, or stop its execution.")

    def holds(self, day: date, seal_id: str) -> bool:
        """Return whether a seal has the day: one that was given up or redriven may change nothing of it any more."""
        return self._update(day, "SET #owner = :seal", "#owner = :seal", {":seal": {"S": seal_id}})

    def sealed(self, document: SealedDay) -> bool:
        """Note that a version is committed.

        Returns:
            False where a later version is noted already.
        """
        return self._update(
            document.event_date,
            "SET #status = :sealed, version = :version, as_of = :as_of, #rows = :rows REMOVE reason, reopened_by",
            "attribute_not_exists(version) OR version <= :version",
            {
                ":sealed": {"S": "SEALED"},
                ":version": {"N": str(document.version)},
                ":as_of": {"S": document.as_of.isoformat()},
                ":rows": {"M": {feed: {"N": str(rows)} for feed, rows in document.rows.items()}},
            },
        )

    def finish(self, day: date, version: int, seal_id: str) -> None:
        """Note that nothing is left of what a version replaced, and give the day back.

        In one step: a seal that is stopped around here has either come to its end, or not.
        """
        values = {":version": {"N": str(version)}, ":seal": {"S": seal_id}}
        self._update(day, "SET cleaned = :version REMOVE #owner, lease_until", "#owner = :seal", values)

    def blocked(self, day: date, seal_id: str, reason: str) -> bool:
        """Note why a day could not be sealed, and give it back.

        Returns:
            False where this seal does not hold the day: it ended well, or another one has taken over.
        """
        return self._update(
            day,
            "SET #status = :blocked, reason = :reason REMOVE #owner, lease_until",
            "#owner = :seal",
            {":blocked": {"S": "BLOCKED"}, ":reason": {"S": reason}, ":seal": {"S": seal_id}},
        )


def _day(item: dict[str, Any]) -> Day:
    as_of = item.get("as_of", {}).get("S")
    return Day(
        event_date=date.fromisoformat(item["item"]["S"]),
        status=item["status"]["S"],
        version=int(item.get("version", {}).get("N", 0)),
        cleaned=int(item.get("cleaned", {}).get("N", 0)),
        as_of=datetime.fromisoformat(as_of) if as_of else None,
        rows={feed: int(rows["N"]) for feed, rows in item.get("rows", {}).get("M", {}).items()},
        reason=item.get("reason", {}).get("S"),
        held_until=datetime.fromtimestamp(int(item["lease_until"]["N"]), UTC) if "owner" in item else None,
    )
