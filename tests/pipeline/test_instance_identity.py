"""Lines of one instance never get into the segments of another that bears its name by now."""

from collections.abc import Iterator

import pytest

from local.endpoints import ACCOUNT, REGION
from local.rds.model.instances import Instance
from tests.support.rds_collecting import Collecting, collecting, database, pg_lines


@pytest.fixture
def run() -> Iterator[Collecting]:
    with collecting() as made:
        yield made


def _swap(run: Collecting, one: Instance, other: Instance) -> None:
    """Exchange the names of two instances, as a blue/green switchover does within a minute."""
    instances = run.world.estate(ACCOUNT, REGION).instances
    one.identifier, other.identifier = other.identifier, one.identifier
    instances.update({instance.identifier: instance for instance in (one, other)})


def _check_owner(run: Collecting, *instances: Instance) -> None:
    """Hold every segment that there ever was, of any incarnation, against what its instance wrote."""
    for instance in instances:
        written = b"".join(run.truth(instance).values())
        for identity in run.identities(instance.resource_id):
            for stored in run.ledger(instance.resource_id, identity)[0]:
                assert run.segment(stored.key) in written


@pytest.mark.parametrize("before", [0, 20, 400])
def test_names_that_are_exchanged_between_discovery_and_collection_mix_nothing(run: Collecting, before: int) -> None:
    blue, blue_logs = database(run, "postgres", "stderr", name="orders")
    green, green_logs = database(run, "postgres", "stderr", name="orders-green")
    if before:
        blue_logs["stderr"].write(pg_lines(0, before))
        green_logs["stderr"].write(pg_lines(10_000, before // 2))
        run.run()
    blue_logs["stderr"].write(pg_lines(before, 300))
    green_logs["stderr"].write(pg_lines(20_000, 500))
    assert run.discover()["queued"] == 2
    _swap(run, blue, green)
    run.drain()
    run.run(5)
    run.check(blue, green)
    _check_owner(run, blue, green)
    assert run.waiting == []
    for instance in (blue, green):
        assert not any(run.ledger(instance.resource_id, name)[1] for name in run.identities(instance.resource_id))


@pytest.mark.parametrize("before", [0, 60])
def test_instance_made_anew_under_a_name_gives_nothing_to_the_one_before(run: Collecting, before: int) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, before))
    if before:
        run.run()
    logs["stderr"].write(pg_lines(before, 300))
    assert run.discover()["queued"] == 1
    run.server.control.recreate("orders-1")
    logs["stderr"].write(pg_lines(30_000, 600))
    run.drain()
    run.run(5)
    again = run.world.estate(ACCOUNT, REGION).instance("orders-1")
    assert again.resource_id != instance.resource_id
    run.check(again)
    _check_owner(run, instance, again)
    [identity] = run.identities(instance.resource_id)
    assert [gap.reason for gap in run.ledger(instance.resource_id, identity)[1]] == ["deleted"]


def test_collectors_ask_for_instances_that_discovery_knows_only_to_confirm_whose_bytes_they_are(
    run: Collecting,
) -> None:
    _, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 200))
    run.run(2)
    for number in range(3):
        logs["stderr"].write(pg_lines(200 + number * 20, 20))
        before = run.world.estate(ACCOUNT, REGION).calls["DescribeDBInstances"]
        run.discover()
        listed = run.world.estate(ACCOUNT, REGION).calls["DescribeDBInstances"]
        run.drain()
        assert listed - before <= 1
        assert run.world.estate(ACCOUNT, REGION).calls["DescribeDBInstances"] == listed
        run.wait(300)
