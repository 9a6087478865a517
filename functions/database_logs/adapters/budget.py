"""The calls that an account answers in a region, shared by all functions: a token bucket in DynamoDB.

Functions take a few tokens at a time. The rate halves where RDS throttles, since others use the account too, and grows
again while it does not.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import ClientError

from database_logs.errors import ApiThrottled

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LEASE: Final = 5  # tokens
_BURST_SECONDS: Final = 1.0
_SLOWER: Final = 0.5
_FASTER: Final = 0.25  # calls a second, for each second without a throttle
_LEAST: Final = 0.5  # calls a second
_CONFLICTS: Final = 20


@dataclass(frozen=True)
class Bucket:
    """State of a bucket.

    Attributes:
        version: Raised with each change.
        tokens: At that time; below nothing, they are taken from the time to come.
        at: Seconds since 1970.
        rate: Tokens a second.
    """

    version: int
    tokens: float
    at: float
    rate: float

    def take(self, now: float, number: int, ceiling: float) -> "Bucket":
        """Return the bucket without these tokens."""
        elapsed = max(now - self.at, 0.0)
        tokens = min(self.rate * _BURST_SECONDS, self.tokens + elapsed * self.rate)
        rate = min(ceiling, self.rate + elapsed * _FASTER)
        return Bucket(self.version + 1, tokens - number, max(now, self.at), rate)

    def slower(self) -> "Bucket":
        """Return the bucket after a throttle: half as fast, and empty."""
        return Bucket(self.version + 1, min(self.tokens, 0.0), self.at, max(_LEAST, self.rate * _SLOWER))


class Budget:
    """The share of one process; threads of it may take at once.

    Args:
        dynamodb: The client.
        table: The table `tracking`, where the bucket is the item `budget` of the estate.
        estate: Account and region.
        ceiling: Most tokens a second.
        now: The time.
        sleep: Waits for seconds.
        longest: Seconds that are waited for a token at most.
    """

    IAM: ClassVar = frozenset({"dynamodb:PutItem"})

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        table: str,
        estate: str,
        *,
        ceiling: float,
        now: Callable[[], datetime],
        sleep: Callable[[float], None] = time.sleep,
        longest: float = 60.0,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._key: Any = {"resource": {"S": f"estate#{estate}"}, "item": {"S": "budget"}}
        self._ceiling = ceiling
        self._now = now
        self._sleep = sleep
        self._longest = longest
        self._lock = Lock()
        self._held = 0
        self._known: Bucket | None = None
        self.throttled = 0

    def spend(self) -> None:
        """Take a token for one call, waiting for it if need be.

        Raises:
            ApiThrottled: None will come soon enough.
        """
        with self._lock:
            if not self._held:
                bucket = self._change(lambda known, now: known.take(now, _LEASE, self._ceiling))
                wait = -bucket.tokens / bucket.rate
                if wait > self._longest:
                    raise ApiThrottled(
                        f"The budget of {self._key['resource']['S']} is spent for {wait:.0f} seconds. Others ask too "
                        "often, or the rate of the fleet is too low."
                    )
                self._held = _LEASE
                if wait > 0:
                    self._sleep(wait)
            self._held -= 1

    def throttle(self, attempt: int) -> None:
        """Note that RDS throttled, and wait, by exponential backoff with full jitter."""
        with self._lock:
            self.throttled += 1
            self._held = 0
            bucket = self._change(lambda known, _: known.slower())
        self._sleep(random.uniform(0, min(20.0, 2.0**attempt / bucket.rate)))  # noqa: S311 - jitter

    def _change(self, change: Callable[[Bucket, float], Bucket]) -> Bucket:
        for _ in range(_CONFLICTS):
            now = self._now().timestamp()
            known = self._known or Bucket(0, self._ceiling * _BURST_SECONDS, now, self._ceiling)
            changed = change(known, now)
            try:
                self._put(changed, known.version)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                    raise
                self._known = _bucket(error.response["Item"])  # type: ignore[typeddict-item]
                continue
            self._known = changed
            return changed
        raise ApiThrottled(f"The budget of {self._key['resource']['S']} is changed by too many at once.")

    def _put(self, bucket: Bucket, before: int) -> None:
        self._dynamodb.put_item(
            TableName=self._table,
            Item={
                **self._key,
                "version": {"N": str(bucket.version)},
                "tokens": {"N": f"{bucket.tokens:.6f}"},
                "at": {"N": f"{bucket.at:.3f}"},
                "rate": {"N": f"{bucket.rate:.6f}"},
            },
            ConditionExpression="attribute_not_exists(version) OR version = :before",
            ExpressionAttributeValues={":before": {"N": str(before)}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )


def _bucket(item: Any) -> Bucket:
    return Bucket(
        int(item["version"]["N"]), float(item["tokens"]["N"]), float(item["at"]["N"]), float(item["rate"]["N"])
    )
