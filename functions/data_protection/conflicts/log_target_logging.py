"""Access logging of the bucket that receives access logs."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.access_logs import AccessLogging
from data_protection.checks.check import Case
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases:
        if isinstance(case.requirement, AccessLogging) and case.requirement.target == case.resource.name:
            yield (
                case.resource,
                f"{case.resource.name} is to log into itself: each log that arrives would be logged again, for ever.",
            )


CONFLICT: Final = Conflict(
    id="LOG-TARGET-LOGGING",
    title="Access logging of all buckets includes its own target",
    between=("S3-LOG", "S3-LOG"),
    ways_out="Do not count the target, or log it into a second bucket, which is then not logged.",
    detect=_detect,
)
