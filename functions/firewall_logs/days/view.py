"""Which files hold the rows of a day, for whoever reads the lake without Athena. Pure.

A manifest may name files that a seal has replaced since, so the newest sealed version is asked first; objects that it
lacks are still where their manifests say.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Self

from firewall_logs import locations
from firewall_logs.contracts import LakeFile, Manifest
from firewall_logs.days.contracts import DayObject, SealedDay
from firewall_logs.errors import ManifestMissing

DOCUMENTS: Final = f"{locations.LAKE}/days/"
_DOCUMENT: Final = re.compile(rf"{DOCUMENTS}event_date=(\d{{4}}-\d{{2}}-\d{{2}})/v(\d{{5,}})\.json")


def newest_versions(keys: Iterable[str]) -> dict[date, int]:
    """Return the newest version of each day that has a sealed document among these keys."""
    newest: dict[date, int] = {}
    for found in filter(None, map(_DOCUMENT.fullmatch, keys)):
        day = date.fromisoformat(found[1])
        newest[day] = max(newest.get(day, 0), int(found[2]))
    return newest


@dataclass(frozen=True)
class DayView:
    """One day as it stands.

    Attributes:
        sealed: Its newest version, if it has one.
        loose: Committed objects with rows of the day that this version lacks.
    """

    event_date: date
    sealed: SealedDay | None
    loose: tuple[DayObject, ...]

    @classmethod
    def of(cls, day: date, sealed: SealedDay | None, index: Iterable[DayObject]) -> Self:
        """Return the view of a day by its newest sealed document and the day index."""
        taken = set(sealed.objects) if sealed else set()
        return cls(day, sealed, tuple(entry for entry in index if entry.object_id not in taken and entry.rows))

    @property
    def is_empty(self) -> bool:
        """Whether nothing ever came for the day."""
        return self.sealed is None and not self.loose

    def files(self, manifests: Mapping[str, Manifest]) -> list[LakeFile]:
        """Return all files of the day, events and hourly counts, those of the sealed version first.

        Args:
            manifests: By source id; those of `loose` at least.

        Raises:
            ManifestMissing: A loose object has none.
        """
        files = list(self.sealed.files) if self.sealed else []
        for entry in self.loose:
            if entry.source_id not in manifests:
                raise ManifestMissing(
                    f"Object {entry.object_id} brought {entry.rows} rows to {self.event_date}, but its manifest "
                    f"{locations.manifest_key(entry.source_id)} is gone: restore it from the bucket's versions."
                )
            files += [file for file in manifests[entry.source_id].files if file.event_date == self.event_date]
        return files
