import json
import time
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.cloud.conftest import ROLE, App, saw
from tests.support.cloud import eventually, finished

pytestmark = pytest.mark.cloud

CAUGHT = {"Type": "Succeed", "Output": {"caught": "{% $states.input %}"}}


def catching(*names: str) -> list[dict[str, Any]]:
    return [{"ErrorEquals": list(names), "Output": "{% $states.errorOutput.Error %}", "Next": "Caught"}]


def branch(state: dict[str, Any]) -> dict[str, Any]:
    return {"StartAt": "Only", "States": {"Only": state}}


# ---------------------------------------------------------------- errors


def test_an_exception_is_caught_by_its_class(app: App) -> None:
    states = {"Ask": app.task("fail", Catch=catching("KnownTrouble")), "Caught": CAUGHT}
    assert app.output(states) == {"caught": "KnownTrouble"}


def test_two_failures_then_success_by_retry_on_the_class(app: App) -> None:
    retry = [{"ErrorEquals": ["KnownTrouble"], "IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": 3}]
    task = app.task("fail_until", payload={"key": uuid.uuid4().hex, "succeed_at": 3}, Retry=retry)
    assert app.output({"Ask": task}) == 3


@pytest.mark.parametrize(
    ("question", "payload", "name"),
    [
        ("sleep", {"seconds": 30}, "Sandbox.Timedout"),
        ("leave", {"code": 1}, "Runtime.ExitError"),
        ("hoard", {"mb": 400}, "Runtime.OutOfMemory"),
    ],
)
def test_what_the_platform_reports_is_a_failed_task(
    app: App, question: str, payload: dict[str, int], name: str
) -> None:
    states = {"Ask": app.task(question, payload=payload, Catch=catching("States.TaskFailed")), "Caught": CAUGHT}
    assert app.output(states) == {"caught": name}


def test_the_cause_holds_the_functions_error_document(app: App) -> None:
    described = app.run({"Ask": app.task("fail", payload={"message": "why"})})
    assert (described["status"], described["error"]) == ("FAILED", "KnownTrouble")
    assert json.loads(described["cause"])["errorMessage"] == "why"


def test_a_task_timeout_is_states_timeout_and_no_failed_task(app: App) -> None:
    catch = [*catching("States.TaskFailed"), *catching("States.Timeout")]
    states = {"Ask": app.task("sleep", payload={"seconds": 2}, TimeoutSeconds="{% 1 %}", Catch=catch), "Caught": CAUGHT}
    assert app.output(states) == {"caught": "States.Timeout"}


def test_an_undefined_result_is_a_query_evaluation_error_that_can_be_caught(app: App) -> None:
    task = app.task("echo", Output="{% $states.result.Payload.nothing.here %}", Catch=catching("States.ALL"))
    assert app.output({"Ask": task, "Caught": CAUGHT}) == {"caught": "States.QueryEvaluationError"}


def test_a_fail_state_carries_what_was_caught(app: App) -> None:
    states = {
        "Ask": app.task(
            "fail",
            Catch=[
                {"ErrorEquals": ["States.ALL"], "Assign": {"failure": "{% $states.errorOutput %}"}, "Next": "Give Up"}
            ],
        ),
        "Give Up": {"Type": "Fail", "Error": "{% $failure.Error %}", "Cause": "{% 'at Ask: ' & $failure.Cause %}"},
    }
    described = app.run(states)
    assert described["error"] == "KnownTrouble"
    assert described["cause"].startswith('at Ask: {"errorMessage"')


# ---------------------------------------------------------------- JSONata


def test_parallel_has_arguments_output_and_assign(app: App) -> None:
    states = {
        "Both": {
            "Type": "Parallel",
            "Arguments": {"n": "{% $states.input.number + 1 %}"},
            "Branches": [
                branch({"Type": "Pass", "Output": f"{{% $states.input.n * {k} %}}", "End": True}) for k in (2, 3)
            ],
            "Output": {"sum": "{% $sum($states.result) %}"},
            "Assign": {"count": "{% $count($states.result) %}"},
            "Next": "Done",
        },
        "Done": {"Type": "Succeed", "Output": {"sum": "{% $states.input.sum %}", "count": "{% $count %}"}},
    }
    assert app.output(states, {"number": 1}) == {"sum": 10, "count": 2}


def test_branches_read_outer_variables_but_do_not_set_them(app: App) -> None:
    states = {
        "Remember": {"Type": "Pass", "Assign": {"outer": 1}, "Next": "Both"},
        "Both": {
            "Type": "Parallel",
            "Branches": [branch({"Type": "Pass", "Output": "{% $outer %}", "Assign": {"inner": 2}, "End": True})],
            "Next": "Done",
        },
        "Done": {"Type": "Succeed", "Output": {"read": "{% $states.input[0] %}", "leaked": "{% $exists($inner) %}"}},
    }
    assert app.output(states) == {"read": 1, "leaked": False}


