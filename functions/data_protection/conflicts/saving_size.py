"""The saving that is expected of tiers, and the size of objects from which it comes about."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.s3_lifecycle import LifecycleTiers
from data_protection.conflicts.conflict import Conflict
from data_protection.lifecycle.forecast import Terms, bill, standard_bill
from data_protection.lifecycle.population import Lot, Population
from data_protection.lifecycle.rules import SMALL, Configuration, StorageClass
from data_protection.lifecycle.tiers import Tier
from data_protection.resources import Resource

_LARGE: Final = 1 << 30  # bytes: of larger objects the share that is saved changes no more
_ANY_TIME: Final = datetime(2026, 1, 1, tzinfo=UTC)  # a tier names ages, no dates


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases:
        if not isinstance(case.requirement, LifecycleTiers):
            continue
        for tier in case.requirement.tiers:
            if tier.transitions and tier.saves_percent is not None:
                limit = _limit(tier, tier.saves_percent)
                said = f"objects {tier.name} of {case.resource.name} that are kept seven years {limit}"
                yield case.resource, f"Tiers are to save at least {tier.saves_percent} %: {said}."


@cache
def _limit(tier: Tier, expected: int) -> str:
    most = _saving(tier, _LARGE)
    if most < expected:
        return f"save {most:.0f} % even if they are large"
    smallest = SMALL if tier.larger_than_bytes is None else tier.larger_than_bytes + 1
    too_small, enough = smallest - 1, _LARGE
    while enough - too_small > 1:
        middle = (too_small + enough) // 2
        if _saving(tier, middle) < expected:
            too_small = middle
        else:
            enough = middle
    return f"save less if they are smaller than {enough / 1024:.0f} KB"


def _saving(tier: Tier, size: int) -> float:
    """Return by how many percent a new object costs less by a tier than in STANDARD."""
    configuration, terms = Configuration.parse({"Rules": [tier.rule()]}), Terms(_ANY_TIME)
    one = Population((Lot(tier.prefix, StorageClass.STANDARD, noncurrent=False, age=0, objects=1, size=size),))
    return 100 * (1 - bill(one, configuration, terms).total / standard_bill(one, configuration, terms).total)


CONFLICT: Final = Conflict(
    id="SAVING-SIZE",
    title="Small objects do not save what is expected of tiers",
    between=("S3-LIFECYCLE", "the saving that is expected"),
    ways_out="Forecast the bucket with its own objects (forecast_lifecycle) before the saving is promised, and let "
    "people pack small objects into large ones.",
    detect=_detect,
)
