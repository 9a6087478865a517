"""The second dataset: OCSF events in the layout of Security Lake's custom sources."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class OcsfObjects:
    """Writes, lists and removes the objects of one partition at a time."""

    IAM: ClassVar = frozenset(
        {"s3:PutObject", "s3:GetObject", "s3:ListBucket", "s3:DeleteObject", "kms:GenerateDataKey", "kms:Decrypt"}
    )

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def put(self, key: str, path: Path) -> None:
        """Write an object unless it is there already.

        Raises:
            EffectConflict: The key holds other content.
        """
        self._bucket.put_once(key, path, "application/vnd.apache.parquet")

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a prefix, in order."""
        return (key for key, _ in self._bucket.keys(prefix))

    def remove(self, keys: Sequence[str]) -> None:
        """Remove objects; those that are gone already do not matter.

        Raises:
            DeleteRefused: S3 kept some of them.
        """
        self._bucket.delete(keys)
