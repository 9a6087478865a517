"""What a pass over the fleet makes of what RDS announces."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from database_logs.adapters.instance_facts import InstanceFacts
from database_logs.adapters.turns import Turns
from database_logs.handlers import discover_logs
from kernel import aws
from local.endpoints import ACCOUNT, REGION
from local.rds.model.estates import resource_id
from local.rds.model.instances import Cluster
from tests.support.context import Context
from tests.support.metrics import emitted
from tests.support.rds_collecting import METADATA, Collecting, collecting, database, pg_lines


@pytest.fixture
def run() -> Iterator[Collecting]:
    with collecting() as made:
        yield made


class Passes:
    """Calls discover_logs, and reads what it measured."""

    def __init__(self, run: Collecting, capsys: pytest.CaptureFixture[str]) -> None:
        self._run = run
        self._capsys = capsys

    def __call__(self, seconds: float = 300) -> dict[str, Any]:
        self._capsys.readouterr()
        result: dict[str, Any] = discover_logs.handler({}, Context())
        self._run.world.advance(timedelta(seconds=seconds))
        return result | emitted(self._capsys.readouterr().out)


@pytest.fixture
def look(run: Collecting, capsys: pytest.CaptureFixture[str]) -> Passes:
    return Passes(run, capsys)


def test_idle_instance_is_looked_at_in_the_pass_that_hears_of_its_restart(run: Collecting, look: Passes) -> None:
    database(run, "postgres", "stderr")
    assert [look()["looked_at"] for _ in range(4)] == [1, 1, 0, 1]
    run.server.control.reboot("orders-1")
    heard = look()
    assert (heard["looked_at"], heard["RestartsAnnounced"]) == (1, 1)
    assert [look()["RestartsAnnounced"] for _ in range(3)] == [0, 0, 0]


def test_failover_of_a_cluster_is_counted_once_and_its_members_are_looked_at(run: Collecting, look: Passes) -> None:
    for name in ("shop-1", "shop-2"):
        database(run, "aurora-postgresql", "stderr", name=name)[0].cluster = "shop"
    run.world.estate(ACCOUNT, REGION).clusters["shop"] = Cluster(
        "shop", resource_id("cluster", "shop"), "aurora-postgresql", "16.6", ["shop-1", "shop-2"], "shop-1"
    )
    for _ in range(2):
        look()
    assert look(60)["looked_at"] == 0
    run.server.control.failover("shop")
    heard = look()
    assert (heard["looked_at"], heard["FailoversAnnounced"], heard["RestartsAnnounced"]) == (2, 1, 2)
    facts = InstanceFacts(aws.dynamodb(), METADATA, run.world.now).of(f"{ACCOUNT}/{REGION}")
    assert {one.instance.instance_id: one.instance.role for one in facts.values()} == {
        "shop-1": "reader",
        "shop-2": "writer",
    }


def test_pass_that_dies_is_followed_by_one_that_hears_the_same(
    run: Collecting, look: Passes, monkeypatch: pytest.MonkeyPatch
) -> None:
    database(run, "postgres", "stderr")
    look()
    run.server.control.reboot("orders-1")
    with monkeypatch.context() as dying:
        dying.setattr(Turns, "hear", Mock(side_effect=MemoryError))
        with pytest.raises(MemoryError):
            look()
    assert look()["RestartsAnnounced"] == 1


def test_files_of_an_instance_without_storage_are_at_risk_at_once(run: Collecting, look: Passes) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 10))
    assert look()["TimeToLoss"] > 86_400
    run.world.estate(ACCOUNT, REGION).fill(instance.identifier, run.world.now())
    for _ in range(3):
        assert look()["TimeToLoss"] <= 3600


def test_new_instance_is_found_by_its_announcement_although_an_older_list_is_kept(
    run: Collecting, look: Passes
) -> None:
    database(run, "postgres", "stderr")
    look(60)
    run.server.control.recreate("orders-1")
    again = run.world.estate(ACCOUNT, REGION).instance("orders-1")
    look()
    facts = InstanceFacts(aws.dynamodb(), METADATA, run.world.now).of(f"{ACCOUNT}/{REGION}")
    assert facts.keys() == {again.resource_id}


def test_facts_are_written_when_they_change_and_not_at_each_look(run: Collecting, look: Passes) -> None:
    instance, logs = database(run, "postgres", "stderr")
    instance.parameters = {"log_line_prefix": "%m [%p] "}
    instance.tags = {"team": "shop"}
    written: list[Any] = []

    def count(params: dict[str, Any], **_: Any) -> None:
        if METADATA in str(params["body"]) and "estate#" in str(params["body"]):
            written.append(params)

    with run.watching("PutItem", count):
        for _ in range(4):
            logs["stderr"].write(pg_lines(0, 10))
            look()
    # What the instance is, and then how it writes its logs.
    assert len(written) == 2
    facts = InstanceFacts(aws.dynamodb(), METADATA, run.world.now).get(f"{ACCOUNT}/{REGION}", instance.resource_id)
    assert facts is not None
    assert facts.formats is not None
    assert (facts.formats.prefix, facts.instance.tags) == ("%m [%p] ", {"team": "shop"})
    run.world.advance(timedelta(days=7))
    known = InstanceFacts(aws.dynamodb(), METADATA, run.world.now)
    assert known.get(f"{ACCOUNT}/{REGION}", instance.resource_id) is None
    assert known.of(f"{ACCOUNT}/{REGION}") == {}
