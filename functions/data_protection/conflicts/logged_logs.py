"""Data events of a bucket that receives logs."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.access_logs import sources
from data_protection.checks.check import Case
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Kind, Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    if not any("CT-DATA" in requirements for case in cases[:1] for requirements in case.scope.needs.values()):
        return
    by_bucket = {case.resource: case for case in cases if case.resource.kind is Kind.BUCKET}
    for bucket, case in by_bucket.items():
        if logged := sources(case):
            sentence = (
                f"Data events are asked of {bucket.name} too, which receives the access logs of {logged[0].name}: each "
                "log that arrives is an event that is paid, and where it receives the trail's as well, makes another."
            )
            yield bucket, sentence


CONFLICT: Final = Conflict(
    id="LOGGED-LOGS",
    title="Data events of a log bucket record its own logs",
    between=("CT-DATA", "S3-LOG"),
    ways_out="Leave log buckets out of data events of writing, by an advanced selector on resources.ARN.",
    detect=_detect,
)
