"""Object Lock on a bucket that receives access logs."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.access_logs import sources
from data_protection.checks.check import Case
from data_protection.checks.s3_lock import ObjectLock
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases:
        if isinstance(case.requirement, ObjectLock) and (logged := sources(case)):
            sentence = (
                f"Object Lock is asked of {case.resource.name}, which receives the access logs of {logged[0].name}: "
                "S3 delivers none into a locked bucket, and raises no error."
            )
            yield case.resource, sentence


CONFLICT: Final = Conflict(
    id="LOG-TARGET-LOCK",
    title="A bucket cannot be locked and receive access logs",
    between=("S3-LOCK", "S3-LOG"),
    ways_out="Leave Object Lock off on the log target, and copy logs that must not be deleted into a locked bucket.",
    detect=_detect,
)
