"""What an outage costs that is longer than RDS keeps files: said once, and never where nothing is lost."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from tests.support.rds_collecting import Collecting, collecting, database, pg_lines, slow_events

HOUR = timedelta(hours=1)


@pytest.fixture
def run() -> Iterator[Collecting]:
    with collecting() as made:
        yield made


def test_hours_that_came_and_went_while_nobody_looked_are_a_gap_that_is_declared_once(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 20))
    run.run()
    run.world.advance(5 * 24 * HOUR)
    logs["stderr"].write(pg_lines(20, 20))
    now = run.world.now()
    run.run(3)
    # Files of three days are there, of those that closed before are none.
    oldest = now.replace(minute=0, second=0) - 72 * HOUR
    expected = [("2026-11-21T07:00:00+00:00", oldest.isoformat(), "never_listed")]
    assert run.missed(instance.resource_id) == expected
    run.check(instance)


def test_discovery_killed_between_any_two_effects_declares_the_same_gap(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 20))
    run.run()
    run.world.advance(5 * 24 * HOUR)
    logs["stderr"].write(pg_lines(20, 20))
    found = set()
    effects = 0
    while not run.discover(kill_after=effects):
        found |= set(run.missed(instance.resource_id))
        # The files that are listed are fewer by now: what a pass that died has seen and noted is no gap.
        run.drain()
        effects += 1
    assert effects > 4
    assert len(found | set(run.missed(instance.resource_id))) == 1


def test_days_that_a_serverless_instance_slept_through_are_no_gap(run: Collecting) -> None:
    instance, logs = database(run, "aurora-postgresql", "stderr")
    logs["stderr"].write(pg_lines(0, 20))
    run.run(2)
    run.server.control.pause("orders-1")
    for _ in range(10):
        run.run(1, 3600 * 12)
    # The server is down: there are no files of these days. What it writes first begins another.
    now = run.world.now()
    for log in instance.logs:
        for name in [name for name in log.files if name != log.name]:
            log.purge(name, now)
    run.server.control.resume("orders-1")
    run.run(2)
    for first, until, _ in run.missed(instance.resource_id):
        assert datetime.fromisoformat(until) - datetime.fromisoformat(first) <= 12 * HOUR


def test_hours_of_mysql_are_said_to_be_lost_only_perhaps(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow")
    logs["slow"].write(slow_events(0, 20))
    run.run()
    run.world.advance(3 * 24 * HOUR)
    logs["slow"].write(slow_events(20, 20))
    run.run(2)
    [(first, _, reason)] = run.missed(instance.resource_id)
    assert (first, reason) == ("2026-11-21T07:00:00+00:00", "maybe_never_listed")


def test_look_an_hour_late_declares_nothing(run: Collecting) -> None:
    instances = [database(run, "postgres", "stderr", name="a"), database(run, "mysql", "slow", name="b")]
    for number in range(4):
        instances[0][1]["stderr"].write(pg_lines(20 * number, 20))
        instances[1][1]["slow"].write(slow_events(20 * number, 20))
        run.run(1, 3600 * 5)
    assert [run.missed(instance.resource_id) for instance, _ in instances] == [[], []]
