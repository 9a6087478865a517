"""Samples of what AWS hands to each function, and of what it must refuse; and that the senders send just that."""

import json
import re

import pytest
from pydantic import BaseModel

from kernel.contracts import Contract, MachineInput
from kernel.errors import ValidationError
from local.paths import ROOT
from tests.support.definitions import Json, read, states
from tests.support.handlers import handler_source
from tests.support.templates import Function, Machine, functions, machines, sqs_sources


def sample(function: Function, kind: str = "") -> Json:
    path = ROOT / "events" / function.domain / f"{function.name}{kind}.json"
    assert path.exists(), f"{function} has no {path.relative_to(ROOT)}"
    return dict(json.loads(path.read_text()))


def refusals(function: Function, event: Json) -> list[ValidationError]:
    """Return why the handler's contract refuses the event, or messages of its batch."""
    source = handler_source(function)
    bodies = [record["body"] for record in event["Records"]] if source.takes_batches else [json.dumps(event)]
    return [error for error in (_refusal(source.contract, body) for body in bodies) if error is not None]


def missing_and_unknown(model: type[BaseModel], sent: set[str]) -> list[str]:
    """Return the keys that a contract asks for in vain, and those it does not know."""
    if issubclass(model, MachineInput):
        return sorted(sent ^ {*MachineInput.model_fields, "input"})
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    return sorted((required - sent) | (sent - model.model_fields.keys()))


def matches(pattern: Json, event: Json) -> bool:
    """Whether EventBridge lets an event pass; names that only deployment knows let any value pass."""
    for key, wanted in pattern.items():
        if isinstance(wanted, dict) and "Ref" in wanted:
            if key not in event:
                return False
        elif isinstance(wanted, dict):
            if not matches(wanted, event.get(key, {})):
                return False
        elif not any(_is_value(candidate, event.get(key)) for candidate in wanted):
            return False
    return True


@pytest.mark.parametrize("function", functions(), ids=str)
def test_good_sample_is_accepted(function: Function) -> None:
    assert not refusals(function, sample(function))


@pytest.mark.parametrize("function", functions(), ids=str)
def test_invalid_sample_is_refused_for_one_reason(function: Function) -> None:
    found = refusals(function, sample(function, ".invalid"))

    assert len(found) == 1, f"{function}: {len(found)} messages of the invalid sample are refused, not one"
    # More than one reason would hide that the one it is about has gone.
    assert len(found[0].unquoted) == 1, str(found[0])


@pytest.mark.parametrize("function", [f for f in functions() if handler_source(f).takes_batches], ids=str)
def test_invalid_batch_holds_good_messages_as_well(function: Function) -> None:
    assert len(sample(function, ".invalid")["Records"]) > 1, "a partial failure needs a message that succeeds"


def test_every_sample_belongs_to_a_function() -> None:
    found = {path.relative_to(ROOT / "events").as_posix() for path in ROOT.glob("events/*/*")}
    wanted = {f"{f.domain}/{f.name}{kind}.json" for f in functions() for kind in ("", ".invalid")}

    assert found == wanted


@pytest.mark.parametrize(
    ("function", "payload"),
    [
        pytest.param(function, payload, id=f"{machine}.{label}")
        for machine in machines()
        for label, function, payload in [
            (label, machine.function(state["Arguments"]["FunctionName"]), state["Arguments"]["Payload"])
            for label, state in states(read(machine.path), "Task")
            if state["Resource"].startswith("arn:aws:states:::lambda:invoke")
        ]
        if isinstance(payload, dict)
    ],
)
def test_machine_sends_what_the_contract_asks_for(function: Function, payload: Json) -> None:
    problems = missing_and_unknown(handler_source(function).contract, set(payload))

    assert not problems, (
        f"the payload for {function} and {handler_source(function).contract.__name__} differ: {problems}"
    )


@pytest.mark.parametrize(
    ("function", "template"),
    [
        pytest.param(function, event["Properties"]["InputTransformer"]["InputTemplate"], id=f"{function}.{name}")
        for function in functions()
        for name, event in function.properties.get("Events", {}).items()
        if "InputTransformer" in event["Properties"]
    ],
)
def test_rule_sends_what_the_contract_asks_for(function: Function, template: str) -> None:
    event = json.loads(re.sub(r"<\w+>", "some-value", template))

    assert not refusals(function, event)


