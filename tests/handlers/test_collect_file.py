from collections.abc import Iterator
from typing import Any

import pytest

from database_logs.handlers import collect_file, discover_logs
from tests.support.context import Context
from tests.support.metrics import emitted
from tests.support.rds_collecting import Collecting, collecting, database, pg_lines


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
