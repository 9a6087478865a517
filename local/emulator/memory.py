"""Memory limits as AWS sets them, on resident memory: RLIMIT_AS would count address space, which grows with threads."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

POLL_SECONDS = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")
_MB = 1024 * 1024


@dataclass
class Watched:
    """A process that handles an event.

    Attributes:
        limit_mb: The function's MemorySize.
        kill: Ends the process.
        peak_mb: Highest resident memory seen.
        exceeded: Whether it was killed for its memory.
    """

    pid: int
    limit_mb: int
    kill: Callable[[], None]
    peak_mb: int = 0
    exceeded: bool = False


class MemoryGuard:
    """Looks at the resident memory of every busy process and kills what is over its limit."""

    def __init__(self) -> None:
        self._busy: dict[int, Watched] = {}
        self._wake = threading.Event()
        threading.Thread(target=self._poll, daemon=True, name="memory-guard").start()

    @contextmanager
    def watching(self, watched: Watched) -> Iterator[None]:
        """Watch a process while its event is handled."""
        self._busy[watched.pid] = watched
        self._wake.set()
        try:
            yield
        finally:
            del self._busy[watched.pid]
            _look(watched)

    def _poll(self) -> None:
        while True:
            if not self._busy:
                self._wake.clear()
                self._wake.wait(timeout=1)
                continue
            for watched in list(self._busy.values()):
                if _look(watched) and not watched.exceeded:
                    watched.exceeded = True
                    watched.kill()
            time.sleep(POLL_SECONDS)


def _look(watched: Watched) -> bool:
    try:
        pages = int(Path(f"/proc/{watched.pid}/statm").read_text().split()[1])
    except OSError:  # gone
        return False
    resident = pages * _PAGE // _MB
    watched.peak_mb = max(watched.peak_mb, resident)
    return resident > watched.limit_mb
