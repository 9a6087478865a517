"""The task on Fargate as a real process: stopped, abandoned or killed in the middle, the next one finishes its work."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from batch.exits import DONE, FAILED, INTERRUPTED, REFUSED
from tests.support import raw, tasks
from tests.support.aws import LEDGER
from tests.support.pipeline import Pipeline

pytestmark = pytest.mark.cloud

# Enough slices, each of some tenths of a second, for something to happen in their middle.
SLICES, SLICE_ROWS = 12, 20_480
RUN = "run"
DOCUMENT = f"firewall_logs/runs/{RUN}/batch.jsonl"
_WORK = {"WORK_KIND": "unit", "WORK_KEY": DOCUMENT}


@dataclass
class Task:
    """A run whose one unit waits for a task, and the processes that work on it."""

    pipeline: Pipeline

    def run(self, **variables: str) -> int:
        """Run a task to its end and return its exit code."""
        return tasks.run(self.pipeline, **{**_WORK, **variables})

    def signalled(self, number: signal.Signals, after_receipts: int, **variables: str) -> int:
        """Run a task, signal it once there are so many receipts, and return its exit code."""

        def there() -> bool:
            return len(self.pipeline.receipts()) >= after_receipts

        return tasks.signalled(self.pipeline, number, there, **{**_WORK, **variables})

    def marked(self) -> set[str]:
        """Return the slices that the ledger holds for written."""
        [item] = self.pipeline.dynamodb.scan(TableName=LEDGER, ConsistentRead=True)["Items"]
        return set(item.get("written", {}).get("NS", []))

    def commit(self) -> tuple[Any, ...]:
        """Reconcile and commit the run, and return what it leaves."""
        assert self.pipeline.call("reconcile_run", {"run_id": RUN})["reconciled"]
        assert self.pipeline.call("commit_run", {"run_id": RUN})["objects_committed"] == 1
        return _left(self.pipeline)


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with Pipeline.alone(SLICE_ROWS=str(SLICE_ROWS), BATCH_MEMORY_MB="30720") as made:
        yield made


@pytest.fixture(scope="module")
def ref(pipeline: Pipeline) -> dict[str, str]:
    return pipeline.put("cloudflare/47/large.parquet", raw.parquet(SLICES * SLICE_ROWS, SLICE_ROWS))


@pytest.fixture(scope="module")
def expected(pipeline: Pipeline, ref: dict[str, str]) -> tuple[Any, ...]:
    """Return what the run leaves if functions do all of it."""
    pipeline.forget()
    pipeline.run("of-functions", [ref])
    assert len(pipeline.proofs()) == SLICES
    return _left(pipeline)


@pytest.fixture
def task(pipeline: Pipeline, ref: dict[str, str], expected: tuple[Any, ...]) -> Task:
    """Return a run that is planned for Fargate."""
    pipeline.forget()
    wanted = {"objects": [ref], "engine": "batch"}
    plan = pipeline.call("plan_run", {"run_id": RUN, "started_at": "2026-06-03T00:00:00Z", "input": wanted})
    assert (plan["units"], plan["batch_units"], plan["batch_key"]) == (0, 1, DOCUMENT)
    return Task(pipeline)


def test_task_leaves_the_bytes_that_functions_leave(task: Task, expected: tuple[Any, ...]) -> None:
    assert task.run() == DONE
    measured = [receipt["measured"] for receipt in task.pipeline.receipts().values()]
    assert {(found["memory_mb"], found["vcpus"]) for found in measured} == {(30720, 4)}
    assert task.commit() == expected


def test_task_told_to_stop_finishes_the_slice_in_hand_and_the_next_one_goes_on_after_it(
    task: Task, expected: tuple[Any, ...]
) -> None:
    assert task.signalled(signal.SIGTERM, after_receipts=2) == INTERRUPTED
    before = task.pipeline.receipts()
    assert 2 <= len(before) < SLICES
    assert len(task.marked()) == len(before)
    assert task.run() == DONE
    after = task.pipeline.receipts()
    assert {key: after[key] for key in before} == before
    assert task.commit() == expected


def test_task_without_time_to_finish_abandons_its_slice_and_the_next_one_makes_it_again(
    task: Task, expected: tuple[Any, ...]
) -> None:
    assert task.signalled(signal.SIGTERM, after_receipts=3, STOP_SECONDS="0") == INTERRUPTED
    assert 3 <= len(task.pipeline.receipts()) < SLICES
    assert task.run() == DONE
    assert task.commit() == expected


def test_task_killed_again_and_again_ends_alike(task: Task, expected: tuple[Any, ...]) -> None:
    for receipts in (1, 4, 7, 10):
        assert task.signalled(signal.SIGKILL, after_receipts=receipts) == -signal.SIGKILL
    assert task.run() == DONE
    assert task.commit() == expected


def test_task_that_comes_after_its_work_was_done_changes_nothing(task: Task, expected: tuple[Any, ...]) -> None:
    assert task.run() == DONE
    receipts = task.pipeline.receipts()
    assert task.run() == DONE
    assert task.pipeline.receipts() == receipts
    assert task.commit() == expected


def test_task_of_a_run_that_lost_its_object_refuses_to_work(task: Task) -> None:
    [item] = task.pipeline.dynamodb.scan(TableName=LEDGER)["Items"]
    task.pipeline.dynamodb.update_item(
        TableName=LEDGER,
        Key={"object_id": item["object_id"]},
        UpdateExpression="SET epoch = epoch + :one",
        ExpressionAttributeValues={":one": {"N": "1"}},
    )
    assert task.run() == REFUSED
    assert task.pipeline.receipts() == {}


@pytest.mark.parametrize(
    ("variables", "code"),
    [
        ({"WORK_LINE": "1"}, REFUSED),
        ({"WORK_KEY": "firewall_logs/runs/nobody/batch.jsonl"}, REFUSED),
        ({"WORK_KIND": "something"}, REFUSED),
        ({"RUNS_BUCKET": "not-there"}, FAILED),
    ],
    ids=["no such line", "no such document", "no such kind", "a fault that may pass"],
)
def test_exit_code_tells_whether_another_attempt_makes_sense(task: Task, variables: dict[str, str], code: int) -> None:
    assert task.run(**variables) == code


def _left(pipeline: Pipeline) -> tuple[Any, ...]:
    return pipeline.lake(), pipeline.proofs(), pipeline.states()
