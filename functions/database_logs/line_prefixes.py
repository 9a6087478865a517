"""log_line_prefix as patterns: how lines of a PostgreSQL log begin (PostgreSQL manual, "Error Reporting and Logging").

The patterns hold to what Python's `re` and the `regex` of polars have in common.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Final

_LEVELS: Final = (*(f"DEBUG{level}" for level in range(1, 6)), "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR")
PRIMARY_SEVERITIES: Final = (*_LEVELS, "LOG", "FATAL", "PANIC")
_SEVERITY: Final = re.compile(rf"(?:{'|'.join(PRIMARY_SEVERITIES)}): ".encode())
_PRIMARY_BYTES: Final = frozenset(severity.encode() for severity in PRIMARY_SEVERITIES)
ATTACHED_LABELS: Final = ("DETAIL", "HINT", "CONTEXT", "STATEMENT", "QUERY", "LOCATION", "BACKTRACE")

# Bytes of a line in which its prefix must end. Names are cut at 63 bytes, hosts at 255, ps displays at some hundreds:
# no prefix with all of them is longer. It bounds what a line without prefix costs.
LONGEST: Final = 4096

# What others choose is cut at 63 bytes (NAMEDATALEN), and command tags are shorter. Unbounded, some names in a row with
# nothing to tell them apart take hours for a long line.
_WIDE_NAME: Final = r"[^\n]{0,64}?"

# Escape: the name of its group and what it may be. None is a name that others choose, with any character in it.
_ZONE: Final = r"[A-Za-z]+|[+\-][0-9]{2,4}"
_SECONDS: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}"
_REMOTE: Final = r"\[local\]|[^\s()]+\([0-9]+\)|"
_VALUES: Final[dict[str, tuple[str, str | None]]] = {
    "a": ("application_name", None),
    "u": ("user_name", None),
    "d": ("database_name", None),
    "b": ("backend_type", None),
    "i": ("command_tag", None),
    "r": ("remote", _REMOTE),
    "h": ("client_host", r"\[local\]|[0-9A-Za-z.:%_\-]*"),
    "L": ("server_host", r"\[local\]|[0-9A-Za-z.:%_\-]*"),
    "p": ("process_id", r"[0-9]+"),
    "P": ("leader_pid", r"[0-9]*"),
    "n": ("epoch", r"[0-9]+\.[0-9]{3}"),
    "e": ("sqlstate", r"[0-9A-Z]{5}"),
    "c": ("session_id", r"[0-9a-f]+\.[0-9a-f]+"),
    "l": ("session_line", r"[0-9]+"),
    "v": ("virtual_transaction_id", r"(?:-?[0-9]+/[0-9]+)?"),
    "x": ("transaction_id", r"[0-9]*"),
    "Q": ("query_id", r"-?[0-9]*"),
}
_NARROW_REMOTE: Final = r"\[local\]|[0-9A-Za-z][0-9A-Za-z.:_\-]*\([0-9]+\)|"
# What a time at the start of a line looks like, by its group, and one of them: all have as many bytes.
STAMPS: Final = {
    "seconds": (f"^{_SECONDS}$", "2000-01-01 00:00:00"),
    "milliseconds": (rf"^{_SECONDS}\.[0-9]{{3}}$", "2000-01-01 00:00:00.000"),
}
_TIMES: Final = {"t": ("seconds", ""), "m": ("milliseconds", r"\.[0-9]{3}"), "s": ("session_start", "")}
_ESCAPE: Final = re.compile(r"%(-?[0-9]*)([a-zA-Z%])")


@dataclass(frozen=True)
class LinePattern:
    """How lines with a prefix begin.

    Attributes:
        narrow: Matches what has one reading only, and fast; its severity is any word of capitals.
        wide: Matches all that PostgreSQL may write; where several readings fit, names are as short as they can be and
            a database has no `@`.
        groups: Names of the groups of `narrow` and `wide`; `head` is everything up to the text.
        stamp: The group of the time that lines begin with; None if they begin with something else.
    """

    narrow: str
    wide: str
    groups: tuple[str, ...]
    stamp: str | None

    def begins_record(self, line: bytes) -> bool:
        """Tell whether a line, of which `LONGEST` bytes are enough, begins a record."""
        if not _SEVERITY.search(line):
            return False
        match = _compiled(self.wide).match(line)
        return match is not None and match["severity"] in _PRIMARY_BYTES


@dataclass(frozen=True)
class _Escape:
    letter: str
    padding: str


@cache
def line_pattern(prefix: str) -> LinePattern:
    """Return the patterns of a log_line_prefix, `%t:%r:%u@%d:[%p]:` for instance.

    An escape that PostgreSQL does not know matches nothing but is no error: the server leaves it out as well.
    """
    parts = _parts(prefix)
    literals = {character for part in parts if isinstance(part, str) for character in part}
    apart = "".join(sorted(re.escape(character) for character in literals if not character.isalnum()))
    narrow, wide, groups = ["^(?P<head>"], ["^(?P<head>"], ["head"]
    before = ""
    optional = False
    for part in parts:
        if isinstance(part, str):
            narrow.append(re.escape(part))
            wide.append(re.escape(part))
            before = part
        elif part.letter == "q":
            narrow.append("(?:" * (not optional))
            wide.append(narrow[-1])
            optional = True
        else:
            # what each character decides by itself takes `regex` half the time
            narrow.append(_value(part, groups, _narrow_name(apart)).replace(_REMOTE, _NARROW_REMOTE))
            wide.append(_value(part, groups, _WIDE_NAME.replace("^", "^@") if before.endswith("@") else _WIDE_NAME))
            groups.extend(_names(part, groups))
            before = ""
    narrow.append(")?" * optional + " ?" * (not prefix.endswith(" ")))
    wide.append(narrow[-1])
    return LinePattern(
        "".join(narrow) + _severity("[A-Z]+[1-5]?"),
        "".join(wide) + _severity("|".join((*PRIMARY_SEVERITIES, *ATTACHED_LABELS))),
        (*groups, "severity"),
        next((name for name in groups[1:2] if prefix.startswith(("%t", "%m"))), None),
    )


@cache
def _compiled(pattern: str) -> re.Pattern[bytes]:
    return re.compile(pattern.encode())


def _severity(shape: str) -> str:
    return rf"(?P<severity>{shape}): {{1,2}})"


def _parts(prefix: str) -> list[str | _Escape]:
    parts: list[str | _Escape] = []
    position = 0
    for match in _ESCAPE.finditer(prefix):
        if match.start() > position:
            parts.append(prefix[position : match.start()])
        position = match.end()
        if match[2] == "%":
            parts.append("%")
        elif match[2] == "q" or match[2] in _VALUES or match[2] in _TIMES:
            parts.append(_Escape(match[2], match[1]))
    if position < len(prefix):
        parts.append(prefix[position:])
    return parts


def _narrow_name(apart: str) -> str:
    name = rf"[^\n{apart}]*"
    return rf"\[unknown\]|{name}" if r"\[" in apart else name


def _names(escape: _Escape, taken: list[str]) -> list[str]:
    if escape.letter in _TIMES:
        name = _TIMES[escape.letter][0]
        names = [name, f"{name}_zone"]
    else:
        names = [_VALUES[escape.letter][0]]
    return [] if names[0] in taken else names


def _value(escape: _Escape, taken: list[str], name: str) -> str:
    names = _names(escape, taken)
    if escape.letter in _TIMES:
        shape = f"{_SECONDS}{_TIMES[escape.letter][1]}"
        value = f"(?P<{names[0]}>{shape}) (?P<{names[1]}>{_ZONE})" if names else f"{shape} (?:{_ZONE})"
    else:
        value = f"({f'?P<{names[0]}>' if names else '?:'}{_VALUES[escape.letter][1] or name})"
    if escape.padding.startswith("-"):
        return f"{value} *"
    return f" *{value}" if escape.padding else value
