"""The ledger of a generation's bytes: what is stored, what is lost and why, and what is open."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from database_logs.collection.positions import Stored
from database_logs.collection.restart import overlay


class Reason(StrEnum):
    """Why bytes are lost.

    PURGED: RDS removed the file before all of it was read. DELETED: the instance is gone, and its files with it.
    UNDELIVERED: RDS lists the bytes, and gives them neither by portions nor in the complete file. UNACCOUNTED: no
    segment has them although the position is behind them, which only a mistake of Gatehouse's own can bring about.
    NEVER_LISTED: hours whose files came and went while nobody looked. MAYBE_NEVER_LISTED: the same, where nothing tells
    that the server wrote a file in each of these hours.
    """

    PURGED = "purged"
    DELETED = "deleted"
    UNDELIVERED = "undelivered"
    UNACCOUNTED = "unaccounted"
    NEVER_LISTED = "never_listed"
    MAYBE_NEVER_LISTED = "maybe_never_listed"


@dataclass(frozen=True)
class Gap:
    """Bytes that were not stored.

    Attributes:
        start: First of them.
        end: After the last that a listing showed; None where nobody can tell how many there were.
    """

    start: int
    end: int | None
    reason: Reason


@dataclass(frozen=True)
class Account:
    """What the ledger says of a generation up to an offset.

    Attributes:
        stored: Bytes of the file that are in segments.
        missing: Ranges below the offset that neither a segment nor a gap has.
        complete: The stored ranges tile all of it.
    """

    stored: int
    missing: tuple[tuple[int, int], ...]

    @property
    def complete(self) -> bool:
        """Whether nothing is missing."""
        return not self.missing


def account(ranges: Iterable[Stored], gaps: Iterable[Gap], offset: int) -> Account:
    """Add up the ledger of a generation from its first byte to an offset."""
    parts = [(start, end) for _, start, end in overlay(ranges, offset)]
    stored = sum(end - start for start, end in parts)
    parts += [(gap.start, offset if gap.end is None else gap.end) for gap in gaps]
    missing = []
    position = 0
    for start, end in sorted(parts):
        if start > position:
            missing.append((position, start))
        position = max(position, end)
    if position < offset:
        missing.append((position, offset))
    return Account(stored, tuple(missing))