def test_every_assignment_sees_the_variables_at_entry(app: App) -> None:
    states = {
        "First": {"Type": "Pass", "Assign": {"a": 1, "b": 10}, "Next": "Second"},
        "Second": {"Type": "Pass", "Assign": {"a": "{% $b %}", "b": "{% $a %}"}, "Output": "{% $a %}", "Next": "Done"},
        "Done": {"Type": "Succeed", "Output": {"a": "{% $a %}", "b": "{% $b %}", "out": "{% $states.input %}"}},
    }
    assert app.output(states) == {"a": 10, "b": 1, "out": 1}


def test_functions_that_step_functions_adds(app: App) -> None:
    output = {
        "parsed": "{% $parse('[1]') %}",
        "chunks": "{% $partition([1..5], 2) %}",
        "range": "{% $range(0, 4, 2) %}",
        "uuid": "{% $length($uuid()) %}",
    }
    assert app.output({"Pass": {"Type": "Pass", "Output": output, "End": True}}) == {
        "parsed": [1],
        "chunks": [[1, 2], [3, 4], [5]],
        "range": [0, 2, 4],
        "uuid": 36,
    }


def test_an_inline_map_selects_and_collects(app: App) -> None:
    states = {
        "Each": {
            "Type": "Map",
            "Items": "{% $states.input %}",
            "ItemSelector": {"n": "{% $states.context.Map.Item.Value %}"},
            "MaxConcurrency": 2,
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "INLINE"},
                **branch(app.task("echo", payload={"value": "{% $states.input.n * 2 %}"})),
            },
            "Output": "{% $sum($states.result) %}",
            "End": True,
        }
    }
    assert app.output(states, [1, 2, 3]) == 12


# ---------------------------------------------------------------- quotas


@pytest.mark.parametrize(("size", "status"), [(262_000, "SUCCEEDED"), (263_000, "FAILED")])
def test_a_result_over_256_kib_ends_the_execution_past_every_wildcard(app: App, size: int, status: str) -> None:
    task = app.task(
        "large",
        payload={"bytes": size},
        Output="{% $length($states.result.Payload) %}",
        Retry=[{"ErrorEquals": ["States.ALL"]}],
        Catch=catching("States.ALL", "States.TaskFailed"),
    )
    described = app.run({"Ask": task, "Caught": CAUGHT})
    assert described["status"] == status
    if status == "FAILED":
        assert described["error"] == "States.DataLimitExceeded"


def test_a_limit_can_be_caught_by_its_name(app: App) -> None:
    task = app.task("large", payload={"bytes": 300_000}, Catch=catching("States.DataLimitExceeded"))
    assert app.output({"Ask": task, "Caught": CAUGHT}) == {"caught": "States.DataLimitExceeded"}


def test_an_output_over_256_kib_is_refused_wherever_it_arises(app: App) -> None:
    large = {"Type": "Pass", "Output": "{% $pad('', 300000, 'x') %}", "End": True}
    assert app.run({"Large": large})["error"] == "States.DataLimitExceeded"
    nested = {"Type": "Parallel", "Branches": [branch(large)], "Output": 1, "End": True}
    assert app.run({"Nested": nested})["error"] == "States.DataLimitExceeded"


def test_an_input_over_256_kib_is_refused_at_the_start(app: App) -> None:
    states = app.client("stepfunctions")
    with pytest.raises(ClientError, match="ValidationException"):
        states.start_execution(stateMachineArn=app.outputs["MachineArn"], input=json.dumps("x" * 262_144))


@pytest.mark.parametrize("name", ["n" * 81, "with blank", "with/slash"])
def test_a_name_that_aws_refuses_is_refused(app: App, name: str) -> None:
    states = app.client("stepfunctions")
    with pytest.raises(ClientError, match=r"InvalidName|Parameter validation"):
        states.start_execution(stateMachineArn=app.outputs["MachineArn"], name=name, input="{}")


def test_the_same_start_of_a_running_execution_is_the_same_execution(app: App) -> None:
    states = app.client("stepfunctions")
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Wait",
        "States": {"Wait": {"Type": "Wait", "Seconds": 2, "End": True}},
    }
    machine = states.create_state_machine(
        name=f"test-{uuid.uuid4().hex}", definition=json.dumps(definition), roleArn=ROLE
    )["stateMachineArn"]
    start = {"stateMachineArn": machine, "name": "once", "input": '{"a": 1}'}
    first, second = states.start_execution(**start), states.start_execution(**start)
    assert (first["executionArn"], first["startDate"]) == (second["executionArn"], second["startDate"])
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(**{**start, "input": '{"a": 2}'})
    finished(states, first["executionArn"])
    with pytest.raises(states.exceptions.ExecutionAlreadyExists):
        states.start_execution(**start)


