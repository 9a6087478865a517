"""Which file it is, whatever its name is now: names recur, files are renamed, markers change by the hour.

MySQL's files are known by the hour that they are counted to, `<base>.2024-05-01.7` and the live file of that hour
being one. PostgreSQL's and Aurora's audit files have names of their own for ever, to which compression adds `.gz`. What
is numbered, dated afterwards or never renamed is known by its first line only: the audit plugin's files, SQL Server's,
Oracle's, and mysql-error.log.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from database_logs.collection.markers import hour_id, hour_of
from database_logs.file_names import LogFileName
from database_logs.log_types import LogType

# Of a first line; two files that agree in so much of it would have to be begun in the same instant.
HEAD_BYTES: Final = 1024
# What a portion may give otherwise than the complete file: CR, what XML cannot carry, what is no UTF-8 or no character
# that is printed, and what stands for it. The rest of a line tells enough.
_NOT_PLAIN: Final = bytes({*range(256)} - {*range(0x20, 0x7F)} | {ord("?")})

HOUR: Final = timedelta(hours=1)
# What MySQL writes its errors to, and what RDS appends that to every five minutes, before it empties the first.
FRESH_ERRORS: Final = "error/mysql-error.log"
RUNNING_ERRORS: Final = "error/mysql-error-running.log"
_DAY: Final = timedelta(days=1)
# How long after the hour a file may still have the name of the one that is written to. RDS is not known to rename late.
_LATE: Final = timedelta(minutes=5)
_HOURLY: Final = frozenset({LogType.MYSQL_ERROR, LogType.MYSQL_SLOW, LogType.MYSQL_GENERAL})


@dataclass(frozen=True)
class Generation:
    """One of the files that bear a name, one after the other.

    Attributes:
        identity: What it is kept under: name and hour, name, or base name and hash of the first line.
        hour: Of a file of MySQL, which a marker on the live name must bear.
        head: Hash that its first line must have; None where the name says enough.
    """

    identity: str
    hour: datetime | None = None
    head: str | None = None


def is_hourly(name: LogFileName) -> bool:
    """Whether the file is, or is going to be, renamed by the hour."""
    return name.log_type in _HOURLY and (name.hour is not None or name.base != FRESH_ERRORS)


def generation_of(file: str, name: LogFileName, last_written: datetime) -> Generation | None:
    """Return the generation that a listed file is.

    Args:
        file: LogFileName.
        name: What it tells.
        last_written: Of the listing, UTC.

    Returns:
        None where only its first line tells.
    """
    if is_hourly(name):
        return of_hour(name, hour_of(last_written) if name.hour is None else _renamed_hour(name.hour, last_written))
    if name.hour is not None and name.log_type is not LogType.ORACLE_ALERT:
        return Generation(file.removesuffix(".gz"))
    return None


def of_hour(name: LogFileName, hour: datetime) -> Generation:
    """Return the generation of a log that is counted to an hour."""
    return Generation(f"{name.base}@{hour_id(hour, dated=True)}", hour=hour)


def is_renaming(hour: datetime, now: datetime) -> bool:
    """Whether the file that is counted to an hour may have just been renamed, or be about to be."""
    return hour <= now < hour + _LATE


def generation_by_head(name: LogFileName, head: str) -> Generation:
    """Return the generation that is known by a head."""
    return Generation(f"{name.base}@{head}", head=head)


def unread(name: LogFileName, last_written: datetime) -> Generation:
    """Return what a file is called whose first line nobody has read, and whose name is not its own; no file is it."""
    unread_ = f"unread-{last_written:%Y-%m-%dT%H:%M:%SZ}"
    return Generation(f"{name.base}@{unread_}", head=unread_)


def head_of(data: bytes, finished: datetime | None = None) -> str | None:
    """Return what a file is known by: the hash of its first line, or of as much of that as tells files apart.

    Args:
        data: What it begins with.
        finished: When its last byte was written, if nothing more will be: a restart can leave less than a line, which
            then only that time tells from what another one left.

    Returns:
        None while there is too little.
    """
    line, newline, _ = data.partition(b"\n")
    plain = line.translate(None, delete=_NOT_PLAIN)[:HEAD_BYTES]
    if newline or len(plain) == HEAD_BYTES:
        return _hash(plain)
    return _hash(plain + finished.isoformat().encode()) if data and finished is not None else None


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:16]


def _renamed_hour(text: str, last_written: datetime) -> datetime:
    day, _, hour = text.rpartition(".")
    if day:
        year, month, number = map(int, day.split("-"))
        return last_written.replace(
            year=year, month=month, day=number, hour=int(hour), minute=0, second=0, microsecond=0
        )
    # Without a day it is the first such hour after the last byte, which may be written before a late renaming.
    live = hour_of(last_written - _LATE)
    return live + (live.replace(hour=int(hour)) - live) % _DAY
