"""Who sends access logs where: what several checks of buckets must know of each other."""

from collections.abc import Iterable
from typing import Any

from data_protection.checks.check import Case, Requirement, Scope
from data_protection.readings import Found
from data_protection.reads.s3 import LOGGING
from data_protection.resources import Kind, Resource
from data_protection.snapshot import Snapshot


class AccessLogging(Requirement):
    """What is asked of access logging.

    Attributes:
        target: Name of the bucket that receives the logs, of the same account and region.
        prefix: Of their keys; `{bucket}` stands for the name of the bucket that is logged, which keeps logs apart.
    """

    target: str
    prefix: str = "{bucket}/"

    def prefix_of(self, bucket: Resource) -> str:
        """Return the prefix of the logs of a bucket."""
        return self.prefix.replace("{bucket}", bucket.name)


def sources(case: Case[Any]) -> list[Resource]:
    """Return the buckets whose logs go, or are to go, to the bucket of a case, in order."""
    return sorted({*_asked(case.scope, case.resource), *_actual(case.snapshot, case.resource)})


def _asked(scope: Scope, target: Resource) -> Iterable[Resource]:
    for resource, requirements in scope.needs.items():
        for requirement in requirements.values():
            if isinstance(requirement, AccessLogging) and requirement.target == target.name and resource != target:
                yield resource


def _actual(snapshot: Snapshot, target: Resource) -> Iterable[Resource]:
    for source in snapshot.resources(Kind.BUCKET):
        reading = snapshot.reading(LOGGING, source)
        if not isinstance(reading, Found):
            continue
        if reading.answer.get("LoggingEnabled", {}).get("TargetBucket") == target.name:
            yield source
