"""An RPO that point-in-time recovery only just reaches."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.dynamodb_pitr import LAG_MINUTES, PointInTimeRecovery
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases:
        if not isinstance(case.requirement, PointInTimeRecovery):
            continue
        minutes = case.requirement.rpo_minutes
        if minutes is not None and minutes <= LAG_MINUTES:
            sentence = (
                f"At most {minutes} minutes of {case.resource.name} may be lost, and point-in-time recovery "
                f"reaches to typically {LAG_MINUTES} minutes before now: there is no margin."
            )
            yield case.resource, sentence


CONFLICT: Final = Conflict(
    id="RPO-PITR",
    title="An RPO of five minutes leaves point-in-time recovery no margin",
    between=("RPO", "DDB-PITR"),
    ways_out="State an RPO with a margin, or keep what a stream delivers as well. S3 has no recovery to a point in "
    "time at all: there versions, or continuous backups of AWS Backup, take its place.",
    detect=_detect,
)
