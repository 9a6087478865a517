"""Which range of a file is stored next, and where it ends."""

from datetime import datetime, timedelta
from typing import Final

from database_logs.boundaries.dispatch import cut
from database_logs.collection.portions import Bytes
from database_logs.collection.positions import Ending, Plan
from database_logs.log_types import LogType

# A record that is not followed by another for so long is taken as it is.
IDLE: Final = timedelta(seconds=30)
# A line that was not ended for so long is taken as it is.
STALE: Final = timedelta(hours=1)
# A record may be so many segments long; what is longer is cut at the end of a line, or anywhere.
_LONGEST: Final = 4


def ending_of(*, closed: bool, last_written: datetime, now: datetime) -> Ending:
    """Return what becomes of the last record of a file."""
    if closed:
        return Ending.CLOSED
    if now - last_written >= STALE:
        return Ending.STALE
    return Ending.IDLE if now - last_written >= IDLE else Ending.OPEN


def plan(offset: int, size: int, ending: Ending, segment_bytes: int) -> Plan | None:
    """Plan the next range; None if there is nothing to store.

    Args:
        offset: What is stored.
        size: What may be read. Of a closed file it does not matter, since that is read up to its end, wherever that is:
            of a compressed one nobody knows, and a listing may be too old.
        ending: What holds for the end of the file; a range that does not reach it is open.
        segment_bytes: How long a range is at most.
    """
    target = offset + segment_bytes
    if ending is Ending.CLOSED or target < size:
        return Plan(offset, target, ending if ending is Ending.CLOSED else Ending.OPEN)
    return Plan(offset, size, ending) if size > offset else None


def wider(planned: Plan, segment_bytes: int) -> Plan | None:
    """Return a plan of a longer range, for one that holds a single record and not its end; None if it is too long."""
    length = 2 * (planned.target - planned.start)
    return None if length > _LONGEST * segment_bytes else Plan(planned.start, planned.start + length, planned.ending)


def length(log_type: LogType, found: Bytes, ending: Ending, prefix: str) -> int:
    """Return how many of the fetched bytes are a segment: whole records only.

    Args:
        log_type: Grammar of the file.
        found: From the start of a record on.
        ending: Of the plan.
        prefix: log_line_prefix.
    """
    if ending in {Ending.CLOSED, Ending.STALE} and found.at_end:
        return len(found.data)
    if ending is Ending.IDLE and found.at_end:
        return found.data.rfind(b"\n") + 1
    return cut(log_type, found.data, prefix)
