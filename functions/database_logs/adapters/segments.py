"""Raw segments in S3: gzip, written once under a key that generation and range determine."""

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Final

from database_logs.errors import SegmentDamaged, SegmentMissing
from kernel.errors import EffectConflict
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Logs shrink tenfold at any level, and the fastest keeps up with what RDS gives.
_LEVEL: Final = 1


class RawSegments:
    """Reads raw segments."""

    # Without s3:ListBucket a missing key answers 403 instead of 404.
    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, key: str) -> bytes:
        """Return the bytes of the log file that a segment holds.

        Raises:
            SegmentMissing: There is no such object.
            SegmentDamaged: It is no gzip, or ends too early.
        """
        body = self._bucket.get(key)
        if body is None:
            raise SegmentMissing(
                f"The raw segment s3://{self._bucket.name}/{key} is not there: its lifecycle has removed it, or "
                "somebody has. Restore a version of the object, if there is one."
            )
        try:
            return _unpacked(body)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise SegmentDamaged(
                f"The raw segment s3://{self._bucket.name}/{key} of {len(body)} bytes cannot be unpacked: {error}. "
                "Restore an earlier version of the object, if there is one."
            ) from error


class SegmentList:
    """Tells which raw segments there are."""

    IAM: ClassVar = frozenset({"s3:ListBucket"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a prefix."""
        for key, _ in self._bucket.keys(prefix):
            yield key


class Segments(RawSegments):
    """Writes and reads raw segments."""

    IAM: ClassVar = RawSegments.IAM | {"s3:PutObject", "kms:GenerateDataKey"}

    def put(self, key: str, data: bytes) -> bytes:
        """Store a segment, and return what is stored.

        Other bytes than these are returned where a restart of the server has changed the file since an attempt before
        this one stored them: they were the file's, and whoever goes on from their end finds the change.
        """
        try:
            self._bucket.put_once(key, gzip.compress(data, _LEVEL, mtime=0), "application/gzip")
        except EffectConflict:
            return self.read(key)
        return data

    def is_sound(self, key: str, sha256: str) -> bool:
        """Whether a segment is there with its bytes."""
        try:
            return hashlib.sha256(self.read(key)).hexdigest() == sha256
        except (SegmentMissing, SegmentDamaged):
            return False

    def replace(self, key: str, data: bytes) -> None:
        """Put a segment, or the beginning of one, whatever was there."""
        self._bucket.put(key, gzip.compress(data, _LEVEL, mtime=0), "application/gzip")


def _unpacked(body: bytes) -> bytes:
    if not body:
        # gzip takes no bytes for none that were packed.
        raise EOFError("there is not even a header")
    return gzip.decompress(body)
