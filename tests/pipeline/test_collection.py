"""What databases write is what the segments hold, byte for byte, whatever happens to files, API and workers."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ConnectionClosedError

from kernel import aws
from tests.support.rds_collecting import Collecting, collecting, database, pg_lines, slow_events

# Of one task of two segments.
MORE_THAN_EFFECTS = 23


@pytest.fixture
def run() -> Iterator[Collecting]:
    with collecting() as made:
        yield made


def test_growing_postgres_log_is_stored_whole_in_segments_of_whole_records(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    for number in range(5):
        logs["stderr"].write(pg_lines(number * 500, 400, number))
        run.run()
    run.run(3)
    run.check(instance)


def test_worker_killed_between_any_two_effects_and_followed_by_another_stores_the_same(run: Collecting) -> None:
    databases = [database(run, "postgres", "stderr", name=f"orders-{number}") for number in range(MORE_THAN_EFFECTS)]
    for _, logs in databases:
        logs["stderr"].write(pg_lines(0, 450))
    run.discover()
    messages = {json.loads(message["body"])["file"]["instance_id"]: message for message in run.messages()}
    survived = 0
    for effects, (instance, logs) in enumerate(databases):
        left = run.collect([messages[instance.identifier]], effects)
        survived += not left
        # The message comes again to a file that is as it was, or has grown.
        if effects % 2:
            logs["stderr"].write(pg_lines(450, 50))
        assert run.collect(left) == []
    assert 0 < survived < MORE_THAN_EFFECTS - 10
    run.world.advance(timedelta(minutes=15))
    run.run(2)
    run.check(*(instance for instance, _ in databases))


def test_range_whose_commit_got_no_answer_is_announced_by_the_next_attempt(run: Collecting) -> None:
    instance, logs = database(run, "postgres", "stderr")
    logs["stderr"].write(pg_lines(0, 50))
    run.discover()
    messages = run.messages()

    def lose(**_: Any) -> None:
        raise ConnectionClosedError(endpoint_url="https://dynamodb")

    events: Any = aws.dynamodb().meta.events
    events.register("after-call.dynamodb.TransactWriteItems", lose)
    assert run.collect(messages) == messages
    events.unregister("after-call.dynamodb.TransactWriteItems", lose)
    assert run.collect(messages) == []
    run.world.advance(timedelta(minutes=15))
    run.run(2)
    run.check(instance)


def test_segment_is_announced_again_in_the_words_of_the_first_time(run: Collecting) -> None:
    databases = [database(run, "mysql", "slow", name=f"orders-{effects}") for effects in range(3, 11)]
    for _, logs in databases:
        logs["slow"].write(slow_events(0, 10))
    run.discover()
    messages = {json.loads(message["body"])["file"]["instance_id"]: message for message in run.messages()}
    for effects in range(3, 11):
        run.collect([messages[f"orders-{effects}"]], effects)
    # Meanwhile files are renamed, and somebody sets the zone.
    run.world.advance(timedelta(hours=1))
    run.discover()
    for message in run.messages():
        assert run.collect([message | {"body": message["body"].replace('"UTC"', '"Europe/Berlin"')}]) == []
    said: dict[str, list[str]] = {}
    for body in run.announced():
        said.setdefault(body["key"], []).append(json.dumps(body))
    assert max(map(len, said.values())) > 1
    assert all(len(set(bodies)) == 1 for bodies in said.values())
