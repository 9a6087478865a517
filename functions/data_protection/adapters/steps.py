"""Progress of steps and locks of resources, in the table of remediations."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import ClientError

from data_protection.errors import ResourceLocked
from data_protection.remediation.steps import Progress, State
from kernel.errors import EffectConflict

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_STEP: Final = "step#"
_LOCKS: Final = "lock"


class StepLedger:
    """Keeps how far each step of a plan has come."""

    IAM: ClassVar = frozenset({"dynamodb:GetItem", "dynamodb:PutItem"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def find(self, plan: str, step: str, now: datetime) -> Progress:
        """Return how far a step has come; planned, where nothing is kept of it."""
        item = self._dynamodb.get_item(TableName=self._table, Key=_key(plan, step), ConsistentRead=True).get("Item")
        if item is None:
            return Progress(plan=plan, step=step, state=State.PLANNED, at=now)
        return _progress(item)

    def move(self, seen: Progress, state: State, now: datetime, note: str = "") -> Progress:
        """Move a step on from what was seen of it.

        Raises:
            EffectConflict: Another worker has moved it in the meantime.
        """
        moved = seen.model_copy(update={"state": state, "at": now, "note": note, "version": seen.version + 1})
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item={
                    **_key(seen.plan, seen.step),
                    "state": {"S": state.value},
                    "at": {"S": now.isoformat()},
                    "note": {"S": note},
                    "version": {"N": str(moved.version)},
                },
                ConditionExpression="attribute_not_exists(entry) OR version = :seen",
                ExpressionAttributeValues={":seen": {"N": str(seen.version)}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise EffectConflict(
                f"Two workers move {seen.step} of the plan {seen.plan}; the other one goes on."
            ) from None
        return moved


def begun(dynamodb: "DynamoDBClient", table: str, plan: str) -> dict[str, Progress]:
    """Return how far the steps of a plan are that were begun, by their ids; for people (dynamodb:Query)."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="#plan = :plan AND begins_with(entry, :step)",
        ExpressionAttributeNames={"#plan": "plan"},
        ExpressionAttributeValues={":plan": {"S": plan}, ":step": {"S": _STEP}},
    )
    steps = [_progress(item) for page in pages for item in page["Items"]]
    return {step.step: step for step in steps}


class ResourceLocks:
    """Lets one remediation at a time work on a resource."""

    IAM: ClassVar = frozenset({"dynamodb:PutItem", "dynamodb:DeleteItem"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def take(self, arn: str, owner: str, now: datetime, term: timedelta) -> None:
        """Take the lock of a resource, or hold it longer.

        Raises:
            ResourceLocked: Somebody else holds it; the sentence says who.
        """
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item={**_lock(arn), "owner": {"S": owner}, "until": {"N": _seconds(now + term)}},
                ConditionExpression="attribute_not_exists(entry) OR #owner = :owner OR #until < :now",
                ExpressionAttributeNames={"#owner": "owner", "#until": "until"},
                ExpressionAttributeValues={":owner": {"S": owner}, ":now": {"N": _seconds(now)}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            held: Any = error.response.get("Item", {})
            holder = held.get("owner", {}).get("S", "another remediation")
            raise ResourceLocked(f"{arn} is being changed by {holder}; it is tried again.", holder) from None

    def release(self, arn: str, owner: str) -> None:
        """Give the lock back, if it is still the owner's."""
        try:
            self._dynamodb.delete_item(
                TableName=self._table,
                Key=_lock(arn),
                ConditionExpression="attribute_not_exists(entry) OR #owner = :owner",
                ExpressionAttributeNames={"#owner": "owner"},
                ExpressionAttributeValues={":owner": {"S": owner}},
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise


def _progress(item: Any) -> Progress:
    return Progress(
        plan=item["plan"]["S"],
        step=item["entry"]["S"].removeprefix(_STEP),
        state=State(item["state"]["S"]),
        at=datetime.fromisoformat(item["at"]["S"]),
        note=item["note"]["S"],
        version=int(item["version"]["N"]),
    )


def _key(plan: str, step: str) -> dict[str, Any]:
    return {"plan": {"S": plan}, "entry": {"S": f"{_STEP}{step}"}}


def _lock(arn: str) -> dict[str, Any]:
    return {"plan": {"S": _LOCKS}, "entry": {"S": arn}}


def _seconds(instant: datetime) -> str:
    return str(int(instant.timestamp()))
