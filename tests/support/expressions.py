"""What a JSONata expression calls and reads, by jsonata-python's syntax tree."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jsonata import Jsonata
from jsonata.jexception import JException
from jsonata.parser import Parser

# JSONata 2.0.6 without $eval, and what Step Functions adds.
# https://docs.jsonata.org/2.0.0/overview, https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
FUNCTIONS = frozenset(
    """
    abs append assert average base64decode base64encode boolean ceil clone contains count decodeUrl decodeUrlComponent
    distinct each encodeUrl encodeUrlComponent error exists filter floor formatBase formatInteger formatNumber
    fromMillis join keys length lookup lowercase map match max merge millis min not now number pad parseInteger power
    random reduce replace reverse round shuffle sift single sort split spread sqrt string substring substringAfter
    substringBefore sum toMillis trim type uppercase zip
    hash parse partition range uuid
    """.split()  # noqa: SIM905 - a list of eighty quoted words is harder to compare with the documentation
)


@dataclass
class Facts:
    """What an expression calls and reads.

    Attributes:
        called: Names of functions, without `$`.
        variables: Names of variables of the machine, without `$`.
        reserved: Paths below `$states`, as `context.Execution.Name`; empty text for `$states` as a whole.
        error: Why it cannot be parsed; None where it can.
    """

    called: set[str] = field(default_factory=set)
    variables: set[str] = field(default_factory=set)
    reserved: set[str] = field(default_factory=set)
    error: str | None = None


def is_expression(text: str) -> bool:
    """Whether Step Functions evaluates this string: it does so only where all of it stands between the marks."""
    return text.startswith("{%") and text.endswith("%}")


@cache
def examine(text: str) -> Facts:
    """Return the facts of `{% … %}`; substitutions must have taken place."""
    facts = Facts()
    try:
        tree = Jsonata(text.removeprefix("{%").removesuffix("%}")).ast
    except JException as malformed:
        facts.error = str(malformed)
        return facts
    nodes = list(_nodes(tree))
    local = {str(name) for node in nodes for name in _bound(node)}
    for node in nodes:
        if node.type in {"function", "partial"} and node.procedure.type == "variable":
            facts.called.add(node.procedure.value)
        if node.type == "path" and _is_reserved(node.steps[0]):
            facts.reserved.add(".".join(_names(node.steps[1:])))
        if node.type == "variable" and node.value not in {"", "$", "states"}:
            facts.variables.add(node.value)
    begun = {id(node.steps[0]) for node in nodes if node.type == "path"}
    if any(_is_reserved(node) and id(node) not in begun for node in nodes):
        facts.reserved.add("")
    # A function may be handed on by its name alone: `$states.input.sizes ~> $sum`.
    facts.called |= facts.variables & FUNCTIONS
    facts.called -= local
    facts.variables -= local | facts.called
    return facts


def _nodes(value: Any) -> Iterator[Any]:
    if isinstance(value, Parser.Symbol):
        yield value
        for name, inner in vars(value).items():
            # `environment` and `_outer_instance` lead back to the parser, the first three are no syntax.
            if name not in {"type", "value", "id", "environment", "_outer_instance", "ancestor"}:
                yield from _nodes(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _nodes(inner)


def _is_reserved(node: Any) -> bool:
    return bool(node.type == "variable" and node.value == "states")


def _bound(node: Any) -> Iterator[str]:
    if node.type == "bind":
        yield node.lhs.value
    if node.type == "lambda":
        yield from (argument.value for argument in node.arguments)
    yield from (name for name in (node.focus, node.index) if isinstance(name, str))


def _names(steps: list[Any]) -> Iterator[str]:
    for step in steps:
        if step.type != "name":
            return
        yield str(step.value)
