"""Attempts to fix drift, and the end of patience. Pure.

Who changes a resource back again and again is mostly a template that wants it otherwise. Fixing against that costs
calls and trust, and hides the matter from those who could settle it.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from data_protection.drift.drifts import Drift
from data_protection.remediation.plans import Plan
from data_protection.remediation.steps import State
from kernel.contracts import Contract

HOUR: Final = timedelta(hours=1)
_FIRST_PAUSE: Final = timedelta(minutes=1)
_LONGEST_PAUSE: Final = timedelta(minutes=15)
_DOUBLED: Final = 4  # times at most


class Attempt(Contract):
    """One plan against one drift.

    Attributes:
        drift: What it is against, and who made it necessary.
        plan: Of just that change.
        began: When.
        outcome: The state in which its steps ended; None while they are worked on.
    """

    drift: Drift
    plan: Plan
    began: datetime
    outcome: State | None = None


class Revert(Contract):
    """Who made a fix necessary.

    Attributes:
        by, call: As the drift tells; empty where no event told.
        at: When.
    """

    by: str
    call: str
    at: datetime


class Freeze(Contract):
    """A resource on which nothing is fixed for a while.

    Attributes:
        drift: That was not fixed any more.
        until: When fixes are tried again.
        reverts: What was fixed within the hour before, and what was not any more.
    """

    drift: Drift
    until: datetime
    reverts: tuple[Revert, ...]


def pause(received: int) -> timedelta:
    """Return after how long a fix comes again that was not brought to its end when it was received for the nth time.

    Who holds the lock of a resource mostly holds it for minutes; the longest wait in a plan is of some hours.
    """
    return min(_FIRST_PAUSE * (1 << min(received - 1, _DOUBLED)), _LONGEST_PAUSE)


def of_the_hour(attempts: Sequence[Attempt], now: datetime) -> list[Attempt]:
    """Return the attempts that count against what a resource may have in an hour."""
    return [attempt for attempt in attempts if now - attempt.began < HOUR]


def freeze(drift: Drift, attempts: Sequence[Attempt], until: datetime) -> Freeze:
    """Return the freeze that a drift comes to after attempts, with who made each of them necessary."""
    drifts = [*(attempt.drift for attempt in attempts), drift]
    return Freeze(
        drift=drift, until=until, reverts=tuple(Revert(by=one.by, call=one.call, at=one.since) for one in drifts)
    )
