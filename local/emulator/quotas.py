# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""Quotas of Step Functions that MiniStack does not know, so that a machine fails here as it would on AWS.

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

import json
import re
from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions as sfn

from local.emulator import seams

PAYLOAD_BYTES = 262_144
_NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f]{1,80}")


def check_size(value: Any, what: str) -> None:
    """Refuse a payload of more than 256 KiB.

    Raises:
        _ExecutionError: States.DataLimitExceeded.
    """
    size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode())
    if size > PAYLOAD_BYTES:
        raise sfn._ExecutionError(
            "States.DataLimitExceeded",
            f"{what} exceeds the maximum number of bytes service limit ({size} of {PAYLOAD_BYTES}).",
        )


def install() -> None:
    """Hold payloads, execution names and repeated starts to AWS's rules."""
    seams.replace(sfn, "_invoke_resource", "resource input_data", _limited_call)
    seams.replace(sfn, "_invoke_with_callback", "resource input_data token state_def", _limited_call)
    for name in ("_execute_pass", "_execute_choice", "_execute_wait"):
        seams.replace(sfn, name, "state_def raw_input ctx", _limited_output)
    for name in ("_execute_task", "_execute_parallel", "_execute_map"):
        seams.replace(sfn, name, "state_def raw_input execution ctx", _limited_output)
    seams.replace(sfn, "_start_execution", "data", _start)


def _limited_call(original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke(resource: str, input_data: Any, *rest: Any) -> Any:
        check_size(input_data, f"The input of {resource}")
        result = original(resource, input_data, *rest)
        check_size(result, f"The result of {resource}")
        return result

    return invoke


def _limited_output(original: Callable[..., Any]) -> Callable[..., Any]:
    def execute(state: dict[str, Any], *rest: Any) -> tuple[Any, str | None]:
        output, following = original(state, *rest)
        check_size(output, "The output of the state")
        return output, following

    return execute


def _start(original: Callable[..., Any]) -> Callable[..., Any]:
    """StartExecution: names and sizes are checked, and the same start of a running execution is no error."""

    def start(data: dict[str, Any]) -> Any:
        name = data.get("name")
        if name is not None and not _NAME.fullmatch(name):
            return sfn.error_response_json("InvalidName", f"Invalid Name: '{name}'", 400)
        given = data.get("input", "{}")
        if len(given.encode()) > PAYLOAD_BYTES:
            message = f"Value at 'input' failed to satisfy constraint: at most {PAYLOAD_BYTES} bytes"
            return sfn.error_response_json("ValidationException", message, 400)
        response = original(data)
        status, _, body = response
        if status != 400 or json.loads(body)["__type"].split("#")[-1] != "ExecutionAlreadyExists":  # noqa: PLR2004 - HTTP
            return response
        arn = re.findall(r"'(.+)'", json.loads(body)["message"])[0]
        running = sfn._executions[arn]
        if running["status"] == "RUNNING" and running["input"] == given:
            return sfn.json_response({"executionArn": arn, "startDate": running["startDate"]})
        return response

    return start
