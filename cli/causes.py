"""Causes of failed executions, as sentences: without the JSON in which Lambda wraps them, and without stack traces."""

import json
import re
from collections.abc import Iterator
from typing import Final

_WRAPPED: Final = '{"errorMessage"'
# A state machine cuts what it gathers from many, so that a document may end anywhere.
_CUT: Final = re.compile(r'\{"errorMessage":\s*"(?P<said>(?:[^"\\]|\\.)*)')
# What assess_account gathers begins with account and region.
_NEXT: Final = re.compile(r"; \d{12} in ")


def spoken(cause: str | None) -> str:
    """Return a cause as people read it; empty where none is given."""
    if not cause:
        return ""
    try:
        document = json.loads(cause)
    except json.JSONDecodeError:
        return "".join(_unwrapped(cause))
    if isinstance(document, dict) and "errorMessage" in document:
        return str(document["errorMessage"])
    return cause


def is_of_input(error: str | None, cause: str | None) -> bool:
    """Return whether an execution failed as its input is not as the machine takes it."""
    return "ValidationError: " in f"{error}: {cause}"


def _unwrapped(text: str) -> Iterator[str]:
    """Yield the parts of a text, with Lambda's documents in it reduced to their messages."""
    at = 0
    while (start := text.find(_WRAPPED, at)) >= 0:
        yield text[at:start]
        try:
            document, at = json.JSONDecoder().raw_decode(text, start)
            yield str(document["errorMessage"])
        except json.JSONDecodeError:
            following = _NEXT.search(text, start)
            at = following.start() if following else len(text)
            found = _CUT.match(text, start, at)
            yield _unescaped(found["said"]) if found else text[start:at]
    yield text[at:]


def _unescaped(said: str) -> str:
    try:
        return str(json.loads(f'"{said}"'))
    except json.JSONDecodeError:
        return said
