"""Positions of files and the ledger of their bytes: a DynamoDB table whose items are kept as long as the logs.

Key `resource`, the DbiResourceId, and `item`:

    position#<identity>                          how far a generation is collected: lease, plan, offset, shrunk
    range#<identity>#<incarnation>#<start>       a stored range
    gap#<identity>#<start>                       a lost one, with its reason
    gap#<base>@hours#<first>                     hours of a log of which no file was ever listed, with the reason
    file#<LogFileName>                           which state of a listed file is dealt with
    displaced#<identity>                         a file not finished whose last name is another's by now

A lease has an epoch, which whoever takes it raises. Each change is on condition of the epoch, so that a worker that
comes to life again changes nothing. Offset, range and job change in one transaction.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import ClientError

from database_logs.collection.ledger import Gap, Reason
from database_logs.collection.positions import Ending, Plan, Position, Stored
from database_logs.collection.unlisted import Unlisted
from database_logs.discovery.files import Known
from database_logs.errors import LeaseHeld, LeaseLost

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_JOB_DAYS: Final = 30
_CANCELLED: Final = "TransactionCanceledException"


class Ledger:
    """What is stored of an instance's files, and what is lost.

    Args:
        dynamodb: The client.
        table: The table `tracking`.
    """

    IAM: ClassVar = frozenset({"dynamodb:Query"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def positions(self, resource: str) -> Iterator[tuple[Position, datetime]]:
        """Yield how far each generation of an instance is collected, and when a worker last took it."""
        for item in self._items(resource, "position#"):
            yield position_of(item), datetime.fromtimestamp(_number(item, "seen_at"), UTC)

    def ranges(self, resource: str, identity: str) -> list[Stored]:
        """Return the stored ranges of a generation, all incarnations, in the order of incarnation and start."""
        return [stored_of(item) for item in self._items(resource, f"range#{identity}#")]

    def gaps(self, resource: str, identity: str) -> list[Gap]:
        """Return the gaps of a generation."""
        return [_gap_of(item) for item in self._items(resource, f"gap#{identity}#")]

    def _items(self, resource: str, prefix: str) -> Iterator[dict[str, Any]]:
        yield from query(self._dynamodb, self._table, resource, prefix)


class Tracking(Ledger):
    """What a collector may do with the position of a file.

    Args:
        dynamodb: The client.
        tables: Names of the tables `tracking` and `jobs`.
    """

    IAM: ClassVar = Ledger.IAM | {"dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}

    def __init__(self, dynamodb: "DynamoDBClient", tables: tuple[str, str]) -> None:
        super().__init__(dynamodb, tables[0])
        self._jobs = tables[1]

    def acquire(self, resource: str, identity: str, owner: str, now: datetime, lease: timedelta) -> Position:
        """Take the lease of a generation, which begins to exist with it.

        Raises:
            LeaseHeld: Another owner has it.
        """
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key=_key(resource, f"position#{identity}"),
                UpdateExpression="SET #owner = :owner, lease_until = :until, seen_at = :now ADD epoch :one",
                ConditionExpression="attribute_not_exists(lease_until) OR lease_until < :now OR #owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={
                    ":owner": {"S": owner},
                    ":until": _time(now + lease),
                    ":now": _time(now),
                    ":one": {"N": "1"},
                },
                ReturnValues="ALL_NEW",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise LeaseHeld(f"{identity} of {resource} is collected by another worker; it comes again.") from error
        return position_of(answer["Attributes"])

    def release(self, resource: str, position: Position) -> None:
        """Give the lease back, if it still is ours."""
        try:
            self._update(resource, position, "REMOVE lease_until, #owner", {}, {"#owner": "owner"})
        except LeaseLost:
            return

    def plan(self, resource: str, position: Position, plan: Plan, now: datetime) -> None:
        """Put a plan on the position, with a job of its own.

        Raises:
            LeaseLost: Another worker has the file.
        """
        update = self._change(
            resource, position, "SET #plan = :plan", {":plan": _plan(plan)}, {"#plan": "plan"}, offset=plan.start
        )
        job = {
            "job_id": {"S": _job(resource, position, plan.start)},
            "state": {"S": "planned"},
            "target": {"N": str(plan.target)},
            "epoch": {"N": str(position.epoch)},
            "updated_at": {"S": now.isoformat()},
            "expires_at": _time(now + timedelta(days=_JOB_DAYS)),
        }
        self._transact(position, [{"Update": update}, {"Put": {"TableName": self._jobs, "Item": job}}])

    def commit(self, resource: str, position: Position, stored: Stored, tail: bytes, now: datetime) -> None:
        """Move the offset behind a stored range, and put the range into the ledger.

        Raises:
            LeaseLost: Another worker has the file, or has moved the offset.
        """
        update = self._change(
            resource,
            position,
            "SET #offset = :end, tail = :tail, unannounced = :stored REMOVE #plan, shrunk",
            {":end": {"N": str(stored.end)}, ":tail": {"B": tail}, ":stored": {"M": _stored(stored)}},
            {"#plan": "plan", "#offset": "offset"},
            offset=stored.start,
        )
        item = f"range#{position.identity}#{stored.incarnation:04d}#{stored.start:015d}"
        put = {"TableName": self._table, "Item": {**_key(resource, item), **_stored(stored)}}
        job = self._job_state(resource, position, stored.start, "committed", now)
        self._transact(position, [{"Update": update}, {"Put": put}, {"Update": job}])

    def withdraw(self, resource: str, position: Position, now: datetime) -> None:
        """Remove a plan of which nothing was stored, so that nobody reads for it again.

        Raises:
            LeaseLost: Another worker has the file.
        """
        names = {"#plan": "plan", "#offset": "offset"}
        update = self._change(resource, position, "REMOVE #plan", {}, names, offset=position.offset)
        job = self._job_state(resource, position, position.offset, "withdrawn", now)
        self._transact(position, [{"Update": update}, {"Update": job}])

    def announced(self, resource: str, position: Position, stored: Stored, now: datetime) -> None:
        """Note that a stored range was handed on.

        Raises:
            LeaseLost: Another worker has the file.
        """
        update = self._change(resource, position, "REMOVE unannounced", {}, {})
        job = self._job_state(resource, position, stored.start, "announced", now)
        self._transact(position, [{"Update": update}, {"Update": job}])

    def restart(self, resource: str, position: Position, offset: int, tail: bytes) -> None:
        """Go on from an earlier offset under the next incarnation.

        Raises:
            LeaseLost: Another worker has the file.
        """
        values = {":to": {"N": str(offset)}, ":tail": {"B": tail}, ":next": {"N": str(position.incarnation + 1)}}
        names = {"#plan": "plan", "#offset": "offset"}
        expression = "SET #offset = :to, tail = :tail, incarnation = :next REMOVE #plan, shrunk"
        self._update(resource, position, expression, values, names, offset=position.offset)

    def shrink(self, resource: str, position: Position, size: int, now: datetime) -> None:
        """Note that a restart cut the file to a size below the offset, and that nothing came in that place so far.

        Raises:
            LeaseLost: Another worker has the file.
        """
        values = {":size": {"N": str(size)}, ":now": {"S": now.isoformat()}}
        expression = "SET shrunk = :size, shrunk_at = :now REMOVE #plan"
        self._update(resource, position, expression, values, {"#plan": "plan"}, offset=position.offset)

    def finish(self, resource: str, position: Position) -> None:
        """Note that all of a file is stored.

        Raises:
            LeaseLost: Another worker has the file.
        """
        names = {"#plan": "plan", "#offset": "offset"}
        expression = "SET finished = :true REMOVE #plan"
        self._update(resource, position, expression, {":true": {"BOOL": True}}, names, offset=position.offset)

    def lose(self, resource: str, position: Position, gap: Gap, now: datetime) -> None:
        """Put a gap into the ledger, after which nothing of the file is to come.

        Raises:
            LeaseLost: Another worker has the file.
        """
        update = self._change(
            resource,
            position,
            "SET finished = :true REMOVE #plan",
            {":true": {"BOOL": True}},
            {"#plan": "plan", "#offset": "offset"},
            offset=position.offset,
        )
        item = {
            **_key(resource, _gap_item(position.identity, gap.start)),
            "start": {"N": str(gap.start)},
            "reason": {"S": gap.reason.value},
            "found_at": {"S": now.isoformat()},
        }
        if gap.end is not None:
            item["end"] = {"N": str(gap.end)}
        self._transact(position, [{"Update": update}, {"Put": {"TableName": self._table, "Item": item}}])

    def reopen(self, resource: str, position: Position, gaps: Sequence[Gap]) -> None:
        """Go on with a file that was given up and is there again; its gaps are none any more.

        Raises:
            LeaseLost: Another worker has the file.
        """
        names = {"#plan": "plan", "#offset": "offset"}
        update = self._change(resource, position, "REMOVE finished, #plan", {}, names, offset=position.offset)
        deletes = [
            {"Delete": {"TableName": self._table, "Key": _key(resource, _gap_item(position.identity, gap.start))}}
            for gap in gaps
        ]
        self._transact(position, [{"Update": update}, *deletes])

    def settle(self, resource: str, known: Known) -> None:
        """Note which state of a listed file is dealt with, so that it is queued again only when it moves.

        A file that had this name before, and is not finished, is noted as one whose name is to be found.
        """
        answer = self._dynamodb.put_item(
            TableName=self._table, Item=known_item(resource, known), ReturnValues="ALL_OLD"
        )
        if known.final:
            item = _key(resource, f"displaced#{known.identity}")
            self._dynamodb.delete_item(TableName=self._table, Key=item)
        if before := answer.get("Attributes"):
            displaced = known_of(before)
            if displaced.identity not in {None, known.identity} and not displaced.final:
                item = known_item(resource, displaced) | _key(resource, f"displaced#{displaced.identity}")
                self._dynamodb.put_item(TableName=self._table, Item=item | {"file": {"S": displaced.file}})

    def _change(
        self,
        resource: str,
        position: Position,
        expression: str,
        values: dict[str, Any],
        names: dict[str, str],
        *,
        offset: int | None = None,
    ) -> dict[str, Any]:
        """Return an update on condition of the epoch, and of the offset that was; one that never moved has none."""
        condition = "epoch = :epoch"
        given = {**values, ":epoch": {"N": str(position.epoch)}}
        if offset is not None:
            names = {**names, "#offset": "offset"}
            given[":offset"] = {"N": str(offset)}
            condition += (
                " AND #offset = :offset" if offset else " AND (attribute_not_exists(#offset) OR #offset = :offset)"
            )
        change = {
            "TableName": self._table,
            "Key": _key(resource, f"position#{position.identity}"),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": given,
        }
        return {**change, "ExpressionAttributeNames": names} if names else change

    def _update(
        self,
        resource: str,
        position: Position,
        expression: str,
        values: dict[str, Any],
        names: dict[str, str],
        *,
        offset: int | None = None,
    ) -> None:
        try:
            self._dynamodb.update_item(**self._change(resource, position, expression, values, names, offset=offset))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise _lost(position) from error

    def _transact(self, position: Position, items: list[dict[str, Any]]) -> None:
        try:
            self._dynamodb.transact_write_items(TransactItems=items)  # type: ignore[arg-type]
        except ClientError as error:
            reasons: Any = error.response.get("CancellationReasons", [])
            if error.response["Error"]["Code"] != _CANCELLED or not any(
                reason.get("Code") == "ConditionalCheckFailed" for reason in reasons
            ):
                raise
            raise _lost(position) from error

    def _job_state(self, resource: str, position: Position, start: int, state: str, now: datetime) -> dict[str, Any]:
        return {
            "TableName": self._jobs,
            "Key": {"job_id": {"S": _job(resource, position, start)}},
            "UpdateExpression": "SET #state = :state, updated_at = :now, expires_at = :expires",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":state": {"S": state},
                ":now": {"S": now.isoformat()},
                ":expires": _time(now + timedelta(days=_JOB_DAYS)),
            },
        }


def query(dynamodb: "DynamoDBClient", table: str, resource: str, prefix: str) -> Iterator[dict[str, Any]]:
    """Yield the items of a resource whose sort key begins so, read consistently, in the order of the key."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="#resource = :resource AND begins_with(#item, :prefix)",
        ExpressionAttributeNames={"#resource": "resource", "#item": "item"},
        ExpressionAttributeValues={":resource": {"S": resource}, ":prefix": {"S": prefix}},
        ConsistentRead=True,
    )
    for page in pages:
        yield from page["Items"]


