"""The lines that begin records: found all, or the last one only."""

import re
from typing import Final

# The last record is most often short: how much is looked at first.
_TAIL_BYTES: Final = 1 << 14


def starts(data: bytes, newline: re.Pattern[bytes]) -> list[int]:
    """Return where records begin, ascending, the first at 0; the pattern matches each newline before another."""
    return [0, *(found.end() for found in newline.finditer(data))] if data else []


def last(data: bytes, newline: re.Pattern[bytes]) -> int:
    """Return where the last record begins, 0 if only the first is there."""
    tail = _TAIL_BYTES
    while True:
        begin = max(0, len(data) - tail)
        end = 0
        for found in newline.finditer(data, begin):
            end = found.end()
        if end or begin == 0:
            return end
        tail *= 4
