import json
import time
from typing import Any

import pytest

from tests.cloud.conftest import App, saw
from tests.support.cloud import eventually, finished

pytestmark = pytest.mark.cloud


def run_batch(app: App, *command: str) -> dict[str, Any]:
    states = app.client("stepfunctions")
    event = json.dumps({"command": command})
    started = states.start_execution(stateMachineArn=app.outputs["BatchMachineArn"], input=event)
    described = finished(states, started["executionArn"])
    saw("execution", {key: described.get(key) for key in ("status", "error", "output")})
    assert described["status"] == "SUCCEEDED"
    output: dict[str, Any] = json.loads(described["output"])
    return output


def task_definition(app: App) -> tuple[str, str]:
    ecs = app.client("ecs")
    return ecs.list_clusters()["clusterArns"][0], ecs.list_task_definitions()["taskDefinitionArns"][0]


def test_exit_code_zero_takes_the_good_branch(app: App) -> None:
    assert run_batch(app, "python", "-c", "pass") == {"code": 0}


def test_another_exit_code_is_a_failed_task(app: App) -> None:
    assert run_batch(app, "python", "-c", "raise SystemExit(3)") == {"error": "States.TaskFailed", "code": 3}


def test_a_killed_container_is_a_failed_task(app: App) -> None:
    kill = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    assert run_batch(app, "python", "-c", kill) == {"error": "States.TaskFailed", "code": 137}


def test_a_command_that_is_not_there_is_a_failed_task(app: App) -> None:
    assert run_batch(app, "no-such-program") == {"error": "States.TaskFailed", "code": 127}


def test_a_container_sees_the_repository_the_account_and_its_overrides(app: App) -> None:
    program = (
        "import os, boto3, kernel; "
        "print('found', os.environ['ORIGIN'], boto3.client('sts').get_caller_identity()['Account'])"
    )
    assert run_batch(app, "python", "-c", program) == {"code": 0}
    logs = app.client("logs")
    (group,) = [g["logGroupName"] for g in logs.describe_log_groups()["logGroups"] if "BatchLogs" in g["logGroupName"]]

    def lines() -> list[str] | None:
        texts = [event["message"] for event in logs.filter_log_events(logGroupName=group)["events"]]
        return [text for text in texts if text.startswith("found")] or None

    assert eventually(lines) == ["found the state machine 111111111111"]


def test_stop_task_sends_term_and_reports_the_real_code(app: App) -> None:
    ecs = app.client("ecs")
    cluster, definition = task_definition(app)
    program = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(42)); time.sleep(60)"
    override = {"name": "batch", "command": ["python", "-c", program]}
    (task,) = ecs.run_task(
        cluster=cluster, taskDefinition=definition, launchType="FARGATE", overrides={"containerOverrides": [override]}
    )["tasks"]

    def described() -> dict[str, Any]:
        found: dict[str, Any] = ecs.describe_tasks(cluster=cluster, tasks=[task["taskArn"]])["tasks"][0]
        return found

    eventually(lambda: described()["lastStatus"] == "RUNNING")
    time.sleep(0.3)  # until it has its handler
    ecs.stop_task(cluster=cluster, task=task["taskArn"])
    stopped = described()
    saw("stopped", stopped)
    assert stopped["lastStatus"] == "STOPPED"
    assert stopped["containers"][0]["exitCode"] == 42
