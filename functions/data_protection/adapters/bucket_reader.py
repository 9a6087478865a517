"""Reads how one bucket is configured, and which buckets log where."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar, Final

from data_protection.adapters.snapshots import reading_of
from data_protection.locking.facts import READS
from data_protection.readings import Found, Read, Reading
from data_protection.reads.listings import BUCKETS
from data_protection.reads.s3 import BUCKET_TAGS, LOGGING
from data_protection.resources import Kind, Resource, account_of
from data_protection.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from botocore.client import BaseClient

_THREADS: Final = 16


class BucketReader:
    """Takes snapshots for the lock of one bucket.

    Args:
        client: Returns the client of a service in a region.
    """

    IAM: ClassVar = frozenset(action for read in (*READS, BUCKET_TAGS, BUCKETS, LOGGING) for action in read.actions)

    def __init__(self, client: "Callable[[str, str], BaseClient]") -> None:
        self._client = client

    def look(self, bucket: Resource, now: datetime) -> Snapshot:
        """Return configuration and tags of the bucket, and the logging of all buckets of the account."""
        account = account_of(bucket.place)
        listed = self._read(BUCKETS, account, now)
        others = listed.answer["Buckets"] if isinstance(listed, Found) else []
        buckets = {bucket} | {Resource(Kind.BUCKET, bucket.place, other["Name"]) for other in others}
        asked = [*((bucket, read) for read in (*READS, BUCKET_TAGS)), *((other, LOGGING) for other in sorted(buckets))]
        with ThreadPoolExecutor(_THREADS) as threads:
            readings = threads.map(lambda one: self._read(one[1], one[0], now), asked)
            found = {(resource, read.name): reading for (resource, read), reading in zip(asked, readings, strict=True)}
        return Snapshot(bucket.place, now, {(account, BUCKETS.name): listed, **found})

    def _read(self, read: Read, resource: Resource, now: datetime) -> Reading:
        return reading_of(self._client, read, resource, now)
