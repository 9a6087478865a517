"""Raw segments in S3: gzip, written once under a key that generation and range determine."""

import gzip
from typing import TYPE_CHECKING, ClassVar, Final

from kernel.errors import EffectConflict
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

# Logs shrink tenfold at any level, and the fastest keeps up with what RDS gives.
_LEVEL: Final = 1


class Segments:
    """The segments bucket."""

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:PutObject", "kms:GenerateDataKey", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def put(self, key: str, data: bytes) -> bytes:
        """Store a segment, and return what is stored.

        Other bytes than these are returned where a restart of the server has changed the file since an attempt before
        this one stored them: they were the file's, and whoever goes on from their end finds the change.
        """
        try:
            self._bucket.put_once(key, gzip.compress(data, _LEVEL, mtime=0), "application/gzip")
        except EffectConflict:
            return self.get(key)
        return data

    def get(self, key: str) -> bytes:
        """Return the bytes of a segment."""
        packed = self._bucket.get(key)
        if packed is None:
            raise FileNotFoundError(f"The segment {key} is in the ledger but not in the bucket {self._bucket.name}.")
        return gzip.decompress(packed)
