"""CountObjects' work: what is in a bucket, by prefix, storage class, age and size."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Final

import polars as pl

from data_protection.lifecycle.contracts import Counted, ForecastPlan, LotRow, Part
from data_protection.lifecycle.histogram import OBJECTS, count
from data_protection.lifecycle.population import Lot, joined, prefixes, size_edges
from data_protection.lifecycle.rules import Configuration

if TYPE_CHECKING:
    from data_protection.adapters.bucket_objects import InventoryFiles, Listing

_FOLDERS: Final = 64  # of a sample
_DEPTH: Final = 4  # of folders that are looked for


class Counter:
    """Counts the objects of a part.

    Args:
        plan: Of the forecast.
        now: The time.
    """

    def __init__(self, plan: ForecastPlan, now: datetime) -> None:
        configurations = [Configuration.parse(plan.present), Configuration.parse(plan.lifecycle)]
        self._prefixes, self._edges = prefixes(configurations), size_edges(configurations)
        self._most = plan.asked.most
        self._taken = plan.taken
        self._now = now

    def of_files(self, files: "InventoryFiles", part: Part) -> Counted:
        """Count what the files of an inventory list."""
        lots, left_out = [], 0
        for key in part.files:
            found, unknown = self._count([files.objects(key)])
            lots.extend(found)
            left_out += unknown
        return Counted(groups=(_rows(joined(lots, self._edges)),), left_out=left_out)

    def of_listing(self, listing: "Listing") -> Counted:
        """Count what is listed, or a sample of it where there is too much."""
        pages, is_whole = _some(listing.pages(""), self._most)
        if is_whole:
            lots, left_out = self._count(pages)
            return Counted(groups=(_rows(lots),), left_out=left_out)
        chosen = _spread(_folders(listing), _FOLDERS)
        sample = [self._count(_some(listing.pages(folder), self._most // len(chosen))[0]) for folder in chosen]
        return Counted(
            groups=tuple(_rows(lots) for lots, _ in sample),
            left_out=sum(unknown for _, unknown in sample),
            is_sample=True,
            objects=listing.number(self._now),
        )

    def _count(self, frames: Sequence[pl.DataFrame]) -> tuple[list[Lot], int]:
        return count(pl.concat([OBJECTS.to_frame(), *frames]), self._prefixes, self._edges, self._taken)


def _rows(lots: Iterable[Lot]) -> tuple[LotRow, ...]:
    return tuple(LotRow(**asdict(lot)) for lot in lots)


def _some(pages: Iterator[pl.DataFrame], most: int) -> tuple[list[pl.DataFrame], bool]:
    """Return pages of at most so many objects or one page more, and whether these are all."""
    taken: list[pl.DataFrame] = []
    room = most
    for page in pages:
        if room <= 0:
            return taken, False
        taken.append(page)
        room -= page.height
    return taken, True


def _folders(listing: "Listing") -> list[str]:
    """Return the folders of a bucket, level by level until there are enough for a sample; at least the bucket."""
    level = [""]
    for _ in range(_DEPTH):
        below = [[*listing.folders(folder)] or [folder] for folder in _spread(level, _FOLDERS)]
        deeper = [folder for folders in below for folder in folders]
        if deeper == level:
            break
        level = deeper
        if len(level) >= _FOLDERS:
            break
    return level


def _spread(folders: Sequence[str], most: int) -> list[str]:
    """Return at most so many of some folders, evenly from first to last."""
    if len(folders) <= most:
        return list(folders)
    return [folders[index * len(folders) // most] for index in range(most)]
