r"""Structures of JSON lines: what tells of thousands of lines at once that a parser reads them as the rules do.

A parser that fills columns keeps quiet about much: a key that occurs twice, a key nobody asked for, a boolean in a
column of text. So each line is reduced to its *structure*, the line with `""` for each member that is a string and 0
for each that is an integer. The lines of a Logpush job have few structures; each of them is parsed once, strictly, and
what it shows holds for all of its lines.

Why a structure that parses tells the truth: the reduction goes from left to right and replaces a colon and the string
after it. It could only lose its way behind a colon that is the last character of a string and no member's; there it
would leave `:""`, of which the first quote ends that string and the second begins another, with nothing in between,
which is no JSON. Whatever else is wrong with a line is still there, for what is replaced is right by itself.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import polars as pl

from firewall_logs import schema
from firewall_logs.values import NotJson, Number, RepeatedKeys, parse_json

# Escapes of surrogates stay, since half a pair is no text and only the strict parser notices.
_ESCAPE: Final = r'\\(?:["\\/bfnrt]|u(?:[0-9a-ce-fA-CE-F][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}))'
_STRING: Final = rf': ?"[^"\\\x00-\x1f]*(?:{_ESCAPE}[^"\\\x00-\x1f]*)*"'
# Nineteen digits are enough for nanoseconds; what follows them makes a number that begins with 0, which is no JSON.
_NATURAL: Final = ": ?(?:0|[1-9][0-9]{0,18})"
_EXACT_NUMBER: Final = re.compile("0|-?[1-9][0-9]{0,18}")
# Keys within a value come back as text in which nothing is escaped again.
_UNESCAPED: Final = re.compile(r'[^"\\\x00-\x1f]*')
# Of other keys it is not certain that the reduction left them as they were.
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_. -]+")
_ARRAYS: Final = frozenset({"strings", "int64s"})
_NUMBERS: Final = frozenset({"string", "int64"})

Kind = Literal["null", "string", "literal", "nested"]


@dataclass(frozen=True)
class Structure:
    """What lines of one structure have in common.

    Attributes:
        keys: Their top-level keys.
        unknown: Kinds of the values of those that are not documented; a literal is a boolean or an integer.
        nested: The keys whose values are objects or arrays.
    """

    keys: frozenset[str]
    unknown: Mapping[str, Kind]
    nested: frozenset[str]


def reduced(lines: pl.Series) -> pl.Series:
    """Return the structures of lines (String) as text."""
    return lines.str.replace_all(_STRING, ':""').str.replace_all(_NATURAL, ":0")


def structure_of(text: str) -> Structure | None:
    """Return what a structure shows.

    None where its lines are to be read one by one: they are no events whatever their values are, or have what a
    parser of columns does not give back exactly (floats, repeated keys, a type that conflicts with its field).
    """
    try:
        event = parse_json(text)
    except NotJson:
        return None
    if not isinstance(event, dict) or not _exact(event):
        return None
    if schema.TIME_FIELD not in event and schema.FOREIGN_TIME_FIELD in event:
        return None
    unknown = {key: _kind(value) for key, value in event.items() if key not in schema.FIELD_BY_RAW}
    if not all(map(_PLAIN_KEY.fullmatch, unknown)):
        return None
    if not all(_fits(schema.FIELD_BY_RAW[key].type, event[key]) for key in event.keys() - unknown):
        return None
    nested = frozenset(key for key, value in event.items() if _kind(value) == "nested")
    return Structure(frozenset(event), unknown, nested)


def _exact(value: Any) -> bool:
    """Whether a parser of columns gives back the value, of which there may be any number with this structure."""
    match value:
        case Number():
            return _EXACT_NUMBER.fullmatch(value) is not None
        case dict():
            unescaped = all(map(_UNESCAPED.fullmatch, value))
            return unescaped and not isinstance(value, RepeatedKeys) and all(map(_exact, value.values()))
        case list():
            return all(map(_exact, value))
    return True


def _kind(value: Any) -> Kind:
    match value:
        case None:
            return "null"
        case Number() | bool():
            return "literal"
        case str():
            return "string"
    return "nested"


def _fits(lake_type: schema.LakeType, value: Any) -> bool:
    match value:
        case None:
            return True
        case Number():
            # As text, a time that is a negative number would have another reason.
            return lake_type in _NUMBERS or (lake_type == "time" and value == "0")
        case str():
            return True
        case dict():
            return lake_type == "json"
        case list():
            return lake_type in _ARRAYS
    return False
