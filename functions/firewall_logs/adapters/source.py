"""The raw objects: what there is, and their bytes."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

from botocore.exceptions import ClientError

from firewall_logs.contracts import ObjectRef, Slice, SourceObject
from firewall_logs.errors import SourceChanged, SourceUnreadable

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_CHUNK: Final = 8 << 20
_MISSING: Final = frozenset({"404", "NoSuchKey", "NoSuchVersion", "MethodNotAllowed", "405"})
# HEAD has no body, so its errors have numbers for names: 400 is a key of the customer's own, 403 no permission.
_REFUSED: Final = frozenset({"400", "403", "AccessDenied", "BadRequest", "InvalidObjectState"})
_ARCHIVED: Final = frozenset({"GLACIER", "DEEP_ARCHIVE"})


class SourceCatalogue:
    """Which raw objects there are, as S3 describes them."""

    # HEAD is s3:GetObject. Without s3:ListBucket a missing key answers 403 instead of 404.
    IAM: ClassVar = frozenset({"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3

    def describe(self, ref: ObjectRef) -> SourceObject | None:
        """Return the object as S3 describes it, or None where it is gone (or is a delete marker).

        Raises:
            SourceUnreadable: It is there, but not for us; the message says why.
        """
        try:
            head = self._s3.head_object(Bucket=ref.bucket, Key=ref.key, **_version(ref.version_id))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _MISSING:
                return None
            if code in _REFUSED:
                raise SourceUnreadable(f"S3 refuses to show it ({code})") from error
            raise
        if head.get("StorageClass") in _ARCHIVED and 'ongoing-request="false"' not in head.get("Restore", ""):
            raise SourceUnreadable(f"it is archived ({head['StorageClass']}) and not restored")
        version = head.get("VersionId")
        return SourceObject(
            bucket=ref.bucket,
            key=ref.key,
            # "null" is the version of an object older than the bucket's versioning: no identity.
            version_id=None if version == "null" else version,
            etag=head["ETag"].strip('"'),
            size=head["ContentLength"],
            last_modified=head["LastModified"],
        )

    def below(self, bucket: str, prefix: str) -> Iterator[ObjectRef]:
        """Yield the current version of each object below a prefix, in key order."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for entry in page.get("Contents", []):
                yield ObjectRef(bucket=bucket, key=entry["Key"])


class SourceReader:
    """The bytes of raw objects, of just the version that was planned."""

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:GetObjectVersion", "kms:Decrypt"})

    def __init__(self, s3: "S3Client") -> None:
        self._s3 = s3
        self.gets = 0
        self.bytes = 0

    def fetch(self, task: Slice, path: Path) -> None:
        """Write the slice's bytes to a file, at the offsets they have in the object.

        Where the slice names byte ranges, the file is as long as the object but sparse: a parquet reader that is told
        which row groups to read never touches the holes.

        Raises:
            SourceChanged: The object is gone, or holds other content than was planned.
        """
        with path.open("wb") as target:
            target.truncate(task.source.size)
            for first, after in task.byte_ranges or ((0, task.source.size),):
                target.seek(first)
                for chunk in self._read(task.source, first, after):
                    target.write(chunk)

    def _read(self, source: SourceObject, first: int, after: int) -> Iterator[bytes]:
        if first == after:
            return
        try:
            answer = self._s3.get_object(
                Bucket=source.bucket,
                Key=source.key,
                Range=f"bytes={first}-{after - 1}",
                IfMatch=f'"{source.etag}"',
                **_version(source.version_id),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in {
                *_MISSING,
                "PreconditionFailed",
                "412",
                "InvalidRange",
                "416",
            }:
                raise SourceChanged(
                    f"s3://{source.bucket}/{source.key} is no longer the version that was planned (ETag "
                    f"{source.etag}): it was deleted or overwritten. Its new version has an event of its own."
                ) from error
            raise
        self.gets += 1
        # A server may answer a range with the whole object (RFC 9110 §14.2): S3 does not, an emulator may.
        offset = first if "ContentRange" in answer else 0
        for chunk in answer["Body"].iter_chunks(_CHUNK):
            self.bytes += len(chunk)
            yield chunk[max(first - offset, 0) : max(after - offset, 0)]
            offset += len(chunk)


def _version(version_id: str | None) -> dict[str, Any]:
    return {"VersionId": version_id} if version_id else {}
