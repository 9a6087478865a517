"""What a restart of the server does to a file: it comes back shorter and grows again, with other bytes in that place.

Keeping the position would skip what was written since, beginning anew would store everything twice. So the end of what
is stored is compared with the file, byte for byte, and what differs is stored as the next incarnation. Bytes that the
server lost stay stored under the incarnation before: they had been written.
"""

from collections.abc import Iterable
from typing import Final

from database_logs.boundaries.dispatch import cut
from database_logs.collection.positions import Stored
from database_logs.log_types import LogType

# A server was seen to lose a few KB (rdstail, failover tests); wider where this is not enough.
REWIND_BYTES: Final = 256 * 1024
# The header of an event that tells where it begins has at most so many lines.
_HEADER_LINES: Final = 4


def common(stored: bytes, found: bytes) -> int:
    """Return how many first bytes are alike."""
    low, high = 0, min(len(stored), len(found))
    while low < high:
        middle = (low + high + 1) // 2
        if stored[low:middle] == found[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def resume_at(log_type: LogType, stored: bytes, same: int, prefix: str) -> int:
    """Return where in `stored` to go on: at the record whose rest is another now, or at the one that begins there.

    Args:
        log_type: Grammar of the file.
        stored: What was stored, from the start of a record on.
        same: How many bytes of it the file still has.
        prefix: log_line_prefix.
    """
    back = cut(log_type, stored[:same], prefix)
    end = same
    for _ in range(_HEADER_LINES):
        end = stored.find(b"\n", end) + 1
        if not end:
            break
        # With more of its header a record is known that begins before, or just there.
        begin = cut(log_type, stored[:end], prefix)
        if begin <= same:
            back = max(back, begin)
    return back


def overlay(ranges: Iterable[Stored], offset: int) -> list[tuple[Stored, int, int]]:
    """Return which stored ranges the file consists of up to an offset, each with the part of it that counts.

    A later incarnation takes the place of what the one before had from there on.
    """
    parts = []
    limit = offset
    by_incarnation: dict[int, list[Stored]] = {}
    for stored in ranges:
        by_incarnation.setdefault(stored.incarnation, []).append(stored)
    for incarnation in sorted(by_incarnation, reverse=True):
        own = by_incarnation[incarnation]
        parts += [(stored, stored.start, min(stored.end, limit)) for stored in own if stored.start < limit]
        limit = min(limit, *(stored.start for stored in own))
    return sorted(parts, key=lambda part: part[1])
