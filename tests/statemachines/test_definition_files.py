"""Definition files: YAML that every reader reads alike, and substitutions that match the template's."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from local.paths import ROOT
from tests.statemachines.broken import sound
from tests.support.asl_lint import asl_problems
from tests.support.definitions import Json, read, strings
from tests.support.templates import Machine, machines

_PLAIN = {"str", "int", "float", "bool", "null"}
SUBSTITUTION = re.compile(r"\$\{([^}]*)}")


def yaml_traps(text: str) -> Iterator[str]:
    for token in yaml.scan(text):
        if isinstance(token, yaml.AnchorToken | yaml.AliasToken):
            yield f"line {token.start_mark.line + 1} has a YAML anchor or alias, which other readers do not know"
    for node, keys in _mappings(yaml.compose(text)):
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            yield f"line {node.start_mark.line + 1} has the key {key} twice"
    for node in _scalars(yaml.compose(text)):
        kind = node.tag.rpartition(":")[2]
        if kind not in _PLAIN or (kind == "bool" and node.value not in {"true", "false"}):
            yield f"line {node.start_mark.line + 1}: {node.value} is read as {kind}: quote it"


def substitutions_out_of_step(definition: Json, given: Json) -> Iterator[str]:
    used = {name for _, text in strings(definition) for name in SUBSTITUTION.findall(text)}
    for name in sorted(used - given.keys()):
        yield f"${{{name}}} is in the definition, but not in DefinitionSubstitutions (or is it JSONata? write `$ {{`)"
    for name in sorted(given.keys() - used):
        yield f"{name} is in DefinitionSubstitutions, but the definition has no ${{{name}}}"


def _mappings(node: Any) -> Iterator[tuple[Any, list[str]]]:
    if isinstance(node, yaml.MappingNode):
        yield node, [key.value for key, _ in node.value]
        for _, value in node.value:
            yield from _mappings(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _mappings(value)


def _scalars(node: Any) -> Iterator[Any]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _scalars(value)
    else:
        for key, value in node.value:
            yield from _scalars(key)
            yield from _scalars(value)


@pytest.mark.parametrize("machine", machines(), ids=str)
def test_the_file_is_plain_yaml(machine: Machine) -> None:
    problems = list(yaml_traps(machine.path.read_text()))

    assert not problems, f"{machine.path.name}: " + "\n".join(problems)


@pytest.mark.parametrize("machine", machines(), ids=str)
def test_substitutions_match_both_ways(machine: Machine) -> None:
    problems = list(substitutions_out_of_step(read(machine.path), machine.substitutions))

    assert not problems, "\n".join(problems)


@pytest.mark.parametrize("machine", machines(), ids=str)
def test_cfn_lint_accepts_the_definition(machine: Machine) -> None:
    problems = asl_problems(read(machine.path), machine.substitutions)

    assert not problems, "\n".join(problems)


def test_every_definition_is_some_machines() -> None:
    files = set(ROOT.glob("statemachines/*/*"))

    assert {machine.path for machine in machines()} == files
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*\.asl\.yaml", path.name) for path in files)


def test_cfn_lint_sees_an_unknown_field() -> None:
    definition = sound()
    definition["States"]["ListSizes"]["Resurce"] = definition["States"]["ListSizes"].pop("Resource")

    assert any("'Resource' is a required property" in problem for problem in asl_problems(definition, {}))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: &x {b: 1}\nc: *x\n", "line 2 has a YAML anchor or alias"),
        ("a: 1\na: 2\n", "has the key a twice"),
        ("a: 2026-01-01\n", "line 1: 2026-01-01 is read as timestamp"),
        ("on: 1\n", "line 1: on is read as bool"),
        ("a: {b: [no]}\n", "line 1: no is read as bool"),
    ],
)
def test_a_yaml_trap_is_reported(text: str, complaint: str) -> None:
    assert any(complaint in problem for problem in yaml_traps(text)), list(yaml_traps(text))


def test_substitutions_out_of_step_are_reported() -> None:
    problems = list(substitutions_out_of_step({"A": "${Used}", "B": "{% $${x: 1} %}"}, {"Used": 1, "Spare": 2}))

    assert [problem.split()[0] for problem in problems] == ["${x:", "Spare"]
