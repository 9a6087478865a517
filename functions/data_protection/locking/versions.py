"""Versions of objects as a listing has them, and the shards that it is cut into."""

import gzip
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from kernel.contracts import Contract

SHARD_VERSIONS: Final = 5_000
"""Versions of a shard: at the slowest pace that the template allows, a function is done with them in ten minutes."""


class Version(Contract):
    """One version of an object, or a delete marker.

    Attributes:
        key: Of the object.
        id: Of the version; `null` for one that was written without versioning.
        size: In bytes; 0 for a delete marker.
        written: When it was written.
        is_delete_marker: Whether it only hides the versions before it.
        newer: How many versions and delete markers of the key are newer; 0 for the current one.
        noncurrent_since: When the next newer one was written; None for the current one.
    """

    key: str
    id: str
    size: int
    written: datetime
    is_delete_marker: bool = False
    newer: int = 0
    noncurrent_since: datetime | None = None

    @property
    def folder(self) -> str:
        """The first part of the key, with its slash; empty for a key without one."""
        return self.key[: self.key.find("/") + 1]


class Marker(Contract):
    """A place in a listing: the entry after which it goes on."""

    key: str
    id: str


class Listing(Contract):
    """What a listing came to.

    Attributes:
        started: When it began: what is written later may or may not be in it.
        versions: Of objects, without delete markers.
        size: Of these, in bytes.
        delete_markers: Of them.
        shards: Objects of the lake that hold it, in order.
    """

    started: datetime
    versions: int = 0
    size: int = 0
    delete_markers: int = 0
    shards: tuple[str, ...] = ()

    @property
    def entries(self) -> int:
        """How many there are of both."""
        return self.versions + self.delete_markers

    def with_shard(self, key: str, versions: Sequence[Version]) -> "Listing":
        """Return the listing with one more shard."""
        markers = sum(version.is_delete_marker for version in versions)
        return Listing(
            started=self.started,
            versions=self.versions + len(versions) - markers,
            size=self.size + sum(version.size for version in versions),
            delete_markers=self.delete_markers + markers,
            shards=(*self.shards, key),
        )


def as_lines(documents: Iterable[Contract]) -> bytes:
    """Return documents as gzipped JSON lines; the same ones are the same bytes."""
    text = "".join(f"{document.model_dump_json(exclude_defaults=True)}\n" for document in documents)
    return gzip.compress(text.encode(), mtime=0)


def versions_of(content: bytes) -> list[Version]:
    """Return the versions of a shard."""
    return [Version.model_validate_json(line) for line in gzip.decompress(content).splitlines()]
