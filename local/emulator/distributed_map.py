# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""The Distributed Map of JSONata state machines.

MiniStack runs the children and counts them, but takes a JSONata state's fields as plain text. Here the expressions
are evaluated, the items are read and selected, and MiniStack then runs a Map that needs none of it.
"""

import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from ministack.core.responses import AccountRegionScopedDict
from ministack.services import stepfunctions as sfn

from local.emulator import result_writer, seams
from local.emulator.quotas import check_size

_NUMBERS = ("MaxConcurrency", "ToleratedFailureCount", "ToleratedFailurePercentage")
_NOT_EMULATED = ("ItemBatcher", "MaxConcurrencyPath", "ToleratedFailureCountPath", "ToleratedFailurePercentagePath")


class MapRuns:
    """Which Map Run a thread started last, and which children belong to it: two Maps of one execution do not mix."""

    def __init__(self) -> None:
        self._last = threading.local()
        self._children: defaultdict[str, dict[int, dict[str, Any]]] = defaultdict(dict)

    def started(self, arn: str) -> None:
        """Note a Map Run that this thread has just entered into MiniStack's books."""
        self._last.arn = arn

    def add_child(self, arn: str, index: int, child: dict[str, Any]) -> None:
        """Note a child workflow execution."""
        self._children[arn][index] = child

    def finish(self) -> tuple[str, list[dict[str, Any]]]:
        """Return this thread's last Map Run and its children in the order of their items."""
        children = self._children.pop(self._last.arn, {})
        return self._last.arn, [children[index] for index in sorted(children)]


def install(runs: MapRuns) -> None:
    """Replace the Distributed Map of JSONata states."""
    seams.private(sfn, "_read_map_items", "reader effective ctx")
    seams.private(sfn, "_apply_jsonata_template", "value raw_input ctx result error_output")
    seams.private(sfn, "_apply_jsonata_output", "state_def raw_input ctx result error_output default")
    seams.private(sfn, "_apply_state_assign", "state_def raw_input ctx result error_output")
    seams.private(sfn, "_jsonata_state_field", "state_def field expected raw_input ctx")
    seams.private(sfn, "_state_query_language", "state_def ctx")
    seams.private(sfn, "_next_or_end", "state_def")

    class NotedRuns(AccountRegionScopedDict):  # type: ignore[misc]
        __slots__ = ()

        def __setitem__(self, arn: str, run: dict[str, Any]) -> None:
            super().__setitem__(arn, run)
            runs.started(arn)

    sfn._map_runs = NotedRuns()

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def run(  # noqa: PLR0917 - called as MiniStack calls the original
            state: dict[str, Any],
            raw_input: Any,
            effective: Any,
            processor: dict[str, Any],
            execution: dict[str, Any],
            context: dict[str, Any],
        ) -> tuple[Any, str | None]:
            if sfn._state_query_language(state, context) != "JSONata":
                return original(state, raw_input, effective, processor, execution, context)  # type: ignore[no-any-return]
            plain, items, writer = _plan(state, raw_input, context)
            # Children read no variable of the machine around them; `result_writer` needs none either.
            outside = {**context, "variables": {}}
            try:
                results, _ = original(plain, items, items, processor, execution, outside)
            except sfn._ExecutionError:
                arn, children = runs.finish()
                if writer is not None:
                    result_writer.write(writer, arn, children)
                raise
            arn, children = runs.finish()
            result = result_writer.results(writer, arn, children, results)
            check_size(result, "The result of the Map Run")
            output = sfn._apply_jsonata_output(state, raw_input, context, result=result, default=result)
            sfn._apply_state_assign(state, raw_input, context, result=result)
            return output, sfn._next_or_end(state)

        return run

    seams.replace(sfn, "_run_distributed_map", "state_def raw_input effective iterator execution ctx", wrap)


def _plan(
    state: dict[str, Any], raw_input: Any, context: dict[str, Any]
) -> tuple[dict[str, Any], list[Any], dict[str, Any] | None]:
    """Return a state without expressions, the selected items and the evaluated ResultWriter."""
    for field in _NOT_EMULATED:
        if field in state:
            raise sfn._ExecutionError("States.Runtime", f"The embedded cloud does not emulate {field}.")
    plain: dict[str, Any] = {key: state[key] for key in ("Type", "Label", "Next", "End") if key in state}
    for field in _NUMBERS:
        if field in state:
            plain[field] = sfn._jsonata_state_field(state, field, "number", raw_input, context)
    items = _items(state, raw_input, context)
    if selector := state.get("ItemSelector"):
        items = [
            sfn._apply_jsonata_template(
                selector, raw_input, {**context, "Map": {"Item": {"Index": index, "Value": item}}}
            )
            for index, item in enumerate(items)
        ]
    writer = state.get("ResultWriter")
    return plain, items, sfn._apply_jsonata_template(writer, raw_input, context) if writer else None


def _items(state: dict[str, Any], raw_input: Any, context: dict[str, Any]) -> list[Any]:
    if "ItemReader" not in state:
        return list(sfn._jsonata_state_field({"Items": raw_input, **state}, "Items", "array", raw_input, context))
    reader = sfn._apply_jsonata_template(state["ItemReader"], raw_input, context)
    try:
        items = sfn._read_map_items(reader, raw_input, context)
    except sfn._ExecutionError:
        raise
    except Exception as unreadable:
        raise sfn._ExecutionError("States.ItemReaderFailed", f"The items cannot be read: {unreadable}") from unreadable
    if not isinstance(items, list):
        raise sfn._ExecutionError("States.ItemReaderFailed", "The items to read are not a list.")
    return items
