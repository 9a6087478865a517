"""MFA delete on a bucket that is to have a lifecycle."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.s3_lifecycle import LifecycleTiers
from data_protection.conflicts.conflict import Conflict
from data_protection.readings import Found
from data_protection.reads.s3 import VERSIONING
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases:
        reading = case.snapshot.reading(VERSIONING, case.resource)
        if (
            isinstance(case.requirement, LifecycleTiers)
            and isinstance(reading, Found)
            and reading.answer.get("MFADelete") == "Enabled"
        ):
            yield (
                case.resource,
                f"{case.resource.name} has MFA delete, and AWS takes no lifecycle for such a bucket.",
            )


CONFLICT: Final = Conflict(
    id="MFA-DELETE",
    title="MFA delete and a lifecycle exclude each other",
    between=("S3.20", "S3-LIFECYCLE"),
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-and-other-bucket-config.html
    ways_out="Use Object Lock against deletion instead of MFA delete, which only the account's root can turn off.",
    detect=_detect,
)
