"""Positions of files and the ledger of their bytes: a DynamoDB table whose items are kept as long as the logs.

Key `resource`, the DbiResourceId, and `item`:

    position#<identity>                          how far a generation is collected: lease, plan, offset, pulled, shrunk
    range#<identity>#<incarnation>#<start>       a stored range
    gap#<identity>#<start>                       a lost one, with its reason
    gap#<base>@hours#<first>                     hours of a log of which no file was ever listed, with the reason
    file#<LogFileName>                           which state of a listed file is dealt with
    displaced#<identity>                         a file not finished whose name is, or may become, another's

A lease has an epoch, which whoever takes it raises. Each change is on condition of the epoch, so that a worker that
comes to life again changes nothing. Offset and range change in one transaction. A row of `jobs` is written just before
what it tells of: whoever takes over does that again, and notes it again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
# Names that DynamoDB keeps for itself; in expressions they stand behind a #.
_RESERVED: Final = ("#offset", "#owner", "#plan")
_FINISH: Final = ("finished = :true", "#plan")
_TRUE: Final[Mapping[str, Any]] = {":true": {"BOOL": True}}


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

    def positions(self, resource: str, base: str = "") -> Iterator[tuple[Position, datetime]]:
        """Yield how far each generation of an instance is collected, and when a worker last took it.

        Args:
            resource: DbiResourceId.
            base: What identities begin with; all without.
        """
        for item in self._items(resource, f"position#{base}"):
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
            answer: Any = self._dynamodb.update_item(
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
        position, unannounced = position_of(answer["Attributes"]), answer["Attributes"].get("unannounced")
        if unannounced is None:
            return position
        [stored] = map(stored_of, self._items(resource, unannounced["S"]))
        return replace(position, unannounced=stored)

    def release(self, resource: str, position: Position) -> None:
        """Give the lease back, if it still is ours."""
        # What was handed on ends at the offset. A range whose commit got no answer does not, and is yet to be told.
        offset = position.offset if position.told else None
        try:
            self._update(resource, position, remove="lease_until, #owner", offset=offset)
        except LeaseLost:
            return

    def plan(self, resource: str, position: Position, plan: Plan, now: datetime) -> None:
        """Put a plan on the position, with a job of its own.

        Raises:
            LeaseLost: Another worker has the file.
        """
        self._note(resource, position, plan.start, "planned", now, target=plan.target)
        self._update(resource, position, "#plan = :plan", values={":plan": _plan(plan)}, offset=plan.start)

    def commit(self, resource: str, position: Position, stored: Stored, tail: bytes) -> None:
        """Move the offset behind a stored range, and put the range into the ledger.

        Raises:
            LeaseLost: Another worker has the file, or has moved the offset.
        """
        item = f"range#{position.identity}#{stored.incarnation:04d}#{stored.start:015d}"
        update = self._change(
            resource,
            replace(position, told=False),
            "#offset = :end, tail = :tail, unannounced = :item",
            "#plan, pulled, shrunk",
            values={":end": {"N": str(stored.end)}, ":tail": {"B": tail}, ":item": {"S": item}},
            offset=stored.start,
        )
        put = {"TableName": self._table, "Item": {**_key(resource, item), **_stored(stored)}}
        self._transact(position, [{"Update": update}, {"Put": put}])

    def keep(self, resource: str, position: Position, pulled: int) -> None:
        """Note up to where bytes behind the offset are kept, for the next call to go on with.

        Raises:
            LeaseLost: Another worker has the file, or has moved the offset.
        """
        values = {":pulled": {"N": str(pulled)}}
        self._update(resource, position, "pulled = :pulled", values=values, offset=position.offset)

    def withdraw(self, resource: str, position: Position, now: datetime) -> None:
        """Remove a plan of which nothing was stored, so that nobody reads for it again.

        Raises:
            LeaseLost: Another worker has the file.
        """
        self._note(resource, position, position.offset, "withdrawn", now)
        self._update(resource, position, remove="#plan", offset=position.offset)

    def announced(self, resource: str, position: Position, stored: Stored, now: datetime) -> None:
        """Note that a stored range was handed on; the position says so with its next change."""
        self._note(resource, position, stored.start, "announced", now)

    def restart(self, resource: str, position: Position, offset: int, tail: bytes) -> None:
        """Go on from an earlier offset under the next incarnation.

        Raises:
            LeaseLost: Another worker has the file.
        """
        values = {":to": {"N": str(offset)}, ":tail": {"B": tail}, ":next": {"N": str(position.incarnation + 1)}}
        expression = "#offset = :to, tail = :tail, incarnation = :next"
        self._update(resource, position, expression, "#plan, pulled, shrunk", values=values, offset=position.offset)

    def shrink(self, resource: str, position: Position, size: int, now: datetime) -> None:
        """Note that a restart cut the file to a size below the offset, and that nothing came in that place so far.

        Raises:
            LeaseLost: Another worker has the file.
        """
        values = {":size": {"N": str(size)}, ":now": {"S": now.isoformat()}}
        expression = "shrunk = :size, shrunk_at = :now"
        self._update(resource, position, expression, "#plan", values=values, offset=position.offset)

    def finish(self, resource: str, position: Position) -> None:
        """Note that all of a file is stored.

        Raises:
            LeaseLost: Another worker has the file.
        """
        self._update(resource, position, *_FINISH, values=_TRUE, offset=position.offset)

    def lose(self, resource: str, position: Position, gap: Gap, now: datetime) -> None:
        """Put a gap into the ledger, after which nothing of the file is to come.

        Raises:
            LeaseLost: Another worker has the file.
        """
        update = self._change(resource, position, *_FINISH, values=_TRUE, offset=position.offset)
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
        update = self._change(resource, position, remove="finished, #plan", offset=position.offset)
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
                self.remember(resource, displaced)

    def remember(self, resource: str, known: Known) -> None:
        """Note a file so that it is looked for until it is finished, whatever its last name leads to by then."""
        item = known_item(resource, known) | _key(resource, f"displaced#{known.identity}")
        self._dynamodb.put_item(TableName=self._table, Item=item | {"file": {"S": known.file}})

    def _change(
        self,
        resource: str,
        position: Position,
        put: str = "",
        remove: str = "",
        *,
        values: Mapping[str, Any] | None = None,
        offset: int | None = None,
    ) -> dict[str, Any]:
        """Return an update on condition of the epoch, and of the offset that was; one that never moved has none."""
        condition = "epoch = :epoch"
        given = {**(values or {}), ":epoch": {"N": str(position.epoch)}}
        if offset is not None:
            given[":offset"] = {"N": str(offset)}
            condition += (
                " AND #offset = :offset" if offset else " AND (attribute_not_exists(#offset) OR #offset = :offset)"
            )
        removed = ", ".join(filter(None, (remove, "unannounced" if position.told else "")))
        expression = " ".join(filter(None, (put and f"SET {put}", removed and f"REMOVE {removed}")))
        change = {
            "TableName": self._table,
            "Key": _key(resource, f"position#{position.identity}"),
            "UpdateExpression": expression,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": given,
        }
        names = {name: name[1:] for name in _RESERVED if name in expression or name in condition}
        return {**change, "ExpressionAttributeNames": names} if names else change

    def _update(
        self,
        resource: str,
        position: Position,
        put: str = "",
        remove: str = "",
        *,
        values: Mapping[str, Any] | None = None,
        offset: int | None = None,
    ) -> None:
        try:
            self._dynamodb.update_item(**self._change(resource, position, put, remove, values=values, offset=offset))
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

    def _note(
        self, resource: str, position: Position, start: int, state: str, now: datetime, *, target: int | None = None
    ) -> None:
        """Write the state of a job, unless a worker under a later epoch has."""
        values = {
            ":state": {"S": state},
            ":epoch": {"N": str(position.epoch)},
            ":now": {"S": now.isoformat()},
            ":expires": _time(now + timedelta(days=_JOB_DAYS)),
        }
        expression = "SET #state = :state, epoch = :epoch, updated_at = :now, expires_at = :expires"
        if target is not None:
            expression, values[":target"] = f"{expression}, target = :target", {"N": str(target)}
        try:
            self._dynamodb.update_item(
                TableName=self._jobs,
                Key={"job_id": {"S": f"{resource}/{position.generation}/{start}"}},
                UpdateExpression=expression,
                ConditionExpression="attribute_not_exists(epoch) OR epoch <= :epoch",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise


def query(dynamodb: "DynamoDBClient", table: str, resource: str, prefix: str) -> Iterator[dict[str, Any]]:
    """Yield the items of a resource whose sort key begins so, read consistently, in the order of the key."""
    yield from _query(dynamodb, table, resource, "begins_with(#item, :prefix)", {":prefix": prefix})


def query_between(
    dynamodb: "DynamoDBClient", table: str, resource: str, first: str, last: str
) -> Iterator[dict[str, Any]]:
    """Yield the items of a resource from a sort key to another, read consistently, in the order of the key."""
    yield from _query(dynamodb, table, resource, "#item BETWEEN :first AND :last", {":first": first, ":last": last})


def _query(
    dynamodb: "DynamoDBClient", table: str, resource: str, condition: str, values: dict[str, str]
) -> Iterator[dict[str, Any]]:
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression=f"#resource = :resource AND {condition}",
        ExpressionAttributeNames={"#resource": "resource", "#item": "item"},
        ExpressionAttributeValues={name: {"S": value} for name, value in {":resource": resource, **values}.items()},
        ConsistentRead=True,
    )
    for page in pages:
        yield from page["Items"]


def position_of(item: dict[str, Any]) -> Position:
    """Return the position that an item holds, without the range that is not handed on."""
    plan = item.get("plan", {}).get("M")
    return Position(
        identity=item["item"]["S"].removeprefix("position#"),
        epoch=_number(item, "epoch"),
        offset=_number(item, "offset"),
        incarnation=_number(item, "incarnation"),
        tail=item["tail"]["B"] if "tail" in item else b"",
        plan=None
        if plan is None
        else Plan(_number(plan, "start"), _number(plan, "target"), Ending(plan["ending"]["S"])),
        final=item.get("finished", {}).get("BOOL", False),
        pulled=_number(item, "pulled") if "pulled" in item else None,
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
