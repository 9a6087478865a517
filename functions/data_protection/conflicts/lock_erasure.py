"""Retention that outlasts a duty to delete."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.s3_lifecycle import LifecycleTiers
from data_protection.checks.s3_lock import Mode, ObjectLock, retention_days
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    tiers = {case.resource: case.requirement.tiers for case in cases if isinstance(case.requirement, LifecycleTiers)}
    for case in cases:
        if not isinstance(case.requirement, ObjectLock) or case.requirement.mode is not Mode.COMPLIANCE:
            continue
        retained = retention_days(case.requirement.period)
        for tier in tiers.get(case.resource, ()):
            if tier.expire_days is not None and tier.expire_days < retained:
                sentence = (
                    f"Objects {tier.name} of {case.resource.name} are to be deleted after {tier.expire_days} days, and "
                    f"to be retained for {retained} days in COMPLIANCE mode, in which nobody can delete them."
                )
                yield case.resource, sentence


CONFLICT: Final = Conflict(
    id="LOCK-ERASURE",
    title="What is retained in COMPLIANCE mode cannot be erased in time",
    between=("S3-LOCK", "S3-LIFECYCLE"),
    ways_out="Retain for no longer than data may be kept (GDPR article 17), or in GOVERNANCE mode, or keep data of "
    "persons in another bucket.",
    detect=_detect,
)
