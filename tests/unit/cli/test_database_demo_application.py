"""The demo of database logs says why its application does not come to an end."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from cli import database_demo_application as demo
from cli.database_demo_application import Application, ExecutionFailed, FunctionClock, NothingMoves, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

OUTPUTS = {
    "DiscoverLogsArn": "discover",
    "DatabaseCollectQueueUrl": "tasks",
    "DatabaseParseQueueUrl": "segments",
    "DatabaseCollectDeadLetterQueueUrl": "dead-tasks",
    "DatabaseParseDeadLetterQueueUrl": "dead-segments",
}
WARNING = {"level": "WARNING", "message": "comes again", "error": "LeaseHeld", "reason": "another has the file"}


class Cloud:
    """Services of which each question is answered by what a test says."""

    def __init__(self, *, status: str = "SUCCEEDED", waiting: dict[str, list[int]] | None = None) -> None:
        self._status = status
        self._waiting: dict[str, Iterator[int]] = {name: iter(found) for name, found in (waiting or {}).items()}

    def client(self, _: str) -> "Cloud":
        return self

    def start_execution(self, **_: str) -> dict[str, Any]:
        return {"executionArn": "arn:discover:1"}

    def describe_execution(self, **_: str) -> dict[str, Any]:
        return {"status": self._status, "output": json.dumps({"queued": 3}), "error": "States.Timeout", "cause": "slow"}

    def get_queue_attributes(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:  # noqa: N803 - boto3's
        number = next(self._waiting.get(QueueUrl, iter(())), 0)
        return {"Attributes": {AttributeNames[0]: str(number), AttributeNames[1]: "0"}}

    def get_paginator(self, _: str) -> "Cloud":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        return [{"events": [{"message": "START RequestId: 1"}, {"message": json.dumps(WARNING)}]}]


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_LOOK_SECONDS", 0)


def application(**given: Any) -> Application:
    return Application(cast("Any", Cloud(**given)), OUTPUTS)


def test_pass_ends_once_nothing_waits() -> None:
    started = application(waiting={"tasks": [2, 1, 0], "segments": [0, 1, 0]})
    assert list(started.collect()) == [Progress(3, 2, 0), Progress(3, 1, 1), Progress(3, 0, 0)]
    assert started.executions == ["arn:discover:1"]


def test_messages_that_were_given_up_are_told_with_the_reasons() -> None:
    with pytest.raises(NothingMoves, match=r"2 messages failed five times.*LeaseHeld: another has the file"):
        list(application(waiting={"dead-segments": [2]}).collect())


def test_messages_that_nobody_takes_end_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "_STUCK_SECONDS", 0)
    with pytest.raises(NothingMoves, match=r"4 files and 0 segments wait.*LeaseHeld"):
        list(application(waiting={"tasks": [4] * 9}).collect())


def test_discovery_that_failed_is_told_with_its_cause() -> None:
    with pytest.raises(ExecutionFailed, match=r"arn:discover:1 TIMED_OUT: States.Timeout: slow"):
        list(application(status="TIMED_OUT").collect())


def test_clock_of_functions_goes_on_from_the_fleets_time(tmp_path: Path) -> None:
    clock = FunctionClock(tmp_path / "clock")
    clock.set(datetime.now(UTC) - timedelta(hours=2))
    assert float(clock.path.read_text()) == pytest.approx(-7200, abs=5)
