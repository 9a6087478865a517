"""Hours whose files no listing ever showed: nobody looked for longer than RDS keeps files.

What proves it: a log that was known when its instance was last listed, and no file of which is listed now that is as
old as that. RDS removes the oldest files first, so those of the hours between have been there and are gone, if there
were any. PostgreSQL begins a file each hour while it runs. MySQL's hours may have none, so theirs are told apart, and
only where they are old enough to be gone. Logs that are not rotated by the hour prove nothing and are left out.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Final

from database_logs.collection.generations import generation_of, is_hourly
from database_logs.collection.ledger import Reason
from database_logs.discovery.files import Known, Listed
from database_logs.file_names import LogFileName, classify
from database_logs.log_types import LogType

_HOUR: Final = timedelta(hours=1)
# RDS and Aurora keep MySQL's slow, general and error logs a day.
_MYSQL_KEPT: Final = timedelta(days=1)
# Of RDS and of Aurora, which has minutes; both in UTC.
_POSTGRES_HOUR: Final = "%Y-%m-%d-%H"
_POSTGRES_HOUR_LENGTH: Final = len("2026-11-21-06")
_POSTGRES: Final = frozenset({LogType.POSTGRES_STDERR, LogType.POSTGRES_CSV, LogType.POSTGRES_JSON})


@dataclass(frozen=True)
class Unlisted:
    """Hours of a log that were never listed.

    Attributes:
        base: Of the log's files.
        first: When the first of the hours begins, UTC.
        until: When the last of them ends.
        reason: Whether each of them had a file.
    """

    base: str
    first: datetime
    until: datetime
    reason: Reason


@dataclass(frozen=True)
class Unwatched:
    """A time in which an instance was not listed.

    Attributes:
        since: When it was last listed.
        now: When it is listed again.
        asleep: The first and last look, if any, that found it asleep: nothing is written between them.
    """

    since: datetime
    now: datetime
    asleep: tuple[datetime, datetime] | None = None

    def is_idle(self, hour: datetime) -> bool:
        """Whether the instance slept through the hour that begins then."""
        return self.asleep is not None and self.asleep[0] <= hour and hour + _HOUR <= self.asleep[1]


def unlisted(listing: Iterable[Listed], known: Iterable[Known], engine: str, time: Unwatched) -> list[Unlisted]:
    """Return the hours of which files are gone before anybody saw them.

    Args:
        listing: All files of the instance.
        known: What is noted of its files since the last listing.
        engine: Of the instance.
        time: Between both.
    """
    there, noted = _begins(listing, engine), _begins(known, engine)
    missed: list[Unlisted] = []
    for log, begins in sorted(there.items()):
        base, log_type = log
        last = _hour(time.since)
        if log not in noted or min(begins) <= last:
            continue
        # What a pass noted that died, and that is gone by now, was listed once.
        until = min(begins | {begin for begin in noted[log] if begin > last})
        hours = [hour for hour in _hours(last, until) if hour not in noted[log] and not time.is_idle(hour)]
        reason = Reason.NEVER_LISTED
        if log_type not in _POSTGRES:
            reason = Reason.MAYBE_NEVER_LISTED
            hours = [hour for hour in hours if hour + _HOUR + _MYSQL_KEPT <= time.now]
        missed += [Unlisted(base, run[0], run[-1] + _HOUR, reason) for run in _runs(hours)]
    return missed


def _begins(files: Iterable[Listed | Known], engine: str) -> dict[tuple[str, LogType], set[datetime]]:
    """Return the hours, by their beginning, of which there are files of each log that is rotated by the hour."""
    found: dict[tuple[str, LogType], set[datetime]] = {}
    for file in files:
        name = classify(file.file, engine)
        if isinstance(name, LogFileName) and (begin := _begin(file, name)) is not None:
            found.setdefault((name.base, name.log_type), set()).add(begin)
    return found


def _begin(file: Listed | Known, name: LogFileName) -> datetime | None:
    if is_hourly(name):
        generation = generation_of(file.file, name, file.last_written)
        # Counted to the hour that ends.
        return generation.hour - _HOUR if generation is not None and generation.hour is not None else None
    if name.log_type in _POSTGRES and name.hour is not None:
        return datetime.strptime(name.hour[:_POSTGRES_HOUR_LENGTH], _POSTGRES_HOUR).replace(tzinfo=UTC)
    return None


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)


def _hours(first: datetime, until: datetime) -> list[datetime]:
    return [first + number * _HOUR for number in range((until - first) // _HOUR)]


def _runs(hours: Sequence[datetime]) -> Iterator[list[datetime]]:
    """Yield hours that follow each other together."""
    breaks = [number for number, (hour, following) in enumerate(pairwise(hours), 1) if following - hour > _HOUR]
    for start, end in pairwise([0, *breaks, len(hours)]):
        if start < end:
            yield list(hours[start:end])
