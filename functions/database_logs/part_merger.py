"""MergeParts' work: parts of a day to one tally, in files of its ranges.

The files' folder is named after their content. So an attempt that is made again, maybe with a part that came meanwhile,
never changes what another one wrote, and the digest takes the files of one attempt alone.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

import polars as pl

from database_logs.contracts import PartsMerged, PartsShard
from database_logs.errors import LakeFileMissing
from database_logs.locations import merged_key, parts_prefix
from database_logs.tallies import Tally, merge

if TYPE_CHECKING:
    from database_logs.adapters.digests import DigestStore
    from database_logs.adapters.lake import LakeReader

_THREADS: Final = 16
# Parts that are fetched at a time.
_AT_ONCE: Final = 32
# Rows of parts that are in memory before they are added up; each has its texts.
_ROWS: Final = 250_000
# What they came to is written, and begun anew, once it has so many bytes: only statements that differ too much to be
# counted together need that.
_TALLY_BYTES: Final = 192 << 20


class PartMerger:
    """Adds parts up."""

    def __init__(self, lake: "LakeReader", store: "DigestStore") -> None:
        self._lake = lake
        self._store = store

    def merge(self, shard: PartsShard) -> PartsMerged:
        """Add up the parts of a shard, and write what they come to."""
        # All are listed before any is read. A parser removes a part before it writes what replaces it: if both are
        # listed, the first cannot be read any more.
        listed = self._lake.keys(parts_prefix(shard.day), shard.after)
        keys = list(takewhile(lambda key: shard.upto is None or key <= shard.upto, listed))
        folders = [self._write(shard, tally) for tally in self._tallies(keys)]
        return PartsMerged(day=shard.day, ranges=shard.ranges, parts=len(keys), folders=folders)

    def _write(self, shard: PartsShard, tally: Tally) -> str:
        bodies = [one.write() for one in tally.ranges(shard.ranges)]
        folder = hashlib.sha256(b"".join(hashlib.sha256(body).digest() for body in bodies)).hexdigest()[:32]
        with ThreadPoolExecutor(_THREADS) as threads:
            written = [
                threads.submit(self._store.write, merged_key(shard.day, folder, number), body)
                for number, body in enumerate(bodies)
            ]
        for each in written:
            each.result()
        return folder

    def _tallies(self, keys: Sequence[str]) -> Iterator[Tally]:
        """Add parts up to as few tallies as fit the memory, at least one."""
        whole, waiting, rows = merge([]), list[Tally](), 0
        for part in self._parts(keys):
            waiting.append(Tally.of_part(part))
            rows += part.height
            if rows >= _ROWS:
                whole, waiting, rows = merge([whole, *waiting]), [], 0
            if whole.size >= _TALLY_BYTES:
                yield whole
                whole = merge([])
        yield merge([whole, *waiting])

    def _parts(self, keys: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Yield parts in the order of their keys."""
        remaining = iter(keys)
        with ThreadPoolExecutor(_THREADS) as threads:
            while batch := list(islice(remaining, _AT_ONCE)):
                for body in threads.map(self._body, batch):
                    if body is not None:
                        yield pl.read_parquet(io.BytesIO(body))

    def _body(self, key: str) -> bytes | None:
        try:
            return self._lake.read(key)
        except LakeFileMissing:
            # A newer parser has replaced it since it was listed; the next digest has the new one.
            return None
