"""Logs of an instance and how each is rotated: renamed by the hour, named anew, numbered, emptied, or never.

What is known of RDS and by whom it was seen is in docs/local-cloud.md.
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from local.rds.model.errors import invalid
from local.rds.model.generations import Generation, Loss, Run
from local.rds.model.markers import HOUR, Marker, MarkerStyle, hour_id, hour_of, live_hour
from local.rds.model.sources import LogSource


@dataclass(frozen=True)
class Resolution:
    """What a name and a marker lead to.

    Attributes:
        generation: The bytes that are read.
        offset: From where.
        prefix: Of the marker that is returned.
        stuck: Nothing is ever read here, and nothing says so.
        following: The file that is read when this one is finished, and the prefix of its marker.
    """

    generation: Generation
    offset: int
    prefix: str
    stuck: bool = False
    following: tuple[Generation, str] | None = None


@dataclass(frozen=True)
class Purged:
    """A name that is gone, whose bytes nobody can have any more."""

    name: str
    generation: Generation
    at: datetime


class Log:
    """One log, in a file that is never rotated.

    Attributes:
        name: Of the file that is written.
        files: Listed names.
        live: The file that is written.
        purged: Names that were removed with their bytes.
        compressed: Sizes of compressed files.
    """

    def __init__(
        self, name: str, source: LogSource, numbers: Iterator[int], now: datetime, *, retention: timedelta
    ) -> None:
        self.name = name
        self.source = source
        self.retention = retention
        self.files: dict[str, Generation] = {}
        self.purged: list[Purged] = []
        self.compressed: dict[str, int] = {}
        self._numbers = numbers
        self.live = self._begin(name, 0, now)

    def tick(self, now: datetime) -> None:
        """Do what is due at this multiple of five minutes."""
        for generation in self.files.values():
            if generation.closed is None:
                generation.observe(now)
        for name, generation in list(self.files.items()):
            if generation.closed is not None and now - generation.closed >= self.retention:
                self.purge(name, now)

    def rotate(self, now: datetime) -> None:
        """Go on in another file; here: do not."""

    def lose(self, unflushed: int, now: datetime) -> None:
        """Lose the end of the files that are written."""
        for generation in self.files.values():
            if generation.closed is None:
                generation.lose(unflushed, now)

    def forget(self, now: datetime) -> None:
        """Begin with what is written from now on."""
        position = self.source.cut(now)
        for generation in self.files.values():
            generation.runs = [Run(position) for _ in generation.runs]

    def purge(self, name: str, now: datetime) -> None:
        """Remove a file."""
        self.purged.append(Purged(name, self.files.pop(name), now))

    def compress(self, name: str, now: datetime) -> None:
        """Replace a closed file by a compressed one, as RDS for PostgreSQL does when storage is short.

        Raises:
            ServiceError: It is still written.
        """
        generation = self.finished(name)
        del self.files[name]
        self.files[f"{name}.gz"] = generation
        self.compressed[f"{name}.gz"] = len(self.packed(generation, now))

    def finished(self, name: str) -> Generation:
        """Return a file that is not written any more.

        Raises:
            ServiceError: It still is.
        """
        if self.files[name].closed is None:
            raise invalid(f"{name} is still written: name one that is not.")
        return self.files[name]

    def packed(self, generation: Generation, now: datetime) -> bytes:
        """Return a file's compressed bytes; the same each time."""
        return gzip.compress(generation.read(0, generation.size(now), now), compresslevel=1, mtime=0)

    def listed_size(self, name: str, now: datetime) -> int:
        """Return Size: bytes, for `.gz` those of the compressed file."""
        return self.compressed[name] if name in self.compressed else self.files[name].observe(now)

    def resolve(self, name: str, marker: Marker | None, now: datetime, style: MarkerStyle) -> Resolution:
        """Return what a name leads to: its own bytes, whatever the marker's prefix."""
        return Resolution(self.files[name], marker.offset if marker else 0, hour_id(live_hour(now), style))

    def _begin(self, name: str, position: int, now: datetime) -> Generation:
        self.files[name] = Generation(next(self._numbers), self.source, now, [Run(position)])
        return self.files[name]


class HourlyLog(Log):
    """MySQL's slow, general and running error log: each hour the file is renamed to the hour that ends.

    `name.2026-11-21.7` holds 06:00 to 06:59:59. A marker on the base name goes on in a file that was renamed once
    since, is stuck in one that was renamed twice, and reads the live file where the file it means is gone (rdstail, on
    RDS for MySQL 8.4).
    """

    def tick(self, now: datetime) -> None:
        """Rename on the hour."""
        if now.minute == 0:
            self.rotate(now)
        super().tick(now)

    def rotate(self, now: datetime) -> None:
        """Rename the live file to the hour that it is counted to, and begin another."""
        hour = now if now == now.replace(minute=0, second=0, microsecond=0) else live_hour(now)
        name = self._rotated(hour)
        if name in self.files:
            return  # this hour's name is taken: a rotation by hand came before
        position = self.source.cut(now)
        self.live.close(position, now)
        self.files[name] = self.live
        self.live = self._renewed(position, now)

    def resolve(self, name: str, marker: Marker | None, now: datetime, style: MarkerStyle) -> Resolution:
        """Follow the marker's hour, if the name is the base's."""
        live = super().resolve(name, marker, now, style)
        hour = hour_of(marker.prefix, now) if marker and marker.prefix is not None else None
        if name != self.name or hour is None or hour == live_hour(now) or self._rotated(hour) not in self.files:
            return live
        meant = self.files[self._rotated(hour)]
        if live_hour(now) - hour > HOUR:
            return Resolution(meant, live.offset, hour_id(hour, style), stuck=True)
        return Resolution(meant, live.offset, hour_id(hour, style), following=(self.live, live.prefix))

    def _renewed(self, position: int, now: datetime) -> Generation:
        return self._begin(self.name, position, now)

    def _rotated(self, hour: datetime) -> str:
        return f"{self.name}.{hour_id(hour, MarkerStyle.DATED)}"


