"""How far a file is collected, and what is under way."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

# Read again before new bytes are, and compared: whatever changed in front of them shows here.
TAIL_BYTES: Final = 256


class Ending(StrEnum):
    """What becomes of the last record of a range, which may go on.

    OPEN: it is held back. IDLE: nothing was written for a while, so it is taken up to the end of its last line, unless
    the file turns out to go on behind the range. STALE: for so long that a line without an end may never get one, as
    where a restart of the server took it; so it is taken as IDLE is, but whole. CLOSED: nothing more will be written,
    so it is taken.
    """

    OPEN = "open"
    IDLE = "idle"
    STALE = "stale"
    CLOSED = "closed"

    @property
    def may_go_on(self) -> bool:
        """Whether a range of it is taken to its end for lack of more, and only if there still is no more."""
        return self in {Ending.IDLE, Ending.STALE}


@dataclass(frozen=True)
class Plan:
    """A range that is to be stored: decided before its bytes are fetched, so that a second worker decides alike."""

    start: int
    target: int
    ending: Ending


@dataclass(frozen=True)
class Stored:
    """A range that is stored.

    Attributes:
        incarnation: See Position.
        key: Of its segment.
        sha256: Of its bytes, hex.
        message: What the parsers are told of it: SegmentCommitted as JSON. It is the same whoever tells them,
            whatever the file is called by then.
    """

    incarnation: int
    start: int
    end: int
    key: str
    truncated: bool = False
    open_tail: bool = False
    sha256: str = ""
    message: str = ""


@dataclass(frozen=True)
class Position:
    """Of one generation.

    Attributes:
        identity: Of the generation.
        epoch: Under which it is ours.
        offset: All bytes before it are stored, or declared lost.
        incarnation: How often a restart of the server took bytes that were stored; what came in their place is stored
            under the next number.
        tail: Bytes before the offset, as many as TAIL_BYTES.
        plan: Of a range that may be stored already.
        unannounced: A range that is stored and not yet handed on.
        told: The range that was stored last is handed on; the row says so with its next change.
        final: All of the file is collected, or it is gone.
        pulled: Up to where bytes behind the offset are kept of a record that no call had time for all of; else None.
        shrunk: Size to which a restart cut the file below the offset, as long as nothing came in the place of what it
            took; else None.
    """

    identity: str
    epoch: int
    offset: int = 0
    incarnation: int = 0
    tail: bytes = b""
    plan: Plan | None = None
    unannounced: Stored | None = None
    told: bool = False
    final: bool = False
    pulled: int | None = None
    shrunk: int | None = None

    @property
    def generation(self) -> str:
        """What segments call it."""
        return generation_name(self.identity, self.incarnation)


def generation_name(identity: str, incarnation: int) -> str:
    """Return what segments call an incarnation of a generation."""
    return f"{identity}~{incarnation}" if incarnation else identity


def tail_of(data: bytes) -> bytes:
    """Return the end of some bytes by which it is known that they are still there; it begins with a character."""
    tail = data[-TAIL_BYTES:]
    # A character that is cut would come as another one.
    begin = next((n for n, byte in enumerate(tail[:4]) if byte & 0xC0 != 0x80), 0)  # noqa: PLR2004 - RFC 3629
    return tail[begin:]
