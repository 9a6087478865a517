"""Digests, their reports, and what they are added up from, in the lake bucket."""

from typing import TYPE_CHECKING, ClassVar, Final

from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PARQUET: Final = "application/vnd.apache.parquet"


class DigestStore:
    """Reads and writes digests; a newer one of the same day replaces the older."""

    # Without s3:ListBucket a missing key answers 403 instead of 404.
    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, key: str) -> bytes | None:
        """Return a document, or None where there is none."""
        return self._bucket.get(key)

    def write(self, key: str, body: bytes, content_type: str = _PARQUET) -> None:
        """Write a document, whatever was there."""
        self._bucket.put(key, body, content_type)
