"""What people read of a failed execution of data_protection: a sentence, and never Lambda's JSON."""

import json
from typing import Any

import pytest
from jsonata import Jsonata

from tests.support.definitions import read, states, strings
from tests.support.templates import Machine, machines

# https://docs.aws.amazon.com/step-functions/latest/apireference/API_ExecutionFailedEventDetails.html
LONGEST_CAUSE = 32_768
MACHINES = [machine for machine in machines() if machine.stack.domain == "data_protection"]
MESSAGE = '`phases[0]`: 5 is not one of 1 to 4. "days" {"a": "b"} are $1 café.'


def evaluated(expression: str, error: dict[str, str]) -> Any:
    compiled = Jsonata(expression.removeprefix("{%").removesuffix("%}"))
    place = {"account": "1", "region": "r", "kind": "k", "name": "n"}
    given = {"place": place, "resource": place}
    for name, value in {"states": {"errorOutput": error, "input": given}, "steps": ["s"], "position": 0}.items():
        compiled.assign(name, value)
    return compiled.evaluate({})


def lambda_cause(message: str, separators: tuple[str, str] = (", ", ": ")) -> str:
    """Return what Step Functions gets of a function that raised: the runtime's own form."""
    frames = [f'  File "/var/task/handlers/x.py", line {line}, in "handler"\\n' for line in range(3)]
    said = {"errorMessage": message, "errorType": "ValidationError", "requestId": "1-2", "stackTrace": frames}
    return json.dumps(said, ensure_ascii=False, separators=separators)


def told() -> list[Any]:
    """Return each expression by which a Catch keeps a cause."""
    return [
        pytest.param(text, id=f"{machine}.{label}.{number}.{place}")
        for machine in MACHINES
        for label, state in states(read(machine.path), "Task", "Map")
        for number, catcher in enumerate(state["Catch"])
        for place, text in strings([catcher.get("Assign"), catcher.get("Output")])
        if "errorOutput.Cause" in text
    ]


@pytest.mark.parametrize("expression", told())
@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (lambda_cause(MESSAGE), MESSAGE),
        (lambda_cause(MESSAGE, (",", ":")), MESSAGE),
        (lambda_cause(MESSAGE)[:-20], MESSAGE),
        ('{"errorMessage":"2026-11-21T05:00:00Z 1-2 Task timed out after 90.00 seconds"}', "Task timed out after 90"),
        ("The state was cancelled, {as it is}", "The state was cancelled, {as it is}"),
        ('{"errorMessage": "cut', '{"errorMessage": "cut'),
    ],
)
def test_a_cause_is_told_by_its_sentence(expression: str, cause: str, said: str) -> None:
    kept = evaluated(expression, {"Error": "ValidationError", "Cause": cause})

    assert said in kept
    assert "stackTrace" not in kept
    assert "errorType" not in kept


@pytest.mark.parametrize("expression", told())
def test_a_failure_without_a_cause_says_so(expression: str) -> None:
    assert evaluated(expression, {"Error": "States.Timeout"}).endswith("no cause was given")


@pytest.mark.parametrize("machine", MACHINES, ids=str)
def test_no_cause_is_longer_than_step_functions_takes(machine: Machine) -> None:
    for label, state in states(read(machine.path), "Fail"):
        # Those of a Map's items are no execution's cause: the machine's own Fail tells of them.
        if "/" not in label:
            assert "$substring(" in state["Cause"], f"{label} of {machine} may fail with a cause that is refused"


def test_every_failed_place_is_told_of_as_far_as_a_cause_goes() -> None:
    [machine] = [one for one in MACHINES if one.path.name.startswith("assess_account.")]
    compiled = Jsonata(read(machine.path)["States"]["AssessmentFailed"]["Cause"][2:-2])
    compiled.assign("failures", ["x" * 500] * 2_000)

    assert 29_000 < len(compiled.evaluate({})) < LONGEST_CAUSE