class DailyLog(Log):
    """Oracle's alert log: each day the file is renamed to the day that ends, and another begun.

    That it is rotated daily is in the Amazon RDS user guide, "Oracle alert log"; what the file is called then is not.
    """

    def tick(self, now: datetime) -> None:
        """Rename at midnight."""
        if (now.hour, now.minute) == (0, 0):
            self.rotate(now)
        super().tick(now)

    def rotate(self, now: datetime) -> None:
        """Rename the live file to the day of its last minute, and begin another."""
        name = f"{self.name}.{now - timedelta(minutes=1):%Y-%m-%d}"
        if name in self.files:
            return  # this day's name is taken: a rotation by hand came before
        position = self.source.cut(now)
        self.live.close(position, now)
        self.files[name] = self.live
        self.live = self._begin(self.name, position, now)


class RunningErrorLog(HourlyLog):
    """MySQL's error log: mysql-error.log is appended to mysql-error-running.log every five minutes, and emptied."""

    def __init__(
        self, name: str, source: LogSource, numbers: Iterator[int], now: datetime, *, retention: timedelta
    ) -> None:
        super().__init__(name, source, numbers, now, retention=retention)
        self.live.runs = []
        self._fresh = f"{name.removesuffix('-running.log')}.log"
        self._begin(self._fresh, 0, now).moves_on = True

    def tick(self, now: datetime) -> None:
        """Append and empty; on the hour, rename."""
        self._append(now)
        super().tick(now)

    def rotate(self, now: datetime) -> None:
        """Append first, so that the renamed file is whole."""
        self._append(now)
        super().rotate(now)

    def lose(self, unflushed: int, now: datetime) -> None:
        """Lose the end of what is not yet appended."""
        self.files[self._fresh].lose(unflushed, now)

    def _append(self, now: datetime) -> None:
        fresh = self.files[self._fresh]
        if not fresh.size(now):
            return
        end = self.source.cut(now)
        fresh.close(end, now)
        size = self.live.size(now)
        self.live.losses.extend(Loss(loss.at, size + loss.offset, loss.runs) for loss in fresh.losses)
        self.live.runs.extend(fresh.runs)
        self.live.observe(now)
        self._begin(self._fresh, end, now).moves_on = True

    def _renewed(self, position: int, now: datetime) -> Generation:
        begun = super()._renewed(position, now)
        begun.runs = []
        return begun


class NamedLog(Log):
    """PostgreSQL's log and Aurora MySQL's audit log: each file has a name of its own from the beginning.

    PostgreSQL's is rotated by the hour and by size; Aurora's names do not change afterwards (personio's
    rds-audit-logs-s3).
    """

    def __init__(
        self,
        pattern: str,
        source: LogSource,
        numbers: Iterator[int],
        now: datetime,
        *,
        retention: timedelta,
        max_bytes: int,
    ) -> None:
        self._pattern = pattern
        self._max_bytes = max_bytes
        self._serials = count(1)
        super().__init__(self._named(now), source, numbers, now, retention=retention)

    def tick(self, now: datetime) -> None:
        """Rotate on the hour, or where the file is full."""
        if now.minute == 0 or self.live.size(now) >= self._max_bytes:
            self.rotate(now)
        super().tick(now)

    def rotate(self, now: datetime) -> None:
        """Begin a file named after now; within the minute of the last, go on in that one."""
        name = self._named(now)
        if name in self.files:
            return
        position = self.source.cut(now)
        self.live.close(position, now)
        self.name = name
        self.live = self._begin(name, position, now)

    def _named(self, now: datetime) -> str:
        return f"{now:{self._pattern}}".replace("{serial}", str(next(self._serials)))


class NumberedLog(Log):
    """The audit plugin's log, SQL Server's error log: what was `.N` is `.N+1` under the reader (aws-sdk-go#3266)."""

    def __init__(
        self,
        name: str,
        source: LogSource,
        numbers: Iterator[int],
        now: datetime,
        *,
        retention: timedelta,
        max_bytes: int,
        kept: int,
    ) -> None:
        super().__init__(name, source, numbers, now, retention=retention)
        self._max_bytes = max_bytes
        self._kept = kept

    def tick(self, now: datetime) -> None:
        """Rotate where the file is full."""
        if self.live.size(now) >= self._max_bytes:
            self.rotate(now)
        super().tick(now)

    def rotate(self, now: datetime) -> None:
        """Rename all, the last of which is removed."""
        if (last := f"{self.name}.{self._kept}") in self.files:
            self.purge(last, now)
        for number in range(self._kept - 1, 0, -1):
            if (name := f"{self.name}.{number}") in self.files:
                self.files[f"{self.name}.{number + 1}"] = self.files.pop(name)
        position = self.source.cut(now)
        self.live.close(position, now)
        self.files[f"{self.name}.1"] = self.live
        self.live = self._begin(self.name, position, now)