@pytest.mark.parametrize(
    ("function", "patterns"),
    [
        pytest.param(function, patterns, id=str(function))
        for function, source in sqs_sources()
        if (
            patterns := [
                rule["EventPattern"]
                for rule in function.stack.of_type("AWS::Events::Rule").values()
                if source["EventSourceArn"] in [target["Arn"] for target in rule["Targets"]]
            ]
        )
    ],
)
def test_rules_let_pass_what_the_sample_shows(function: Function, patterns: list[Json]) -> None:
    events = [json.loads(record["body"]) for record in sample(function)["Records"]]

    for event in events:
        assert any(matches(pattern, event) for pattern in patterns), event
    for pattern in patterns:
        assert any(matches(pattern, event) for event in events), f"the sample shows nothing of {pattern}"


def test_an_event_that_a_rule_holds_back_is_reported() -> None:
    pattern = {"source": ["aws.s3"], "detail": {"object": {"key": [{"prefix": "cloudflare/"}]}}}

    assert matches(pattern, {"source": "aws.s3", "detail": {"object": {"key": "cloudflare/1"}}})
    assert not matches(pattern, {"source": "aws.s3", "detail": {"object": {"key": "other/1"}}})
    assert not matches(pattern, {"source": "aws.ec2", "detail": {"object": {"key": "cloudflare/1"}}})
    assert not matches(pattern, {"source": "aws.s3"})
    assert matches({"account": {"Ref": "Accounts"}}, {"account": "222222222222"})
    assert not matches({"account": {"Ref": "Accounts"}}, {"source": "aws.s3"})
    assert matches({"error": [{"exists": False}]}, {"source": "aws.s3"})
    assert not matches({"error": [{"exists": False}]}, {"error": "AccessDenied"})


def test_a_key_out_of_step_is_reported() -> None:
    class Step(Contract):
        run_id: str
        note: str = ""

    class Begin(MachineInput):
        bucket: str

    assert missing_and_unknown(Step, {"runid"}) == ["run_id", "runid"]
    assert not missing_and_unknown(Step, {"run_id"})
    # A machine that chose among the fields of its input would not hear of a wrong one.
    assert missing_and_unknown(Begin, {"run", "time", "bucket"}) == ["bucket", "input"]
    assert not missing_and_unknown(Begin, {"run", "time", "input"})


def first_contracts() -> list[tuple[Machine, type[BaseModel]]]:
    """Return what each machine of data_protection sends its first function."""
    found = []
    for machine in machines():
        if machine.stack.domain == "data_protection":
            tasks = dict(states(read(machine.path), "Task"))
            first = tasks[next(iter(tasks))]
            found.append((machine, handler_source(machine.function(first["Arguments"]["FunctionName"])).contract))
    return found


@pytest.mark.parametrize(("machine", "contract"), [pytest.param(*one, id=str(one[0])) for one in first_contracts()])
def test_machine_has_its_input_looked_at_as_a_whole_and_says_where_it_is_described(
    machine: Machine, contract: type[BaseModel]
) -> None:
    assert issubclass(contract, MachineInput), f"{machine}: {contract.__name__} does not see the machine's whole input"
    page, _, section = contract.described.partition("#")
    sections = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(), re.MULTILINE)
    assert section in {one.lower().replace(" ", "-") for one in sections}, f"{page} has no section {section}"


@pytest.mark.parametrize("function", functions(), ids=str)
def test_what_a_contract_refuses_is_told_in_sentences(function: Function) -> None:
    [refused] = refusals(function, sample(function, ".invalid"))
    sentence = str(refused)

    assert sentence.endswith((".", "?"))
    assert "pydantic" not in sentence
    assert "Input should" not in sentence


def _is_value(candidate: object, value: str | None) -> bool:
    if isinstance(candidate, dict) and "exists" in candidate:
        return bool(candidate["exists"]) == (value is not None)
    if isinstance(candidate, dict) and value is not None:
        return "Ref" in candidate or ("prefix" in candidate and value.startswith(candidate["prefix"]))
    return candidate == value


def _refusal(contract: type[BaseModel], body: str) -> ValidationError | None:
    try:
        contract.model_validate_json(body)
    except ValidationError as refused:
        return refused
    return None
