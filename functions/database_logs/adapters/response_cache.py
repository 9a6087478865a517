"""What all functions share of RDS' answers: items of DynamoDB, or keys of Valkey where there is one."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import BotoCoreError, ClientError

from database_logs.errors import CacheUnavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from valkey import Valkey

# An item may have 400 KB, with its names and keys.
_PART_BYTES: Final = 350_000
# Seconds: RDS itself answers within a tenth of one.
_PATIENCE: Final = 0.5
_PREFIX: Final = "gatehouse/database_logs/"


class DynamoDbCache:
    """Items of the table `instance-metadata`: `response#<key>`, `head`, and what does not fit there in parts.

    The head is put after its parts, and names them by the hash of the value: who reads meanwhile has the value before,
    or nothing.
    """

    IAM: ClassVar = frozenset({"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"})

    def __init__(self, dynamodb: "DynamoDBClient", table: str, now: Callable[[], datetime]) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._now = now

    def get(self, key: str) -> bytes | None:
        """Return what is under a key."""
        with _answering((BotoCoreError, ClientError)):
            head: Any = self._dynamodb.get_item(TableName=self._table, Key=_item(key, "head")).get("Item")
            if head is None or "value" in head:
                return None if head is None else bytes(head["value"]["B"])
            digest = head["digest"]["S"]
            value = b"".join(self._parts(key, digest))
        return value if _digest(value) == digest else None

    def put(self, key: str, value: bytes, keep: timedelta) -> None:
        """Keep a value."""
        expires = {"expires_at": {"N": str(int((self._now() + keep).timestamp()))}}
        with _answering((BotoCoreError, ClientError)):
            if len(value) <= _PART_BYTES:
                self._put({**_item(key, "head"), **expires, "value": {"B": value}})
                return
            digest = _digest(value)
            for number, start in enumerate(range(0, len(value), _PART_BYTES)):
                part = value[start : start + _PART_BYTES]
                self._put({**_item(key, f"part#{digest}#{number:03}"), **expires, "value": {"B": part}})
            self._put({**_item(key, "head"), **expires, "digest": {"S": digest}})

    def _put(self, item: Any) -> None:
        self._dynamodb.put_item(TableName=self._table, Item=item)

    def _parts(self, key: str, digest: str) -> Iterator[bytes]:
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="#resource = :resource AND begins_with(#item, :prefix)",
            ExpressionAttributeNames={"#resource": "resource", "#item": "item"},
            ExpressionAttributeValues={
                ":resource": _item(key, "")["resource"],
                ":prefix": {"S": f"part#{digest}#"},
            },
        )
        for page in pages:
            for item in page["Items"]:
                yield bytes(item["value"]["B"])


class ValkeyCache:
    """Keys of a Valkey, which forgets them by itself."""

    IAM: ClassVar = frozenset[str]()

    def __init__(self, client: "Valkey") -> None:
        self._client = client

    def get(self, key: str) -> bytes | None:
        """Return what is under a key."""
        with _answering(_valkey_errors()):
            value: Any = self._client.get(_PREFIX + key)
        return value if value is None else bytes(value)

    def put(self, key: str, value: bytes, keep: timedelta) -> None:
        """Keep a value."""
        with _answering(_valkey_errors()):
            self._client.set(_PREFIX + key, value, px=keep)


@cache
def valkey(url: str) -> "Valkey":
    """Return the client of a Valkey: one a process, which waits half a second at most and asks once."""
    # It takes a tenth of a second to import, and most installations have none.
    from valkey import Valkey  # noqa: PLC0415
    from valkey.backoff import NoBackoff  # noqa: PLC0415
    from valkey.retry import Retry  # noqa: PLC0415

    client: Valkey = Valkey.from_url(
        url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=Retry(NoBackoff(), 0)
    )
    return client


def _valkey_errors() -> tuple[type[Exception], ...]:
    from valkey.exceptions import ValkeyError  # noqa: PLC0415

    return (ValkeyError,)


@contextmanager
def _answering(errors: tuple[type[Exception], ...]) -> Iterator[None]:
    try:
        yield
    except errors as error:
        raise CacheUnavailable(f"The cache of RDS' answers does not answer: {error}") from error


def _digest(value: bytes) -> str:
    return sha256(value).hexdigest()


def _item(key: str, item: str) -> Any:
    return {"resource": {"S": f"response#{key}"}, "item": {"S": item}}
