import json
from typing import Any

import pytest

from firewall_logs.errors import FeedConfigInvalid
from firewall_logs.handlers.start_run import handler
from kernel import aws
from tests.support.aws import PARAMETER
from tests.support.context import Context
from tests.support.metrics import emitted

ROLE = "arn:aws:iam::123456789012:role/machine"
DEFINITION = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 3600, "End": True}}}


class Killed(BaseException):
    """The worker is gone; nobody may catch this."""


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> str:
    made = aws.states().create_state_machine(name="m", definition=json.dumps(DEFINITION), roleArn=ROLE)
    monkeypatch.setenv("PROCESS_OBJECTS_ARN", made["stateMachineArn"])
    return made["stateMachineArn"]


def _message(number: int, key: str, version: str | None = "v1") -> dict[str, Any]:
    body = {
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": "raw"}, "object": {"key": key, "size": 1, "etag": "e", "sequencer": "0"}},
    }
    if version:
        body["detail"]["object"]["version-id"] = version  # type: ignore[index]
    return {"messageId": f"m{number}", "body": json.dumps(body), "eventSource": "aws:sqs"}


def _call(*messages: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = handler({"Records": list(messages)}, Context())
    return answer


def _inputs(machine: str) -> list[dict[str, Any]]:
    executions = aws.states().list_executions(stateMachineArn=machine)["executions"]
    described = [aws.states().describe_execution(executionArn=e["executionArn"]) for e in executions]
    return [json.loads(d["input"]) for d in described]


def test_batch_becomes_one_run_of_its_objects(machine: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _call(_message(1, "cloudflare/3/a +ä.gz"), _message(2, "cloudflare/3/b.gz", None)) == {
        "batchItemFailures": []
    }
    assert _inputs(machine) == [
        {
            "objects": [
                {"bucket": "raw", "key": "cloudflare/3/a +ä.gz", "version_id": "v1"},
                {"bucket": "raw", "key": "cloudflare/3/b.gz"},
            ]
        }
    ]
    assert emitted(capsys.readouterr().out) == {}


def test_new_objects_are_counted_by_feed(machine: str, capsys: pytest.CaptureFixture[str]) -> None:
    keys = ["cloudflare/2.ford/a.gz", "cloudflare/47/a.parquet", "cloudflare/47/b.parquet", "cloudflare/nobody/a"]
    _call(*(_message(number, key) for number, key in enumerate(keys)))
    printed = capsys.readouterr().out
    assert emitted(printed) == {"ObjectsAnnounced of 2.ford": 1, "ObjectsAnnounced of 47": 2}
    blocks = [json.loads(line)["_aws"]["CloudWatchMetrics"][0] for line in printed.splitlines() if "_aws" in line]
    assert all(sorted(block["Dimensions"][0]) == ["feed", "service"] for block in blocks)
    assert {block["Namespace"] for block in blocks} == {"Gatehouse"}


def test_no_run_uses_up_the_events_while_the_feeds_are_not_valid(machine: str) -> None:
    aws.ssm().put_parameter(Name=PARAMETER, Value="[{}]", Overwrite=True)
    with pytest.raises(FeedConfigInvalid):
        _call(_message(1, "cloudflare/47/a.parquet"))
    assert _inputs(machine) == []


def test_duplicates_in_a_batch_are_one_object(machine: str) -> None:
    _call(_message(1, "a"), _message(2, "a"), _message(3, "a", "v2"))
    [run] = _inputs(machine)
    assert [ref["version_id"] for ref in run["objects"]] == ["v1", "v2"]


def test_batch_delivered_twice_starts_one_run(machine: str) -> None:
    _call(_message(1, "a"), _message(2, "b"))
    assert _call(_message(2, "b"), _message(1, "a")) == {"batchItemFailures": []}
    assert len(_inputs(machine)) == 1


def test_batch_whose_worker_died_after_starting_its_run_starts_no_other(machine: str) -> None:
    def die(**_: Any) -> None:
        raise Killed

    states = aws.states().meta.events
    states.register("after-call.sfn.StartExecution", die)
    with pytest.raises(Killed):
        _call(_message(1, "a"), _message(2, "b"))
    states.unregister("after-call.sfn.StartExecution", die)
    assert len(_inputs(machine)) == 1
    assert _call(_message(1, "a"), _message(2, "b")) == {"batchItemFailures": []}
    assert len(_inputs(machine)) == 1


def test_message_that_is_no_event_is_reported_alone(machine: str) -> None:
    bad = {"messageId": "bad", "body": '{"source": "aws.ec2"}', "eventSource": "aws:sqs"}
    assert _call(bad, _message(1, "a")) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert len(_inputs(machine)) == 1


def test_batch_of_nothing_but_bad_messages_starts_no_run(machine: str) -> None:
    bad = {"messageId": "bad", "body": "{", "eventSource": "aws:sqs"}
    assert _call(bad) == {"batchItemFailures": [{"itemIdentifier": "bad"}]}
    assert _inputs(machine) == []


def test_fault_of_step_functions_returns_the_whole_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROCESS_OBJECTS_ARN", "arn:aws:states:eu-central-1:123456789012:stateMachine:gone")
    from kernel.settings import load  # noqa: PLC0415 - forgets what the fixture's environment gave

    load.cache_clear()
    with pytest.raises(aws.states().exceptions.StateMachineDoesNotExist):
        _call(_message(1, "a"))
