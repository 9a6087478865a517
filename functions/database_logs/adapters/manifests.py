"""Manifests: what each segment became."""

from typing import TYPE_CHECKING, ClassVar

from database_logs.contracts import SegmentManifest
from kernel.objects import Bucket

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class ManifestReader:
    """Reads manifests."""

    # Without s3:ListBucket a missing key answers 403 instead of 404.
    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def read(self, key: str) -> tuple[SegmentManifest, str] | None:
        """Return a manifest and the ETag it has now, or None where there is none."""
        found = self._bucket.find(key)
        return None if found is None else (SegmentManifest.model_validate_json(found[0]), found[1])


class Manifests(ManifestReader):
    """Reads and changes manifests."""

    IAM: ClassVar = ManifestReader.IAM | {"s3:PutObject", "kms:GenerateDataKey"}

    def write(self, key: str, manifest: SegmentManifest, etag: str | None) -> str | None:
        """Write a manifest if nobody did since it was read.

        Args:
            key: Of the manifest.
            manifest: Its new content.
            etag: As it was read with; None if there was none.

        Returns:
            Its new ETag; None if somebody did.
        """
        return self._bucket.replace(key, manifest.model_dump_json().encode(), "application/json", etag)
