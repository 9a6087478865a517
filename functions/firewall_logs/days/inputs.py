"""The inputs of a cut as local files: of each no more than can hold its rows, and of all no more than a few at once."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firewall_logs.contracts import LakeFile
from firewall_logs.days.compaction import Input
from firewall_logs.days.contracts import Cut
from firewall_logs.days.row_groups import footer_bytes, row_groups, span

if TYPE_CHECKING:
    from firewall_logs.adapters.lake import LakeReader

# Fetched ahead of the one that is read. Each takes what a cut needs of one file: all in all less than the day.
_AHEAD: Final = 8
# A footer of some row groups; a file that is no longer comes with it, whole.
_TAIL: Final = 256 << 10


class Inputs:
    """Fetches what may hold rows of a cut.

    Attributes:
        gets: Requests so far.
        bytes: Read so far.
    """

    def __init__(self, lake: "LakeReader", cut: Cut, folder: Path) -> None:
        self._lake = lake
        self._cut = cut
        self._folder = folder
        self.gets = 0
        self.bytes = 0

    def of(self, files: Iterable[LakeFile]) -> Generator[Input, None, None]:
        """Yield what each file has for the cut, in order; it is removed when the next one is asked for.

        Close the generator where not all are asked for: until then others are being fetched.

        Raises:
            InputGone: A file is not in the lake any more.
        """
        with _threads() as threads:
            numbered = enumerate(files)
            fetched = deque(threads.submit(self._fetch, *file) for file in islice(numbered, _AHEAD))
            while fetched:
                given, gets, size = fetched.popleft().result()
                fetched.extend(threads.submit(self._fetch, *file) for file in islice(numbered, 1))
                self.gets += gets
                self.bytes += size
                yield given
                given.path.unlink()

    def _fetch(self, number: int, file: LakeFile) -> tuple[Input, int, int]:
        """Fetch the end of a file and, unless that is all of it, the row groups that may hold rows of the cut.

        Returns:
            The file, in which all else is a hole: a reader that is told which rows to read never touches it; how many
            requests that took; and how many bytes.
        """
        path = self._folder / f"{number:05d}.parquet"
        with path.open("wb") as target:
            target.truncate(file.bytes)
        start = max(file.bytes - _TAIL, 0)
        fetched = [self._fetch_range(file, start, file.bytes, path)]
        first_row, rows = 0, file.rows
        if start > 0:
            footer = file.bytes - footer_bytes(_from(path, start))
            if footer < start:
                fetched.append(self._fetch_range(file, footer, start, path))
                start = footer
            found = span(row_groups(_from(path, footer)), self._cut)
            first_row, rows = (found.first_row, found.rows) if found else (0, 0)
            if found and found.start < start:
                fetched.append(self._fetch_range(file, found.start, min(found.end, start), path))
        return Input(file.key, path, first_row, rows), len(fetched), sum(fetched)

    def _fetch_range(self, file: LakeFile, first: int, after: int, path: Path) -> int:
        self._lake.fetch(file.key, first, after, path)
        return after - first


def _from(path: Path, start: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read()


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Yield threads, whose work is dropped where it is not wanted any more."""
    threads = ThreadPoolExecutor(_AHEAD)
    try:
        yield threads
    finally:
        threads.shutdown(cancel_futures=True)
