"""A worker is killed after each single effect of a run, then the work goes on: the lake ends byte for byte alike."""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.support import raw
from tests.support.aws import BUS, LEDGER, RAW, RUNS
from tests.support.cloud import eventually
from tests.support.effort import spread
from tests.support.pipeline import Pipeline, StepFailed
from tests.support.states import State

pytestmark = pytest.mark.cloud

OBJECTS = 3
# DuckDB's smallest row group: an object of two such groups is cut into two slices.
SLICE_ROWS = 2048


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with Pipeline.alone(SLICE_ROWS=str(SLICE_ROWS)) as made:
        yield made


@pytest.fixture(scope="module")
def refs(pipeline: Pipeline) -> list[dict[str, str]]:
    events = [raw.an_event(n) for n in range(60)]
    return [
        pipeline.put_lines("cloudflare/2.ford/a.log.gz", [*events, *events[:3], {"Datetime": "x"}]),
        pipeline.put("cloudflare/2.ford/cut.log.gz", raw.truncated()),
        pipeline.put("cloudflare/47/b.parquet", raw.parquet(SLICE_ROWS + 100)),
    ]


@pytest.fixture(scope="module")
def expected(pipeline: Pipeline, refs: list[dict[str, str]]) -> tuple[Any, ...]:
    pipeline.forget()
    pipeline.run("untouched", refs)
    assert sorted(proof["slices"] for proof in pipeline.proofs().values()) == [1, 1, 2, 2]
    return pipeline.outcome()


@dataclass(frozen=True)
class Moment:
    """What there is before a step of the run, and how many effects the step has."""

    before: State
    effects: int


@pytest.fixture(scope="module")
def moments(pipeline: Pipeline, refs: list[dict[str, str]]) -> list[Moment]:
    """Return the moment of each step of the run `first`."""
    pipeline.forget()
    gone = []
    for handler, event in pipeline.steps("first", refs):
        before = pipeline.state()
        pipeline.call(handler, event)
        gone.append(Moment(before, pipeline.effects))
    return gone