# ---------------------------------------------------------------- timeouts


def test_a_machine_timeout_ends_the_execution_as_timed_out_past_every_catch(app: App) -> None:
    states = {"Ask": app.task("sleep", payload={"seconds": 2}, Catch=catching("States.ALL")), "Caught": CAUGHT}
    described = app.run(states, TimeoutSeconds=1)
    assert described["status"] == "TIMED_OUT"
    time.sleep(1.5)  # the task's own end must not change that
    states_client = app.client("stepfunctions")
    assert states_client.describe_execution(executionArn=described["executionArn"])["status"] == "TIMED_OUT"


def test_a_missing_heartbeat_is_a_heartbeat_timeout(app: App) -> None:
    queue = app.client("sqs").create_queue(QueueName=f"tokens-{uuid.uuid4().hex}")["QueueUrl"]
    states = {
        "Ask": {
            "Type": "Task",
            "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
            "TimeoutSeconds": 20,
            "HeartbeatSeconds": 1,
            "Arguments": {"QueueUrl": queue, "MessageBody": {"token": "{% $states.context.Task.Token %}"}},
            "Catch": catching("States.HeartbeatTimeout"),
            "End": True,
        },
        "Caught": CAUGHT,
    }
    assert app.output(states) == {"caught": "States.HeartbeatTimeout"}


def test_a_token_with_heartbeats_is_answered(app: App) -> None:
    sqs, states = app.client("sqs"), app.client("stepfunctions")
    queue = sqs.create_queue(QueueName=f"tokens-{uuid.uuid4().hex}")["QueueUrl"]
    definition = {
        "QueryLanguage": "JSONata",
        "StartAt": "Ask",
        "States": {
            "Ask": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                "TimeoutSeconds": 20,
                "HeartbeatSeconds": 1,
                "Arguments": {"QueueUrl": queue, "MessageBody": {"token": "{% $states.context.Task.Token %}"}},
                "End": True,
            }
        },
    }
    machine = states.create_state_machine(
        name=f"test-{uuid.uuid4().hex}", definition=json.dumps(definition), roleArn=ROLE
    )["stateMachineArn"]
    execution = states.start_execution(stateMachineArn=machine)["executionArn"]
    (message,) = eventually(lambda: sqs.receive_message(QueueUrl=queue).get("Messages"))
    token = json.loads(message["Body"])["token"]
    for _ in range(3):
        time.sleep(0.5)
        states.send_task_heartbeat(taskToken=token)
    states.send_task_success(taskToken=token, output='"answered"')
    assert json.loads(finished(states, execution)["output"]) == "answered"


def test_a_function_that_fails_before_its_token_is_answered_fails_the_task(app: App) -> None:
    key = uuid.uuid4().hex
    retry = [{"ErrorEquals": ["KnownTrouble"], "IntervalSeconds": 1, "BackoffRate": 1, "MaxAttempts": 2}]
    task = app.task("fail_until", payload={"key": key, "succeed_at": 9}, Retry=retry, Catch=catching("KnownTrouble"))
    asking = {"Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken", "TimeoutSeconds": 60}
    assert app.output({"Ask": task | asking, "Caught": CAUGHT}) == {"caught": "KnownTrouble"}
    # Three times it was asked before, so the fourth is the first that succeeds.
    assert app.output({"Ask": app.task("fail_until", payload={"key": key, "succeed_at": 4})}) == 4


# ---------------------------------------------------------------- known divergences


def test_known_divergence_a_definition_with_a_dangling_next_is_accepted(app: App) -> None:
    # AWS refuses it at CreateStateMachine; here only the execution fails.
    described = app.run({"First": {"Type": "Pass", "Next": "Nowhere"}})
    assert (described["status"], described["error"]) == ("FAILED", "States.Runtime")


def test_known_divergence_eval_is_there(app: App) -> None:
    # AWS knows no $eval.
    assert app.output({"Pass": {"Type": "Pass", "Output": "{% $eval('1 + 1') %}", "End": True}}) == 2


def test_known_divergence_retry_knows_no_ceiling_and_no_jitter(app: App) -> None:
    # MaxDelaySeconds would make it one second twice.
    retry = [
        {
            "ErrorEquals": ["KnownTrouble"],
            "IntervalSeconds": 1,
            "BackoffRate": 2,
            "MaxAttempts": 2,
            "MaxDelaySeconds": 1,
        }
    ]
    start = time.monotonic()
    app.run({"Ask": app.task("fail", Retry=retry)})
    saw("two retries took", time.monotonic() - start)
    assert time.monotonic() - start > 3
