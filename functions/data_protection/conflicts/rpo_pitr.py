"""An RPO that point-in-time recovery only just reaches."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.dynamodb_pitr import PointInTimeRecovery
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Resource

_LAG_MINUTES: Final = 5  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Point-in-time-recovery.html


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases:
        wanted = case.requirement
        if isinstance(wanted, PointInTimeRecovery) and wanted.rpo_minutes <= _LAG_MINUTES:
            sentence = (
                f"At most {wanted.rpo_minutes} minutes of {case.resource.name} may be lost, and point-in-time recovery "
                f"reaches to typically {_LAG_MINUTES} minutes before now: there is no margin."
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
