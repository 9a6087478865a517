# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""Functions that fail when a machine waits for a token from them: on AWS the task fails; MiniStack would wait on."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from ministack.services import stepfunctions as sfn

from local.emulator import seams

_token: ContextVar[str | None] = ContextVar("token", default=None)


def install() -> None:
    """Let a function's error end the task that waits for its token."""
    seams.replace(sfn, "_invoke_with_callback", "resource input_data token state_def", _waiting)
    seams.replace(sfn, "_call_lambda", "func_ref event", _failing)


def _waiting(original: Callable[..., Any]) -> Callable[..., Any]:
    def invoke(resource: str, input_data: Any, token: str, state: dict[str, Any]) -> Any:
        before = _token.set(token)
        try:
            return original(resource, input_data, token, state)
        finally:
            _token.reset(before)

    return invoke


def _failing(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(function: str, event: Any) -> Any:
        try:
            return original(function, event)
        except sfn._ExecutionError as failure:
            task = sfn._task_tokens.get(_token.get())
            # Whoever answers the token before the function fails is heard.
            if task is not None and not task["event"].is_set():
                task["error"] = {"Error": failure.error, "Cause": failure.cause}
                task["event"].set()
            raise

    return call
