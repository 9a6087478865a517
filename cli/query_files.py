"""Which objects of the lake a query needs: of days, sealed or in the making, quarantine, verdicts, database logs."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from botocore.exceptions import ClientError

from cli.query_tables import DATABASE_LOGS
from cli.target import Target
from database_logs.locations import LOGS, UNDATED
from firewall_logs import locations
from firewall_logs.adapters.days import DayReader
from firewall_logs.contracts import Manifest
from firewall_logs.days.contracts import SealedDay
from firewall_logs.days.view import DOCUMENTS, DayView, newest_versions
from kernel.contracts import Contract
from kernel.objects import Bucket

_READERS: Final = 16
_Document = TypeVar("_Document", bound=Contract)
_Name = TypeVar("_Name", bound=Hashable)


class NoSuchDay(LookupError):
    """No day that was asked for has rows."""


class FileGone(LookupError):
    """A file that was there a moment ago is not any more."""


@dataclass(frozen=True)
class Wanted:
    """An object of the lake that a query needs.

    Attributes:
        table: One of `query_tables.TABLES`.
        partition: Value of its partition, the table's date; None of records of databases that have no time.
        sha256: Of its bytes, in hex.
    """

    table: str
    key: str
    partition: date | None
    bytes: int
    sha256: str


@dataclass(frozen=True)
class DayRange:
    """Days from the first to the last, both included; None is open."""

    first: date | None
    last: date | None

    def __contains__(self, day: date | None) -> bool:
        if day is None:
            return self.first is None and self.last is None
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)

    def __str__(self) -> str:
        if self.first == self.last:
            return f"on {self.first}" if self.first else "at all"
        return " ".join(f"{word} {day}" for word, day in (("from", self.first), ("to", self.last)) if day)


class LakeFiles:
    """Finds files of a deployed lake."""

    def __init__(self, target: Target) -> None:
        self._s3 = target.client("s3")
        self._bucket = Bucket(self._s3, target.output("LakeBucketName"))
        self._index = DayReader(target.client("dynamodb"), target.output("FirewallDaysTableName"))

    def days(self, days: DayRange) -> list[DayView]:
        """Return the days of a range that have rows, by date.

        Raises:
            NoSuchDay: None has; the sentence says which days there are.
        """
        versions = newest_versions(key for key, _ in self._bucket.keys(DOCUMENTS))
        known = sorted({day.event_date for day in self._index.all()} | versions.keys())
        keys = {day: locations.day_key(day, version) for day, version in versions.items() if day in days}
        sealed = self._documents(SealedDay, keys)
        views = [DayView.of(day, sealed.get(day), self._index.objects(day)) for day in known if day in days]
        found = [view for view in views if not view.is_empty]
        if not found:
            there = f"it has days from {known[0]} to {known[-1]}" if known else "it has no days yet"
            raise NoSuchDay(f"The lake has no events {days}: {there}.")
        return found

    def of_days(self, table: str, views: Iterable[DayView]) -> Iterator[Wanted]:
        """Yield the files of these days that belong to "events" or "hourly".

        Raises:
            ManifestMissing: A committed object has no manifest any more.
        """
        views = list(views)
        loose = {entry.source_id: locations.manifest_key(entry.source_id) for view in views for entry in view.loose}
        manifests = self._documents(Manifest, loose)
        for view in views:
            for file in view.files(manifests):
                if file.kind == table:
                    yield Wanted(table, file.key, view.event_date, file.bytes, file.sha256)

    def quarantine(self, days: DayRange) -> Iterator[Wanted]:
        """Yield the quarantine files of objects that came on these days."""
        return self._listed("quarantine", f"{locations.QUARANTINE}/object_date=", days)

    def database_logs(self, table: str, days: DayRange) -> Iterator[Wanted]:
        """Yield the files of a table of database logs; those without a day only where no day is asked for."""
        for log_type in DATABASE_LOGS[table]:
            yield from self._listed(table, f"{LOGS}/log_type={log_type.value}/event_date=", days)

    def quality(self, days: DayRange) -> Iterator[Wanted]:
        """Yield the newest verdicts of each of these days."""
        listed = self._listed("quality", f"{locations.LAKE}/quality/event_date=", days)
        # Keys come in the order of versions.
        return iter({found.partition: found for found in listed}.values())

    def fetch(self, wanted: Wanted) -> bytes:
        """Return the bytes of a file.

        Raises:
            FileGone: A seal, or a newer parser, has replaced it since it was looked up.
        """
        body = self._bucket.get(wanted.key)
        if body is None:
            raise self._gone(wanted.key)
        return body

    def _listed(self, table: str, prefix: str, days: DayRange) -> Iterator[Wanted]:
        listed = [(key, size, _day(key.removeprefix(prefix))) for key, size in self._keys(prefix, days)]
        wanted = [(key, size, day) for key, size, day in listed if day in days]
        with ThreadPoolExecutor(_READERS) as readers:
            digests = readers.map(self._digest, [key for key, _, _ in wanted])
            for (key, size, day), digest in zip(wanted, digests, strict=True):
                yield Wanted(table, key, day, size, digest)

    def _keys(self, prefix: str, days: DayRange) -> Iterator[tuple[str, int]]:
        # All keys of a day begin with it: of one day nothing else is listed.
        one = str(days.first) if days.first and days.first == days.last else ""
        return self._bucket.keys(prefix + one)

    def _digest(self, key: str) -> str:
        # Written once with its digest beside it (kernel.objects).
        try:
            return str(self._s3.head_object(Bucket=self._bucket.name, Key=key)["Metadata"]["sha256"])
        except ClientError as error:
            if error.response["Error"]["Code"] in {"NoSuchKey", "404"}:
                raise self._gone(key) from None
            raise

    def _gone(self, key: str) -> FileGone:
        return FileGone(f"s3://{self._bucket.name}/{key} is gone: it was replaced this moment. Ask again.")

    def _documents(self, model: type[_Document], keys: Mapping[_Name, str]) -> dict[_Name, _Document]:
        """Return those of the documents that are there."""
        with ThreadPoolExecutor(_READERS) as readers:
            bodies = readers.map(self._bucket.get, keys.values())
            return {name: model.model_validate_json(body) for name, body in zip(keys, bodies, strict=True) if body}


def _day(text: str) -> date | None:
    return None if text.startswith(UNDATED) else date.fromisoformat(text[:10])
