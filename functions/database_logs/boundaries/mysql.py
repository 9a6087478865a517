"""Records of the logs of MySQL and MariaDB: where they begin, and how much of a growing log is complete.

`<log>_starts` returns where every record begins; data always begins with one. `cut_<log>` returns how many bytes belong
to records that are known to be complete, which is where the last one begins, and 0 if only the first one is there. What
begins a record is known from bytes after it that never change: a cut is the same however much follows.
"""

import re
from typing import Final

from database_logs.boundaries.lines import last, starts

# A server says this when it starts or opens its log again (MySQL, sql/log.cc, File_query_log::open). It is no event.
_BANNER: Final = rb"[^\n,#]{1,250}, Version: [^\n]*started with:[^\n]*\nTcp port: [^\n]*(?:\nTime [^\n]*)?"
# A statement may have lines that begin like a header; a header goes on with a line of keys.
_KEYS: Final = rb"\n\#[ ]+(?!Time:)[A-Z]\w*:"
_TIME: Final = rb"\# Time:[^\n]*(?:\n?\# User@Host:[^\n]*)?" + _KEYS
_USER: Final = rb"\# User@Host:[^\n]*" + _KEYS
_SLOW_START: Final = re.compile(rb"(?:%b|%b|%b)" % (_TIME, _USER, _BANNER))
_SLOW: Final = re.compile(rb"\n(?:%b|%b|%b)" % (_TIME, _USER, _BANNER))
_SLOW_TIMED: Final = re.compile(rb"\n(?=%b)" % _TIME)

_ISO: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
_SHORT: Final = "[0-9]{6} [ 0-9][0-9]:[0-9]{2}:[0-9]{2}"
_SPACED: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2} [ 0-9][0-9]:[0-9]{2}:[0-9]{2}"

# How a line begins that begins a record, for the regexes of Python and of polars alike.
_GENERAL_TIMED_LINE: Final = rf"(?:{_ISO}|{_SHORT})\t *[0-9]+ [A-Z][A-Za-z ]*[\t\n]"
GENERAL_LINE: Final = rf"(?:{_ISO}|{_SHORT}|\t)\t *[0-9]+ [A-Z][A-Za-z ]*[\t\n]"
# What Aurora mixes in (lines of its agents, SQL of upgrades) has another shape or another word in brackets.
ERROR_LINE: Final = (
    rf"(?:{_ISO}|{_SPACED}|{_SHORT})"
    r"(?: (?:0x)?[0-9a-f]+)? (?:\[(?:System|Warning|Note|Error|ERROR|FATAL)\]|InnoDB:) "
)
# MariaDB's server_audit writes local times, Aurora microseconds since 1970.
AUDIT_LINE: Final = r"[0-9]{8} [0-9]{2}:[0-9]{2}:[0-9]{2},|[0-9]{16},"


def _before(line: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"\n(?=%b)" % line)


_GENERAL_TIMED: Final = _before(_GENERAL_TIMED_LINE.encode())
_GENERAL: Final = _before(b"%b|%b" % (GENERAL_LINE.encode(), _BANNER))
_ERROR: Final = _before(ERROR_LINE.encode())
_AUDIT: Final = _before(AUDIT_LINE.encode())


def slow_starts(data: bytes) -> list[int]:
    """Return where the records of a slow log begin, ascending: events and banners."""
    first = _SLOW_START.match(data)
    begun = first.end() if first else 0
    return [0, *(found.start() + 1 for found in _SLOW.finditer(data, begun))] if data else []


def cut_slow(data: bytes) -> int:
    """Cut before an event that tells its time: those that do not happened at the time of the one before."""
    return last(data, _SLOW_TIMED)


def general_starts(data: bytes) -> list[int]:
    """Return where the records of a general log begin, ascending: commands and banners."""
    return starts(data, _GENERAL)


def cut_general(data: bytes) -> int:
    """Cut before a command that tells its time: up to MySQL 5.6 those of the same second do not."""
    return last(data, _GENERAL_TIMED)


def error_starts(data: bytes) -> list[int]:
    """Return where the records of an error log begin, ascending: what has no time and level goes on with one."""
    return starts(data, _ERROR)


def cut_error(data: bytes) -> int:
    """Cut before the last message."""
    return last(data, _ERROR)


def audit_starts(data: bytes) -> list[int]:
    """Return where the records of an audit log begin, ascending: lines with a time."""
    return starts(data, _AUDIT)


def cut_audit(data: bytes) -> int:
    """Cut before the last event."""
    return last(data, _AUDIT)
