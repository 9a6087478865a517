"""What a lock does to one version: never less than what is there already."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from data_protection.checks.s3_lock import Mode
from data_protection.locking.terms import Terms
from data_protection.locking.versions import Version
from kernel.contracts import Contract

# A default retention counts from an instant that listings show to the second.
_SAME: Final = timedelta(minutes=1)


class Outcome(StrEnum):
    """What became of a version; each has exactly one."""

    SET = "set"
    ALREADY = "already"  # it had just this retention
    LONGER = "longer"  # it had more than that
    ELAPSED = "elapsed"  # it is older than what is asked for
    DELETE_MARKER = "delete_marker"  # which cannot be retained
    GONE = "gone"  # deleted since it was listed
    REFUSED = "refused"  # with a reason


class Retention(Contract):
    """Until when a version cannot be deleted, and by whom."""

    mode: Mode
    until: datetime


@dataclass(frozen=True)
class Present:
    """How a version is locked.

    Attributes:
        retention: None for none, now or ever.
        has_event_hold: Whether its retention begins only when somebody ends its hold.
        has_legal_hold: Whether it cannot be deleted until somebody ends its hold, whatever its retention; None where
            nobody looked.
    """

    retention: Retention | None = None
    has_event_hold: bool = False
    has_legal_hold: bool | None = None


class Decision(Contract):
    """What is to become of a version.

    Attributes:
        outcome: Of it.
        retention: To be set; None where nothing is.
        bypasses: Whether S3 takes it only with the right to bypass GOVERNANCE, since it changes the mode.
        extends: Whether the version has a retention that is still running.
        reason: Why it is refused; else empty.
    """

    outcome: Outcome
    retention: Retention | None = None
    bypasses: bool = False
    extends: bool = False
    reason: str = ""


def decide(version: Version, present: Present, terms: Terms, now: datetime) -> Decision:
    """Return what is to become of a version.

    A retention can be prolonged in either mode by anyone who may set one, and in COMPLIANCE mode never changed
    otherwise: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
    """
    if version.is_delete_marker:
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
        return Decision(outcome=Outcome.DELETE_MARKER)
    until = terms.retain_until(version.written)
    running = present.retention if present.retention is not None and present.retention.until > now else None
    # S3 takes no date in the past.
    if until <= now + _SAME:
        return Decision(outcome=Outcome.ELAPSED if running is None else Outcome.LONGER)
    decision = _first(until, terms.mode) if running is None else _further(running, until, terms.mode)
    if decision.outcome is Outcome.SET and present.has_event_hold:
        # S3's API does not say what becomes of a hold that a call leaves out.
        return _refused("It has an event hold, which a retention could end. End the hold, or leave it as it is.")
    return decision


def _first(until: datetime, mode: Mode) -> Decision:
    return Decision(outcome=Outcome.SET, retention=Retention(mode=mode, until=until))


def _further(running: Retention, until: datetime, mode: Mode) -> Decision:
    if mode is Mode.COMPLIANCE and running.mode is Mode.GOVERNANCE:
        retention = Retention(mode=mode, until=max(until, running.until))
        return Decision(outcome=Outcome.SET, retention=retention, bypasses=True, extends=True)
    if running.until >= until:
        return Decision(outcome=Outcome.ALREADY if running.until - until < _SAME else Outcome.LONGER)
    if running.mode is not mode:
        return _refused(
            f"It is in COMPLIANCE mode until {running.until:%Y-%m-%d}, and can only be retained for longer in that "
            "mode, which was not asked for."
        )
    return Decision(outcome=Outcome.SET, retention=Retention(mode=mode, until=until), extends=True)


def _refused(reason: str) -> Decision:
    return Decision(outcome=Outcome.REFUSED, reason=reason)
