r"""Shapes of JSON lines: how a whole block of lines is taken apart without parsing each.

In a line that has neither `\"` nor `\\` nor a raw control character, every quote begins or ends a string. Cut at its
quotes, such a line is alternately structure and the contents of strings. Lines of one Logpush job mostly agree in
their structure, so one of them is parsed and its *shape* noted; another line has this shape if its keys are the
same, its structure is the same but for the digits of integers, and what stands in the place of an object or array is
one. Then it is JSON with these members, as the shape's own line is, and its values are the pieces between the cuts.
What fits no shape is no concern of this module: the caller reads it line by line.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from firewall_logs import schema
from firewall_logs.dictionary import Dictionary, as_dictionary
from firewall_logs.extras import join_members
from firewall_logs.values import NotJson, RepeatedKeys, canonical, parse_json

_SPACE: Final = " \t\r\n"
# Fewer digits than int64 has and no minus zero, so that nothing needs a second look; a time in nanoseconds has 19.
_INTEGER: Final = "(?:0|-?[1-9][0-9]{0,17})"
_TIME: Final = "(?:0|[1-9][0-9]{0,18})"
_NESTED: Final[dict[schema.LakeType, type]] = {"json": dict, "strings": list, "int64s": list}

Kind = Literal["null", "string", "integer", "nested"]


@dataclass(frozen=True)
class Member:
    """A top-level member of a shape.

    Attributes:
        key: Its key.
        kind: Of its value.
        first: Piece after the key: the colon, and whatever of the value is no string.
        last: Piece in which the value ends; the same as `first` but for strings and what holds some.
        prefix: What stands before the value in `first`.
        suffix: What stands after it in `last`.
    """

    key: str
    kind: Kind
    first: int
    last: int
    prefix: str
    suffix: str


@dataclass(frozen=True)
class Shape:
    """What lines have in common.

    Attributes:
        pieces: The line that showed the shape, cut at its quotes.
        members: Its top-level members, in order.
    """

    pieces: tuple[str, ...]
    members: tuple[Member, ...]

    @property
    def keys(self) -> set[str]:
        """The top-level keys."""
        return {member.key for member in self.members}


def shape_of(line: str) -> Shape | None:
    r"""Return the shape of a line that has neither `\"`, `\\` nor a control character.

    None where the line is none to go by: no JSON object, refused whatever its values are, or with a value that needs
    more than cutting out (a boolean, a float, a type that conflicts with its field).
    """
    try:
        event = parse_json(line)
    except NotJson:
        return None
    if not isinstance(event, dict) or isinstance(event, RepeatedKeys):
        return None
    if schema.TIME_FIELD not in event and schema.FOREIGN_TIME_FIELD in event:
        return None
    pieces = line.split('"')
    keys = list(_key_positions(pieces))
    ends = [*(key - 1 for key in keys[1:]), len(pieces) - 1]
    members = [_member(pieces, key, end) for key, end in zip(keys, ends, strict=True)]
    plain = [member for member in members if member is not None and _fits(member, event)]
    return Shape(tuple(pieces), tuple(plain)) if len(plain) == len(members) else None


def _key_positions(pieces: list[str]) -> Iterator[int]:
    depth = 0
    for position, piece in enumerate(pieces):
        if position % 2 == 0:
            depth += sum(map(piece.count, "[{")) - sum(map(piece.count, "]}"))
        elif depth == 1 and pieces[position + 1].lstrip(_SPACE).startswith(":"):
            yield position


def _member(pieces: list[str], key: int, last: int) -> Member | None:
    first = key + 1
    head = pieces[first]
    body = head.lstrip(_SPACE).removeprefix(":").lstrip(_SPACE)
    prefix = head.removesuffix(body)
    if not body:
        return Member(pieces[key], "string", first, last, prefix, pieces[last])
    # After the value there is one comma, or the brace that ends the line.
    end = pieces[last].rstrip(_SPACE)[:-1].rstrip(_SPACE)
    suffix = pieces[last].removeprefix(end)
    value = body.removesuffix(suffix) if first == last else body
    if value[0] in "[{":
        return Member(pieces[key], "nested", first, last, prefix, suffix)
    if value == "null":
        return Member(pieces[key], "null", first, last, prefix, suffix)
    return Member(pieces[key], "integer", first, last, prefix, suffix) if value.lstrip("-").isdigit() else None


def _fits(member: Member, event: dict[str, object]) -> bool:
    if member.key not in event:  # an escape in the key
        return False
    field = schema.FIELD_BY_RAW.get(member.key)
    if field is None or member.kind in {"null", "string"}:
        return True
    if member.kind == "integer":
        return field.type in {"string", "int64", "time"}
    return isinstance(event[member.key], _NESTED.get(field.type, ()))


class ShapedLines:
    """Lines of as many pieces as a shape has, taken apart by it."""

    def __init__(self, shape: Shape, pieces: pl.Series, *, escapes: bool) -> None:
        """Take the lines apart.

        Args:
            shape: The shape they may have.
            pieces: List(String): each line cut at its quotes, in as many pieces as the shape.
            escapes: Whether any of the lines may have a backslash.
        """
        self._shape = shape
        self._escapes = escapes
        self._flat = pieces.explode()
        self._fitting = self._piece(0) == shape.pieces[0]
        known: list[pl.Series] = []
        unknown: dict[str, pl.Series] = {}
        for member in shape.members:
            self._require(self._piece(member.first - 1) == member.key)
            value = self._value(member)
            if value is not None and member.key in schema.FIELD_BY_RAW:
                known.append(value.alias(member.key))
            elif value is not None:
                unknown[member.key] = self._json(value, member)
        if unknown:
            known.append(join_members(unknown))
        self._values = pl.DataFrame(known, height=len(pieces))

    @property
    def fitting(self) -> pl.Series:
        """Which lines have the shape (Boolean); of the others nothing is known."""
        return self._fitting

    @property
    def values(self) -> pl.DataFrame:
        """Values of the documented fields, and `extra`, as text; of lines that do not fit they mean nothing."""
        return self._values

    def _piece(self, position: int) -> pl.Series:
        return self._flat.gather_every(len(self._shape.pieces), position)

    def _require(self, mask: pl.Series) -> None:
        self._fitting &= mask

    def _value(self, member: Member) -> pl.Series | None:
        first, last = self._piece(member.first), self._piece(member.last)
        match member.kind:
            case "null":
                self._require(first == self._shape.pieces[member.first])
                return None
            case "string":
                self._require((first == member.prefix) & (last == member.suffix))
                return self._unescaped(self._piece(member.first + 1))
            case "integer":
                digits = _TIME if member.key == schema.TIME_FIELD else _INTEGER
                self._require(first.str.contains(f"^{re.escape(member.prefix)}{digits}{re.escape(member.suffix)}$"))
                return first.str.slice(len(member.prefix)).str.strip_suffix(member.suffix)
            case "nested":
                self._require(first.str.starts_with(member.prefix) & last.str.ends_with(member.suffix))
                return self._nested(member)

    def _unescaped(self, contents: pl.Series) -> pl.Series:
        """Return the text of contents of JSON strings."""
        if not self._escapes:
            return contents
        escaped = contents.str.contains("\\", literal=True).arg_true()
        texts = [_parsed_string(content) for content in contents.gather(escaped).to_list()]
        result = contents.scatter(escaped, pl.Series(texts, dtype=pl.String))
        self._require(result.is_not_null())
        return result

    def _nested(self, member: Member) -> pl.Series:
        """Return the JSON texts of objects or arrays, canonical."""
        pieces = [self._piece(position) for position in range(member.first, member.last + 1)]
        pieces[0] = pieces[0].str.strip_prefix(member.prefix)
        pieces[-1] = pieces[-1].str.strip_suffix(member.suffix)
        joined = pl.select(pl.concat_str(pieces, separator='"')).to_series()
        texts = Dictionary.of(as_dictionary(joined, f"nested {member.key}"))
        field = schema.FIELD_BY_RAW.get(member.key)
        kind = (dict, list) if field is None else _NESTED[field.type]
        result = texts.spread(texts.map(lambda text: _canonical(text, kind), pl.String()))
        self._require(result.is_not_null())
        return result

    @staticmethod
    def _json(value: pl.Series, member: Member) -> pl.Series:
        if member.kind != "string":
            return value
        texts = Dictionary.of(as_dictionary(value, member.key))
        return texts.spread(texts.map(canonical, pl.String()))


def _parsed_string(content: str) -> str | None:
    try:
        return str(parse_json(f'"{content}"'))
    except NotJson:
        return None


def _canonical(text: str, kind: type | tuple[type, ...]) -> str | None:
    try:
        value = parse_json(text)
    except NotJson:
        return None
    return canonical(value) if isinstance(value, kind) else None
