"""The raw objects: what there is, and their bytes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Final

from botocore.exceptions import ClientError

from firewall_logs.adapters.access import MISSING, REFUSED, SourceClients
from firewall_logs.contracts import ObjectRef, Slice, SourceObject
from firewall_logs.errors import SourceUnreadable
from firewall_logs.feeds import Feed
from kernel.objects import range_of

_ARCHIVED: Final = frozenset({"GLACIER", "DEEP_ARCHIVE"})


class SourceCatalogue:
    """Which raw objects there are, as S3 describes them."""

    # HEAD is s3:GetObject. Without s3:ListBucket a missing key answers 403 instead of 404.
    IAM: ClassVar = frozenset({"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket", "kms:Decrypt"})

    def __init__(self, clients: SourceClients) -> None:
        self._clients = clients

    def describe(self, ref: ObjectRef) -> SourceObject | None:
        """Return the object as S3 describes it, or None where it is gone (or is a delete marker).

        Raises:
            SourceUnreadable: It is there, but not for us; the message says why.
        """
        s3 = self._clients.of(ref.bucket, ref.key)
        try:
            head = s3.head_object(Bucket=ref.bucket, Key=ref.key, **_version(ref.version_id))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in MISSING:
                return None
            if code in REFUSED:
                raise SourceUnreadable(self._clients.refusal(ref.bucket, ref.key, code)) from error
            raise
        if head.get("StorageClass") in _ARCHIVED and 'ongoing-request="false"' not in head.get("Restore", ""):
            raise SourceUnreadable(f"it is archived ({head['StorageClass']}) and not restored")
        return SourceObject(
            bucket=ref.bucket,
            key=ref.key,
            version_id=identifying(head.get("VersionId")),
            etag=head["ETag"].strip('"'),
            size=head["ContentLength"],
            last_modified=head["LastModified"],
        )

    def below(self, feed: Feed, prefix: str) -> Iterator[ObjectRef]:
        """Yield the name of each object of a feed below a prefix, in key order.

        Args:
            feed: Whose bucket.
            prefix: The feed's own or one within it.

        Raises:
            SourceUnreadable: Nobody may list the feed with what it names; the sentence says what to look at.
        """
        with self._clients.listing(feed, prefix) as s3:
            for page in s3.get_paginator("list_objects_v2").paginate(Bucket=feed.bucket, Prefix=prefix):
                for entry in page.get("Contents", []):
                    yield ObjectRef(bucket=feed.bucket, key=entry["Key"])


class SourceListing:
    """Which versions of raw objects are current, without a look at each of them."""

    IAM: ClassVar = frozenset({"s3:ListBucketVersions"})

    def __init__(self, clients: SourceClients) -> None:
        self._clients = clients

    def versions(self, feed: Feed, prefix: str, after: str = "") -> Iterator[SourceObject]:
        """Yield the current version of each object of a feed below a prefix, in key order, deleted ones left out.

        The listing alone tells all that `SourceCatalogue.describe` does, but not whether an object may be read.

        Args:
            feed: Whose bucket.
            prefix: The feed's own or one within it.
            after: A key that listing goes on after; empty for the beginning.

        Raises:
            SourceUnreadable: Nobody may list the feed with what it names; the sentence says what to look at.
        """
        # The marker that one page hands to the next may begin the first one, which the paginator's stubs do not know.
        begin: Any = {"KeyMarker": after} if after else {}
        with self._clients.listing(feed, prefix) as s3:
            paginator = s3.get_paginator("list_object_versions")
            for page in paginator.paginate(Bucket=feed.bucket, Prefix=prefix, **begin):
                for entry in page.get("Versions", []):
                    if entry["IsLatest"]:
                        yield SourceObject(
                            bucket=feed.bucket,
                            key=entry["Key"],
                            version_id=identifying(entry["VersionId"]),
                            etag=entry["ETag"].strip('"'),
                            size=entry["Size"],
                            last_modified=entry["LastModified"],
                        )


class SourceReader:
    """The bytes of raw objects, of just the version that was planned."""

    IAM: ClassVar = frozenset({"s3:GetObject", "s3:GetObjectVersion", "kms:Decrypt"})

    def __init__(self, clients: SourceClients) -> None:
        self._clients = clients
        self.gets = 0
        self.bytes = 0

    def fetch(self, task: Slice, path: Path) -> None:
        """Write the slice's bytes to a file, at the offsets they have in the object.

        Where the slice names byte ranges, the file is as long as the object but sparse: a parquet reader that is told
        which row groups to read never touches the holes.

        Raises:
            SourceChanged: The object is gone, or holds other content than was planned.
            SourceUnreadable: It is there, but not for us, or not any more.
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
        with self._clients.reading(source) as s3:
            answer = s3.get_object(
                Bucket=source.bucket,
                Key=source.key,
                Range=f"bytes={first}-{after - 1}",
                IfMatch=f'"{source.etag}"',
                **_version(source.version_id),
            )
        self.gets += 1
        for chunk in range_of(answer, first, after):
            self.bytes += len(chunk)
            yield chunk


def identifying(version_id: str | None) -> str | None:
    """Leave out "null", the version of an object that came without its bucket's versioning: no identity."""
    return None if version_id == "null" else version_id


def _version(version_id: str | None) -> dict[str, Any]:
    return {"VersionId": version_id} if version_id else {}
