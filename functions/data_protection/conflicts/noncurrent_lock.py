"""Noncurrent versions that are to go while they are locked."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.s3_lock import ObjectLock, retention_days
from data_protection.checks.s3_version import Versioning
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    noncurrent: dict[Resource, int | None] = {
        case.resource: case.requirement.noncurrent_days for case in cases if isinstance(case.requirement, Versioning)
    }
    for case in cases:
        if not isinstance(case.requirement, ObjectLock):
            continue
        days, retained = noncurrent.get(case.resource), retention_days(case.requirement.period)
        if days is not None and days < retained:
            sentence = (
                f"Noncurrent versions in {case.resource.name} are to be deleted after {days} days, and are locked for "
                f"{retained} days from when they were written: until then they stay and are paid."
            )
            yield case.resource, sentence


CONFLICT: Final = Conflict(
    id="NONCURRENT-LOCK",
    title="Locked versions outlive the rule that deletes noncurrent ones",
    between=("S3-VERSION", "S3-LOCK"),
    ways_out="Reckon with the cost, or lock for no longer than noncurrent versions are kept.",
    detect=_detect,
)
