"""State machine definitions: their scopes, the ways through them, and every expression with the place it stands in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from local import template

Json = dict[str, Any]

EdgeKind = Literal["next", "choice", "default", "catch"]


@dataclass(frozen=True)
class Edge:
    """One way from a state to the next, with what is assigned on it."""

    target: str
    kind: EdgeKind
    assign: Json = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Scope:
    """States that can name each other: the machine's own, those of a branch or of an item processor.

    Attributes:
        name: Path of the state that holds it; empty for the machine itself.
        start_at: Where it begins.
        states: By name.
        holder: The state that holds it, None for the machine itself.
        outer: The scope of the holder.
    """

    name: str
    start_at: str
    states: dict[str, Json] = field(compare=False, repr=False)
    holder: str | None = None
    outer: "Scope | None" = field(default=None, compare=False, repr=False)

    @property
    def is_distributed(self) -> bool:
        """Whether its states run as executions of their own, which see no variable of the machine."""
        return self.outer is not None and self.holder is not None and is_distributed(self.outer.states[self.holder])

    def edges(self, state: str) -> list[Edge]:
        """Return every way out of a state."""
        return list(_edges(self.states[state]))

    def label(self, state: str) -> str:
        """`ProcessUnits/ProcessUnit`."""
        return f"{self.name}/{state}" if self.name else state


@cache
def read(path: Path) -> Json:
    """Read a definition; `${Name}` stay as they are."""
    return template.load(path)


def scopes(definition: Json) -> Iterator[Scope]:
    """Yield the machine's own scope, then those within, outer before inner."""
    yield from _scopes(Scope("", definition["StartAt"], definition["States"]))


def states(definition: Json, *types: str) -> Iterator[tuple[str, Json]]:
    """Yield label and body of every state of these types (all without), at any depth."""
    for scope in scopes(definition):
        for name, state in scope.states.items():
            if not types or state["Type"] in types:
                yield scope.label(name), state


def is_distributed(state: Json) -> bool:
    """Whether a state is a Distributed Map."""
    return bool(state.get("ItemProcessor", {}).get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED")


def own_fields(state: Json) -> Json:
    """Return a state without the states inside it."""
    return {
        key: {k: v for k, v in value.items() if k != "States"} if key == "ItemProcessor" else value
        for key, value in state.items()
        if key != "Branches"
    }


def strings(value: Any, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield place and text of every string within a value."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from strings(inner, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from strings(inner, f"{place}[{position}]")


def _scopes(scope: Scope) -> Iterator[Scope]:
    yield scope
    for name, state in scope.states.items():
        bodies = [("", state["ItemProcessor"])] if "ItemProcessor" in state else []
        bodies += [(f"[{number}]", branch) for number, branch in enumerate(state.get("Branches", []))]
        for suffix, body in bodies:
            label = scope.label(name) + suffix
            yield from _scopes(Scope(label, body["StartAt"], body["States"], name, scope))


def _edges(state: Json) -> Iterator[Edge]:
    if "Next" in state:
        yield Edge(state["Next"], "next", state.get("Assign", {}))
    for choice in state.get("Choices", []):
        yield Edge(choice["Next"], "choice", choice.get("Assign", {}))
    if "Default" in state:
        yield Edge(state["Default"], "default", state.get("Assign", {}))
    for catcher in state.get("Catch", []):
        yield Edge(catcher["Next"], "catch", catcher.get("Assign", {}))
