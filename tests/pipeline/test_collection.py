"""What databases write is what the segments hold, byte for byte, whatever happens to files, API and workers."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.support.rds_collecting import Collecting, collecting, database, pg_lines

# Of one task of two segments.
MORE_THAN_EFFECTS = 18


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
