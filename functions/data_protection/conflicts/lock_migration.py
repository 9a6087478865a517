"""Object Lock is planned as a migration of data, which it is not."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.s3_lock import ObjectLock
from data_protection.conflicts.conflict import Conflict
from data_protection.readings import NotConfigured
from data_protection.reads.s3 import OBJECT_LOCK
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases:
        reading = case.snapshot.reading(OBJECT_LOCK, case.resource)
        if isinstance(case.requirement, ObjectLock) and isinstance(reading, NotConfigured):
            said = (
                f"{case.resource.name} can be locked where it is, without copying anything; what cannot be taken back "
                "is the lock itself, and the cost of versions that nobody may delete."
            )
            yield case.resource, said


CONFLICT: Final = Conflict(
    id="LOCK-MIGRATION",
    title="Locking needs no migration of data, and is a one-way switch",
    between=("S3-LOCK", "phase 4"),
    # Since November 2023: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html
    ways_out="Plan no copy. Decide on mode and period, look at what becomes undeletable, and have two people approve.",
    detect=_detect,
)
