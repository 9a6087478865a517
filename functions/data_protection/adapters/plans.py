"""Plans in the lake bucket, and the register of them in the table of remediations."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from data_protection.errors import PlanMissing
from data_protection.locations import plan_key, simulation_key
from data_protection.remediation.plans import Plan
from kernel.errors import ValidationError
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

_RUNS: Final = "run"  # the partition of the register
_DIGITS: Final = 64  # of a SHA-256


class PlanReader:
    """Finds plans by their hash."""

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def load(self, plan_hash: str) -> Plan:
        """Return the plan of a hash, and no other one.

        Raises:
            PlanMissing: There is none, or what is kept under the hash is not what was planned.
        """
        key = plan_key(plan_hash)
        body = self._bucket.get(key)
        if body is None:
            raise PlanMissing(f"There is no plan {plan_hash} at s3://{self._bucket.name}/{key}. Plan again.")
        try:
            plan = Plan.model_validate_json(body)
        except ValidationError as invalid:
            raise PlanMissing(f"s3://{self._bucket.name}/{key} is no plan. {invalid}") from None
        if plan.hash != plan_hash:
            raise PlanMissing(
                f"s3://{self._bucket.name}/{key} was changed after it was planned: its hash is {plan.hash}. Nothing is "
                "done. Find out who wrote it, and plan again."
            )
        return plan


@dataclass(frozen=True)
class Entry:
    """A plan in the register.

    Attributes:
        run: Name of the execution that made it.
        time: When that began.
        plan: Its hash.
    """

    run: str
    time: datetime
    plan: str


class PlanRegister:
    """Keeps plans, and which run made which."""

    IAM: ClassVar = frozenset(
        {"s3:GetObject", "s3:PutObject", "kms:Decrypt", "kms:GenerateDataKey", "dynamodb:GetItem", "dynamodb:PutItem"}
    )

    def __init__(self, s3: "S3Client", bucket: str, dynamodb: "DynamoDBClient", table: str) -> None:
        self._bucket = Bucket(s3, bucket)
        self._dynamodb = dynamodb
        self._table = table

    def of(self, run: str, time: datetime) -> str | None:
        """Return the hash of the plan that a run has made, or None."""
        item = self._dynamodb.get_item(TableName=self._table, Key=_key(run, time), ConsistentRead=True).get("Item")
        return None if item is None else item["hash"]["S"]

    def keep(self, run: str, time: datetime, plan: Plan) -> None:
        """Keep the plan that a run has made: first the document, then that there is one."""
        self._bucket.put_once(plan_key(plan.hash), plan.model_dump_json(indent=1).encode(), "application/json")
        self._dynamodb.put_item(TableName=self._table, Item={**_key(run, time), "hash": {"S": plan.hash}})


def registered(dynamodb: "DynamoDBClient", table: str) -> Iterator[Entry]:
    """Yield the plans of the register, the latest first; for people (dynamodb:Query)."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        KeyConditionExpression="#plan = :runs",
        ExpressionAttributeNames={"#plan": "plan"},
        ExpressionAttributeValues={":runs": {"S": _RUNS}},
        ScanIndexForward=False,
    )
    for page in pages:
        for item in page["Items"]:
            time, _, run = item["entry"]["S"].partition("#")
            yield Entry(run, datetime.fromisoformat(time), item["hash"]["S"])


def plans_like(s3: "S3Client", bucket: str, digits: str) -> list[str]:
    """Return the hashes of plans and of simulations of locks that begin with digits; for people (s3:ListBucket)."""
    lake = Bucket(s3, bucket)
    starts = (plan_key(digits).removesuffix(".json"), simulation_key(digits).removesuffix("/simulation.json"))
    found = {key.removeprefix(start.removesuffix(digits))[:_DIGITS] for start in starts for key, _ in lake.keys(start)}
    return sorted(found)


def _key(run: str, time: datetime) -> dict[str, Any]:
    return {"plan": {"S": _RUNS}, "entry": {"S": f"{time.isoformat()}#{run}"}}
