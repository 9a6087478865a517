"""Causes of executions as Lambda and the machines word them, as sentences."""

import json

import pytest

from cli.causes import is_of_input, spoken

MESSAGE = "`phases[0]`: 5 is not one of 1 to 4. docs/data_protection.md#remediate describes the fields."


def wrapped(message: str) -> str:
    """Return a cause as Lambda gives it to Step Functions."""
    return json.dumps({"errorMessage": message, "errorType": "E", "requestId": "1", "stackTrace": ["x = {'a': [1]}\n"]})


@pytest.mark.parametrize(
    ("cause", "said"),
    [
        (None, ""),
        ("plain text", "plain text"),
        ("[1]", "[1]"),
        ('{"other": 1}', '{"other": 1}'),
        (wrapped('It said "no".'), 'It said "no".'),
        (wrapped(MESSAGE), MESSAGE),
        (f"BeginLock: {wrapped('No.')}", "BeginLock: No."),
        (f"1: E: {wrapped('No.')}; 2: F: {wrapped('Never.')}", "1: E: No.; 2: F: Never."),
    ],
)
def test_cause_is_its_sentence(cause: str | None, said: str) -> None:
    assert spoken(cause) == said


@pytest.mark.parametrize("length", range(20, 120, 9))
def test_cause_that_was_cut_leaves_neither_json_nor_stack_trace(length: int) -> None:
    cut = wrapped('The "role" is refused.')[:length]
    said = spoken(f"111111111111 in eu-central-1: E: {cut}; 222222222222 in eu-central-1: E: {wrapped('No.')}")

    assert said.startswith("111111111111 in eu-central-1: E: ")
    assert said.endswith("; 222222222222 in eu-central-1: E: No.")
    assert "errorType" not in said
    assert "stackTrace" not in said


def test_faults_of_the_input_are_told_from_those_of_others() -> None:
    assert is_of_input("ValidationError", wrapped(MESSAGE))
    assert is_of_input("AssessmentIncomplete", f"ValidationError: {wrapped(MESSAGE)}")
    assert not is_of_input("AccessRefused", "STS refuses the role (ValidationError).")
    assert not is_of_input(None, None)
