"""The files of a real log as one run of bytes, which is what the API's generations are cut from."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path


class FileSource:
    """A log that a real server writes to one file after the other.

    Args:
        files: Returns its files, the oldest first; only the last one grows, and none is ever removed.
        rotate: Lets the server go on in another file, and returns when that is there; None: it never does.
    """

    def __init__(self, files: Callable[[], list[Path]], rotate: Callable[[datetime], None] | None = None) -> None:
        self._files = files
        self._rotate = rotate

    def paths(self) -> list[Path]:
        """Return the server's files."""
        return self._files()

    def length(self, now: datetime) -> int:  # noqa: ARG002 - a real server writes when it does
        """As LogSource."""
        return sum(path.stat().st_size for path in self._files())

    def read(self, start: int, end: int) -> bytes:
        """As LogSource."""
        pieces = []
        offset = 0
        for path in self._files():
            size = path.stat().st_size
            first, last = max(start - offset, 0), min(end - offset, size)
            if first < last:
                with path.open("rb") as file:
                    file.seek(first)
                    pieces.append(file.read(last - first))
            offset += size
        return b"".join(pieces)

    def cut(self, now: datetime) -> int:
        """Rotate; where the server never does, go on after the last byte: it writes whole records at once."""
        if self._rotate is None:
            return self.length(now)
        self._rotate(now)
        return sum(path.stat().st_size for path in self._files()[:-1])
