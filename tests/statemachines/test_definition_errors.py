"""What happens when a step fails: retried with jitter if it may help, caught with its cause, never swallowed."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from tests.statemachines.broken import broken, sound
from tests.support.definitions import Json, read, scopes, states, strings
from tests.support.exceptions import exception_names
from tests.support.handlers import handler_source
from tests.support.templates import Machine, machines

LAMBDA = "arn:aws:states:::lambda:invoke"

# https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
TRANSIENT = {
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
}
STATES_ERRORS = {
    "AmazonECS.Unknown",  # https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html
    "States.ALL",
    "States.DataLimitExceeded",
    "States.ExceedToleratedFailureThreshold",
    "States.HeartbeatTimeout",
    "States.Http.Socket",
    "States.ItemReaderFailed",
    "States.Permissions",
    "States.QueryEvaluationError",
    "States.ResultWriterFailed",
    "States.TaskFailed",
    "States.Timeout",
}
# Neither Retry nor Catch sees it, so naming it only looks like a guard.
NEVER_SEEN = {"States.Runtime"}
SERVICE_ERROR = re.compile(r"(?!Lambda\.|States\.|Runtime\.|Sandbox\.)[A-Z]\w+\.[A-Z]\w+Exception")

# Raised because of what is asked or how it is deployed: asking again changes nothing.
CONTRACT_ERRORS = {"ValidationError", "SettingsInvalid"}


def unguarded_states(definition: Json) -> Iterator[str]:
    for label, state in states(definition, "Task", "Map", "Parallel"):
        for name in ("Retry", "Catch"):
            if not state.get(name):
                yield f"{label} has no {name}"
    for label, state in states(definition, "Task"):
        for name in ("TimeoutSeconds", "Output"):
            if name not in state:
                yield f"{label} has no {name}"
        if state["Resource"].endswith(".waitForTaskToken") and "HeartbeatSeconds" not in state:
            yield f"{label} waits for a token without HeartbeatSeconds"


def retries_without_jitter(definition: Json) -> Iterator[str]:
    for label, state in states(definition):
        for retrier in state.get("Retry", []):
            wanted = {"JitterStrategy", "MaxDelaySeconds", "MaxAttempts"}
            if retrier.get("MaxAttempts") == 0:
                continue
            if missing := wanted - retrier.keys():
                yield f"{label} retries {retrier['ErrorEquals'][0]} without {', '.join(sorted(missing))}"
            if retrier.get("JitterStrategy", "FULL") != "FULL":
                yield f"{label} retries {retrier['ErrorEquals'][0]} without full jitter"


def transient_errors_not_retried(definition: Json) -> Iterator[str]:
    for label, state in states(definition, "Task"):
        if state["Resource"].startswith(LAMBDA):
            retried = {name for r in state.get("Retry", []) if r.get("MaxAttempts") != 0 for name in r["ErrorEquals"]}
            if missing := TRANSIENT - retried:
                yield f"{label} does not retry {', '.join(sorted(missing))}"


def uneven_retries(definition: Json) -> Iterator[str]:
    """Yield tasks that retry a function otherwise than most do; ASL knows no reference to share a Retry by.

    What a task never retries is its own matter, and so are errors that only its function raises.
    """

    def is_shared(retrier: Json) -> bool:
        return retrier.get("MaxAttempts") != 0 and any("." in name for name in retrier["ErrorEquals"])

    retries = {
        label: json.dumps([retrier for retrier in state.get("Retry", []) if is_shared(retrier)], sort_keys=True)
        for label, state in states(definition, "Task")
        if state["Resource"].startswith(LAMBDA)
    }
    usual = Counter(retries.values()).most_common(1)
    yield from (f"{label} retries otherwise than the others" for label in retries if retries[label] != usual[0][0])


def contract_errors_retried(definition: Json) -> Iterator[str]:
    """Yield functions of which a wide retrier gets errors that an earlier one should have taken out.

    A container has no errors with names, only exit codes.
    """
    for label, state in states(definition, "Task"):
        if not state["Resource"].startswith(LAMBDA):
            continue
        excluded: set[str] = set()
        for retrier in state.get("Retry", []):
            named = set(retrier["ErrorEquals"])
            if retrier.get("MaxAttempts") == 0:
                excluded |= named
            elif wrong := named & CONTRACT_ERRORS:
                yield f"{label} retries {', '.join(sorted(wrong))}"
            elif named & {"States.TaskFailed", "States.ALL"} and (wrong := CONTRACT_ERRORS - excluded):
                yield f"{label} retries {', '.join(sorted(wrong))} along with {', '.join(sorted(named))}"


def wildcards_out_of_place(definition: Json) -> Iterator[str]:
    for label, state in states(definition):
        for field in ("Retry", "Catch"):
            entries = [entry["ErrorEquals"] for entry in state.get(field, [])]
            for position, names in enumerate(entries):
                if "States.ALL" in names and (len(names) > 1 or position < len(entries) - 1):
                    yield f"{label} has States.ALL beside or before other names in {field}"
        if state.get("Catch") and "States.ALL" not in state["Catch"][-1]["ErrorEquals"]:
            yield f"{label} does not catch States.ALL"


def lost_causes(definition: Json) -> Iterator[str]:
    """Yield Catches that drop error or cause, but for two kinds.

    States that themselves follow a Catch keep the first error; and a Catch of a failed Map's threshold may go on to the
    state that finds out for itself what failed.
    """
    for scope in scopes(definition):
        handling = {edge.target for state in scope.states for edge in scope.edges(state) if edge.kind == "catch"}
        for name, state in scope.states.items():
            for catcher in state.get("Catch", []):
                if catcher["ErrorEquals"] == ["States.ExceedToleratedFailureThreshold"]:
                    continue
                kept = " ".join(text for _, text in strings([catcher.get("Assign"), catcher.get("Output")]))
                for part in ("Error", "Cause"):
                    if f"$states.errorOutput.{part}" not in kept and name not in handling:
                        yield f"the Catch of {scope.label(name)} drops {part}"
    for label, state in states(definition, "Fail"):
        if missing := {"Error", "Cause"} - state.keys():
            yield f"{label} ends without {', '.join(sorted(missing))}"


def unknown_errors(definition: Json, own: frozenset[str]) -> Iterator[str]:
    """Yield names in ErrorEquals that neither AWS documents nor the code raises."""
    for label, state in states(definition):
        for entry in [*state.get("Retry", []), *state.get("Catch", [])]:
            for name in entry["ErrorEquals"]:
                if name in NEVER_SEEN:
                    yield f"{label} names {name}, which neither Retry nor Catch ever sees"
                elif name not in STATES_ERRORS | TRANSIENT | own and not SERVICE_ERROR.fullmatch(name):
                    yield f"{label} names {name}: AWS documents no such error and no class has this name"


RULES = [
    unguarded_states,
    retries_without_jitter,
    transient_errors_not_retried,
    uneven_retries,
    contract_errors_retried,
    wildcards_out_of_place,
    lost_causes,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("machine", machines(), ids=str)
def test_every_failure_is_retried_or_caught_with_its_cause(
    machine: Machine, rule: Callable[[Json], Iterator[str]]
) -> None:
    problems = list(rule(read(machine.path)))

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("machine", machines(), ids=str)
def test_every_error_name_exists(machine: Machine) -> None:
    problems = list(unknown_errors(read(machine.path), exception_names(machine.stack.domain)))

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("machine", "label", "state"),
    [
        pytest.param(machine, label, state, id=f"{machine}.{label}")
        for machine in machines()
        for label, state in states(read(machine.path), "Task")
        if state["Resource"].startswith(LAMBDA)
    ],
)
def test_errors_a_handler_documents_as_final_are_not_retried(machine: Machine, label: str, state: Json) -> None:
    function = machine.function(state["Arguments"]["FunctionName"])
    documented = handler_source(function).documented_errors(function.domain)
    excluded = {name for r in state["Retry"] if r.get("MaxAttempts") == 0 for name in r["ErrorEquals"]}

    assert excluded - CONTRACT_ERRORS == documented, (
        f"{label} of {machine.path.name} excludes {sorted(excluded - CONTRACT_ERRORS)} from Retry, but the docstring "
        f"of {function.module} names {sorted(documented)} as never retried"
    )


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_sound_definition_passes(rule: Callable[[Json], Iterator[str]]) -> None:
    assert not list(rule(sound()))
    assert not list(unknown_errors(sound(), exception_names("kernel")))


TASK = "States/ListSizes"
EVERYTHING = {"ErrorEquals": ["States.ALL"], "MaxAttempts": 1, "MaxDelaySeconds": 9, "JitterStrategy": "FULL"}


@pytest.mark.parametrize(
    ("rule", "path", "value", "complaint"),
    [
        (unguarded_states, f"{TASK}/TimeoutSeconds", None, "ListSizes has no TimeoutSeconds"),
        (unguarded_states, f"{TASK}/Retry", None, "ListSizes has no Retry"),
        (unguarded_states, f"{TASK}/Catch", [], "ListSizes has no Catch"),
        (unguarded_states, "States/EachSize/Catch", None, "EachSize has no Catch"),
        (unguarded_states, f"{TASK}/Resource", f"{LAMBDA}.waitForTaskToken", "waits for a token"),
        (retries_without_jitter, f"{TASK}/Retry/1/JitterStrategy", "NONE", "without full jitter"),
        (retries_without_jitter, f"{TASK}/Retry/1/JitterStrategy", None, "without JitterStrategy"),
        (transient_errors_not_retried, f"{TASK}/Retry/1/ErrorEquals", ["States.Timeout"], "does not retry Lambda.AWS"),
        (contract_errors_retried, f"{TASK}/Retry/0/MaxAttempts", 2, "retries SettingsInvalid, ValidationError"),
        (contract_errors_retried, f"{TASK}/Retry/0", EVERYTHING, "along with States.ALL"),
        (wildcards_out_of_place, f"{TASK}/Retry/0", EVERYTHING, "States.ALL beside or before other names in Retry"),
        (wildcards_out_of_place, f"{TASK}/Catch/0/ErrorEquals", ["States.Timeout"], "does not catch States.ALL"),
        (lost_causes, f"{TASK}/Catch/0/Assign/failed/cause", None, "the Catch of ListSizes drops Cause"),
        (lost_causes, f"{TASK}/Catch/0/Assign", None, "the Catch of ListSizes drops Error"),
        (lost_causes, "States/Failed/Cause", None, "Failed ends without Cause"),
    ],
)
def test_a_gap_is_reported(rule: Callable[[Json], Iterator[str]], path: str, value: Any, complaint: str) -> None:
    problems = list(rule(broken(path, value)))

    assert any(complaint in problem for problem in problems), problems


def test_a_task_that_retries_otherwise_is_reported() -> None:
    definition = sound()
    task = definition["States"]["ListSizes"]
    definition["States"] |= {name: deepcopy(task) for name in ("ListMore", "ListRest")}
    definition["States"]["ListRest"]["Retry"][0]["ErrorEquals"].append("LeaseLost")
    assert not list(uneven_retries(definition))

    definition["States"]["ListMore"]["Retry"][1]["MaxAttempts"] += 1

    assert list(uneven_retries(definition)) == ["ListMore retries otherwise than the others"]


@pytest.mark.parametrize(
    "name", ["LeaseLots", "States.Runtime", "Runtime.HandlerError", "Lambda.Timeout", "ValueError"]
)
def test_an_error_name_that_nothing_raises_is_reported(name: str) -> None:
    definition = broken(f"{TASK}/Retry/0/ErrorEquals", ["ValidationError", name])

    assert any(name in problem for problem in unknown_errors(definition, exception_names("kernel")))
