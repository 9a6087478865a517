"""What pydantic found wrong with a document, as plain sentences for who wrote it. Pure."""

import json
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_TOLD: Final = 10  # the first mistakes lead to the others
_SHOWN: Final = 60  # characters of a value
_RAISED: Final = "Value error, "  # how pydantic begins what a validator of ours raised
_BOUNDS: Final = {
    "greater_than": "exclusiveMinimum",
    "greater_than_equal": "minimum",
    "less_than": "exclusiveMaximum",
    "less_than_equal": "maximum",
}

_NUMBER: Final = "number"  # in the place of a text, as that of an account, which JSON and YAML take for one
# By how the types of pydantic's mistakes begin.
_KINDS: Final = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "string_type": "a text",
    _NUMBER: "a text: put it in quotes",
    "list": "a list",
    "tuple_type": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "dict": "an object",
    "model": "an object",
    "datetime": "a time, as 2026-11-21T12:00:00Z",
    "timezone": "a time with its zone, as 2026-11-21T12:00:00Z",
    "time": "a time of day, as 22:00",
    "date": "a date, as 2026-11-21",
}

Schema = Mapping[str, Any]


def sentences(invalid: ValidationError, model: type[BaseModel]) -> list[str]:
    """Return a sentence for each mistake, the first ten: the field, what it holds, and what it may hold.

    Args:
        invalid: What pydantic found.
        model: By which.
    """
    schema = model.model_json_schema()
    mistakes = invalid.errors(include_url=False)
    found = [_sentence(mistake, schema) for mistake in mistakes if not _follows(mistake, mistakes)]
    left_out = len(found) - _TOLD
    return [*found[:_TOLD], *([f"There are {left_out} more mistakes."] if left_out > 0 else [])]


def unquoted(invalid: ValidationError) -> list[str]:
    """Return each field that is wrong and why, with nothing of what it holds, which may be none of a log's business."""
    mistakes = invalid.errors(include_url=False, include_input=False, include_context=False)
    return [f"{'.'.join(map(str, one['loc'])) or 'all'}: {one['msg']}" for one in mistakes]


def nearest(name: str, known: Collection[str]) -> str:
    """Return a clause that leads from a name that nobody knows to the one that was meant, or to all there are."""
    by_small_letters = {one.casefold(): one for one in sorted(known)}
    for meant in get_close_matches(name.casefold(), by_small_letters, n=1):
        return f"did you mean {by_small_letters[meant]}?"
    return f"known are {', '.join(sorted(known))}." if known else "none is known."


def _follows(mistake: "ErrorDetails", mistakes: Sequence["ErrorDetails"]) -> bool:
    """Whether a list is too short only as members of it do not hold, which pydantic leaves out of the count."""
    where = mistake["loc"]
    return mistake["type"] == "too_short" and any(
        other["loc"][: len(where)] == where and other is not mistake for other in mistakes
    )


def _sentence(mistake: "ErrorDetails", schema: Schema) -> str:
    where, parent, field = _walk(schema, mistake["loc"], to_the_end=mistake["type"] == "extra_forbidden")
    named = f"`{where}`" if where else "As a whole"
    match mistake["type"]:
        case "missing":
            return f"{named} is missing."
        case "extra_forbidden":
            return f"{named} is unknown; {nearest(str(mistake['loc'][-1]), parent.get('properties', {}))}"
        case "too_short" | "string_too_short" if not mistake["input"]:
            return f"{named} is empty."
    wanted = _wanted(mistake, field)
    said = f"{_shown(mistake['input'])} is not {wanted}" if wanted else mistake["msg"].removeprefix(_RAISED).rstrip(".")
    if not where and not wanted and said.startswith("`"):
        return _closed(said)  # of a part that a validator of the whole has looked at, and which it names
    return f"{named}: {_closed(said)}"


def _closed(said: str) -> str:
    return said if said.endswith("?") else f"{said}."  # a question may be asked by a validator


