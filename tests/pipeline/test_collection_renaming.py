"""Around a renaming: RDS is late, servers still write to the renamed file, files are gone before their turn."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from database_logs.collection.ledger import Gap
from local.rds.model.instances import Instance
from local.rds.model.logs import HourlyLog, Log, RunningErrorLog
from tests.support.rds_collecting import Collecting, audit_lines, collecting, database, slow_events

LIVE = "slowquery/mysql-slowquery.log"


@pytest.fixture
def run() -> Iterator[Collecting]:
    with collecting() as made:
        yield made


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let RDS rename nothing until this is undone."""
    monkeypatch.setattr(HourlyLog, "tick", Log.tick)
    return monkeypatch


def _gaps(run: Collecting, instance: Instance) -> list[Gap]:
    return [gap for one in run.identities(instance.resource_id) for gap in run.ledger(instance.resource_id, one)[1]]


def test_what_is_written_to_a_file_between_its_renaming_and_the_flush_is_stored(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow")
    logs["slow"].write(slow_events(0, 20))
    run.world.advance(timedelta(minutes=32))
    run.run(2)
    [log] = instance.logs
    [renamed] = [file for name, file in log.files.items() if name != LIVE]
    # It was finished, and grows: its bytes end further on in what the server writes, and the live file's begin there.
    late_events = slow_events(900, 2)
    end = renamed.runs[-1].end
    assert end is not None
    logs["slow"].write(late_events)
    renamed.runs[-1].end = log.live.runs[0].start = end + len(late_events)
    renamed.observe(run.world.now())
    run.run(3, 400)
    run.check(instance)
    assert any(
        run.content(instance.resource_id, one).endswith(late_events) for one in run.identities(instance.resource_id)
    )


def test_file_that_is_renamed_seconds_late_is_stored_once(run: Collecting, late: pytest.MonkeyPatch) -> None:
    instance, logs = database(run, "mysql", "slow")
    logs["slow"].write(slow_events(0, 20))
    run.run()
    run.world.advance(timedelta(minutes=25, seconds=5))
    logs["slow"].write(slow_events(20, 3))
    run.run(1, 15)
    instance.logs[0].rotate(run.world.now().replace(second=0))
    late.undo()
    logs["slow"].write(slow_events(30, 5))
    run.run(2)
    run.run(2, 3600)
    run.check(instance)
    assert _gaps(run, instance) == []


def test_file_without_its_new_name_yet_is_not_taken_for_purged(run: Collecting, late: pytest.MonkeyPatch) -> None:
    instance, logs = database(run, "mysql", "slow")
    logs["slow"].write(slow_events(0, 20))
    run.run(1, 60)
    run.world.advance(timedelta(minutes=28))
    logs["slow"].write(slow_events(20, 3))
    run.discover()
    run.world.advance(timedelta(minutes=1, seconds=1))
    run.drain()
    assert _gaps(run, instance) == []
    instance.logs[0].rotate(run.world.now().replace(second=0))
    late.undo()
    run.run(3)
    run.check(instance)
    assert _gaps(run, instance) == []


def test_numbered_file_that_is_gone_before_anybody_read_it_is_a_gap_once(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "audit")
    logs["audit"].write(audit_lines(0, 100))
    run.discover()
    run.messages()
    run.server.control.delete("orders-1")
    run.run(3)
    assert run.discover()["queued"] == 0
    [gap] = _gaps(run, instance)
    assert (gap.start, gap.reason) == (0, "deleted")


def _overtaken(run: Collecting) -> Instance:
    """Return an instance of which a listed file is overtaken by twelve more before anybody has read it."""
    instance, logs = database(run, "mysql", "audit")
    logs["audit"].write(audit_lines(0, 300))
    run.discover()
    run.messages()
    for number in range(12):
        logs["audit"].write(audit_lines(1000 + 100 * number, 100))
        run.server.control.rotate("orders-1", "audit/server_audit.log")
    run.world.advance(timedelta(minutes=6))
    return instance


def test_numbered_file_that_is_overtaken_before_anybody_read_it_is_a_gap_once(run: Collecting) -> None:
    instance = _overtaken(run)
    run.run(4)
    assert run.discover()["queued"] == 0
    assert [(gap.start, gap.reason) for gap in _gaps(run, instance)] == [(0, "purged")]


@pytest.mark.parametrize("effects", range(6, 10))
def test_overtaken_file_is_a_gap_once_wherever_the_pass_that_saw_it_is_killed(run: Collecting, effects: int) -> None:
    instance = _overtaken(run)
    assert not run.discover(kill_after=effects)
    run.run(4)
    assert [(gap.start, gap.reason) for gap in _gaps(run, instance)] == [(0, "purged")]


def _errors(first: int, number: int) -> bytes:
    return b"".join(
        b"2026-11-21T06:%02d:00.000000Z %d [Warning] [MY-010055] [Server] of the server\n" % (n % 60, n)
        for n in range(first, first + number)
    )


def test_errors_that_were_collected_before_there_was_a_running_log_are_not_stored_twice(
    run: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, logs = database(run, "mysql", "error")
    [log] = instance.logs
    monkeypatch.setattr(RunningErrorLog, "_append", lambda *_: None)
    running = log.files.pop(log.name)
    logs["error"].write(_errors(0, 900))
    run.run(4)
    [fresh] = run.identities(instance.resource_id)
    assert len(run.ledger(instance.resource_id, fresh)[0]) > 1
    logs["error"].write(_errors(900, 20))
    monkeypatch.undo()
    log.files[log.name] = running
    run.wait(300)
    effects = 0
    run.discover()
    messages = run.messages()
    while run.collect(messages, effects):
        effects += 1
    assert effects > 4
    run.reaper.arm(None)
    run.run(3, 3600)
    identities = [one for one in run.identities(instance.resource_id) if one != fresh]
    assert b"".join(run.content(instance.resource_id, one) for one in identities) == _errors(0, 920)
    keys = {stored.key for one in [fresh, *identities] for stored in run.ledger(instance.resource_id, one)[0]}
    lines = [line for key in keys for line in run.segment(key).splitlines(keepends=True)]
    assert sorted(lines) == sorted(_errors(0, 920).splitlines(keepends=True))
    assert _gaps(run, instance) == []
