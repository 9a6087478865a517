"""When an instance is looked at again, and by which of the functions that share the fleet."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from database_logs.discovery.stalls import Watched

# A Serverless v2 instance that sleeps writes nothing; it is asked more seldom than any other.
_LONGEST_PAUSE: Final = timedelta(minutes=30)


@dataclass(frozen=True)
class Turn:
    """When an instance is looked at.

    Attributes:
        interval: After which it is looked at again while nothing moves.
        due: The next time.
        seen: When it was last listed; None if never.
        asleep: The first look since `seen` that found it asleep; None if none did.
        watched: Files that had something to collect then, by generation.
    """

    interval: timedelta
    due: datetime
    seen: datetime | None = None
    asleep: datetime | None = None
    watched: Mapping[str, Watched] = field(default_factory=dict)

    @property
    def slept(self) -> tuple[datetime, datetime] | None:
        """The first and the last look that found it asleep since it was last listed."""
        return None if self.asleep is None else (self.asleep, self.due - self.interval)


def is_due(turn: Turn | None, now: datetime, shortest: timedelta) -> bool:
    """Whether an instance is looked at in a pass that begins now.

    A pass takes a while and the next one is never on the second: whose turn comes within half an interval is not left
    to the pass after.
    """
    return turn is None or turn.due - now <= shortest / 2


def next_turn(before: Turn | None, now: datetime, shortest: timedelta, longest: timedelta, *, moved: bool) -> Turn:
    """Return the next turn: after the shortest interval while files move, twice as late each time while none does."""
    interval = shortest if moved or before is None else min(max(before.interval, shortest) * 2, longest)
    return Turn(interval, now + interval, now)


def after_pause(before: Turn | None, now: datetime, shortest: timedelta) -> Turn:
    """Return the next turn of an instance that sleeps."""
    interval = min((before.interval if before else shortest) * 2, _LONGEST_PAUSE)
    turn = before or Turn(interval, now)
    return replace(turn, interval=interval, due=now + interval, asleep=turn.asleep or now)


def after_failure(before: Turn | None, now: datetime, shortest: timedelta, longest: timedelta) -> Turn:
    """Return the next turn of an instance that RDS gave no answer about: twice as late each time, up to a limit."""
    interval = min(max(before.interval if before else shortest, shortest) * 2, longest)
    return replace(before or Turn(interval, now), interval=interval, due=now + interval)


def shard_of(resource: str, shards: int) -> int:
    """Return which of the functions looks after an instance, by rendezvous hash: few move when a shard is added."""
    return max(range(shards), key=lambda shard: hashlib.sha256(f"{shard}/{resource}".encode()).digest())
