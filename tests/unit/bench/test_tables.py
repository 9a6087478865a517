"""The tables in memory of the benchmarks against moto's, through the adapters that use them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from bench.tables import Tables
from database_logs.adapters.budget import Budget
from database_logs.adapters.response_cache import DynamoDbCache
from database_logs.adapters.turns import Turns
from database_logs.discovery.events import Heard
from database_logs.discovery.files import Known
from database_logs.discovery.instances import Instance
from database_logs.discovery.schedule import Turn
from kernel import metering

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
ESTATE = "000000000000/eu-central-1"


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        metering.count_requests_of(client.meta.events)
        client.create_table(
            TableName="tracking",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("resource", "item")],
            KeySchema=[{"AttributeName": "resource", "KeyType": "HASH"}, {"AttributeName": "item", "KeyType": "RANGE"}],
        )
        yield client


def _instance(number: int) -> Instance:
    return Instance(
        dbi_resource_id=f"db-{number}",
        instance_id=f"orders-{number}",
        engine="postgres",
        engine_version="17",
        instance_class="db.r7g.large",
        status="available",
        tags={},
    )


def _done(dynamodb: Any) -> list[Any]:
    """Do what a pass does, and return all that it reads."""
    turns, cache = Turns(dynamodb, "tracking"), DynamoDbCache(dynamodb, "tracking", lambda: NOW)
    budgets = [Budget(dynamodb, "tracking", ESTATE, ceiling=12, now=lambda: NOW, sleep=lambda _: None) for _ in (1, 2)]
    found: list[Any] = [turns.heard(ESTATE, "0/1"), cache.get("listing"), turns.of(ESTATE)]
    turns.hear(ESTATE, "0/1", Heard(until=NOW, recent=frozenset({"one"})))
    turns.set((ESTATE, _instance(number), Turn(timedelta(minutes=5), NOW)) for number in range(30))
    turns.note("db-1", [Known(f"log.{n}", n, NOW, None, settled=bool(n % 2), final=False) for n in range(30)])
    turns.drop("db-1", ["log.3", "log.3", "never"])
    turns.forget(ESTATE, _instance(7))
    cache.put("listing", b"rows", timedelta(minutes=1))
    cache.put("fleet", b"r" * 800_000, timedelta(minutes=5))
    for budget in (*budgets, *budgets):
        for _ in range(6):
            budget.spend()
    found += [turns.heard(ESTATE, "0/1"), turns.of(ESTATE), turns.remembered("db-1"), turns.remembered("db-2")]
    found += [turns.offsets("db-1", ["none"]), cache.get("listing"), cache.get("fleet")]
    return [*found, [budget.share for budget in budgets]]


def test_adapters_read_the_same_and_ask_as_often(dynamodb: Any) -> None:
    answers: list[None] = []
    tables, meter = Tables(lambda: answers.append(None)), metering.Meter(memory_mb=0)
    expected = _done(dynamodb)
    asked = meter.read().requests
    assert _done(tables) == expected
    assert dict(tables.requests) == asked
    assert len(answers) > len(asked)