@pytest.fixture(scope="module")
def failures_told(pipeline: Pipeline) -> Callable[[str], list[dict[str, Any]]]:
    """Return a function that waits for what the bus says of a run's failure, and returns it."""
    sqs = pipeline.cloud.client("sqs")
    queue = sqs.create_queue(QueueName="listener")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = json.dumps({"detail-type": ["firewall_logs.RunFailed"]})
    pipeline.events.put_rule(Name="failures", EventBusName=BUS, EventPattern=pattern)
    pipeline.events.put_targets(Rule="failures", EventBusName=BUS, Targets=[{"Id": "listener", "Arn": arn}])
    heard: list[dict[str, Any]] = []

    def told(run_id: str) -> list[dict[str, Any]]:
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in received:
            heard.append(json.loads(message["Body"])["detail"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [detail for detail in heard if detail["run_id"] == run_id]

    return lambda run_id: eventually(lambda: told(run_id))


def test_run_killed_between_any_two_effects_and_retried_ends_alike(
    pipeline: Pipeline, refs: list[dict[str, str]], moments: list[Moment], expected: tuple[Any, ...]
) -> None:
    assert sum(moment.effects for moment in moments) > 30
    for step, done in _points(moments):
        pipeline.put_back(moments[step].before)
        handler, event = next(_from(pipeline, refs, step))
        _killed(pipeline, handler, event, done)
        for handler, event in _from(pipeline, refs, step):
            result = pipeline.call(handler, event)
        assert pipeline.outcome() == expected, (step, done)
        assert result["objects_committed"] == OBJECTS, (step, done)


def test_run_given_up_between_any_two_effects_is_finished_by_the_next(
    pipeline: Pipeline, refs: list[dict[str, str]], moments: list[Moment], expected: tuple[Any, ...]
) -> None:
    for step, done in spread(_points(moments)):
        pipeline.put_back(moments[step].before)
        handler, event = next(_from(pipeline, refs, step))
        _killed(pipeline, handler, event, done)
        pipeline.call("record_failure", _failure("first", handler))
        pipeline.run("second", refs)
        assert pipeline.outcome() == expected, (step, done)


def test_run_that_lost_an_object_commits_the_others_wherever_it_is_killed_and_the_next_run_finishes(
    pipeline: Pipeline, refs: list[dict[str, str]], moments: list[Moment], expected: tuple[Any, ...]
) -> None:
    pipeline.put_back(moments[-1].before)
    lost = pipeline.units("first")[0]["slices"][0]["object_id"]
    _expire_lease(pipeline, lost)
    # The second run takes the object over and leaves the others to the first, which is about to commit.
    pipeline.call(*next(pipeline.steps("second", refs)))
    taken_over = pipeline.state()
    for done in range(moments[-1].effects + 1):
        pipeline.put_back(taken_over)
        with pytest.raises(StepFailed, match=r"Killed|CommitRefused"):
            pipeline.call("commit_run", {"run_id": "first"}, done)
        with pytest.raises(StepFailed, match=f"CommitRefused: 2 objects were committed, 1 were not. {lost}: "):
            pipeline.call("commit_run", {"run_id": "first"})
        assert list(_summary(pipeline, "first")["objects_refused"]) == [lost], done
        pipeline.call("record_failure", _failure("first", "commit_run"))
        assert min(pipeline.states()) == "CLAIMED", done
        for handler, event in itertools.islice(pipeline.steps("second", refs), 1, None):
            result = pipeline.call(handler, event)
        assert result["objects_committed"] == 1, done
        assert pipeline.outcome() == expected, done


def test_failure_whose_recording_is_killed_between_any_two_effects_is_recorded_in_full_by_the_next_call(
    pipeline: Pipeline, refs: list[dict[str, str]], failures_told: Callable[[str], list[dict[str, Any]]]
) -> None:
    gone = {"bucket": RAW, "key": "cloudflare/2.ford/never-there.log.gz", "version_id": refs[0]["version_id"]}
    for done in range(_effects_of_failure(pipeline, [*refs, gone]) + 1):
        pipeline.forget()
        run_id = f"failed-{done}"
        failure = _planned_and_failed(pipeline, run_id, [*refs, gone])
        _killed(pipeline, "record_failure", failure, done)
        pipeline.call("record_failure", failure)
        assert pipeline.states() == ["FAILED"] * OBJECTS, done
        evidence = _evidence(pipeline, run_id)
        assert evidence["objects_failed"] == OBJECTS + 1, done
        assert {told["objects_failed"] for told in failures_told(run_id)} == {OBJECTS + 1}, done


def _points(moments: list[Moment]) -> list[tuple[int, int]]:
    """Return each step with each number of effects after which it can be killed."""
    return [(step, done) for step, moment in enumerate(moments) for done in range(moment.effects + 1)]


def _from(pipeline: Pipeline, refs: list[dict[str, str]], step: int) -> Iterator[Any]:
    """Return the steps of the run `first` from one of them on."""
    return itertools.islice(pipeline.steps("first", refs), step, None)


def _killed(pipeline: Pipeline, handler: str, event: dict[str, Any], done: int) -> None:
    """Call a handler and kill it after so many effects."""
    with pytest.raises(StepFailed, match="Killed"):
        pipeline.call(handler, event, done)


def _expire_lease(pipeline: Pipeline, object_id: str) -> None:
    pipeline.dynamodb.update_item(
        TableName=LEDGER,
        Key={"object_id": {"S": object_id}},
        UpdateExpression="SET lease_until = :past",
        ExpressionAttributeValues={":past": {"N": "1"}},
    )


def _planned_and_failed(pipeline: Pipeline, run_id: str, refs: list[dict[str, str]]) -> dict[str, str]:
    """Plan a run and return the failure that is to be recorded of it."""
    pipeline.call(*next(pipeline.steps(run_id, refs)))
    return _failure(run_id, "process_unit")


def _effects_of_failure(pipeline: Pipeline, refs: list[dict[str, str]]) -> int:
    pipeline.forget()
    pipeline.call("record_failure", _planned_and_failed(pipeline, "failed", refs))
    assert pipeline.effects == OBJECTS + 2  # the releases, the event, the evidence
    return pipeline.effects


def _failure(run_id: str, state: str) -> dict[str, str]:
    return {"run_id": run_id, "state": state, "error": "ABORTED", "cause": "given up"}


def _evidence(pipeline: Pipeline, run_id: str) -> dict[str, Any]:
    return _document(pipeline, run_id, "failure.json")


def _summary(pipeline: Pipeline, run_id: str) -> dict[str, Any]:
    return _document(pipeline, run_id, "summary.json")


def _document(pipeline: Pipeline, run_id: str, name: str) -> dict[str, Any]:
    body = pipeline.s3.get_object(Bucket=RUNS, Key=f"firewall_logs/runs/{run_id}/{name}")["Body"].read()
    document: dict[str, Any] = json.loads(body)
    return document
