"""The model of scale of database_logs against discovery and the collector: what a pass asks, and a task sends."""

from collections import Counter
from datetime import timedelta

from bench.rds_scale_model import Task, discovery_calls, discovery_requests, task_calls, task_requests
from kernel.metering import Meter
from tests.support.rds_collecting import collecting, database, pg_lines

# The budget's changes go by calls, not by tasks.
_BUDGET_CHANGES = 2
# The fleet is asked for once a minute; the clock of this machine says when.
_SELDOM = "ssm.GetParameter"


def test_model_counts_what_a_pass_asks_and_a_task_sends() -> None:
    with collecting() as run:
        _, sources = database(run, "postgres", "stderr")
        sources["stderr"].write(pg_lines(0, 20))
        asked = Meter(memory_mb=0)
        run.discover()
        calls = {name: number for name, number in asked.read().requests.items() if name.startswith("rds.")}
        assert calls == discovery_calls(1, 1, 1)
        run.drain()
        run.world.advance(timedelta(seconds=300))
        sources["stderr"].write(pg_lines(20, 20, 1))
        run.world.advance(timedelta(seconds=40))
        asked = Meter(memory_mb=0)
        run.discover()
        expected = discovery_calls(1, 1) + discovery_requests(discovery_calls(1, 1), moved=1)
        assert _sent(asked) == expected
        messages = run.messages()

        meter = Meter(memory_mb=0)
        assert run.collect(messages) == []

        task = Task(size=5000)
        expected = task_calls(task) + task_requests(task) + Counter({"dynamodb.PutItem": _BUDGET_CHANGES})
        assert _sent(meter) == expected


def _sent(meter: Meter) -> Counter[str]:
    return Counter({name: number for name, number in meter.read().requests.items() if name != _SELDOM})
