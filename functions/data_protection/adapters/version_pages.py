"""Listings of the versions of a bucket."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any, ClassVar

from data_protection.locking.versions import Marker, Version

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True)
class Page:
    """Up to a thousand entries of a listing.

    Attributes:
        versions: In the listing's order: by key, and of a key the newest first.
        next: Where the next page begins; None for the last one.
    """

    versions: Sequence[Version]
    next: Marker | None


class VersionPages:
    """Lists versions, the newest of a key first.

    Args:
        s3: Client.
        bucket: Its name.
        owner: The account that it must belong to.
    """

    IAM: ClassVar = frozenset({"s3:ListBucketVersions"})

    def __init__(self, s3: "S3Client", bucket: str, owner: str) -> None:
        self._s3 = s3
        self._bucket, self._owner = bucket, owner

    def after(self, prefix: str, marker: Marker | None, previous: Version | None) -> Iterator[Page]:
        """Yield pages.

        Args:
            prefix: Of the keys.
            marker: Where to begin; None for at the beginning.
            previous: The entry before that.
        """
        while True:
            places: Any = {} if marker is None else {"KeyMarker": marker.key, "VersionIdMarker": marker.id}
            answer = self._s3.list_object_versions(
                Bucket=self._bucket, ExpectedBucketOwner=self._owner, Prefix=prefix, **places
            )
            versions: list[Version] = []
            for entry in _entries(answer):
                previous = _version(entry, previous)
                versions.append(previous)
            is_last = not answer.get("IsTruncated")
            marker = None if is_last else Marker(key=answer["NextKeyMarker"], id=answer["NextVersionIdMarker"])
            yield Page(versions, marker)
            if is_last:
                return


def _entries(answer: Any) -> list[dict[str, Any]]:
    """Return versions and delete markers in the order of S3's XML, which boto3 takes apart."""
    found = [
        *({**entry, "Marker": False} for entry in answer.get("Versions", [])),
        *({**entry, "Marker": True} for entry in answer.get("DeleteMarkers", [])),
    ]
    # Within a second, the latest is the one that S3 says is the latest.
    return sorted(
        found, key=lambda entry: (entry["Key"].encode(), -entry["LastModified"].timestamp(), not entry["IsLatest"])
    )


def _version(entry: dict[str, Any], previous: Version | None) -> Version:
    newer = previous if previous is not None and previous.key == entry["Key"] else None
    return Version(
        key=entry["Key"],
        id=entry["VersionId"],
        size=entry.get("Size", 0),
        written=entry["LastModified"].astimezone(UTC),
        is_delete_marker=entry["Marker"],
        newer=0 if newer is None else newer.newer + 1,
        noncurrent_since=None if newer is None else newer.written,
    )
