"""A runbook's commands can be copied as they stand: the shell takes them, AWS knows them, and what they name exists."""

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import dedent

import botocore.session
import pytest
from botocore import xform_name

from local.paths import ROOT
from tests.support.templates import Json, stacks

BOOKS = sorted(ROOT.glob("docs/runbooks/*.md"))
SECTIONS = ["Look at", "Mend", "Over when"]
# What the command line interface has beside the operations of the API, with its options.
CUSTOM = {
    ("logs", "tail"): {"since", "filter-pattern", "follow"},
    ("s3", "ls"): {"recursive"},
    ("s3", "cp"): {"recursive"},
    ("s3", "rm"): {"recursive"},
    ("s3", "sync"): set(),
    ("s3", "mv"): set(),
}
GLOBAL = {"query", "output", "region", "max-items"}
_BLOCK = re.compile(r"(?:^(?: {4,}\S.*)?\n)+", re.MULTILINE)
_INNER = re.compile(r"\$\(([^()]*)\)")


def script(text: str) -> str:
    """Return what a runbook has to be typed, of all its blocks."""
    blocks = [block for block in _BLOCK.findall(text) if block.strip()]
    inline = [command for command in re.findall(r"`([^`\n]+)`", text) if command.startswith(("aws ", "gatehouse "))]
    return "\n".join([*map(dedent, blocks), *inline])


def commands(typed: str) -> Iterator[str]:
    """Yield each command of a script, those in `$()` for themselves, once for each value of a loop."""
    typed = typed.replace("\\\n", " ")
    loops = {name: values.split() for name, values in re.findall(r"for (\w+) in ([^;]+);", typed)}
    for line in typed.splitlines():
        while inner := _INNER.search(line):
            yield from _expanded(inner[1], loops)
            line = line.replace(inner[0], "X")  # noqa: PLW2901 - from the innermost on
        yield from _expanded(line, loops)


def _expanded(command: str, loops: dict[str, list[str]]) -> Iterator[str]:
    for name, values in loops.items():
        if f"${name}" in command:
            for value in values:
                yield from _expanded(command.replace(f"${name}", value), loops)
            return
    yield command


def unknown_to_aws(command: str) -> Iterator[str]:
    """Yield what AWS' command line interface would refuse of a command."""
    for service, operation, rest in re.findall(r"\baws ([a-z0-9]+) ([a-z0-9-]+)(.*)", command):
        known = CUSTOM.get((service, operation), _options(service).get(operation))
        if known is None:
            yield f"aws {service} has no {operation}"
            continue
        given = set(re.findall(r"(?<=\s)--([a-z0-9-]+)", re.sub(r"'[^']*'", "''", rest)))
        yield from (f"aws {service} {operation} has no --{option}" for option in sorted(given - known - GLOBAL))


@cache
def _options(service: str) -> dict[str, set[str]]:
    """Return the options of each operation of a service, as the command line interface names them; s3api is S3's."""
    model = botocore.session.get_session().get_service_model(service.removesuffix("api"))
    shapes = {xform_name(name, "-"): model.operation_model(name).input_shape for name in model.operation_names}
    return {
        operation: {xform_name(member, "-") for member in shape.members} if shape else set()
        for operation, shape in shapes.items()
    }


def unknown_names(typed: str) -> Iterator[str]:
    """Yield outputs of the root stack, and names of resources, that no template has."""
    said = " ".join(commands(typed))
    for output in re.findall(r"\bout ([A-Z]\w+)", said):
        if output not in _root_outputs():
            yield f"the root stack has no output {output}"
    for name in re.findall(r"(?:/[\w/]+/)?gatehouse-\$ENV[\w/-]*", said):
        if not any(known.startswith(name) for known in _names()):
            yield f"nothing is called {name}"


@cache
def _root_outputs() -> set[str]:
    [root] = [stack for stack in stacks() if stack.name == "template"]
    return set(root.body["Outputs"])


@cache
def _names() -> frozenset[str]:
    """Return every text of the templates in which the environment's name is, as a runbook writes it."""

    def texts(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for inner in value.values():
                yield from texts(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from texts(inner)
        elif isinstance(value, str) and "${Environment}" in value:
            yield value.replace("${Environment}", "$ENV")

    bodies: list[Json] = [stack.body for stack in stacks()]
    return frozenset(text for body in bodies for text in texts(body))


@pytest.mark.parametrize("book", BOOKS, ids=lambda path: path.stem)
def test_runbook_says_what_it_means_what_to_look_at_what_to_do_and_when_it_is_over(book: Path) -> None:
    text = book.read_text()

    assert text.startswith("# ")
    assert "\n**Impact.** " in text
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("book", BOOKS, ids=lambda path: path.stem)
def test_commands_of_a_runbook_can_be_copied(book: Path) -> None:
    typed = script(book.read_text())
    checked = subprocess.run(["bash", "-n"], input=typed, capture_output=True, text=True, check=False, timeout=20)  # noqa: S607

    assert checked.returncode == 0, checked.stderr
    assert [problem for command in commands(typed) for problem in unknown_to_aws(command)] == []
    assert list(unknown_names(typed)) == []
    assert "$ENV" not in typed or re.search(r"^ENV=\w+$", typed, re.MULTILINE)


@pytest.mark.parametrize("function", ["out", "url", "arn", "peek"])
@pytest.mark.parametrize("book", BOOKS, ids=lambda path: path.stem)
def test_runbook_defines_the_functions_that_it_calls(book: Path, function: str) -> None:
    typed = script(book.read_text())

    assert f"$({function} " not in typed or f"{function}() {{" in typed


@pytest.mark.parametrize(
    ("typed", "problems"),
    [
        ("aws sqs get-queue-url --queue-name x --output text", []),
        ("aws sqs get-queues", ["aws sqs has no get-queues"]),
        ('aws logs tail x --until "$(aws sqs list-queues --name y)"', [
            "aws sqs list-queues has no --name",
            "aws logs tail has no --until",
        ]),
        ("for one in a b; do\n  aws lambda get-$one --x\ndone", ["aws lambda has no get-a", "aws lambda has no get-b"]),
    ],
)  # fmt: skip
def test_command_that_aws_does_not_know_is_reported(typed: str, problems: list[str]) -> None:
    assert [problem for command in commands(typed) for problem in unknown_to_aws(command)] == problems


def test_name_that_no_template_has_is_reported() -> None:
    typed = 'for name in plan gone; do\n  aws s3 ls /aws/lambda/gatehouse-$ENV-database-logs-$name "$(out Gone)"\ndone'

    assert sorted(set(unknown_names(typed))) == [
        "nothing is called /aws/lambda/gatehouse-$ENV-database-logs-gone",
        "the root stack has no output Gone",
    ]
