"""Files of the lake on this machine, by the hash of their content: what was fetched once is not fetched again."""

import hashlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Final, Protocol

from cli.query_files import Wanted
from cli.query_tables import partition
from database_logs.locations import UNDATED

_READERS: Final = 8


class TooMuch(ValueError):
    """A query needs more than the cache may hold."""


class FileDamaged(ValueError):
    """A file of the lake is not what its manifest says."""


class Source(Protocol):
    """Where files come from."""

    def fetch(self, wanted: Wanted, /) -> bytes:
        """Return the bytes of a file."""


class FileCache:
    """A folder of files that is kept below a size.

    Args:
        folder: Its own; made when needed.
        limit: Bytes; the files that were used least recently go first.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit

    def provide(
        self, source: Source, wanted: Iterable[Wanted], told: Callable[[int, int], None]
    ) -> dict[str, list[Path]]:
        """Return paths of all files by table; those that are not there are fetched.

        Args:
            source: Where from.
            wanted: The files.
            told: Called with bytes that are there and bytes in all, as they come.

        Raises:
            TooMuch: Together they are more than the limit.
            FileDamaged: What came has another hash.
        """
        paths = {self._path(file): file for file in wanted}
        total = sum(file.bytes for file in paths.values())
        if total > self._limit:
            raise TooMuch(
                f"The query needs {len(paths)} files of together {total / 1e9:.1f} GB, and the cache may hold "
                f"{self._limit / 1e9:.1f} GB: ask for fewer days, or give --cache-gb."
            )
        missing = {path: file for path, file in paths.items() if not path.exists()}
        self._make_room(sum(file.bytes for file in missing.values()), keep=paths.keys())
        there = total - sum(file.bytes for file in missing.values())
        told(there, total)
        with ThreadPoolExecutor(_READERS) as readers:
            for done in as_completed([readers.submit(_fetch, source, *each) for each in missing.items()]):
                there += done.result()
                told(there, total)
        tables: dict[str, list[Path]] = {}
        for path, file in paths.items():
            path.touch()
            tables.setdefault(file.table, []).append(path)
        return tables

    def _path(self, file: Wanted) -> Path:
        # DuckDB reads the partition off the path, as it does in the lake.
        folder = f"{partition(file.table)}={UNDATED if file.partition is None else file.partition}"
        return self._folder / file.table / folder / f"{file.sha256}.parquet"

    def _make_room(self, needed: int, keep: Iterable[Path]) -> None:
        kept = set(keep)
        files = sorted((path for path in self._folder.rglob("*.parquet")), key=lambda path: path.stat().st_mtime)
        held = sum(path.stat().st_size for path in files)
        for path in files:
            if held + needed <= self._limit:
                return
            if path not in kept:
                held -= path.stat().st_size
                path.unlink()


def _fetch(source: Source, path: Path, file: Wanted) -> int:
    body = source.fetch(file)
    found = hashlib.sha256(body).hexdigest()
    if found != file.sha256:
        raise FileDamaged(f"{file.key} has SHA-256 {found}, not {file.sha256}: restore it from the bucket's versions.")
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".part")
    half.write_bytes(body)
    half.replace(path)
    return file.bytes
