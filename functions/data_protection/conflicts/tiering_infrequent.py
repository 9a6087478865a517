"""Intelligent-Tiering and STANDARD_IA for the same objects."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.s3_inttier import IntelligentTiering
from data_protection.checks.s3_lifecycle import LifecycleTiers
from data_protection.conflicts.conflict import Conflict
from data_protection.lifecycle.rules import StorageClass
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    tiered: dict[Resource, str] = {
        case.resource: case.requirement.prefix for case in cases if isinstance(case.requirement, IntelligentTiering)
    }
    for case in cases:
        prefix = tiered.get(case.resource)
        if prefix is None or not isinstance(case.requirement, LifecycleTiers):
            continue
        for tier in case.requirement.tiers:
            overlaps = tier.prefix.startswith(prefix) or prefix.startswith(tier.prefix)
            if overlaps and any(step.storage_class is StorageClass.STANDARD_IA for step in tier.transitions):
                sentence = (
                    f"Objects {tier.name} of {case.resource.name} are to move to STANDARD_IA and to be tiered by "
                    "Intelligent-Tiering: from there no rule moves them to STANDARD_IA."
                )
                yield case.resource, sentence


CONFLICT: Final = Conflict(
    id="TIERING-INFREQUENT",
    title="Intelligent-Tiering and STANDARD_IA exclude each other",
    between=("S3-INTTIER", "S3-LIFECYCLE"),
    ways_out="Choose one of them for a prefix.",
    detect=_detect,
)
