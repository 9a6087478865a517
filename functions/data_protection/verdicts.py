"""What a check says of a resource."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from data_protection.snapshot import NotRead, ResourceMissing


class Status(StrEnum):
    """Of a check on a resource."""

    PASS = "pass"  # noqa: S105 - the name of a status
    FAIL = "fail"
    WARN = "warn"  # met, but weaker than asked, unproven, or still settling
    UNKNOWN = "unknown"  # could not be read: neither pass nor fail
    EXCEPTED = "excepted"  # somebody answers for it until a date
    NOT_APPLICABLE = "not_applicable"  # the requirement cannot apply


@dataclass(frozen=True)
class Verdict:
    """What a check found.

    Attributes:
        status: Of it.
        reason: One sentence that says what was seen, for people.
        observed: What AWS says, as plain JSON.
        expected: What the profile asks for, as plain JSON.
        settling: Whether a change is on its way and another look will tell more.
        unread: What was needed and could not be read, where that makes it unknown.
    """

    status: Status
    reason: str
    observed: Any = None
    expected: Any = None
    settling: bool = False
    unread: NotRead | None = field(default=None, compare=False)


# A read that failed says nothing, unless another one shows a fault already.
_GRAVITY = (Status.FAIL, Status.UNKNOWN, Status.WARN, Status.PASS, Status.NOT_APPLICABLE)


def judged(part: Callable[[], Verdict]) -> Verdict:
    """Return the verdict of a part, or what its missing reads make of it."""
    try:
        return part()
    except ResourceMissing as missing:
        return Verdict(Status.FAIL, f"MISSING: {missing}.", observed="missing")
    except NotRead as unread:
        return Verdict(Status.UNKNOWN, f"{unread}.", observed={"error": unread.reading.code}, unread=unread)


def worst(*parts: Callable[[], Verdict]) -> Verdict:
    """Return the gravest verdict of parts that are judged one by one; of equals, the first.

    A part that cannot be judged makes the whole unknown, unless another part fails for sure.
    """
    return min((judged(part) for part in parts), key=lambda verdict: _GRAVITY.index(verdict.status))
