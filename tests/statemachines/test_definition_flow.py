"""Where the states of a machine lead: cfn-lint follows neither targets nor ways."""

from collections.abc import Callable, Iterable, Iterator

import pytest

from tests.statemachines.broken import broken, sound
from tests.support.definitions import Json, Scope, read, scopes
from tests.support.templates import Machine, machines

TERMINAL = {"Succeed", "Fail"}


def missing_targets(definition: Json) -> Iterator[str]:
    for scope in scopes(definition):
        if scope.start_at not in scope.states:
            yield f"StartAt of '{scope.name}' names {scope.start_at}, which is not there"
        for state in scope.states:
            for edge in scope.edges(state):
                if edge.target not in scope.states:
                    yield f"{scope.label(state)} leads to {edge.target}, which is not there"


def wrong_ends(definition: Json) -> Iterator[str]:
    for scope in scopes(definition):
        for name, state in scope.states.items():
            ends = ("Next" in state) + ("End" in state)
            wanted = 0 if state["Type"] in TERMINAL | {"Choice"} else 1
            if ends != wanted:
                yield f"{scope.label(name)} ({state['Type']}) has {ends} of Next and End, not {wanted}"
            if state["Type"] == "Choice" and "Default" not in state:
                yield f"{scope.label(name)} has no Default: States.NoChoiceMatched passes every Catch"


def unreachable_states(definition: Json) -> Iterator[str]:
    for scope in scopes(definition):
        reached = _reached(scope, [scope.start_at], lambda _: True)
        for state in sorted(scope.states.keys() - reached):
            yield f"nothing leads to {scope.label(state)}"


def states_without_end(definition: Json) -> Iterator[str]:
    """Yield states from which, while all goes well, no end is ever reached."""
    for scope in scopes(definition):
        for state in scope.states:
            reached = _reached(scope, [state], lambda kind: kind != "catch")
            if not any(_is_end(scope.states[name]) for name in reached):
                yield f"from {scope.label(state)} no state leads to an end"


def loops_that_decide_nothing(definition: Json) -> Iterator[str]:
    """Yield states of a circle in which nothing waits and nothing decides whether to go round again."""
    for scope in scopes(definition):
        busy = {name for name, state in scope.states.items() if state["Type"] not in {"Wait", "Choice"}}
        ways = {name: {edge.target for edge in scope.edges(name)} & busy for name in busy}
        for state in sorted(busy):
            if state in _closure(ways, ways[state]):
                yield f"{scope.label(state)} comes back to itself without a Wait or Choice"


def _reached(scope: Scope, begin: Iterable[str], follows: Callable[[str], bool]) -> set[str]:
    ways = {
        name: {e.target for e in scope.edges(name) if follows(e.kind)} & scope.states.keys() for name in scope.states
    }
    return _closure(ways, set(begin) & scope.states.keys())


def _closure(ways: dict[str, set[str]], begin: set[str]) -> set[str]:
    reached: set[str] = set()
    waiting = set(begin)
    while waiting:
        state = waiting.pop()
        reached.add(state)
        waiting |= ways[state] - reached
    return reached


def _is_end(state: Json) -> bool:
    return state["Type"] in TERMINAL or "End" in state


RULES = [missing_targets, wrong_ends, unreachable_states, states_without_end, loops_that_decide_nothing]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("machine", machines(), ids=str)
def test_every_way_through_the_machine_leads_to_an_end(machine: Machine, rule: Callable[[Json], Iterator[str]]) -> None:
    problems = list(rule(read(machine.path)))

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_definition_passes(rule: Callable[[Json], Iterator[str]]) -> None:
    assert not list(rule(sound()))


WAY_BACK = {"Type": "Pass", "Next": "ListSizes"}


@pytest.mark.parametrize(
    ("rule", "definition", "complaint"),
    [
        (missing_targets, broken("StartAt", "Nowhere"), "StartAt of '' names Nowhere"),
        (missing_targets, broken("States/ListSizes/Next", "HasSize"), "ListSizes leads to HasSize"),
        (missing_targets, broken("States/HasSizes/Default", "Nowhere"), "HasSizes leads to Nowhere"),
        (missing_targets, broken("States/HasSizes/Choices/0/Next", "Nowhere"), "HasSizes leads to Nowhere"),
        (missing_targets, broken("States/ListSizes/Catch/0/Next", "Nowhere"), "ListSizes leads to Nowhere"),
        (
            missing_targets,
            broken("States/EachSize/ItemProcessor/States/Keep/Next", "Done"),
            "EachSize/Keep leads to Done",
        ),
        (wrong_ends, broken("States/ListSizes/End", value=True), "ListSizes (Task) has 2 of Next and End, not 1"),
        (wrong_ends, broken("States/HasSizes/Default"), "HasSizes has no Default"),
        (unreachable_states, broken("States/Lonely", {"Type": "Succeed"}), "nothing leads to Lonely"),
        (states_without_end, broken("States/Done", WAY_BACK), "from ListSizes no state leads to an end"),
        (loops_that_decide_nothing, broken("States/ListSizes/Next", "ListSizes"), "ListSizes comes back to itself"),
        (loops_that_decide_nothing, broken("States/Failed", WAY_BACK), "Failed comes back to itself"),
    ],
)
def test_a_dead_end_is_reported(rule: Callable[[Json], Iterator[str]], definition: Json, complaint: str) -> None:
    assert any(complaint in problem for problem in rule(definition)), list(rule(definition))


def test_polling_with_a_wait_is_no_endless_loop() -> None:
    definition = broken("States/HasSizes/Default", "Pause")
    definition["States"]["Pause"] = {"Type": "Wait", "Seconds": 30, "Next": "ListSizes"}

    assert not list(loops_that_decide_nothing(definition))
