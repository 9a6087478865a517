# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""What MiniStack leaves out of JSONata: fields of Parallel and Succeed, the scope of variables, terminal errors."""

from collections.abc import Callable
from typing import Any

from ministack.services import stepfunctions as sfn

from local.emulator import seams
from local.emulator.distributed_map import MapRuns
from local.emulator.quotas import check_size

# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html: no wildcard catches these.
_TERMINAL = {"States.Runtime": False, "States.DataLimitExceeded": True}


def install(runs: MapRuns) -> None:
    """Replace the parts of MiniStack's interpreter that differ from AWS."""
    sub_machine = "states start_at input_data execution ctx"
    seams.replace(sfn, "_run_parallel_branches", "state_def raw_input execution ctx", _parallel)
    seams.replace(sfn, "_apply_output_path", "state_def data ctx", _succeed)
    seams.replace(sfn, "_apply_state_assign", "state_def raw_input ctx result error_output", _assign)
    seams.replace(sfn, "_run_sub_machine", sub_machine, lambda original: _scoped(original, runs))
    seams.replace(sfn, "_error_matches", "error_equals error", _matching)


def _is_jsonata(state: dict[str, Any], context: dict[str, Any] | None) -> bool:
    return bool(sfn._state_query_language(state, context) == "JSONata")


def _parallel(original: Callable[..., Any]) -> Callable[..., Any]:
    """Arguments, Output and Assign of a Parallel state, which MiniStack ignores."""

    def run(state: dict[str, Any], raw_input: Any, execution: Any, context: dict[str, Any]) -> tuple[Any, str | None]:
        if not _is_jsonata(state, context):
            return original(state, raw_input, execution, context)  # type: ignore[no-any-return]
        arguments = sfn._apply_jsonata_arguments(state, raw_input, context)
        results, _ = original({"Branches": state.get("Branches", [])}, arguments, execution, context)
        output = sfn._apply_jsonata_output(state, raw_input, context, result=results, default=results)
        sfn._apply_state_assign(state, raw_input, context, result=results)
        return output, sfn._next_or_end(state)

    return run


def _succeed(original: Callable[..., Any]) -> Callable[..., Any]:
    """Output of a Succeed state; MiniStack only asks for its OutputPath."""

    def apply(state: dict[str, Any], data: Any, context: dict[str, Any] | None = None) -> Any:
        if state.get("Type") == "Succeed" and _is_jsonata(state, context):
            return sfn._apply_jsonata_output(state, data, context, default=data)
        return original(state, data, context)

    return apply


def _assign(original: Callable[..., Any]) -> Callable[..., Any]:
    """Every expression of an Assign sees the variables as they were when the state was entered."""

    def apply(
        state: dict[str, Any],
        raw_input: Any,
        context: dict[str, Any] | None,
        result: Any = None,
        error_output: Any = None,
    ) -> None:
        assign = state.get("Assign")
        if context is None or not isinstance(assign, dict):
            return
        before = dict(context.get("variables", {}))
        assigned: dict[str, Any] = {}
        for name, template in assign.items():
            scratch = {**context, "variables": dict(before)}
            original({**state, "Assign": {name: template}}, raw_input, scratch, result, error_output)
            assigned |= {name: scratch["variables"][name]} if name in scratch["variables"] else {}
        context.setdefault("variables", {}).update(assigned)

    return apply


def _scoped(original: Callable[..., Any], runs: MapRuns) -> Callable[..., Any]:
    """Branches and items read outer variables but do not set them; children of a Distributed Map are executions."""

    def run(
        states: dict[str, Any], start_at: str, input_data: Any, execution: dict[str, Any], context: dict[str, Any]
    ) -> Any:
        context = {**context, "variables": dict(context.get("variables", {}))}
        is_child = "mapRunArn" in execution and context["Execution"]["Id"] != execution["executionArn"]
        if is_child:
            index = context.pop("Map")["Item"]["Index"]
            runs.add_child(execution["mapRunArn"], index, execution)
            context["Execution"] = {
                "Id": execution["executionArn"],
                "Input": input_data,
                "Name": execution["name"],
                "StartTime": execution["startDate"],
            }
            check_size(input_data, "The input of the child workflow execution")
        output = original(states, start_at, input_data, execution, context)
        check_size(output, "The output")
        return output

    return run


def _matching(original: Callable[..., bool]) -> Callable[..., bool]:
    def matches(error_equals: list[str], error: str) -> bool:
        if error in _TERMINAL:
            return _TERMINAL[error] and error in error_equals
        return original(error_equals, error)

    return matches
