"""Raw segments: what the collector stored."""

import gzip
import zlib
from typing import TYPE_CHECKING, ClassVar

from database_logs.errors import SegmentDamaged, SegmentMissing
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


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
                "somebody has. While RDS has the file, a replay from RDS brings it back."
            )
        try:
            return _unpacked(body)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise SegmentDamaged(
                f"The raw segment s3://{self._bucket.name}/{key} of {len(body)} bytes cannot be unpacked: {error}. "
                "Replay it from RDS, or take an earlier version of the object."
            ) from error


def _unpacked(body: bytes) -> bytes:
    if not body:
        # gzip takes no bytes for none that were packed.
        raise EOFError("there is not even a header")
    return gzip.decompress(body)
