"""Statements of policies in a template, those under a condition included."""

from collections.abc import Iterator
from typing import Any

from tests.support.templates import Json


def statements(value: Any, condition: str = "") -> Iterator[tuple[Json, str]]:
    """Yield each statement of whatever policy is within a value, and the innermost condition that it stands under."""
    if isinstance(value, list):
        for inner in value:
            yield from statements(inner, condition)
    elif isinstance(value, dict) and "Fn::If" in value:
        yield from statements(value["Fn::If"][1], value["Fn::If"][0])
    elif isinstance(value, dict) and "Effect" in value:
        yield value, condition
    elif isinstance(value, dict):
        yield from statements(list(value.values()), condition)
