"""Versioning of a bucket whose objects expire."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.s3_lifecycle import LifecycleTiers
from data_protection.checks.s3_version import Versioning
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    expiring = {
        case.resource: tier
        for case in cases
        if isinstance(case.requirement, LifecycleTiers)
        for tier in case.requirement.tiers
        if tier.expire_days is not None
    }
    for case in cases:
        if not isinstance(case.requirement, Versioning) or case.requirement.noncurrent_days is not None:
            continue
        if tier := expiring.get(case.resource):
            sentence = (
                f"Objects {tier.name} of {case.resource.name} are to be deleted after {tier.expire_days} days, and "
                "their versions to be kept for ever: with versioning an expiration only hides them."
            )
            yield case.resource, sentence


CONFLICT: Final = Conflict(
    id="VERSION-EXPIRATION",
    title="What expires in a versioned bucket is only hidden",
    between=("S3-VERSION", "S3-LIFECYCLE"),
    ways_out="Give S3-VERSION noncurrent_days, after which versions are deleted.",
    detect=_detect,
)