def _wanted(mistake: "ErrorDetails", field: Schema) -> str:
    """Return what a value must be, as a complement; empty where the message of the mistake says all."""
    kind, given = mistake["type"], mistake.get("ctx", {})
    if kind in _BOUNDS:
        return _range(field if _BOUNDS[kind] in field else {_BOUNDS[kind]: next(iter(given.values()))})
    match kind:
        case "enum" | "literal_error":
            return _one_of(field) or str(given["expected"])
        case "string_pattern_mismatch":
            return f"of the form {given['pattern']}"
        case "too_short" | "string_too_short":
            return f"{given['min_length']} or more long"
        case "too_long" | "string_too_long":
            return f"{given['max_length']} or less long"
    if kind == "string_type" and isinstance(mistake["input"], int | float):
        kind = _NUMBER
    return next((told for begin, told in _KINDS.items() if kind.startswith(begin)), "")


def _walk(schema: Schema, location: Sequence[int | str], *, to_the_end: bool) -> tuple[str, Schema, Schema]:
    """Return the path to a field as people write it, the schema of what holds it, and its own.

    Parts of a location that are no field, as the members of a union that pydantic tried, are left out; not so the last
    one where it is what the document holds and nobody knows.
    """
    where, parent, node = "", schema, schema
    for number, part in enumerate(location):
        inner = _inner(schema, node, part)
        if inner is None and not (to_the_end and number == len(location) - 1):
            continue
        parent, node = _branch(schema, node, part), inner or {}
        where += f"[{part}]" if isinstance(part, int) else f".{part}" if where else str(part)
    return where, parent, _plain(schema, node)


def _inner(schema: Schema, node: Schema, part: int | str) -> Schema | None:
    """Return the schema of a member of what a node describes; None where it has no such member."""
    held = _branch(schema, node, part)
    found = held.get("items") if isinstance(part, int) else held.get("properties", {}).get(part)
    if found is None and isinstance(part, str):
        found = held.get("additionalProperties") or None
    return found if isinstance(found, Mapping) else None


def _branch(schema: Schema, node: Schema, part: int | str) -> Schema:
    """Return which of a node's alternatives has members of such a name."""
    wanted = "items" if isinstance(part, int) else "properties"
    branches = [_plain(schema, one) for one in node.get("anyOf", node.get("oneOf", [node]))]
    return next((one for one in branches if wanted in one), branches[0])


def _plain(schema: Schema, node: Schema) -> Schema:
    """Follow references, and alternatives to null."""
    while True:
        alternatives = [one for one in node.get("anyOf", ()) if one.get("type") != "null"]
        if "$ref" in node:
            node = schema["$defs"][node["$ref"].removeprefix("#/$defs/")]
        elif len(alternatives) == 1:
            [node] = alternatives
        else:
            return node


def _one_of(field: Schema) -> str:
    allowed = [str(one) for one in field.get("enum", [field["const"]] if "const" in field else [])]
    return f"one of {', '.join(allowed)}" if len(allowed) > 1 else "".join(allowed)


def _range(bounds: Schema) -> str:
    least, most = bounds.get("minimum"), bounds.get("maximum")
    if least is not None and most is not None:
        return f"one of {least} to {most}" if bounds.get("type") == "integer" else f"{least} to {most}"
    told = [
        *([f"{least} or more"] if least is not None else []),
        *([f"more than {bounds['exclusiveMinimum']}"] if "exclusiveMinimum" in bounds else []),
        *([f"{most} or less"] if most is not None else []),
        *([f"less than {bounds['exclusiveMaximum']}"] if "exclusiveMaximum" in bounds else []),
    ]
    return " and ".join(told)


def _shown(value: object) -> str:
    match value:
        case Mapping():
            return "an object"
        case str() | bool() | int() | float() | None:
            text = json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else f"'{value}'"
            return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
        case list() | tuple() | set() | frozenset():
            return "a list"
    return f"a {type(value).__name__}"
