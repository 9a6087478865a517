"""Forwarding and verifying, killed between any two effects: search ends up with every record, and with no value."""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools.utilities.batch.exceptions import BatchProcessingError

from database_logs.adapters.search_engine import SearchEngine
from database_logs.handlers import forward_records, verify_search
from database_logs.search import bulk
from database_logs.search.answers import Answer
from kernel import aws
from tests.support import openobserve
from tests.support.aws import account
from tests.support.context import Context
from tests.support.openobserve import OpenObserve
from tests.support.parsed_logs import Killed, dying_after, lake_records, received, refused, slow_event
from tests.support.searching import parsed, searching

# Of a worker that nobody kills: requests that were answered well, notes and messages.
EFFECTS = 14


@dataclass
class Queue:
    """A queue, from which a message goes only when its function has returned and not named it."""

    url: str
    handler: Callable[[dict[str, Any], Any], dict[str, Any]]
    waiting: dict[str, str] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=count)

    def deliver(self) -> None:
        """Deliver each message once; one that comes again bears the same id."""
        self.waiting |= {f"{self.url[-6:]}-{next(self.numbers)}": json.dumps(body) for body in received(self.url)}
        for message_id, body in list(self.waiting.items()):
            event = {"Records": [{"messageId": message_id, "eventSource": "aws:sqs", "body": body}]}
            try:
                failed = self.handler(event, Context())["batchItemFailures"]
            except BatchProcessingError:
                continue
            if not failed:
                del self.waiting[message_id]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenObserve]:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(bulk, "MOST_DOCUMENTS", 2)
    with account(), searching() as listening:
        monkeypatch.setenv("SEARCH_VERIFY_QUEUE_URL", aws.sqs().create_queue(QueueName="verify")["QueueUrl"])
        monkeypatch.setenv("SEARCH_LATE_STREAM", "late")
        yield listening


@pytest.fixture
def queues(server: OpenObserve, monkeypatch: pytest.MonkeyPatch) -> list[Queue]:
    """Return the queues of a segment that has a poisonous document and a late one, for an engine that is down."""
    # It is noon for all, so that all events are of one day, whose records are one file.
    now = datetime(2026, 11, 21, 12, tzinfo=UTC)
    monkeypatch.setattr(forward_records, "utc_now", lambda: now)
    monkeypatch.setattr(openobserve, "time", SimpleNamespace(time_ns=lambda: int(now.timestamp()) * 1_000_000_000))
    events = [slow_event(now - timedelta(hours=9), "SELECT 'secret' FROM old")]
    events += [slow_event(now - timedelta(seconds=9 - n), f"SELECT 'secret-{n}' FROM t") for n in range(6)]  # noqa: S608 - in a log
    message = parsed(b"".join(events)).model_dump_json()
    server.poisonous.add(lake_records()["event_id"][3])
    # Down after the first request, and once it is up it loses one that it says to have stored.
    server.phases.append("ok")
    server.phases.extend(["503"] * 8)
    server.phases.extend(["ok", "unstored"])
    search = Queue(os.environ["SEARCH_QUEUE_URL"], forward_records.handler, {"first": message})
    return [search, Queue(os.environ["SEARCH_VERIFY_QUEUE_URL"], verify_search.handler)]


def _finish(queues: list[Queue]) -> None:
    """Deliver until nothing waits."""
    for _ in range(20):
        for queue in queues:
            queue.deliver()
        if not any(queue.waiting for queue in queues) and not _has_more(queues[0]):
            return
    pytest.fail("messages come again and again")


def _has_more(queue: Queue) -> bool:
    attributes = aws.sqs().get_queue_attributes(QueueUrl=queue.url, AttributeNames=["ApproximateNumberOfMessages"])
    return attributes["Attributes"]["ApproximateNumberOfMessages"] != "0"


def _counted(monkeypatch: pytest.MonkeyPatch, seen: list[str], kill_after: int) -> None:
    """Let a request that search took be an effect as well."""
    post = SearchEngine.post

    def dying(self: SearchEngine, body: bytes) -> Answer:
        answer = post(self, body)
        if answer.status == 200:
            seen.append("post")
            if len(seen) == kill_after:
                raise Killed
        return answer

    monkeypatch.setattr(SearchEngine, "post", dying)


def _check(server: OpenObserve) -> None:
    records = lake_records()["event_id"].to_list()
    [poison] = server.poisonous
    found = {*server.ids("database_logs"), *server.ids("late")}
    assert found == {*records} - {poison}
    assert set(server.ids("late")) == {records[0]}
    assert [one["document"]["event_id"] for one in refused()] == [poison]
    assert "secret" not in json.dumps([server.streams, refused()])


def test_undisturbed_worker_has_all_the_effects_that_others_are_killed_after(
    server: OpenObserve, queues: list[Queue], monkeypatch: pytest.MonkeyPatch
) -> None:
    with dying_after(0) as seen:
        _counted(monkeypatch, seen, 0)
        _finish(queues)

    _check(server)
    assert len(seen) == EFFECTS, seen
    assert set(seen) == {"post", "PutObject", "SendMessage"}


@pytest.mark.parametrize("effects", range(1, EFFECTS + 1))
def test_worker_killed_after_an_effect_loses_no_record_and_tells_no_value(
    server: OpenObserve, queues: list[Queue], monkeypatch: pytest.MonkeyPatch, effects: int
) -> None:
    with monkeypatch.context() as mortal, pytest.raises(Killed), dying_after(effects) as seen:  # noqa: PT012 - both kill
        _counted(mortal, seen, effects)
        _finish(queues)

    _finish(queues)

    _check(server)
