"""Who sends access logs where: what several checks of buckets must know of each other."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from data_protection.changes import CannotChange
from data_protection.checks.check import Case, Requirement
from data_protection.checks.scope_listed import require_seen
from data_protection.readings import Found, Unreadable
from data_protection.reads.s3 import LOGGING
from data_protection.resources import Kind, Resource
from data_protection.snapshot import Snapshot


class AccessLogging(Requirement):
    """What is asked of access logging.

    Attributes:
        target: Name of the bucket that receives the logs, of the same account and region.
        prefix: Of their keys; `{bucket}` stands for the name of the bucket that is logged, which keeps logs apart:
            below a prefix that buckets share, nothing tells whether the logs of each arrive.
    """

    target: str
    prefix: str = "{bucket}/"

    def prefix_of(self, bucket: Resource) -> str:
        """Return the prefix of the logs of a bucket."""
        return self.prefix.replace("{bucket}", bucket.name)


def asked_sources(case: Case[Any]) -> list[Resource]:
    """Return the other buckets whose logs are to go to the bucket of a case, in order.

    What a bucket is asked to be is judged by this: it comes of the profile alone, so that no setting of another bucket,
    and none that cannot be read, changes a verdict.

    Raises:
        NotRead: None is known, and buckets may have been left out of the scope.
    """
    found = sorted(_asked(case))
    if not found:
        require_seen(case, Kind.BUCKET)
    return found


def sources(case: Case[Any]) -> list[Resource]:
    """Return the buckets whose logs go, or are to go, to the bucket of a case, as far as that is known, in order."""
    return sorted({*_asked(case), *(source for source, _ in _logging(case.snapshot, case.resource.name))})


def require_no_later_logs(case: Case[Any], target: str, rests: Callable[[Resource, Mapping[str, Any]], bool]) -> None:
    """Let only pass the undoing of what lets logs into a bucket where no bucket has come to log there since.

    Args:
        case: Of the bucket for which it was changed.
        target: Name of the bucket that receives logs.
        rests: Returns whether the logs of a bucket, by its `LoggingEnabled`, would not arrive any more.

    Raises:
        CannotChange: A bucket has come to log there, or one in scope does not say where it logs.
        NotRead: Buckets may have been left out of the scope.
    """
    require_seen(case, Kind.BUCKET)
    for source, logging in _logging(case.snapshot, target):
        if rests(source, logging):
            raise CannotChange(
                f"{source.name} logs into {target} by now, and its logs would not arrive any more: have it log "
                "elsewhere first."
            )
    _require_told(case, f"{target} may receive access logs, which would not arrive any more")


def require_no_logs(case: Case[Any], because: str) -> None:
    """Let only pass a bucket that receives no access logs for sure, before it is changed so that none would arrive.

    Args:
        case: Of the bucket.
        because: Why it must receive none, to follow "receives access logs".

    Raises:
        CannotChange: It does, or a bucket in scope does not say where it logs.
        NotRead: Buckets may have been left out of the scope.
    """
    require_seen(case, Kind.BUCKET)
    if receiving := sources(case):
        raise CannotChange(f"{case.resource.name} receives access logs of {receiving[0].name}, {because}.")
    _require_told(case, f"{case.resource.name} may receive access logs, {because}")


def _logging(snapshot: Snapshot, target: str) -> Iterable[tuple[Resource, Mapping[str, Any]]]:
    """Yield the buckets that log into one, as far as that was read, in order, each with its setting."""
    for source in snapshot.resources(Kind.BUCKET):
        if isinstance(reading := snapshot.reading(LOGGING, source), Found):
            logging = reading.answer.get("LoggingEnabled", {})
            if logging.get("TargetBucket") == target:
                yield source, logging


def _require_told(case: Case[Any], feared: str) -> None:
    for (resource, read), reading in sorted(case.snapshot.readings.items()):
        if read == LOGGING.name and isinstance(reading, Unreadable):
            raise CannotChange(
                f"{feared}: where {resource.name} logs could not be read ({reading.code}). Allow "
                f"{', '.join(sorted(LOGGING.actions))} there first."
            )


def _asked(case: Case[Any]) -> Iterable[Resource]:
    for resource, requirements in case.scope.needs.items():
        for requirement in requirements.values():
            is_asked = isinstance(requirement, AccessLogging) and requirement.target == case.resource.name
            if is_asked and resource != case.resource:
                yield resource
