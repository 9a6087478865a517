"""Which listed files have something to collect, and which goes first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from database_logs.collection.generations import (
    FRESH_ERRORS,
    HOUR,
    RUNNING_ERRORS,
    Generation,
    generation_of,
    is_hourly,
    is_renaming,
    of_hour,
    unread,
)
from database_logs.discovery.numbered import is_there
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
# Nobody says how soon RDS purges what takes the room that a database needs.
_WITHOUT_STORAGE: Final = timedelta(hours=1)
# Twice as long as it takes RDS to append the first to the second.
_APPENDED: Final = timedelta(minutes=10)


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
        early: RDS purges sooner than it keeps files otherwise.
    """

    listed: Listed
    name: LogFileName
    identity: str | None
    closed: bool
    gone: bool = False
    early: bool = False

    @property
    def deadline(self) -> datetime:
        """When it is purged at the earliest."""
        kept = _RETENTION.get(self.name.log_type, _SHORTEST)
        return self.listed.last_written + (min(kept, _WITHOUT_STORAGE) if self.early else kept)


@dataclass(frozen=True)
class Found:
    """What a listing comes to.

    Attributes:
        moved: What purges take first is first; files of one log are in the order in which they were written.
        ignored: Files that are not collected, by reason.
        forgotten: Names that need not be remembered: gone, and all of it stored or declared lost.
        waiting: To be remembered as seen: files that may yet be appended to another one.
    """

    moved: list[Moved]
    ignored: Counter[str]
    forgotten: list[str]
    waiting: list[Known]

    def hastened(self) -> "Found":
        """Return the same of an instance that is short of storage."""
        return replace(self, moved=_by_deadline(replace(one, early=True) for one in self.moved))


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
    appended = [file for file, _ in named if _may_be_appended(file, known.get(file.file), now)]
    named = [one for one in named if one[0] not in appended]
    waiting = [
        Known(file.file, file.size, file.last_written, None, settled=False, final=False)
        for file in appended
        if file.file not in known
    ]
    newest = _newest(named)
    finals = {one.identity: one.size for one in sorted(known.values(), key=lambda one: one.size) if one.final}
    renamed_hours = {generation_of(file.file, name, file.last_written) for file, name in named if name.hour is not None}
    moved: list[Moved] = []
    present: set[str | None] = set()
    for file, name in named:
        generation = generation_of(file.file, name, file.last_written)
        identity = generation.identity if generation else None
        before = known.get(file.file)
        superseded = name.hour is not None and name.hour < newest[name.base]
        closed = is_closed(name, file.last_written, now, superseded=superseded)
        present.add(identity)
        if generation is not None and _is_ambiguous(name, generation, renamed_hours, now):
            present.add(before.identity if before is not None else None)
            continue
        if _is_dealt_with(file, before, identity, finals, closed=closed, compressed=name.compressed):
            present.add(before.identity if before is not None else None)
        elif file.size:
            moved.append(Moved(file, name, identity, closed))
        elif before is not None and identity is None:
            # A file that begins anew has no first line by which another would be known to have had its name.
            displaced = [*displaced, before]
    moved += _replaced(named, known, present)
    moved += _overtaken(named, known, engine)
    listed = {file.file for file in listing}
    gone = [one for one in known.values() if one.file not in listed]
    renamed = {one.name.base for one in moved if one.identity is None}
    forgotten: list[str] = []
    for one in (*gone, *displaced):
        if one.identity is None and any(lost.gone and lost.listed.file == one.file for lost in moved):
            continue
        missed = classify(one.file, engine)
        # Numbered files are known by their first lines: those that moved may be what is missed.
        if isinstance(missed, IgnoredFile) or missed.base in renamed:
            continue
        if one.final or _is_there(one, missed.base, named, present):
            forgotten.append(one.file)
            continue
        last = Listed(one.file, one.size, one.last_written)
        identity = one.identity or unread(missed, one.last_written).identity
        moved.append(Moved(last, missed, identity, missed.closed, gone=True))
    forgotten = [file for file in forgotten if file not in listed]
    return Found(_by_deadline(moved), ignored, forgotten, waiting)


