"""Logs that are archived while they are still asked about."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.access_logs import sources
from data_protection.checks.check import Case
from data_protection.checks.s3_lifecycle import LifecycleTiers
from data_protection.conflicts.conflict import Conflict
from data_protection.lifecycle.tiers import Tier
from data_protection.resources import Resource

_INVESTIGATED_DAYS: Final = 365  # PCI DSS 4.0.1 10.5.1 has logs kept for a year, so somebody may ask


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases:
        if not isinstance(case.requirement, LifecycleTiers):
            continue
        for tier in case.requirement.tiers:
            archived = [step.days for step in tier.transitions if step.storage_class.is_archive]
            if archived and min(archived) < _INVESTIGATED_DAYS and _holds_logs(case, tier):
                sentence = (
                    f"Logs {tier.name} of {case.resource.name} are archived after {min(archived)} days: an "
                    "investigation that asks for older ones has to wait for a restore before any query."
                )
                yield case.resource, sentence


def _holds_logs(case: Case[Any], tier: Tier) -> bool:
    words = re.split(r"[^a-z0-9]+", f"{case.resource.name}/{tier.prefix}".lower())
    return bool(sources(case)) or not {"log", "logs"}.isdisjoint(words)


CONFLICT: Final = Conflict(
    id="ARCHIVED-LOGS",
    title="Archived logs cannot be queried",
    between=("S3-LIFECYCLE", "RTO"),
    ways_out="Archive logs after a year, use GLACIER_IR, or keep a compacted copy that can be queried.",
    detect=_detect,
)
