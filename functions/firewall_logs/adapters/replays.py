"""Replays: claims on quarantined rows, and the objects that they are replayed from."""

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from botocore.exceptions import ClientError

from firewall_logs import locations
from firewall_logs.adapters.documents import JSON, READ, WRITE, json_of, read_document
from firewall_logs.adapters.source import identifying
from firewall_logs.contracts import SourceObject
from firewall_logs.replays.contracts import ReplayClaim, ReplayRecord
from kernel.errors import EffectConflict
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ReplayClaims:
    """Takes quarantined rows for their one replay; kept as long as the lake."""

    IAM: ClassVar = READ | WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, object_id: str, reason: str) -> ReplayClaim | None:
        """Return the claim, if there is one."""
        return read_document(self._bucket, locations.replay_claim_key(object_id, reason), ReplayClaim)

    def claim(self, wanted: ReplayClaim) -> ReplayClaim:
        """Claim rows, and return the claim that stands: this one, or an earlier one."""
        key = locations.replay_claim_key(wanted.object_id, wanted.reason)
        try:
            self._bucket.put_once(key, wanted.model_dump_json().encode(), JSON)
        except EffectConflict:
            standing = self.read(wanted.object_id, wanted.reason)
            if standing is None:
                raise
            return standing
        return wanted

    def source(self, object_id: str, reason: str) -> SourceObject | None:
        """Return what the rows are replayed from, if it was ever written; it may have expired since."""
        return read_document(self._bucket, locations.replay_source_key(object_id, reason), SourceObject)

    def note_source(self, object_id: str, reason: str, source: SourceObject) -> None:
        """Note what the rows are replayed from, before a run may hear of it."""
        self._bucket.put(locations.replay_source_key(object_id, reason), json_of(source), JSON)


class ReplayObjects:
    """The objects that rows are replayed from."""

    IAM: ClassVar = READ | WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = Bucket(s3, bucket)

    def find(self, key: str) -> SourceObject | None:
        """Return the object that rows are replayed from, if it is written, as a run would find it."""
        try:
            head = self._s3.head_object(Bucket=self._bucket.name, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "404":
                return None
            raise
        return SourceObject(
            bucket=self._bucket.name,
            key=key,
            version_id=identifying(head.get("VersionId")),
            etag=head["ETag"].strip('"'),
            size=head["ContentLength"],
            last_modified=head["LastModified"],
        )

    def put(self, key: str, path: Path) -> None:
        """Write the rows of a replay unless they are there.

        Raises:
            EffectConflict: Other bytes are there.
        """
        self._bucket.put_once(key, path, "application/gzip")


class ReplayRecords:
    """Writes what became of replays."""

    IAM: ClassVar = WRITE

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def write(self, record: ReplayRecord) -> str:
        """Write a record and return its key."""
        key = locations.replay_record_key(record.replay_id)
        self._bucket.put(key, json_of(record), JSON)
        return key
