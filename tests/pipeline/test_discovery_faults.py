"""What a pass does where an instance, or its own time, fails: the others go on, and what is purged first goes first."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from database_logs.handlers import discover_logs
from local.rds.model.script import Effect, Rule
from tests.support.context import Context
from tests.support.metrics import emitted
from tests.support.rds_collecting import Collecting, collecting, database, pg_lines, slow_events

MINUTES = timedelta(minutes=1)


@pytest.fixture
def run() -> Iterator[Collecting]:
    with collecting() as made:
        yield made


class Hurried(Context):
    """A function whose time is up as soon as it has begun."""

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def _postgres(run: Collecting, *names: str) -> None:
    for name in names:
        _, logs = database(run, "postgres", "stderr", name=name)
        logs["stderr"].write(pg_lines(0, 3))


def _queued(run: Collecting) -> list[str]:
    """Return whose files were queued, in this order."""
    return [json.loads(message["body"])["file"]["instance_id"] for message in run.messages()]


def test_role_that_may_not_hear_events_still_has_its_files_looked_at(
    run: Collecting, capsys: pytest.CaptureFixture[str]
) -> None:
    _postgres(run, "orders-1")
    run.server.control.script([Rule(Effect.ACCESS_DENIED, action="DescribeEvents", times=None)])
    assert run.discover()["queued"] == 1
    assert emitted(capsys.readouterr().out)["InstancesRefused"] == 1


def test_events_that_cannot_be_had_now_hold_nothing_up_and_are_heard_later(
    run: Collecting, capsys: pytest.CaptureFixture[str]
) -> None:
    _postgres(run, "orders-1")
    run.run()
    run.server.control.reboot("orders-1")
    run.server.control.script([Rule(Effect.INTERNAL_FAILURE, action="DescribeEvents", times=None)])
    run.world.advance(timedelta(minutes=5))
    capsys.readouterr()
    assert run.discover()["looked_at"] == 1
    assert emitted(capsys.readouterr().out)["InstancesFailed"] == 1
    run.server.control.script([])
    run.world.advance(timedelta(minutes=5))
    run.discover()
    assert emitted(capsys.readouterr().out)["RestartsAnnounced"] == 1


@pytest.mark.parametrize(
    "rule",
    [
        Rule(Effect.INTERNAL_FAILURE, "DescribeDBLogFiles", "a", times=None),
        Rule(Effect.EXPIRED_TOKEN, "DescribeDBLogFiles", "a", times=None),
        Rule(Effect.RESET, "DescribeDBParameters", times=5),
    ],
    ids=["failure", "credentials", "parameters"],
)
def test_instance_that_errs_stops_no_other_and_is_asked_less_often(
    run: Collecting, capsys: pytest.CaptureFixture[str], rule: Rule
) -> None:
    _postgres(run, "a", "b", "c")
    run.server.control.script([rule])
    run.discover()
    assert emitted(capsys.readouterr().out)["InstancesFailed"] == 1
    assert sorted(_queued(run)) == ["b", "c"]
    run.server.control.script([])
    for waited in (["b", "c"], ["a", "b", "c"]):
        run.world.advance(5 * MINUTES)
        run.discover()
        assert sorted(_queued(run)) == waited


def test_estate_that_errs_stops_no_other(run: Collecting, capsys: pytest.CaptureFixture[str]) -> None:
    _postgres(run, "a")
    run.server.control.script([Rule(Effect.UNAVAILABLE, "DescribeDBInstances", times=None)])
    assert run.discover()["instances"] == 0
    assert emitted(capsys.readouterr().out)["InstancesFailed"] == 1


def test_what_is_purged_first_of_all_instances_is_queued_first(run: Collecting) -> None:
    # PostgreSQL's logs are kept for three days, MySQL's for one.
    _postgres(run, "a", "b")
    _, logs = database(run, "mysql", "slow", name="z")
    logs["slow"].write(slow_events(0, 3))
    run.discover()
    assert _queued(run)[0] == "z"


def test_pass_without_time_queues_what_it_has_and_leaves_the_others_to_the_next(run: Collecting) -> None:
    _postgres(run, "a", "b", "c")
    found = []
    for _ in range(3):
        assert discover_logs.handler({}, Hurried())["looked_at"] == 1
        found += _queued(run)
    assert sorted(found) == ["a", "b", "c"]
