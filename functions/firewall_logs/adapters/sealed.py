"""Sealed days in the lake bucket: their documents, the lists of files that Athena reads, and what they replaced."""

import hashlib
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from firewall_logs import locations
from firewall_logs.contracts import LakeFile
from firewall_logs.days.contracts import SealedDay
from firewall_logs.days.view import newest_versions
from firewall_logs.errors import LakeFileDamaged, SealLost, SealMissing
from firewall_logs.locations import day_key
from kernel.errors import EffectConflict
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_TABLES: Final = ("events", "hourly", "rays", "addresses")
_JSON: Final = "application/json"


class SealedReader:
    """Reads the versions of days."""

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, day: date, version: int) -> SealedDay:
        """Return a version of a day.

        Raises:
            SealMissing: There is none.
        """
        found = self.find(day, version)
        if found is None:
            raise SealMissing(
                f"{day} is said to be sealed in version {version}, but s3://{self._bucket.name}/"
                f"{locations.day_key(day, version)} is not there: was it deleted? Restore its last version."
            )
        return found

    def find(self, day: date, version: int) -> SealedDay | None:
        """Return a version of a day; None where it is not committed."""
        body = self._bucket.get(locations.day_key(day, version))
        return None if body is None else SealedDay.model_validate_json(body)


class SealedDays(SealedReader):
    """Reads sealed days and their files, for those who make something else of them."""

    IAM: ClassVar = SealedReader.IAM

    def newest(self, day: date) -> SealedDay:
        """Return the newest version of a day, whichever an event named: events come late and out of order.

        Raises:
            SealMissing: The day has none.
        """
        prefix = day_key(day, 1).rpartition("/")[0] + "/"
        version = newest_versions(key for key, _ in self._bucket.keys(prefix)).get(day)
        if version is None:
            raise SealMissing(f"s3://{self._bucket.name}/{prefix} holds no sealed day, though an event says so.")
        return self.read(day, version)

    def fetch(self, file: LakeFile, path: Path) -> None:
        """Write the bytes of a file to a path.

        Raises:
            LakeFileDamaged: They are gone, or not those that the sealed day names.
        """
        body = self._bucket.get(file.key)
        if body is None or hashlib.sha256(body).hexdigest() != file.sha256:
            raise LakeFileDamaged(
                f"s3://{self._bucket.name}/{file.key} is {'gone' if body is None else 'other bytes'}: a newer seal has "
                "replaced it, or somebody has. Restore it from the bucket's versions if no newer seal is there."
            )
        path.write_bytes(body)


class SealedWriter(SealedReader):
    """Commits versions of days, and shows them to readers."""

    IAM: ClassVar = SealedReader.IAM | {"s3:PutObject", "kms:GenerateDataKey"}

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        super().__init__(s3, bucket)
        self.bucket = bucket

    def commit(self, document: SealedDay) -> str:
        """Write the document of a version unless it is there already, and return its key.

        Raises:
            SealLost: Another seal committed this version.
        """
        key = locations.day_key(document.event_date, document.version)
        try:
            self._bucket.put_once(key, document.model_dump_json(indent=1).encode(), _JSON)
        except EffectConflict as conflict:
            raise SealLost(
                f"Version {document.version} of {document.event_date} was committed by another seal meanwhile. "
                "Start seal_day for the day again: it begins from that version."
            ) from conflict
        return key

    def show(self, document: SealedDay) -> None:
        """Let tables list the files of this version; a put a table switches it for every reader at once."""
        for kind in _TABLES:
            files = [f"s3://{self._bucket.name}/{file.key}\n" for file in document.files if file.kind == kind]
            self._bucket.put(locations.table_key(kind, document.event_date), "".join(files).encode(), "text/plain")


class Replaced:
    """Removes what a committed version replaced."""

    IAM: ClassVar = frozenset({"s3:DeleteObject", "s3:ListBucket"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def remove(self, document: SealedDay, before: SealedDay | None) -> int:
        """Remove the inputs of a version, and what a stopped seal left beside its files. Harmless when repeated.

        The files of the version before stay until the next one: queries that have begun read them, and so do tables
        that take a new version only after its event. The bucket keeps what is removed for a while.

        Args:
            document: The newest version.
            before: The one before it, if there is one.

        Returns:
            How many files that are.
        """
        kept = {file.key for version in (document, before) if version for file in version.files}
        prefixes = (locations.sealed_prefix(kind, document.event_date) for kind in _TABLES)
        listed = (key for prefix in prefixes for key, _ in self._bucket.keys(prefix))
        keys = sorted({*document.replaced, *listed} - kept)
        self._bucket.delete(keys)
        return len(keys)


class QualityTables:
    """Keeps the verdicts of each version of each day, also of one that was blocked by them."""

    IAM: ClassVar = frozenset({"s3:PutObject", "kms:GenerateDataKey"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def write(self, day: date, version: int, table: bytes) -> None:
        """Write the verdicts; those of a later attempt at the same version replace them."""
        self._bucket.put(locations.quality_key(day, version), table, "application/vnd.apache.parquet")
