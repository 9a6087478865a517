"""Bytes of a file out of a stream of all of them: what portions do not carry, or not as fast."""

from collections.abc import Callable, Iterator
from typing import Final

from database_logs.collection.portions import Bytes
from database_logs.errors import DeliveryShort, SeamBroken

_ATTEMPTS: Final = 3


class CompleteSource:
    """Reads a file that is given from its first byte only; forwards, one stream serves many ranges.

    Args:
        stream: Begins to download the file. It raises DeliveryShort where the connection ends before the file does.
    """

    def __init__(self, stream: Callable[[], Iterator[bytes]]) -> None:
        self._stream = stream
        self._open: Iterator[bytes] | None = None
        self._position = 0
        self._held = bytearray()
        self._ended = False

    def read(self, start: int, target: int, before: bytes = b"") -> Bytes:
        """Return bytes `start` to `target`, fewer if the file has no more.

        Raises:
            DeliveryShort: The connection was lost three times.
            SeamBroken: The file has other bytes before `start`.
        """
        begin = start - len(before)
        for _ in range(_ATTEMPTS - 1):
            try:
                found = self._read(begin, target)
                break
            except DeliveryShort:
                self._open = None
        else:
            found = self._read(begin, target)
        if not found.data.startswith(before):
            raise SeamBroken(f"The file has other bytes before {start} than it had.")
        return Bytes(found.data[len(before) :], found.at_end)

    def _read(self, start: int, target: int) -> Bytes:
        if self._open is None or start < self._position:
            self._open, self._position, self._held, self._ended = self._stream(), 0, bytearray(), False
        self._drop(start)
        while not self._ended and self._position + len(self._held) < target:
            chunk = next(self._open, b"")
            self._ended = not chunk
            self._held += chunk
            self._drop(start)
        return Bytes(bytes(self._held[: target - start]), at_end=self._ended and len(self._held) <= target - start)

    def _drop(self, start: int) -> None:
        """Forget what is before the range. The range itself stays: the next one may begin in it."""
        past = min(start - self._position, len(self._held))
        del self._held[:past]
        self._position += past
