"""Refused rows, kept on disk while a slice is read: it may be all of them, and as text they are large."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from firewall_logs.contracts import Slice
from firewall_logs.files import LocalFile, path_of, write
from firewall_logs.frames import SCHEMAS
from firewall_logs.rows import REFUSED

# Small, since a raw row may be a megabyte.
_ROW_GROUP_ROWS: Final = 4096


class Quarantine:
    """Collects the refused rows of a slice in the order of the object, and writes them as one file."""

    def __init__(self, task: Slice, out: Path) -> None:
        """Keep rows in parts below `out` until they are written or discarded."""
        self._task = task
        self._parts = out / "quarantine-parts"
        self._path = path_of(out, "quarantine", None)
        self._count = 0
        self._reasons: Counter[str] = Counter()

    @property
    def by_reason(self) -> dict[str, int]:
        """Rows so far, by reason."""
        return dict(sorted(self._reasons.items()))

    def add(self, refused: pl.DataFrame) -> None:
        """Take rows by `rows.REFUSED`, all after those so far."""
        if refused.is_empty():
            return
        self._reasons.update(refused["reason"].cast(pl.String).to_list())
        self._parts.mkdir(exist_ok=True)
        refused.write_parquet(self._part(self._count), compression="lz4", statistics=False)
        self._count += 1

    def write(self) -> list[LocalFile]:
        """Write the rows, if there are any."""
        files = [self._write(pl.read_parquet(self._part(n)) for n in range(self._count))] if self._count else []
        self.discard()
        return files

    def write_object(self, defect: str) -> LocalFile:
        """Write the one record of an object that cannot be read as a whole, and no rows."""
        self.discard()
        self._reasons.clear()
        schema = REFUSED | {"reason": pl.String()}
        return self._write(iter([pl.DataFrame([(None, defect, None, None)], schema=schema, orient="row")]))

    def discard(self) -> None:
        """Remove the parts."""
        shutil.rmtree(self._parts, ignore_errors=True)

    def _part(self, number: int) -> Path:
        return self._parts / f"{number}.parquet"

    def _write(self, records: Iterator[pl.DataFrame]) -> LocalFile:
        slabs = map(self._slab, records)
        write("quarantine", self._path, slabs, SCHEMAS["quarantine"], _ROW_GROUP_ROWS)
        rows = max(1, self._reasons.total())
        return LocalFile("quarantine", self._path, None, rows, None, None)

    def _slab(self, records: pl.DataFrame) -> pl.DataFrame:
        source = self._task.source
        return records.select(
            pl.col("reason").cast(pl.String),
            "field",
            "row",
            "raw",
            object_id=pl.lit(self._task.object_id),
            bucket=pl.lit(source.bucket),
            key=pl.lit(source.key),
            version_id=pl.lit(source.version_id, pl.String),
            feed=pl.lit(self._task.feed),
        )
