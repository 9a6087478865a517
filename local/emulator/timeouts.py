# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""Timeouts that MiniStack ignores: of the machine as a whole, by heartbeat, and those given as expressions."""

import contextvars
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from ministack.core.responses import now_iso
from ministack.services import stepfunctions as sfn

from local.emulator import seams

_HEARTBEAT_POLL_SECONDS = 0.1


def install() -> None:
    """Replace what starts, fails and waits."""
    seams.private(sfn, "_emit_execution_status_event", "execution")
    seams.private(sfn, "_add_event", "execution event_type details")
    seams.replace(sfn, "_run_execution", "exec_arn", _machine)
    seams.replace(sfn, "_fail_execution", "execution error cause", _only_running)
    seams.replace(sfn, "_execute_task", "state_def raw_input execution ctx", _task)
    seams.replace(sfn, "_invoke_with_callback", "resource input_data token state_def", _heartbeat)


def _machine(original: Callable[..., Any]) -> Callable[..., Any]:
    """TimeoutSeconds of the machine: the execution ends as TIMED_OUT, and no Catch sees it."""

    def run(arn: str) -> None:
        execution = sfn._executions.get(arn)
        seconds = _timeout_of(execution)
        if seconds is None:
            original(arn)
            return
        timer = threading.Timer(seconds, contextvars.copy_context().run, (_time_out, execution))
        timer.daemon = True
        timer.start()
        try:
            original(arn)
        finally:
            timer.cancel()

    return run


def _timeout_of(execution: dict[str, Any] | None) -> float | None:
    machine = execution and sfn._state_machines.get(execution["stateMachineArn"])
    try:
        seconds = json.loads(machine["definition"]).get("TimeoutSeconds") if machine else None
    except ValueError:  # MiniStack fails the execution with a reason
        return None
    return None if seconds is None else float(seconds)


def _time_out(execution: dict[str, Any]) -> None:
    if execution["status"] != "RUNNING":
        return
    execution.update(status="TIMED_OUT", stopDate=now_iso())
    sfn._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {"error": "States.Timeout"}})
    sfn._emit_execution_status_event(execution)


def _only_running(original: Callable[..., Any]) -> Callable[..., Any]:
    """An execution that timed out or was aborted stays so, however its last state ends."""

    def fail(execution: dict[str, Any], error: str, cause: str) -> None:
        if execution["status"] == "RUNNING":
            original(execution, error, cause)

    return fail


def _task(original: Callable[..., Any]) -> Callable[..., Any]:
    def execute(
        state: dict[str, Any], raw_input: Any, execution: Any, context: dict[str, Any]
    ) -> tuple[Any, str | None]:
        given = [field for field in ("TimeoutSeconds", "HeartbeatSeconds") if isinstance(state.get(field), str)]
        for field in given:
            state = {**state, field: sfn._jsonata_state_field(state, field, "number", raw_input, context)}
        return original(state, raw_input, execution, context)  # type: ignore[no-any-return]

    return execute


def _heartbeat(original: Callable[..., Any]) -> Callable[..., Any]:
    """HeartbeatSeconds of a task that waits for its token."""

    def invoke(resource: str, input_data: Any, token: str, state: dict[str, Any]) -> Any:
        if seconds := state.get("HeartbeatSeconds"):
            threading.Thread(
                target=contextvars.copy_context().run, args=(_await_heartbeats, token, float(seconds)), daemon=True
            ).start()
        return original(resource, input_data, token, state)

    return invoke


def _await_heartbeats(token: str, seconds: float) -> None:
    beat = None
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        time.sleep(_HEARTBEAT_POLL_SECONDS)
        task = sfn._task_tokens.get(token)
        if task is not None and task["heartbeat"] != beat:
            beat = task["heartbeat"]
            deadline = time.monotonic() + seconds
    task = sfn._task_tokens.get(token)
    if task is not None and not task["event"].is_set():
        task["error"] = {"Error": "States.HeartbeatTimeout", "Cause": f"No heartbeat for {seconds:g} seconds"}
        task["event"].set()
