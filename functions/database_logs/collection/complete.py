"""Bytes of a file out of a stream of all of them: what portions do not carry, or not as fast."""

from collections.abc import Callable, Iterator
from typing import Final

from database_logs.collection.portions import Bytes
from database_logs.collection.positions import TAIL_BYTES
from database_logs.errors import DeliveryShort, SeamBroken

_ATTEMPTS: Final = 3
# Bytes to come from which on a file is streamed: one call instead of one a megabyte. One that is written to is streamed
# only if it is far behind, as a stream begins at its first byte each time.
_CLOSED_BYTES: Final = 5_000_000
_LIVE_BYTES: Final = 64_000_000
# What is skipped at the beginning of a stream costs time: at most so many times what is won. A stream is many times as
# fast as portions at twelve calls a second are (against the local log API; RDS' own speed is not published). ...
_SKIPPED_TIMES: Final = 4
# ... and never so much that a call of the function might not get past it.
_SKIPPED_BYTES: Final = 512_000_000


def is_better(start: int, size: int, *, closed: bool, compressed: bool = False) -> bool:
    """Whether what a file has from a byte on is rather streamed than read by portions.

    Args:
        start: First byte to come.
        size: As listed; of a compressed file it says nothing.
        closed: Nothing more is written.
        compressed: gzip, which portions give unpacked, too.
    """
    if start > _SKIPPED_BYTES:
        return False
    to_come = size - start
    worth = to_come > (_CLOSED_BYTES if closed else _LIVE_BYTES) and start <= _SKIPPED_TIMES * to_come
    return compressed or worth


class CompleteSource:
    """Reads a file that is given from its first byte only; forwards, one stream serves many ranges.

    Args:
        stream: Begins to download the file. It raises DeliveryShort where the connection ends before the file does.
        is_late: Whether no time is left to read on.
    """

    def __init__(self, stream: Callable[[], Iterator[bytes]], is_late: Callable[[], bool]) -> None:
        self._stream = stream
        self._is_late = is_late
        self._open: Iterator[bytes] | None = None
        self._position = 0
        self._held = bytearray()
        self._ended = False

    def read(self, start: int, target: int, before: bytes = b"") -> Bytes:
        """Return bytes `start` to `target`, fewer if the file has no more, or no time is left.

        Raises:
            DeliveryShort: The connection was lost three times.
            SeamBroken: The file has other bytes before `start`.
        """
        begin = start - len(before)
        for _ in range(_ATTEMPTS - 1):
            try:
                self._reach(begin, target)
                break
            except DeliveryShort:
                self._open = None
        else:
            self._reach(begin, target)
        if not self._held.startswith(before):
            raise SeamBroken(f"The file has other bytes before {start} than it had.")
        # A range can be a good part of a function's memory: one copy of it is made, no more.
        with memoryview(self._held) as held:
            data = bytes(held[len(before) : target - begin])
        return Bytes(data, at_end=self._ended and len(self._held) <= target - begin)

    def _reach(self, start: int, target: int) -> None:
        """Hold the bytes from `start` to `target` at least, or to the end of the file."""
        if self._open is None or start < self._position:
            self._open, self._position, self._held, self._ended = self._stream(), 0, bytearray(), False
        self._drop(start)
        while not self._ended and self._position + len(self._held) < target:
            chunk = next(self._open, b"")
            self._ended = not chunk
            self._held += chunk
            self._drop(start)
            if self._position == start and len(self._held) > TAIL_BYTES and self._is_late():
                break

    def _drop(self, start: int) -> None:
        """Forget what is before the range. The range itself stays: the next one may begin in it."""
        past = min(start - self._position, len(self._held))
        del self._held[:past]
        self._position += past
