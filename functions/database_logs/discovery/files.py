"""Which listed files have something to collect, and which goes first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from database_logs.collection.generations import generation_of, is_hourly
from database_logs.file_names import IgnoredFile, LogFileName, classify
from database_logs.log_types import LogType

# LastWritten can trail the bytes; whoever was written to so lately is not taken for finished because of a newer file.
_OVERLAP: Final = timedelta(minutes=2)
# What Aurora and RDS keep at least unless storage is short: MySQL's slow, general and audit logs a day, PostgreSQL's
# three; the others are kept by number and size, and are treated like the shortest.
_RETENTION: Final = {
    LogType.POSTGRES_STDERR: timedelta(days=3),
    LogType.POSTGRES_CSV: timedelta(days=3),
    LogType.POSTGRES_JSON: timedelta(days=3),
}
_SHORTEST: Final = timedelta(days=1)
_FRESH_ERRORS: Final = "error/mysql-error.log"
_RUNNING_ERRORS: Final = "error/mysql-error-running.log"


@dataclass(frozen=True)
class Listed:
    """A row of a listing.

    Attributes:
        size: Bytes; of a compressed file those in the archive.
        last_written: UTC.
    """

    file: str
    size: int
    last_written: datetime


@dataclass(frozen=True)
class Known:
    """What is noted of a file that is or was listed.

    Attributes:
        size, last_written: Of the listing that was queued or dealt with.
        identity: Of its generation; None where nobody has read its first line yet.
        settled: It is dealt with.
        final: All of it is stored, or declared lost.
    """

    file: str
    size: int
    last_written: datetime
    identity: str | None
    settled: bool
    final: bool


@dataclass(frozen=True)
class Moved:
    """A file that has something to collect.

    Attributes:
        identity: Of its generation, if its name tells.
        closed: Nothing more will be written.
        gone: It was not dealt with when it vanished from the listing.
    """

    listed: Listed
    name: LogFileName
    identity: str | None
    closed: bool
    gone: bool = False

    @property
    def deadline(self) -> datetime:
        """When it is purged at the earliest."""
        return self.listed.last_written + _RETENTION.get(self.name.log_type, _SHORTEST)


@dataclass(frozen=True)
class Found:
    """What a listing comes to.

    Attributes:
        moved: What purges take first is first; files of one log are in the order in which they were written.
        ignored: Files that are not collected, by reason.
        forgotten: Names that need not be remembered: gone, and all of it stored or declared lost.
    """

    moved: list[Moved]
    ignored: Counter[str]
    forgotten: list[str]


def compare(
    listing: Sequence[Listed], known: Mapping[str, Known], engine: str, now: datetime, displaced: Sequence[Known] = ()
) -> Found:
    """Return what is to be collected.

    Args:
        listing: All files of the instance.
        known: By file.
        engine: Of the instance.
        now: The time.
        displaced: Files that are not finished and whose names are others' by now.
    """
    named, ignored = _logs(listing, engine)
    newest = _newest(named)
    finals = {one.identity for one in known.values() if one.final}
    moved: list[Moved] = []
    present: set[str | None] = set()
    for file, name in named:
        generation = generation_of(file.file, name, file.last_written)
        identity = generation.identity if generation else None
        before = known.get(file.file)
        closed = name.closed or (
            name.hour is not None and name.hour < newest[name.base] and now - file.last_written >= _OVERLAP
        )
        present.add(identity)
        if _is_dealt_with(file, before, identity, finals, closed=closed):
            present.add(before.identity if before is not None else None)
        elif file.size:
            moved.append(Moved(file, name, identity, closed))
        elif before is not None and identity is None:
            # A file that begins anew has no first line by which another would be known to have had its name.
            displaced = [*displaced, before]
    moved += _replaced(named, known, present)
    listed = {file.file for file in listing}
    gone = [one for one in known.values() if one.file not in listed]
    renamed = {one.name.base for one in moved if one.identity is None}
    for one in (*gone, *displaced):
        missed = classify(one.file, engine)
        # Numbered files are known by their first lines: those that moved may be what is missed.
        if isinstance(missed, IgnoredFile) or missed.base in renamed or one.final or one.identity in present:
            continue
        last = Listed(one.file, one.size, one.last_written)
        moved.append(Moved(last, missed, one.identity, missed.closed, gone=True))
    forgotten = [one.file for one in gone if one.final or one.identity in present]
    return Found(sorted(moved, key=lambda one: (one.deadline, one.listed.file)), ignored, forgotten)


def _replaced(
    named: Iterable[tuple[Listed, LogFileName]], known: Mapping[str, Known], present: set[str | None]
) -> Iterator[Moved]:
    """Yield files that others have taken the names of, and that are listed under no other name."""
    for file, name in named:
        before = known.get(file.file)
        if before is None or before.final or before.identity in present or not is_hourly(name):
            continue
        last = Listed(before.file, before.size, before.last_written)
        yield Moved(last, name, before.identity, closed=False, gone=True)


def _logs(listing: Sequence[Listed], engine: str) -> tuple[list[tuple[Listed, LogFileName]], Counter[str]]:
    ignored: Counter[str] = Counter()
    named = []
    running = any(file.file.startswith(_RUNNING_ERRORS) for file in listing)
    for file in listing:
        name = classify(file.file, engine)
        if isinstance(name, IgnoredFile):
            ignored[name.reason] += 1
        elif running and file.file == _FRESH_ERRORS:
            # Every five minutes it is appended to the running one and emptied: each line is collected there.
            ignored["appended to another"] += 1
        else:
            named.append((file, name))
    return named, ignored


def _is_dealt_with(
    file: Listed, before: Known | None, identity: str | None, finals: set[str | None], *, closed: bool
) -> bool:
    if identity is not None and identity in finals and closed:
        return True
    if before is None or not before.settled:
        return False
    same = before.size == file.size and before.last_written == file.last_written
    return same and (before.final or not closed)


def _newest(named: Iterable[tuple[Listed, LogFileName]]) -> dict[str, str]:
    newest: dict[str, str] = {}
    for _, name in named:
        if name.hour is not None:
            newest[name.base] = max(newest.get(name.base, ""), name.hour)
    return newest
