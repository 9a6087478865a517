"""JSONata: every expression parses, calls what exists and reads what is there at that moment, on every way."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.statemachines.broken import broken, sound
from tests.support.definitions import Json, Scope, own_fields, read, scopes, strings
from tests.support.expressions import FUNCTIONS, Facts, examine, is_expression
from tests.support.templates import Machine, machines

# https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
CONTEXT = re.compile(
    r"Execution\.(Id|Input|Name|RoleArn|StartTime|RedriveCount|RedriveTime)\b.*"
    r"|State\.(EnteredTime|Name|RetryCount)|StateMachine\.(Id|Name)|Task\.Token|Map\.Item\.(Index|Key|Source|Value\b.*)"
)
# A result exists once the work is done, and only states that have something done have one.
WITH_RESULT = {"Task", "Map", "Parallel"}
AFTER_WORK = re.compile(r"(Output|Assign)\b")
IN_CATCH = re.compile(r"Catch\[\d+]\.(Output|Assign)\b")


def expressions(state: Json) -> Iterator[tuple[str, Facts]]:
    """Yield place and facts of every expression of a state; a substitution stands for a number."""
    for place, text in strings(own_fields(state)):
        if is_expression(text):
            yield place, examine(re.sub(r"\$\{\w+}", "1", text))


def malformed_expressions(definition: Json) -> Iterator[str]:
    for scope in scopes(definition):
        for name, state in scope.states.items():
            for place, facts in expressions(state):
                if facts.error is not None:
                    yield f"{scope.label(name)}.{place} cannot be parsed: {facts.error}"
                for called in sorted(facts.called - FUNCTIONS):
                    yield f"{scope.label(name)}.{place} calls ${called}(), which Step Functions does not know"
            for place, text in strings(own_fields(state)):
                if ("{%" in text or "%}" in text) and not is_expression(text):
                    yield f"{scope.label(name)}.{place} is taken as text: the marks must enclose all of it"


def reserved_out_of_place(definition: Json) -> Iterator[str]:
    for scope in scopes(definition):
        for name, state in scope.states.items():
            for place, facts in expressions(state):
                for path in sorted(facts.reserved):
                    if not _exists(path, place, state["Type"]):
                        yield f"{scope.label(name)}.{place} reads $states.{path}, which is not there"


def unassigned_variables(definition: Json) -> Iterator[str]:
    """Yield variables that are read on some way that has not assigned them."""
    known: dict[str, dict[str, set[str]]] = {}
    for scope in scopes(definition):
        known[scope.name] = _assigned_at_entry(scope, _inherited(scope, known))
        for name, state in scope.states.items():
            for place, facts in expressions(state):
                for variable in sorted(facts.variables - known[scope.name][name]):
                    yield f"{scope.label(name)}.{place} reads ${variable}, which not every way there has assigned"


def ambiguous_assignments(definition: Json) -> Iterator[str]:
    """Yield names that an Assign both sets and reads: AWS reads the old value, others may read the new one."""
    for scope in scopes(definition):
        outer = _names_assigned_outside(scope)
        for name in scope.states:
            for edge in scope.edges(name):
                read_here = {
                    v for _, text in strings(edge.assign) if is_expression(text) for v in examine(text).variables
                }
                for variable in sorted(read_here & edge.assign.keys()):
                    yield f"{scope.label(name)} reads and sets ${variable} in one Assign"
                for variable in sorted(outer & edge.assign.keys()):
                    yield f"{scope.label(name)} sets ${variable}, a name of the states around it"


def _exists(path: str, place: str, kind: str) -> bool:
    first, _, rest = path.partition(".")
    if first == "context":
        return CONTEXT.fullmatch(rest) is not None
    if first == "result":
        return kind in WITH_RESULT and AFTER_WORK.match(place) is not None
    if first == "errorOutput":
        return IN_CATCH.match(place) is not None
    return first == "input"


def _inherited(scope: Scope, known: dict[str, dict[str, set[str]]]) -> set[str]:
    if scope.outer is None or scope.holder is None or scope.is_distributed:
        return set()
    return known[scope.outer.name][scope.holder]


def _assigned_at_entry(scope: Scope, inherited: set[str]) -> dict[str, set[str]]:
    """Return what is assigned on every way to each state: what all its predecessors agree on."""
    everything = inherited | {key for name in scope.states for edge in scope.edges(name) for key in edge.assign}
    entry = {name: set(everything) for name in scope.states}
    entry[scope.start_at] = set(inherited)
    changed = True
    while changed:
        changed = False
        for name in scope.states:
            for edge in scope.edges(name):
                if edge.target in entry and not entry[edge.target] <= (arriving := entry[name] | edge.assign.keys()):
                    entry[edge.target] &= arriving
                    changed = True
    return entry


def _names_assigned_outside(scope: Scope) -> set[str]:
    if scope.outer is None or scope.is_distributed:
        return set()
    outer = scope.outer
    here = {variable for name in outer.states for edge in outer.edges(name) for variable in edge.assign}
    return here | _names_assigned_outside(outer)


RULES = [malformed_expressions, reserved_out_of_place, unassigned_variables, ambiguous_assignments]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("machine", machines(), ids=str)
def test_every_expression_can_be_evaluated(machine: Machine, rule: Callable[[Json], Iterator[str]]) -> None:
    problems = list(rule(read(machine.path)))

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_definition_passes(rule: Callable[[Json], Iterator[str]]) -> None:
    assert not list(rule(sound()))


TASK, ITEM = "States/ListSizes", "States/EachSize/ItemProcessor/States"


@pytest.mark.parametrize(
    ("rule", "path", "value", "complaint"),
    [
        (malformed_expressions, f"{TASK}/Output", "{% $states.result[ %}", "ListSizes.Output cannot be parsed"),
        (malformed_expressions, f"{TASK}/Output", "{% $eval('1') %}", "calls $eval()"),
        (malformed_expressions, f"{TASK}/Output", "{% $states.result ~> $sume() %}", "calls $sume()"),
        (malformed_expressions, f"{TASK}/Output", "run {% $states.result %}", "is taken as text"),
        (reserved_out_of_place, f"{TASK}/Arguments/Payload/name", "{% $states.result %}", "reads $states.result"),
        (reserved_out_of_place, f"{TASK}/Output", "{% $states.errorOutput.Error %}", "reads $states.errorOutput"),
        (reserved_out_of_place, f"{TASK}/Output", "{% $states.context.Execution.Nmae %}", "reads $states.context"),
        (reserved_out_of_place, f"{TASK}/Output", "{% $states %}", "reads $states."),
        (reserved_out_of_place, f"{ITEM}/Keep/Output", "{% $states.result %}", "EachSize/Keep.Output reads"),
        (unassigned_variables, f"{TASK}/Assign", None, "HasSizes.Choices[0].Condition reads $sizes"),
        (unassigned_variables, "States/EachSize/Catch/0/Assign", None, "Failed.Error reads $failed"),
        (unassigned_variables, f"{ITEM}/Show/Output", "{% $sizes %}", "EachSize/Show.Output reads $sizes"),
        (unassigned_variables, f"{ITEM}/Keep/Output", "{% $size %}", "EachSize/Keep.Output reads $size"),
        (ambiguous_assignments, f"{ITEM}/Keep/Assign/size", "{% $size + 1 %}", "reads and sets $size"),
    ],
)
def test_a_wrong_expression_is_reported(
    rule: Callable[[Json], Iterator[str]], path: str, value: Any, complaint: str
) -> None:
    problems = list(rule(broken(path, value)))

    assert any(complaint in problem for problem in problems), problems


def test_names_bound_within_an_expression_are_no_variables() -> None:
    facts = examine("{% ($total := $sum($states.input.sizes); $map([1], function($v) { $v * $total })) %}")

    assert (facts.called, facts.variables, facts.reserved) == ({"sum", "map"}, set(), {"input.sizes"})


def test_an_inline_map_reads_but_does_not_reuse_outer_variables() -> None:
    definition = broken(f"{ITEM}/Show/Output", "{% $sizes %}")
    definition["States"]["EachSize"]["ItemProcessor"]["ProcessorConfig"] = {"Mode": "INLINE"}

    assert not list(unassigned_variables(definition))
    definition["States"]["EachSize"]["ItemProcessor"]["States"]["Keep"]["Assign"] = {"sizes": 1}
    assert any("sets $sizes" in problem for problem in ambiguous_assignments(definition))
