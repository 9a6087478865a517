r"""Shapes of JSON lines: how a whole block of lines is taken apart without parsing each.

In a line that has neither `\"` nor `\\` nor a raw control character, every quote begins or ends a string. Cut at its
quotes, such a line is alternately structure and the contents of strings. Lines of one Logpush job mostly agree in
their structure, so one of them is parsed and its *shape* noted; another line has this shape if its keys are the
same, its structure is the same but for the digits of integers, and what stands in the place of an object or array is
one. Then it is JSON with these members, as the shape's own line is, and its values are the pieces between the cuts.
What fits no shape is no concern of this module: the caller reads it line by line.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import polars as pl

from firewall_logs import schema
from firewall_logs.dictionary import Dictionary, as_dictionary
from firewall_logs.extras import join_members
from firewall_logs.values import NotJson, RepeatedKeys, canonical, parse_json

_SPACE: Final = " \t\r\n"
# Fewer digits than int64 has, so that nothing needs a second look; a time in nanoseconds has 19.
_INTEGER: Final = "^-?(?:0|[1-9][0-9]{0,17})$"
_TIME: Final = "^(?:0|[1-9][0-9]{0,18})$"
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
