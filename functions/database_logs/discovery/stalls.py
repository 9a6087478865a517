"""Files that grow while nothing of them is stored: whatever is wrong, no error may tell of it."""

from collections.abc import Iterable, Mapping
from typing import Final

from database_logs.discovery.files import Known, Moved
from kernel.contracts import Document

_LOOKS: Final = 3


class Watched(Document):
    """A file that had something to collect at the last look.

    Attributes:
        file: LogFileName.
        size: As it was listed.
        offset: Up to where it was stored.
        looks: How often in a row it had grown since the look before and was stored no further.
    """

    file: str
    size: int
    offset: int
    looks: int = 0

    @property
    def is_stalled(self) -> bool:
        """Whether nobody gets any further with it."""
        return self.looks >= _LOOKS


def generations(moved: Iterable[Moved], known: Mapping[str, Known]) -> dict[str, Moved]:
    """Return the files that can be watched by the identity of their generation, or by name while nobody knows it.

    Files that are closed or gone grow no more, and of compressed ones nobody knows what they hold. So these are few,
    however many files an instance has.
    """
    found = {}
    for one in moved:
        if not (one.gone or one.closed or one.name.compressed):
            before = known.get(one.listed.file)
            found[one.identity or (before.identity if before else None) or one.listed.file] = one
    return found


def watch(before: Mapping[str, Watched], now: Mapping[str, Moved], offsets: Mapping[str, int]) -> dict[str, Watched]:
    """Return what is watched until the next look.

    Args:
        before: At the last one.
        now: What has something to collect, by generation.
        offsets: Up to where it is stored; none where nothing is.
    """
    watched = {}
    for generation, moved in now.items():
        offset, size = offsets.get(generation, 0), moved.listed.size
        last = before.get(generation)
        looks = 0 if last is None or last.offset != offset else last.looks + (size > last.size)
        watched[generation] = Watched(file=moved.listed.file, size=size, offset=offset, looks=looks)
    return watched
