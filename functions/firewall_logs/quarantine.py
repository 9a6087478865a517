"""What is refused, kept on disk while a slice is read: it may be all of it, and rows as text are large."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Final

import polars as pl

from firewall_logs.contracts import Slice
from firewall_logs.files import LocalFile, write
from firewall_logs.frames import SCHEMAS


class Quarantine:
    """Collects refused rows in the order of the object, and writes them as one file."""

    def __init__(self, task: Slice, out: Path) -> None:
        """Take rows of a slice; the folder may hold parts until `write` or `discard`."""
        self._task = task
        self._parts = out / "quarantine-parts"
        self._path = out / "quarantine" / "data.parquet"
        self._reasons: Counter[str] = Counter()
        self._count = 0

    @property
    def by_reason(self) -> dict[str, int]:
        """Rows by reason."""
        return dict(sorted(self._reasons.items()))

    @property
    def rows(self) -> int:
        """How many there are."""
        return self._reasons.total()
