"""Archives that take longer to restore than the RTO allows."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.s3_lifecycle import LifecycleTiers
from data_protection.conflicts.conflict import Conflict
from data_protection.lifecycle.restores import hours
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases:
        if not isinstance(case.requirement, LifecycleTiers):
            continue
        for tier in case.requirement.tiers:
            if tier.rto_hours is None:
                continue
            slow = [step for step in tier.transitions if hours(step.storage_class) > tier.rto_hours]
            if slow:
                steps = " and ".join(
                    f"{step.storage_class} after {step.days} days, up to {hours(step.storage_class)} hours"
                    for step in slow
                )
                sentence = (
                    f"Objects {tier.name} of {case.resource.name} are to be readable within {tier.rto_hours:g} h, "
                    f"and archives must be restored first: {steps}."
                )
                yield case.resource, sentence


CONFLICT: Final = Conflict(
    id="RTO-ARCHIVE",
    title="What is archived cannot be read within the RTO",
    between=("RTO", "S3-LIFECYCLE"),
    ways_out="Use GLACIER_IR, which answers at once, or state another RTO for archived data as the tier's rto_hours.",
    detect=_detect,
)
