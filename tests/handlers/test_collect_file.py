from collections.abc import Iterator
from typing import Any

import pytest

from database_logs.handlers import collect_file, discover_logs
from local.rds.model.script import Effect, Rule
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


def test_failure_stops_its_group_and_no_other(run: Collecting) -> None:
    for name in ("orders-1", "orders-2"):
        _, logs = database(run, "postgres", "stderr", name=name)
        logs["stderr"].write(pg_lines(0, 10))
    discover_logs.handler({}, Context())
    first, second = run.messages()
    again = first | {"messageId": "again"}
    bad = {"messageId": "bad", "body": "{", "attributes": {"MessageGroupId": "bad"}, "eventSource": "aws:sqs"}
    instance = "orders-1" if "orders-1" in first["body"] else "orders-2"
    run.server.control.script([Rule(Effect.ACCESS_DENIED, instance=instance, times=1)])
    assert _call([bad, first, again, second], Context()) == ["bad", first["messageId"], "again"]
    assert _call([first, again], Context()) == []


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