def _by_deadline(moved: Iterable[Moved]) -> list[Moved]:
    return sorted(moved, key=lambda one: (one.deadline, one.listed.file))


def is_closed(name: LogFileName, last_written: datetime, now: datetime, *, superseded: bool = False) -> bool:
    """Whether nothing more is written to a file: not even what a server writes between the renaming and its flush.

    Args:
        name: Of the file.
        last_written: Of the listing.
        now: The time.
        superseded: A newer file of the same log is listed.
    """
    return name.compressed or ((name.closed or superseded) and now - last_written >= _OVERLAP)


def _is_ambiguous(name: LogFileName, live: Generation, renamed: set[Generation | None], now: datetime) -> bool:
    """Whether a file that is renamed by the hour may still be that of the hour before, if RDS renames it late."""
    if name.hour is not None or live.hour is None:
        return False
    before = live.hour - HOUR
    return is_renaming(before, now) and of_hour(name, before) not in renamed


def _is_there(one: Known, base: str, named: Iterable[tuple[Listed, LogFileName]], present: set[str | None]) -> bool:
    """Whether a file that was known is still listed, under whatever name, or its lines are in another.

    Where nobody has read its first line, any file of its log that is as long and was written to as late may be it.
    """
    if one.file == FRESH_ERRORS and any(name.base == RUNNING_ERRORS for _, name in named):
        return True
    if one.identity is not None:
        return one.identity in present
    return any(
        name.base == base and file.size >= one.size and file.last_written >= one.last_written for file, name in named
    )


def _may_be_appended(file: Listed, before: Known | None, now: datetime) -> bool:
    """Whether errors may come again in the running log, which is not there before RDS has appended to it once."""
    if file.file != FRESH_ERRORS or not file.size or (before is not None and before.identity is not None):
        return False
    return now - (before or file).last_written < _APPENDED


def _replaced(
    named: Iterable[tuple[Listed, LogFileName]], known: Mapping[str, Known], present: set[str | None]
) -> Iterator[Moved]:
    """Yield files that others have taken the names of, and that are listed under no other name."""
    for file, name in named:
        before = known.get(file.file)
        # Without identity it only waited to be appended to another, and is none of which bytes were to be stored.
        if before is None or before.final or before.identity in {None, *present} or not is_hourly(name):
            continue
        last = Listed(before.file, before.size, before.last_written)
        yield Moved(last, name, before.identity, closed=False, gone=True)


def _overtaken(named: Sequence[tuple[Listed, LogFileName]], known: Mapping[str, Known], engine: str) -> Iterator[Moved]:
    """Yield numbered files that nobody has read, and that no listed file can be."""
    then = [(one, name) for one in known.values() if isinstance(name := classify(one.file, engine), LogFileName)]
    for base in {name.base for _, name in (*named, *then) if name.index is not None}:
        listed = {name.index or 0: file for file, name in named if name.base == base}
        before = {name.index or 0: (one, name) for one, name in then if name.base == base}
        states = {number: one for number, (one, _) in before.items()}
        for number, (one, name) in before.items():
            if one.identity is None and one.size and not is_there(number, states, listed):
                last = Listed(one.file, one.size, one.last_written)
                yield Moved(last, name, unread(name, one.last_written).identity, name.closed, gone=True)


def _logs(listing: Sequence[Listed], engine: str) -> tuple[list[tuple[Listed, LogFileName]], Counter[str]]:
    ignored: Counter[str] = Counter()
    named = []
    running = any(file.file.startswith(RUNNING_ERRORS) for file in listing)
    for file in listing:
        name = classify(file.file, engine)
        if isinstance(name, IgnoredFile):
            ignored[name.reason] += 1
        elif running and file.file == FRESH_ERRORS:
            # Every five minutes it is appended to the running one and emptied: each line is collected there.
            ignored["appended to another"] += 1
        else:
            named.append((file, name))
    return named, ignored


def _is_dealt_with(
    file: Listed,
    before: Known | None,
    identity: str | None,
    finals: Mapping[str | None, int],
    *,
    closed: bool,
    compressed: bool,
) -> bool:
    # A file that has grown since it was finished is gone on with. The size of an archive is another's.
    if identity is not None and identity in finals and closed and (compressed or file.size <= finals[identity]):
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
