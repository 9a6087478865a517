"""The inputs of a cut as local files: of each no more than can hold its rows, and of all no more than a few at once."""

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firewall_logs.days.compaction import Input
from firewall_logs.days.contracts import Cut, PlannedInput
from firewall_logs.days.spans import Span, span

if TYPE_CHECKING:
    from firewall_logs.adapters.lake import LakeReader

# Fetched ahead of the one that is read. Each takes what a cut needs of one file: all in all less than the day.
_AHEAD: Final = 8
# A second request costs more than to fetch so many bytes for nothing.
_GAP: Final = 256 << 10


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

    def of(self, files: Iterable[PlannedInput]) -> Generator[Input, None, None]:
        """Yield what each file has that may be in the cut, in order; it is removed when the next one is asked for.

        Close the generator where not all are asked for: until then others are being fetched.

        Raises:
            InputGone: A file is not in the lake any more.
        """
        wanted = ((file, found) for file in files if (found := span(file.row_groups, self._cut)))
        with _threads() as threads:
            numbered = enumerate(wanted)
            fetched = deque(threads.submit(self._fetch, number, *one) for number, one in islice(numbered, _AHEAD))
            while fetched:
                given, gets, size = fetched.popleft().result()
                fetched.extend(threads.submit(self._fetch, number, *one) for number, one in islice(numbered, 1))
                self.gets += gets
                self.bytes += size
                yield given
                given.path.unlink()

    def _fetch(self, number: int, file: PlannedInput, found: Span) -> tuple[Input, int, int]:
        """Fetch the row groups that may hold rows of the cut, and the footer.

        Returns:
            The file, in which all else is a hole: a reader that is told which rows to read never touches it; how many
            requests that took; and how many bytes.
        """
        path = self._folder / f"{number:05d}.parquet"
        with path.open("wb") as target:
            target.truncate(file.bytes)
        if file.footer - found.end <= _GAP:
            ranges = [(found.start, file.bytes)]
        else:
            ranges = [(found.start, found.end), (file.footer, file.bytes)]
        for first, after in ranges:
            self._lake.fetch(file.key, first, after, path)
        size = sum(after - first for first, after in ranges)
        return Input(file.key, path, found.first_row, found.rows), len(ranges), size


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Yield threads, whose work is dropped where it is not wanted any more."""
    threads = ThreadPoolExecutor(_AHEAD)
    try:
        yield threads
    finally:
        threads.shutdown(cancel_futures=True)
