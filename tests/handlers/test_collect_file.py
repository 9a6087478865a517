from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from database_logs.adapters import fleet
from database_logs.handlers import collect_file, discover_logs
from kernel import aws
from local.rds.model.script import Effect, Rule
from tests.support.context import Context
from tests.support.metrics import emitted
from tests.support.rds_collecting import SEGMENTS, Collecting, collecting, database, pg_line, pg_lines, slow_events


@pytest.fixture
def run() -> Iterator[Collecting]:
    with collecting() as made:
        yield made


def _call(messages: list[dict[str, Any]], context: Context) -> list[str]:
    answer = collect_file.handler({"Records": messages}, context)
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


class Hurried(Context):
    """A function whose time is up as soon as it has begun."""

    def get_remaining_time_in_millis(self) -> int:
        return 30_000


def test_message_that_fails_comes_again_alone(run: Collecting) -> None:
    _, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 10))
    discover_logs.handler({}, Context())
    [message] = run.messages()
    bad = message | {"messageId": "bad", "body": "{"}
    assert _call([bad, message], Context()) == ["bad"]
    assert _call([bad], Context()) == ["bad"]


def test_rest_of_a_task_without_enough_time_is_queued_at_once_and_goes_on(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 1200))
    discover_logs.handler({}, Context())
    offsets = []
    while messages := run.messages():
        assert _call(messages, Hurried()) == []
        [identity] = run.identities(instance.resource_id)
        offsets.append(int(run.ledger(instance.resource_id, identity)[2]["offset"]["N"]))
    # The last one finds that nothing is left.
    assert len(offsets) > 3
    assert offsets[:-1] == sorted(set(offsets))


