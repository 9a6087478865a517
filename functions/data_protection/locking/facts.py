"""How a bucket is configured, as far as a lock has to do with it."""

from collections.abc import Mapping
from typing import Any

from data_protection.changes import digest
from data_protection.checks.s3_lock import Mode, retention_days
from data_protection.errors import BucketMissing, ResourceUnreadable
from data_protection.lifecycle.rules import Configuration
from data_protection.readings import Found
from data_protection.reads.s3 import ENCRYPTION, LIFECYCLE, LOGGING, OBJECT_LOCK, POLICY, REPLICATION, VERSIONING
from data_protection.resources import Kind, Resource
from data_protection.snapshot import NotRead, ResourceMissing, Snapshot
from kernel.contracts import Contract

READS = (VERSIONING, OBJECT_LOCK, LIFECYCLE, REPLICATION, POLICY, ENCRYPTION)
"""Of the bucket that is to be locked; where access logs go is read of all buckets."""


class Facts(Contract):
    """Of one bucket.

    Attributes:
        versioning: `Enabled` or `Suspended`; empty for never.
        lock: Object Lock's configuration as AWS has it; empty for none.
        lifecycle: As AWS has it; None for none.
        replication: Likewise.
        policy: JSON text; None for none.
        encryption: As AWS has it; None for none.
        logged_from: Buckets that send their access logs here.
        unread: Buckets of which nobody can say where they send them.
    """

    versioning: str
    lock: dict[str, Any]
    lifecycle: dict[str, Any] | None
    replication: dict[str, Any] | None
    policy: str | None
    encryption: dict[str, Any] | None
    logged_from: tuple[str, ...]
    unread: tuple[str, ...]

    @property
    def hash(self) -> str:
        """The SHA-256 of all of them: what a simulation was made from."""
        return digest(self.model_dump(mode="json"))

    @property
    def is_locked(self) -> bool:
        """Whether Object Lock is enabled, so that versions may have a retention."""
        return self.lock.get("ObjectLockEnabled") == "Enabled"

    @property
    def default(self) -> tuple[Mode, int] | None:
        """Mode and days of the default retention; None for none."""
        retention = self.lock.get("Rule", {}).get("DefaultRetention", {})
        days = retention_days(retention)
        return (Mode(retention["Mode"]), days) if days else None

    @property
    def lifecycle_rules(self) -> Configuration:
        """The lifecycle, parsed."""
        return Configuration.parse(self.lifecycle)


def facts_of(snapshot: Snapshot, bucket: Resource) -> Facts:
    """Return the facts of a bucket.

    Raises:
        BucketMissing: There is none of that name in the account.
        ResourceUnreadable: One of its reads was refused; nothing is said about a bucket that is not known.
    """
    try:
        policy = snapshot.find(POLICY, bucket)
        return Facts(
            versioning=snapshot.get(VERSIONING, bucket).get("Status", ""),
            lock=dict(snapshot.get(OBJECT_LOCK, bucket).get("ObjectLockConfiguration", {})),
            lifecycle=_plain(snapshot.find(LIFECYCLE, bucket)),
            replication=_plain(snapshot.find(REPLICATION, bucket)),
            policy=None if policy is None else str(policy["Policy"]),
            encryption=_plain(snapshot.find(ENCRYPTION, bucket)),
            logged_from=tuple(_logged_from(snapshot, bucket)),
            unread=tuple(
                other.name
                for other in snapshot.resources(Kind.BUCKET)
                if other != bucket and not isinstance(snapshot.reading(LOGGING, other), Found)
            ),
        )
    except ResourceMissing:
        raise BucketMissing(f"There is no bucket {bucket.name} in the account {bucket.place.account}.") from None
    except NotRead as unread:
        raise ResourceUnreadable(f"{unread}. Grant the call, and simulate again.") from None


def _logged_from(snapshot: Snapshot, bucket: Resource) -> list[str]:
    found = []
    for other in snapshot.resources(Kind.BUCKET):
        reading = snapshot.reading(LOGGING, other)
        if isinstance(reading, Found) and reading.answer.get("LoggingEnabled", {}).get("TargetBucket") == bucket.name:
            found.append(other.name)
    return found


def _plain(answer: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if answer is None else dict(answer)