def position_of(item: dict[str, Any]) -> Position:
    """Return the position that an item holds."""
    plan = item.get("plan", {}).get("M")
    stored = item.get("unannounced", {}).get("M")
    return Position(
        identity=item["item"]["S"].removeprefix("position#"),
        epoch=_number(item, "epoch"),
        offset=_number(item, "offset"),
        incarnation=_number(item, "incarnation"),
        tail=item["tail"]["B"] if "tail" in item else b"",
        plan=None
        if plan is None
        else Plan(_number(plan, "start"), _number(plan, "target"), Ending(plan["ending"]["S"])),
        unannounced=None if stored is None else stored_of(stored),
        final=item.get("finished", {}).get("BOOL", False),
        shrunk=_number(item, "shrunk") if "shrunk" in item else None,
    )


def known_item(resource: str, known: Known) -> Any:
    """Return the item of a file that is or was listed."""
    item = {
        **_key(resource, f"file#{known.file}"),
        "size": {"N": str(known.size)},
        "last_written": {"N": str(int(known.last_written.timestamp() * 1000))},
        "settled": {"BOOL": known.settled},
        "final": {"BOOL": known.final},
    }
    return item if known.identity is None else {**item, "identity": {"S": known.identity}}


def known_of(item: dict[str, Any]) -> Known:
    """Return what an item says of a file."""
    return Known(
        file=item["file"]["S"] if "file" in item else item["item"]["S"].removeprefix("file#"),
        size=_number(item, "size"),
        last_written=datetime.fromtimestamp(_number(item, "last_written") / 1000, UTC),
        identity=item["identity"]["S"] if "identity" in item else None,
        settled=item["settled"]["BOOL"],
        final=item["final"]["BOOL"],
    )


