"""Records of the logs of SQL Server and Oracle, as the module of MySQL has them."""

import re
from typing import Final

from database_logs.boundaries.lines import last, starts

_SQLSERVER_LINE: Final = r"\d\d\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d\d"
_SQLSERVER: Final = re.compile(rf"\n(?={_SQLSERVER_LINE})".encode())
# SQL Server writes UTF-16LE, which the complete file may still be; a portion is UTF-8.
_SQLSERVER_WIDE: Final = re.compile(
    rb"\n\0(?=%b)" % re.sub(rb"\\?[^\\]", lambda character: character[0] + rb"\0", _SQLSERVER_LINE.encode())
)
_DAY: Final = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z][a-z] [ \d]\d \d\d:\d\d:\d\d \d{4}"
_ORACLE: Final = re.compile(rb"\n(?=(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)|%b)[ ]*\r?\n)" % _DAY)


def is_wide(data: bytes) -> bool:
    """Whether a log of SQL Server is UTF-16LE: by its first bytes, a mark of the byte order or a digit."""
    return data[:2] == b"\xff\xfe" or data[1:2] == b"\0"


def sqlserver_starts(data: bytes) -> list[int]:
    """Return where the records of an ERRORLOG begin, ascending: lines with a time."""
    return starts(data, _SQLSERVER_WIDE if is_wide(data) else _SQLSERVER)


def cut_sqlserver(data: bytes) -> int:
    """Cut before the last line with a time."""
    return last(data, _SQLSERVER_WIDE if is_wide(data) else _SQLSERVER)


def oracle_starts(data: bytes) -> list[int]:
    """Return where the records of an alert log begin, ascending: lines that are a time, before the text of it."""
    return starts(data, _ORACLE)


def cut_oracle(data: bytes) -> int:
    """Cut before the last line that is a time."""
    return last(data, _ORACLE)