def test_range_that_takes_longer_than_there_is_time_is_stored_in_parts(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr", portion_bytes=4096)
    logs["stderr"].write(pg_lines(0, 200))
    discover_logs.handler({}, Context())
    [message] = run.messages()
    assert _call([message], Hurried()) == []
    [identity] = run.identities(instance.resource_id)
    [stored] = run.ledger(instance.resource_id, identity)[0]
    assert 0 < stored.end < 4096
    run.run(4, 3600)
    run.check(instance)


@pytest.mark.parametrize("continued", [60, 150, 300])
def test_record_that_takes_longer_than_calls_have_time_gets_on_with_each_call(run: Collecting, continued: int) -> None:
    instance, logs = database(run, "postgres", "stderr", portion_bytes=4096)
    record = pg_line(0) + b"".join(b"\t%04d of one record %s\n" % (n, b"x" * 900) for n in range(continued))
    logs["stderr"].write(record + pg_lines(1, 5))
    discover_logs.handler({}, Context())
    reached = []
    while messages := run.messages():
        assert _call(messages, Hurried()) == []
        [identity] = run.identities(instance.resource_id)
        ranges, _, position = run.ledger(instance.resource_id, identity)
        if not ranges:
            reached.append(int(position["pulled"]["N"]))
    assert len(reached) > 9
    assert reached == sorted(set(reached))
    # Whole, if it is no longer than four segments.
    assert ranges[0].truncated == (len(record) > 4 * 65536)
    assert (ranges[0].end >= len(record)) == (not ranges[0].truncated)
    run.run(3, 3600)
    run.check(instance)


def test_what_a_call_kept_is_pulled_anew_if_the_server_restarted_or_it_is_gone(run: Collecting) -> None:
    for number, lose in enumerate((False, True)):
        instance, logs = database(
            run, "postgres", "stderr", name=f"orders-{number}", portion_bytes=4096, unflushed=3000
        )
        logs["stderr"].write(pg_line(0) + b"\tof one record\n" * 3000)
        discover_logs.handler({}, Context())
        for _ in range(9):
            assert _call(run.messages(), Hurried()) == []
        [identity] = run.identities(instance.resource_id)
        position = run.ledger(instance.resource_id, identity)[2]
        assert int(position["pulled"]["N"]) > 9 * 3500
        if lose:
            found = aws.s3().list_objects_v2(Bucket=SEGMENTS)["Contents"]
            aws.s3().delete_objects(
                Bucket=SEGMENTS, Delete={"Objects": [{"Key": one["Key"]} for one in found if "pulled" in one["Key"]]}
            )
        else:
            run.server.control.reboot(instance.identifier)
            logs["stderr"].write(b"\tothers in their place\n" * 300)
        logs["stderr"].write(pg_lines(1, 5))
        run.messages()
        run.run(4, 1800)
        run.check(instance)


def test_what_came_before_rds_throttles_is_stored(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr", portion_bytes=4096)
    logs["stderr"].write(pg_lines(0, 200))
    run.server.control.script([Rule(Effect.THROTTLE, action="DownloadDBLogFilePortion", first_call=6, times=None)])
    ends = []
    for _ in range(3):
        discover_logs.handler({}, Context())
        run.drain(1)
        [identity] = run.identities(instance.resource_id)
        ends.append(run.ledger(instance.resource_id, identity)[0][-1].end)
        run.server.control.script([Rule(Effect.THROTTLE, action="DownloadDBLogFilePortion", first_call=6, times=None)])
        run.wait(300)
    assert ends == sorted(set(ends))
    run.server.control.script([])
    run.run(3, 3600)
    run.check(instance)


def test_growing_file_costs_two_portions_and_one_that_did_not_grow_leaves_no_plan(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 50))
    run.run()
    logs["stderr"].write(pg_lines(50, 5))
    discover_logs.handler({}, Context())
    messages = run.messages()
    before = run.server.control.calls()["DownloadDBLogFilePortion"]
    assert _call(messages, Context()) == []
    # The form of its markers, and the bytes.
    assert run.server.control.calls()["DownloadDBLogFilePortion"] - before == 2
    assert _call(messages, Context()) == []
    [identity] = run.identities(instance.resource_id)
    assert "plan" not in run.ledger(instance.resource_id, identity)[2]


def test_closed_file_is_done_with_once_an_answer_showed_its_end(run: Collecting) -> None:
    instance, logs = database(run, "mysql", "slow")
    logs["slow"].write(slow_events(0, 10))
    run.wait(3900)
    discover_logs.handler({}, Context())
    assert _call(run.messages(), Context()) == []
    # The bytes, and that nothing is behind them.
    assert run.server.control.calls()["DownloadDBLogFilePortion"] == 2
    [identity] = run.identities(instance.resource_id)
    assert run.ledger(instance.resource_id, identity)[2]["finished"] == {"BOOL": True}


def test_fleet_is_asked_for_once_a_minute_and_not_for_each_file(
    run: Collecting, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 600.0
    monkeypatch.setattr(fleet, "time", SimpleNamespace(monotonic=lambda: seconds))
    asked: list[str] = []

    def note(model: Any, **_rest: object) -> None:
        asked.append(model.name)

    aws.ssm().meta.events.register("before-call", note)
    database(run, "postgres", "stderr")[1]["stderr"].write(pg_lines(0, 10))
    discover_logs.handler({}, Context())
    [message] = run.messages()
    for seconds in (601.0, 659.0, 661.0):  # noqa: B007 - the clock reads it
        assert _call([message], Context()) == []
    assert asked == ["GetParameter"] * 2


def test_handlers_emit_what_alarms_are_made_of(run: Collecting, capsys: pytest.CaptureFixture[str]) -> None:
    _, logs = database(run, "postgres", "stderr")
    data = pg_lines(0, 10)
    logs["stderr"].write(data)
    discover_logs.handler({}, Context())
    found = emitted(capsys.readouterr().out)
    assert (found["FilesQueued"], found["BytesBehind"], found["RdsCallsFailed"]) == (1, len(data), 0)
    assert found["TimeToLoss"] == 3 * 86400
    assert _call(run.messages(), Context()) == []
    collected = emitted(capsys.readouterr().out)
    assert collected["SegmentsStored"] == 1
    assert 0 < collected["BytesStored"] < len(data)
    assert collected["GapsDeclared"] == 0


def test_file_that_nobody_stores_while_it_grows_is_stalled_until_it_is_stored(
    run: Collecting, capsys: pytest.CaptureFixture[str]
) -> None:
    _, logs = database(run, "postgres", "stderr")

    def look() -> int:
        logs["stderr"].write(pg_lines(0, 10))
        discover_logs.handler({}, Context())
        run.wait(300)
        return int(emitted(capsys.readouterr().out)["FilesStalled"])

    assert [look() for _ in range(5)] == [0, 0, 0, 1, 1]
    run.drain()
    assert look() == 0
