"""Where the bytes of a log come from."""

from datetime import datetime
from typing import Protocol


class LogSource(Protocol):
    """All bytes that a server ever writes to one log, in order; the log's files are runs of them."""

    def length(self, now: datetime) -> int:
        """Return how many bytes are written by now; never fewer than before."""

    def read(self, start: int, end: int) -> bytes:
        """Return bytes `start` (inclusive) to `end` (exclusive), all of which are written."""

    def cut(self, now: datetime) -> int:
        """Go on in another file, and return the position of its first byte: where a record begins, all written."""


class MemorySource:
    """Bytes that a test writes."""

    def __init__(self, data: bytes = b"") -> None:
        self._data = bytearray(data)

    def write(self, data: bytes) -> None:
        """Append bytes, which need not be whole lines."""
        self._data += data

    def length(self, now: datetime) -> int:  # noqa: ARG002 - time changes nothing here
        """As LogSource."""
        return len(self._data)

    def read(self, start: int, end: int) -> bytes:
        """As LogSource."""
        return bytes(self._data[start:end])

    def cut(self, now: datetime) -> int:
        """As LogSource: wherever the writer is."""
        return self.length(now)
