"""What a lock does to many versions, counted: by outcome, by folder, by month, by rule that it holds up.

All figures are whole numbers, so that shards add up to the same in any order.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

from data_protection.lifecycle.rules import Configuration
from data_protection.locking.expirations import deletion
from data_protection.locking.retention import Decision, Outcome, Present
from data_protection.locking.versions import Version

LISTED: Final = 100
"""Folders of a simulation; what is in others is counted together."""
_WHILE_MERGING: Final = 2_000
_DAY: Final = timedelta(days=1)


class Amount(BaseModel):
    """Versions, and their size in bytes."""

    model_config = ConfigDict(extra="forbid")

    versions: int = 0
    size: int = 0

    def add(self, other: "Amount") -> None:
        """Count another amount as well."""
        self.versions += other.versions
        self.size += other.size


class Kept(Amount):
    """Versions that cannot be deleted for a time.

    Attributes:
        byte_days: Bytes times days, each day counted as a whole one.
    """

    byte_days: int = 0

    def add(self, other: Amount) -> None:
        """Count another amount as well."""
        super().add(other)
        if isinstance(other, Kept):
            self.byte_days += other.byte_days


class Tally(BaseModel):
    """Figures of a listing, or of a shard of it.

    Attributes:
        outcomes: Of all versions.
        locked: What would be retained that is not, or not for so long.
        extended: Of that, what is retained for a shorter time already.
        noncurrent: Of that, what is not the current version of its object.
        folders: Of that, by the first part of the key.
        elsewhere: Of that, what is in folders that are not listed.
        months: Of that, by the month in which its retention ends, as `2027-03`.
        held_up: What lifecycle rules, by id, would delete while it is retained; its days are those that it stays
            longer.
        legal_holds: What nobody can delete before its legal hold is ended, retained or not.
        first, last: When the first retention ends, and the last.
    """

    model_config = ConfigDict(extra="forbid")

    outcomes: dict[Outcome, Amount] = {}
    locked: Kept = Kept()
    extended: Amount = Amount()
    noncurrent: Amount = Amount()
    folders: dict[str, Kept] = {}
    elsewhere: Kept = Kept()
    months: dict[str, Amount] = {}
    held_up: dict[str, Kept] = {}
    legal_holds: Amount = Amount()
    first: datetime | None = None
    last: datetime | None = None

    def count(
        self, version: Version, present: Present, decision: Decision, configuration: Configuration, now: datetime
    ) -> None:
        """Count one version.

        Args:
            version: Of the listing.
            present: How it is locked.
            decision: What is to become of it.
            configuration: The bucket's lifecycle.
            now: The time.
        """
        amount = Amount(versions=1, size=version.size)
        self.outcomes.setdefault(decision.outcome, Amount()).add(amount)
        if present.has_legal_hold:
            self.legal_holds.add(amount)
        if decision.retention is None:
            return
        until = decision.retention.until
        self._lock(version, decision, Kept(versions=1, size=version.size, byte_days=version.size * _days(until - now)))
        end = deletion(version, configuration, now)
        if end is not None and end.at < until:
            held = Kept(versions=1, size=version.size, byte_days=version.size * _days(until - end.at))
            self.held_up.setdefault(end.rule, Kept()).add(held)

    def _lock(self, version: Version, decision: Decision, kept: Kept) -> None:
        assert decision.retention is not None  # noqa: S101 - the caller looked
        until = decision.retention.until
        self.locked.add(kept)
        if decision.extends:
            self.extended.add(Amount(versions=1, size=version.size))
        if version.newer:
            self.noncurrent.add(Amount(versions=1, size=version.size))
        self.folders.setdefault(version.folder, Kept()).add(kept)
        self.months.setdefault(f"{until:%Y-%m}", Amount()).add(kept)
        self.first = until if self.first is None else min(self.first, until)
        self.last = until if self.last is None else max(self.last, until)

    def merge(self, other: "Tally") -> None:
        """Count what comes next in the listing as well."""
        for outcome, amount in other.outcomes.items():
            self.outcomes.setdefault(outcome, Amount()).add(amount)
        for mine, theirs in (
            (self.locked, other.locked),
            (self.extended, other.extended),
            (self.noncurrent, other.noncurrent),
            (self.elsewhere, other.elsewhere),
            (self.legal_holds, other.legal_holds),
        ):
            mine.add(theirs)
        _add(self.folders, other.folders)
        _add(self.held_up, other.held_up)
        for month, amount in other.months.items():
            self.months.setdefault(month, Amount()).add(amount)
        self.first = min(filter(None, (self.first, other.first)), default=None)
        self.last = max(filter(None, (self.last, other.last)), default=None)
        if len(self.folders) > 2 * _WHILE_MERGING:
            self.fold(_WHILE_MERGING, max(other.folders, default=""))

    def fold(self, most: int, going_on: str) -> None:
        """Count the smallest folders together, but for so many of them.

        Args:
            most: How many are left.
            going_on: A folder of which more may come: the last one of a listing, which is in the order of keys.
        """
        # Keys without a folder are anywhere in that order.
        largest = sorted(self.folders, key=lambda name: (name not in {going_on, ""}, -self.folders[name].size, name))
        for name in largest[most:]:
            self.elsewhere.add(self.folders.pop(name))


def _add(mine: dict[str, Kept], theirs: Mapping[str, Kept]) -> None:
    for name, kept in theirs.items():
        mine.setdefault(name, Kept()).add(kept)


def _days(span: timedelta) -> int:
    return -(-span // _DAY)
