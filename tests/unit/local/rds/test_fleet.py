"""The fleet: 316 instances with logs in two accounts, most idle, the same for the same seed."""

from collections import Counter
from datetime import timedelta

import pytest

from local.endpoints import client
from local.rds.fleet import PLACES, populate
from local.rds.model.instances import Instance
from local.rds.model.world import World
from local.rds.process import RdsNotStarted, RdsProcess
from local.rds.server import RdsServer
from tests.support.rds import START

NOT_RDS = {"neptune", "docdb"}


def fleet(seed: int = 1) -> tuple[World, list[Instance]]:
    world = World(START)
    populate(world, seed)
    return world, [instance for estate in world.estates.values() for instance in estate.instances.values()]


def test_seven_engines_and_what_is_no_rds() -> None:
    _, instances = fleet()
    engines = Counter(instance.engine for instance in instances)
    assert sum(number for engine, number in engines.items() if engine not in NOT_RDS) == 316
    assert len(engines) == 9
    assert all(bool(instance.logs) == (instance.engine not in NOT_RDS) for instance in instances)


def test_clusters_have_a_writer_and_a_reader_and_some_sleep() -> None:
    world, instances = fleet()
    clusters = [cluster for estate in world.estates.values() for cluster in estate.clusters.values()]
    assert len(clusters) == 80
    assert all(len(cluster.members) == 2 and cluster.writer in cluster.members for cluster in clusters)
    assert sum(instance.paused for instance in instances) == 12
    assert {cluster.pauses for cluster in clusters if cluster.members[0] == "aurora-mysql-39-1"} == {True}


def test_most_are_idle_for_hours() -> None:
    world, instances = fleet()
    world.advance(timedelta(hours=1))
    written = [sum(log.source.length(world.now()) for log in instance.logs) for instance in instances]
    assert sum(size < 20_000 for size in written) > 230
    assert sum(size > 500_000 for size in written) > 5


def test_instances_that_sleep_write_nothing() -> None:
    world, instances = fleet()
    world.advance(timedelta(hours=1))
    asleep = [log for instance in instances if instance.paused for log in instance.logs]
    assert asleep
    assert not any(log.source.length(world.now()) for log in asleep)


def test_same_seed_is_the_same_fleet() -> None:
    def known(seed: int) -> list[object]:
        _, instances = fleet(seed)
        return [
            (one.resource_id, one.tags, [log.source.length(START + timedelta(minutes=9)) for log in one.logs])
            for one in instances
        ]

    assert known(1) == known(1)
    assert known(1) != known(2)


def test_both_accounts_are_discovered_in_pages() -> None:
    world, _ = fleet()
    with RdsServer(world) as server:
        found = 0
        for account, region in PLACES:
            rds = client("rds", server.endpoint, account=account, region=region)
            pages = list(rds.get_paginator("describe_db_instances").paginate())
            assert len(pages) == 2
            found += sum(len(page["DBInstances"]) for page in pages)
    assert found == 322


def test_process_serves_and_obeys_until_it_is_stopped() -> None:
    with RdsProcess(["--start", "2026-11-21T06:30", "--seed", "3"]) as process:
        process.await_fleet()
        rds = client("rds", process.endpoint)
        assert len(rds.describe_db_instances(MaxRecords=20)["DBInstances"]) == 20
        assert process.command("advance", seconds=60) == "2026-11-21T06:31:00Z"
        assert process.command("calls") == {"throttled": 0, "DescribeDBInstances": 1}
    assert process.stop() == 0
    with pytest.raises(OSError, match="refused"):
        process.command("now")


def test_process_that_does_not_come_up_says_so(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RdsNotStarted, match="did not come up"):
        RdsProcess(["--real", "oracle"])
    assert "invalid choice" in capfd.readouterr().err