def unlisted_item(resource: str, hours: Unlisted, now: datetime) -> Any:
    """Return the item of hours that were never listed."""
    return {
        **_key(resource, f"gap#{hours.base}@hours#{hours.first:%Y-%m-%dT%H}"),
        "first_hour": {"S": hours.first.isoformat()},
        "until_hour": {"S": hours.until.isoformat()},
        "reason": {"S": hours.reason.value},
        "found_at": {"S": now.isoformat()},
    }


def stored_of(item: dict[str, Any]) -> Stored:
    """Return the stored range that an item holds."""
    return Stored(
        incarnation=_number(item, "incarnation"),
        start=_number(item, "start"),
        end=_number(item, "end"),
        key=item["key"]["S"],
        truncated=item["truncated"]["BOOL"],
        open_tail=item["open_tail"]["BOOL"],
        sha256=item["sha256"]["S"],
        message=item["message"]["S"],
    )


def _gap_of(item: dict[str, Any]) -> Gap:
    return Gap(_number(item, "start"), _number(item, "end") if "end" in item else None, Reason(item["reason"]["S"]))


def _gap_item(identity: str, start: int) -> str:
    return f"gap#{identity}#{start:015d}"


def _lost(position: Position) -> LeaseLost:
    return LeaseLost(
        f"{position.identity} was held under epoch {position.epoch} at byte {position.offset}, and is not any more. "
        "The worker that has it finishes it; this one must not."
    )


def _job(resource: str, position: Position, start: int) -> str:
    return f"{resource}/{position.generation}/{start}"


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "M": {
            "start": {"N": str(plan.start)},
            "target": {"N": str(plan.target)},
            "ending": {"S": plan.ending.value},
        }
    }


def _stored(stored: Stored) -> dict[str, Any]:
    return {
        "incarnation": {"N": str(stored.incarnation)},
        "start": {"N": str(stored.start)},
        "end": {"N": str(stored.end)},
        "key": {"S": stored.key},
        "truncated": {"BOOL": stored.truncated},
        "open_tail": {"BOOL": stored.open_tail},
        "sha256": {"S": stored.sha256},
        "message": {"S": stored.message},
    }


def _key(resource: str, item: str) -> dict[str, Any]:
    return {"resource": {"S": resource}, "item": {"S": item}}


def _number(item: dict[str, Any], name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def _time(at: datetime) -> Any:
    return {"N": str(int(at.timestamp()))}
