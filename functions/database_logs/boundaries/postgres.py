"""Records of PostgreSQL's stderr log: a line with prefix and severity, and what follows up to the next."""

import re
from typing import Final

from database_logs.line_prefixes import LONGEST, line_pattern

RDS_PREFIX: Final = "%t:%r:%u@%d:[%p]:"
# PostgreSQL puts a tab before each further line of a message (elog.c, append_with_tabs).
_LINE: Final = re.compile(rb"\n(?=[^\t])")
# Bytes that are looked through at once, from the end backwards: most logs have their last record in the first.
_WINDOW: Final = 1 << 16


def cut(data: bytes, prefix: str = RDS_PREFIX) -> int:
    """Return how many bytes belong to records that are complete: the start of the last record, 0 if it is the first.

    Args:
        data: Bytes from the start of a record on; the last line may lack its end.
        prefix: log_line_prefix of the instance.
    """
    pattern = line_pattern(prefix)
    for end in range(len(data), 0, -_WINDOW):
        lines = [match.end() for match in _LINE.finditer(data, max(0, end - _WINDOW), end + 1)]
        for start in reversed(lines):
            if pattern.begins_record(data[start : start + LONGEST]):
                return start
    return 0
