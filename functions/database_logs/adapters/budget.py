"""The calls that an account answers in a region, shared by all functions: a token bucket in DynamoDB.

Functions take a few tokens at a time. The rate halves where RDS throttles, since others use the account too, and grows
again while it does not.
"""

import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from botocore.exceptions import ClientError

from database_logs.errors import ApiThrottled, ApiUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_BURST_SECONDS: Final = 1.0
_SLOWER: Final = 0.5
_FASTER: Final = 0.25  # calls a second, for each second without a throttle
_LEAST: Final = 0.5  # calls a second
_LONGEST_PAUSE: Final = 20.0  # seconds
_CONFLICTS: Final = 20
_ATTEMPTS: Final = 5  # at a call
# A pass over the fleet that asks for half a minute as often as it may is no full budget.
_FADING_SECONDS: Final = 120.0
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Bucket:
    """State of a bucket.

    Attributes:
        version: Raised with each change.
        tokens: At that time; below nothing, they are taken from the time to come.
        at: Seconds since 1970.
        rate: Tokens a second.
        used: Tokens a second that were taken, on an average that fades within minutes.
    """

    version: int
    tokens: float
    at: float
    rate: float
    used: float = 0.0

    @property
    def wait(self) -> float:
        """Seconds until the tokens are there that were taken."""
        return max(-self.tokens / self.rate, 0.0)

    def take(self, now: float, number: int, ceiling: float) -> "Bucket":
        """Return the bucket without these tokens."""
        elapsed = max(now - self.at, 0.0)
        tokens = min(self.rate * _BURST_SECONDS, self.tokens + elapsed * self.rate)
        rate = min(ceiling, self.rate + elapsed * _FASTER)
        used = self.used * math.exp(-elapsed / _FADING_SECONDS) + number / _FADING_SECONDS
        return Bucket(self.version + 1, tokens - number, max(now, self.at), rate, used)

    def slower(self) -> "Bucket":
        """Return the bucket after a throttle: half as fast, and empty."""
        return Bucket(self.version + 1, min(self.tokens, 0.0), self.at, max(_LEAST, self.rate * _SLOWER), self.used)


class Budget:
    """The share of one process; threads of it may take at once.

    Args:
        dynamodb: The client.
        table: The table `tracking`, where the bucket is the item `budget` of the estate.
        estate: Account and region.
        ceiling: Most tokens a second.
        now: The time.
        lease: Tokens that are taken at once. What the process does not use of them is lost to all.
        sleep: Waits for seconds.
        longest: Seconds that are waited for a token at most.

    Attributes:
        spent: Calls that were paid for.
        throttled: Of them, those that RDS refused for their rate.
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
        lease: int = 5,
        sleep: Callable[[float], None] = time.sleep,
        longest: float = 60.0,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._key: Any = {"resource": {"S": f"estate#{estate}"}, "item": {"S": "budget"}}
        self._ceiling = ceiling
        self._now = now
        self._tokens = lease
        self._sleep = sleep
        self._longest = longest
        self._lock = Lock()
        self._held = 0
        self._known: Bucket | None = None
        self.spent = 0
        self.throttled = 0

    @property
    def share(self) -> float:
        """Which part of the calls that are answered all functions used lately; 0 if this one asked nothing."""
        return self._known.used / self._known.rate if self._known else 0.0

    def pay(self, call: Callable[[], Answer]) -> Answer:
        """Make a call, and again, after a while, where RDS throttles it or is not there; each attempt costs a token.

        Raises:
            ApiThrottled: The account answers no more calls for now.
            ApiUnavailable: Five times.
        """
        for attempt in range(_ATTEMPTS):
            self.spend()
            try:
                return call()
            except (ApiThrottled, ApiUnavailable) as error:
                # A passing fault says nothing of the rate.
                rate = self._slow_down() if isinstance(error, ApiThrottled) else 1.0
                if attempt == _ATTEMPTS - 1:
                    raise
            # Exponential backoff with full jitter.
            self._sleep(random.uniform(0, min(_LONGEST_PAUSE, 2.0**attempt / rate)))  # noqa: S311 - jitter
        raise AssertionError("unreachable: the loop returns or raises")

    def spend(self) -> None:
        """Take a token for one call, waiting for it if need be.

        Raises:
            ApiThrottled: None will come soon enough.
        """
        with self._lock:
            if not self._held:
                wait = self._change(self._lease).wait
                self._held = self._tokens
                if wait:
                    self._sleep(wait)
            self._held -= 1
            self.spent += 1

    def _lease(self, known: Bucket, now: float) -> Bucket:
        bucket = known.take(now, self._tokens, self._ceiling)
        if bucket.wait > self._longest:
            # Before it is written: tokens of calls that nobody makes would keep others waiting for ever.
            raise ApiThrottled(
                f"The budget of {self._key['resource']['S']} is spent for {bucket.wait:.0f} seconds. Others ask too "
                "often, or the rate of the fleet is too low."
            )
        return bucket

    def _slow_down(self) -> float:
        """Note that RDS throttled, and return the rate from then on."""
        with self._lock:
            self.throttled += 1
            self._held = 0
            return self._change(lambda known, _: known.slower()).rate

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
                "used": {"N": f"{bucket.used:.6f}"},
            },
            ConditionExpression="attribute_not_exists(version) OR version = :before",
            ExpressionAttributeValues={":before": {"N": str(before)}},
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )


def _bucket(item: Any) -> Bucket:
    # While a deployment goes on, functions of the version before write items without `used`.
    item = {"used": {"N": "0"}, **item}
    return Bucket(int(item["version"]["N"]), *(float(item[name]["N"]) for name in ("tokens", "at", "rate", "used")))
