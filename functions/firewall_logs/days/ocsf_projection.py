"""A sealed day as OCSF objects: which there are to be, which are missing, which go."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from firewall_logs.contracts import LakeFile
from firewall_logs.days.contracts import OcsfProjected, SealedDay
from firewall_logs.days.ocsf import MAPPING_VERSION, project
from firewall_logs.version import TRANSFORM_VERSION

if TYPE_CHECKING:
    from firewall_logs.adapters.ocsf import OcsfObjects
    from firewall_logs.adapters.sealed import SealedDays

# About 30 MB an object, far below the 256 MB that Security Lake asks for, and what a function holds in memory:
# https://docs.aws.amazon.com/security-lake/latest/userguide/custom-sources-best-practices.html
_OBJECT_ROWS: Final = 524_288
_ROW_GROUP_ROWS: Final = 131_072
_PAGE_BYTES: Final = 1 << 20
# What is not ours by its name is not ours to remove.
_NAME: Final = re.compile(r"/v\d{5,}-[0-9a-f]{16}-\d{5}\.parquet$")


@dataclass(frozen=True)
class Place:
    """Where the dataset is, as Security Lake lays out custom sources.

    Attributes:
        prefix: Before `ext/`; empty, or with a slash at its end.
        source: Name of the custom source.
        region: Of the bucket.
        account: `external_<id>` for what comes from outside AWS.
    """

    prefix: str
    source: str
    region: str
    account: str

    def partition(self, day: date) -> str:
        """Return the prefix of a day, with the slash at its end."""
        return f"{self.prefix}ext/{self.source}/region={self.region}/accountId={self.account}/eventDay={day:%Y%m%d}/"


@dataclass(frozen=True)
class Part:
    """Rows of one file of the sealed day that become one object."""

    key: str
    file: LakeFile
    offset: int


def parts(sealed: SealedDay, place: Place) -> list[Part]:
    """Return every object that a sealed day becomes; keys follow from its content and from what decides the bytes."""
    events = [file for file in sealed.files if file.kind == "events"]
    said = [MAPPING_VERSION, TRANSFORM_VERSION, *(file.sha256 for file in events)]
    identity = hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]
    stem = f"{place.partition(sealed.event_date)}v{sealed.version:05d}-{identity}"
    pieces = [(file, offset) for file in events for offset in range(0, file.rows, _OBJECT_ROWS)]
    return [Part(f"{stem}-{index:05d}.parquet", file, offset) for index, (file, offset) in enumerate(pieces)]


class OcsfProjector:
    """Brings the dataset of a day in step with its newest seal.

    Args:
        days: Sealed days and their files.
        objects: The dataset.
        place: Where it is.
        folder: For one file of the lake and one object at a time.
    """

    def __init__(self, days: "SealedDays", objects: "OcsfObjects", place: Place, folder: Path) -> None:
        self._days = days
        self._objects = objects
        self._place = place
        self._folder = folder

    def bring_up_to_date(self, day: date) -> OcsfProjected:
        """Write the objects that are missing, then remove those that the newest seal does not have.

        Calls for versions of one day may run side by side: whichever looks last at what is newest, removes the rest.

        Raises:
            SealMissing: The day has no seal.
            LakeFileDamaged: A file of the day is not what its seal says.
        """
        sealed = self._days.newest(day)
        wanted = parts(sealed, self._place)
        there = set(self._objects.keys(self._place.partition(day)))
        missing = [part for part in wanted if part.key not in there]
        for file, of_file in _by_file(missing):
            self._project(file, of_file)
        kept = {part.key for part in parts(self._days.newest(day), self._place)}
        found = self._objects.keys(self._place.partition(day))
        stale = [key for key in found if _NAME.search(key) and key not in kept and _version(key) <= sealed.version]
        self._objects.remove(stale)
        return OcsfProjected(
            event_date=day,
            version=sealed.version,
            rows=sum(part.file.rows for part in wanted if part.offset == 0),
            objects=len(wanted),
            written=len(missing),
            removed=len(stale),
        )

    def _project(self, file: LakeFile, missing: list[Part]) -> None:
        source, target = self._folder / "sealed.parquet", self._folder / "ocsf.parquet"
        self._days.fetch(file, source)
        for part in missing:
            rows = pl.scan_parquet(source, hive_partitioning=False).slice(part.offset, _OBJECT_ROWS).collect()
            write(project(rows), target)
            self._objects.put(part.key, target)


def write(events: pl.DataFrame, path: Path) -> None:
    """Write OCSF events as Security Lake wants them: zstd, pages of 1 MB at most."""
    events.write_parquet(
        path,
        compression="zstd",
        compression_level=1,
        statistics=True,
        row_group_size=_ROW_GROUP_ROWS,
        data_page_size=_PAGE_BYTES,
    )


def _by_file(missing: Iterable[Part]) -> Iterator[tuple[LakeFile, list[Part]]]:
    of_file: dict[str, list[Part]] = {}
    for part in missing:
        of_file.setdefault(part.file.key, []).append(part)
    for found in of_file.values():
        yield found[0].file, found


def _version(key: str) -> int:
    return int(key.rpartition("/")[2][1:].partition("-")[0])
