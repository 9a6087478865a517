"""What was read of a resource, and what could not be.

A read that failed is no answer: who judges must be able to tell "off" from "not seen".
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias

from data_protection.resources import Kind, Resource

# Each service names it in its own way: AccessDenied, AccessDeniedException, AuthorizationError, UnauthorizedOperation.
# S3 answers a HEAD with the number alone.
_DENIED: Final = (
    "AccessDenied",
    "AuthorizationError",
    "NotAuthorized",
    "Unauthorized",
    "Forbidden",
    "403",
    "OptInRequired",
)

Answer: TypeAlias = Mapping[str, Any]  # of AWS, as plain JSON: times are ISO 8601 in UTC, ResponseMetadata is left out


@dataclass(frozen=True)
class Read:
    """One call that reads, as data; the collector makes it once for each resource of the kind.

    Attributes:
        name: Unique, as `dynamodb.DescribeTable`.
        kind: Of the resources it is made for.
        service: Of boto3.
        operation: Of its client, as `describe_table`.
        arguments: Of the call, by resource.
        actions: IAM actions that it needs.
        absent: Error codes by which AWS says that this was never configured.
        missing: Error codes by which AWS says that the resource does not exist.
        per_second: How often an account may make it in a region, where AWS says so (DescribeContinuousBackups: 10).
        merge: Lists of the answer that are joined over its pages; empty for an operation without pages.
        leads_to: Further resources that the answer names, which checks may need as well.
        timed: Further arguments of the call, by resource and the time of the snapshot; for what grows without end.
    """

    name: str
    kind: Kind
    service: str
    operation: str
    arguments: Callable[[Resource], Mapping[str, Any]]
    actions: frozenset[str]
    absent: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    per_second: float | None = None
    merge: tuple[str, ...] = ()
    leads_to: Callable[[Resource, Answer], Iterable[Resource]] | None = None
    timed: Callable[[Resource, datetime], Mapping[str, Any]] | None = None

    def __str__(self) -> str:
        return self.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Read) and other.name == self.name


@dataclass(frozen=True)
class Found:
    """AWS answered."""

    answer: Answer
    request_id: str = ""


@dataclass(frozen=True)
class NotConfigured:
    """AWS answered that the resource exists, and that this was never configured on it."""

    code: str


@dataclass(frozen=True)
class Missing:
    """AWS answered that there is no such resource."""

    code: str


@dataclass(frozen=True)
class Unreadable:
    """AWS did not answer: access denied, throttled to the end, a fault, or an answer that makes no sense.

    Attributes:
        code: AWS' error code, or `MalformedResponse`, `Timeout`, `NotAsked`.
        message: AWS' own.
        request_id: By which AWS' support finds the call; may be empty.
    """

    code: str
    message: str
    request_id: str = ""

    @property
    def is_denied(self) -> bool:
        """Whether who asks lacks a right, so that asking again is of no use until somebody gives it."""
        return any(word in self.code for word in _DENIED)


Reading: TypeAlias = Found | NotConfigured | Missing | Unreadable
