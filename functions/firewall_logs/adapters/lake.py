"""The lake bucket: what is written there once, and what lies there."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from botocore.exceptions import ClientError

from firewall_logs import locations
from firewall_logs.contracts import Manifest, SourceObject
from firewall_logs.errors import InputGone
from firewall_logs.identity import source_id
from kernel.objects import Bucket, range_of

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class LakeWriter:
    """Writes data files."""

    # A put that finds the key taken asks for its digest: HEAD is s3:GetObject.
    IAM: ClassVar = frozenset({"s3:PutObject", "s3:GetObject", "kms:GenerateDataKey", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def put(self, key: str, path: Path) -> str:
        """Write a data file unless it is there already, and return its SHA-256 in hex.

        Raises:
            EffectConflict: The key holds other content.
        """
        return self._bucket.put_once(key, path, "application/vnd.apache.parquet")


class LakeReader:
    """The bytes of data files."""

    # Without s3:ListBucket a missing key answers 403 instead of 404.
    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def fetch(self, key: str, first: int, after: int, path: Path) -> None:
        """Write bytes of a data file, from one offset to before another, to the same place in a local file.

        Raises:
            InputGone: There is no such data file.
        """
        try:
            answer = self._s3.get_object(Bucket=self._bucket, Key=key, Range=f"bytes={first}-{after - 1}")
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            raise InputGone(
                f"s3://{self._bucket}/{key} is not there any more: another seal of its day has taken it in. Seal the "
                "day again; the new plan takes what is there then."
            ) from error
        with path.open("r+b") as target:
            target.seek(first)
            target.writelines(range_of(answer, first, after))


class LakeListing:
    """What lies in the lake, whoever wrote it."""

    IAM: ClassVar = frozenset({"s3:ListBucket"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def partition(self, prefix: str) -> Iterator[tuple[str, int]]:
        """Yield key and size of each file of one partition."""
        return self._bucket.keys(prefix)


class Manifests:
    """Publishes manifests: from then on readers trust the files they name."""

    IAM: ClassVar = frozenset({"s3:PutObject", "s3:GetObject", "kms:GenerateDataKey", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def publish(self, manifest: Manifest) -> None:
        """Write an object's manifest unless it is there already.

        Raises:
            EffectConflict: Another manifest stands under the same identity.
        """
        body = manifest.model_dump_json(indent=1).encode()
        self._bucket.put_once(locations.manifest_key(source_id(manifest.source)), body, "application/json")


class ManifestReader:
    """Reads manifests."""

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._bucket = Bucket(s3, bucket)

    def of(self, source: SourceObject) -> Manifest | None:
        """Return the manifest of an object version, if it was ever committed, by whichever transform."""
        return self.named(source_id(source))

    def named(self, identity: str) -> Manifest | None:
        """Return the manifest of an object version by its `source_id`."""
        body = self._bucket.get(locations.manifest_key(identity))
        return None if body is None else Manifest.model_validate_json(body)
