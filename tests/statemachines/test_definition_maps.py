"""Distributed Maps: bounded, intolerant, with their results written down; and what only one of both clouds can do."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.statemachines.broken import broken, sound
from tests.support.definitions import Json, is_distributed, read, states, strings
from tests.support.templates import Machine, machines

TOLERATED_PERCENT = 10
LABEL_LENGTH = 40
# Reading and writing S3 belongs into functions; the emulator knows neither these nor RDS calls made by a machine.
FORBIDDEN = re.compile(r":aws-sdk:(s3:(get|put)Object|lambda:|rds:)", re.IGNORECASE)


def careless_maps(definition: Json) -> Iterator[str]:
    for label, state in states(definition, "Map"):
        if "MaxConcurrency" not in state or state["MaxConcurrency"] == 0:
            yield f"{label} has no MaxConcurrency: without one, 10,000 children run at once"
        if not is_distributed(state):
            continue
        tolerated = state.get("ToleratedFailurePercentage")
        if not isinstance(tolerated, int | float) or tolerated > TOLERATED_PERCENT:
            yield f"{label} tolerates {tolerated} % of failures, not an explicit share of at most {TOLERATED_PERCENT} %"
        for name, reason in (
            ("ResultWriter", "results of more than 256 KiB fail the state after its work"),
            ("Label", "its Map Runs get random names"),
        ):
            if name not in state:
                yield f"{label} has no {name}: {reason}"
        if not re.fullmatch(r"[A-Za-z0-9_-]*", state.get("Label", "")) or len(state.get("Label", "")) > LABEL_LENGTH:
            yield f"{label} has a Label of more than {LABEL_LENGTH} letters, or of other signs than letters and digits"
        if "ItemBatcher" in state:
            yield f"{label} has an ItemBatcher: let the planner pack units by bytes"
        if "Items" in state:
            yield f"{label} takes Items: hand it a file, as its input is limited to 256 KiB"


def forbidden_services(definition: Json) -> Iterator[str]:
    for label, state in states(definition):
        for place, text in strings(state.get("Resource", "")):
            if FORBIDDEN.search(text):
                yield f"{label} calls {text}{place}: let a function do it"


def anonymous_machines(definition: Json) -> Iterator[str]:
    for name in ("Comment", "TimeoutSeconds"):
        if name not in definition:
            yield f"the machine has no {name}"
    if definition.get("QueryLanguage") != "JSONata":
        yield "the machine does not say QueryLanguage: JSONata"
    for label, state in states(definition):
        if "QueryLanguage" in state:
            yield f"{label} has a QueryLanguage of its own"
        name = label.rpartition("/")[2]
        if not re.fullmatch(r"(?:[A-Z][a-z0-9]+)+", name):
            yield f"{label} is not named in PascalCase"


RULES = [careless_maps, forbidden_services, anonymous_machines]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("machine", machines(), ids=str)
def test_the_machine_is_bounded(machine: Machine, rule: Callable[[Json], Iterator[str]]) -> None:
    problems = list(rule(read(machine.path)))

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_definition_passes(rule: Callable[[Json], Iterator[str]]) -> None:
    assert not list(rule(sound()))


MAP = "States/EachSize"


@pytest.mark.parametrize(
    ("rule", "path", "value", "complaint"),
    [
        (careless_maps, f"{MAP}/MaxConcurrency", None, "EachSize has no MaxConcurrency"),
        (careless_maps, f"{MAP}/MaxConcurrency", 0, "EachSize has no MaxConcurrency"),
        (careless_maps, f"{MAP}/ToleratedFailurePercentage", 100, "tolerates 100 %"),
        (careless_maps, f"{MAP}/ToleratedFailurePercentage", None, "tolerates None %"),
        (careless_maps, f"{MAP}/ResultWriter", None, "has no ResultWriter"),
        (careless_maps, f"{MAP}/Label", "x" * 41, "more than 40 letters"),
        (careless_maps, f"{MAP}/ItemBatcher", {}, "has an ItemBatcher"),
        (forbidden_services, "States/ListSizes/Resource", "arn:aws:states:::aws-sdk:s3:getObject", "ListSizes calls"),
        (forbidden_services, "States/ListSizes/Resource", "arn:aws:states:::aws-sdk:rds:stopDBInstance", "calls"),
        (anonymous_machines, "TimeoutSeconds", None, "the machine has no TimeoutSeconds"),
        (anonymous_machines, "QueryLanguage", None, "QueryLanguage: JSONata"),
        (anonymous_machines, "States/List sizes", {"Type": "Succeed"}, "List sizes is not named"),
    ],
)
def test_a_careless_machine_is_reported(
    rule: Callable[[Json], Iterator[str]], path: str, value: Any, complaint: str
) -> None:
    problems = list(rule(broken(path, value)))

    assert any(complaint in problem for problem in problems), problems
