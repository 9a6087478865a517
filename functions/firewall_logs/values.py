"""One value at a time: JSON text to lake value, exactly.

The plain and slow form of the type rules of docs/firewall_logs.md ("Types"). Columns are converted by calling these
once per distinct value where polars has no operation that is proven to agree.
"""

import json
import math
import re
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, Final

from firewall_logs import schema

INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1
# Deeper JSON counts as none (RFC 8259 section 9 allows a limit): parsers overflow their stacks at different depths.
MAX_DEPTH: Final = 128
# int() refuses longer texts, as their conversion takes quadratic time (CVE-2020-10735).
_INT_DIGITS: Final = 4300

_INTEGER: Final = re.compile(r"-?[0-9]+", re.ASCII)
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")


class Conflict(ValueError):  # a value's state, as `type_conflict` names it
    """A known field holds a value of another type."""


class NotJson(ValueError):
    """A text is no JSON."""


class Number(str):
    """A JSON number as it was written; never a float, so that nothing is lost."""

    __slots__ = ()

    @property
    def integral(self) -> bool:
        """Whether it is written as an integer: 1.0 and 1e3 are none."""
        return _INTEGER.fullmatch(self) is not None


class RepeatedKeys(dict[str, Any]):
    """A JSON object in which a key occurred twice; holds the last value of each."""


def parse_json(text: str) -> Any:
    """Return JSON text as None, bool, Number, str, list and dict.

    Raises:
        NotJson: By RFC 8259, or nested deeper than MAX_DEPTH, or with an escaped surrogate that has no other half
            and therefore no UTF-8.
    """
    if text.count("[") + text.count("{") > MAX_DEPTH and _depth(text) > MAX_DEPTH:
        raise NotJson
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse_constant,
        )
        if _SURROGATE.search(text):
            # Of the text, not of the value, in which a repeated key has hidden what it held first.
            json.dumps(json.loads(text, object_pairs_hook=list), ensure_ascii=False).encode()
    except ValueError:
        raise NotJson from None
    return value


def canonical(value: Any) -> str:
    """Return a parsed value as canonical JSON: keys sorted by code point, no spaces, non-ASCII kept.

    Integers keep all their digits; other numbers become the shortest text of their double, unless none holds them.
    """
    # Most values by far.
    if type(value) is str:
        return str(encode_basestring(value))
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Number():
            return _number(value)
        case list():
            return "[" + ",".join(map(canonical, value)) + "]"
        case dict():
            return "{" + ",".join(f"{encode_basestring(key)}:{canonical(value[key])}" for key in sorted(value)) + "}"
    raise TypeError(f"No JSON value: {type(value).__name__}.")


def string(value: Any) -> str | None:
    """Return text, or a number as its text; raise Conflict."""
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    raise Conflict


def int64(value: Any) -> int | None:
    """Return an integer, also of a text of digits, None for an empty text; raise Conflict."""
    if value is None or value == "":
        return None
    if not isinstance(value, str) or _INTEGER.fullmatch(value) is None:
        raise Conflict
    digits = value.lstrip("-").lstrip("0") or "0"
    if len(digits) > len(str(INT64_MAX)):
        raise Conflict
    number = -int(digits) if value.startswith("-") else int(digits)
    if not INT64_MIN <= number <= INT64_MAX:
        raise Conflict
    return number


def json_text(value: Any) -> str | None:
    """Return an object as canonical JSON, also of a text that holds one; other text as it is; raise Conflict."""
    if value is None or value == "":
        return None
    if isinstance(value, dict):
        return canonical(value)
    if isinstance(value, str) and not isinstance(value, Number):
        return _canonical_object(value)
    raise Conflict


def strings(value: Any) -> list[str | None] | None:
    """Return an array of strings, also of a text that holds one, None for an empty text; raise Conflict."""
    array = _array(value)
    return None if array is None else [string(element) for element in array]


def int64s(value: Any) -> list[int | None] | None:
    """Return an array of integers, also of a text that holds one, None for an empty text; raise Conflict."""
    array = _array(value)
    return None if array is None else [int64(element) for element in array]


CONVERSIONS: Final[dict[schema.LakeType, Callable[[Any], Any]]] = {
    "string": string,
    "int64": int64,
    "json": json_text,
    "strings": strings,
    "int64s": int64s,
}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    return value if len(value) == len(pairs) else RepeatedKeys(value)


def _refuse_constant(name: str) -> None:
    raise NotJson(name)  # json.loads takes NaN and Infinity, which RFC 8259 section 6 does not


def _depth(text: str) -> int:
    depth = deepest = 0
    for character in _STRING.sub("", text):
        if character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _number(text: Number) -> str:
    if text.integral:
        return str(int(text)) if len(text) <= _INT_DIGITS else str(text)
    number = float(text)
    return repr(number) if math.isfinite(number) else str(text)


def _canonical_object(text: str) -> str:
    if not text.lstrip(" \t\r\n").startswith("{"):
        return text
    try:
        value = parse_json(text)
    except NotJson:
        return text
    return canonical(value) if isinstance(value, dict) else text


def _array(value: Any) -> list[Any] | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and not isinstance(value, Number):
        try:
            value = parse_json(value)
        except NotJson:
            raise Conflict from None
    if not isinstance(value, list):
        raise Conflict
    return value
