"""The lake bucket: files that are written once, and what lies there."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from database_logs.errors import LakeFileMissing
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PARQUET = "application/vnd.apache.parquet"
_NOTHING = "application/x-empty"


class LakeWriter:
    """Writes files of the lake, and removes those of older parsers."""

    # A put that finds the key taken asks for its digest: HEAD is s3:GetObject.
    IAM: ClassVar = frozenset({"s3:PutObject", "s3:GetObject", "s3:DeleteObject", "kms:GenerateDataKey", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def put(self, key: str, body: bytes) -> None:
        """Write a file unless it is there already.

        Raises:
            EffectConflict: The key holds other content.
        """
        self._bucket.put_once(key, body, _PARQUET)

    def mark(self, keys: Sequence[str]) -> None:
        """Write empty objects, whose keys say all."""
        for key in keys:
            self._bucket.put(key, b"", _NOTHING)

    def delete(self, keys: Sequence[str]) -> None:
        """Remove files; one that is not there is none to remove.

        Raises:
            DeleteRefused: S3 kept some of them.
        """
        self._bucket.delete(keys)


class LakeReader:
    """Lists and reads files of the lake."""

    # Without s3:ListBucket a missing key answers 403 instead of 404.
    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def keys(self, prefix: str, after: str = "") -> Iterator[str]:
        """Yield the keys below a prefix, in their order, of those that come after a key."""
        for key, _ in self._bucket.keys(prefix, after):
            yield key

    def sizes(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield key and bytes of each file below a prefix, in the order of keys."""
        yield from self._bucket.keys(prefix)

    def read(self, key: str) -> bytes:
        """Return a file.

        Raises:
            LakeFileMissing: It is not there.
        """
        body = self._bucket.get(key)
        if body is None:
            raise LakeFileMissing(
                f"The file s3://{self._bucket.name}/{key} is not in the lake (any more). If its segment was parsed "
                "anew meanwhile, the message that tells of the new files does what this one was to do."
            )
        return body
