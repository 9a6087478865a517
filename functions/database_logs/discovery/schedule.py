"""When an instance is looked at again, and by which of the functions that share the fleet."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict

# A Serverless v2 instance that sleeps writes nothing; it is asked more seldom than any other.
_LONGEST_PAUSE: Final = timedelta(minutes=30)


class Formats(BaseModel):
    """How an instance writes its logs, of its parameter group.

    Attributes:
        prefix: log_line_prefix.
        time_zone: Of times that name none.
        at: When it was asked for.
    """

    model_config = ConfigDict(frozen=True)

    prefix: str
    time_zone: str
    at: datetime


@dataclass(frozen=True)
class Turn:
    """When an instance is looked at.

    Attributes:
        interval: After which it is looked at again while nothing moves.
        due: The next time.
        seen: When it was last listed; None if never.
        formats: As they were last asked for; None if never.
    """

    interval: timedelta
    due: datetime
    seen: datetime | None = None
    formats: Formats | None = None


def is_due(turn: Turn | None, now: datetime, shortest: timedelta) -> bool:
    """Whether an instance is looked at in a pass that begins now.

    A pass takes a while and the next one is never on the second: whose turn comes within half an interval is not left
    to the pass after.
    """
    return turn is None or turn.due - now <= shortest / 2


def next_turn(before: Turn | None, now: datetime, shortest: timedelta, longest: timedelta, *, moved: bool) -> Turn:
    """Return the next turn: after the shortest interval while files move, twice as late each time while none does."""
    interval = shortest if moved or before is None else min(max(before.interval, shortest) * 2, longest)
    return Turn(interval, now + interval, now, before.formats if before else None)


def after_pause(before: Turn | None, now: datetime, shortest: timedelta) -> Turn:
    """Return the next turn of an instance that sleeps."""
    interval = min((before.interval if before else shortest) * 2, _LONGEST_PAUSE)
    return Turn(interval, now + interval, before.seen if before else None, before.formats if before else None)


def shard_of(resource: str, shards: int) -> int:
    """Return which of the functions looks after an instance, by rendezvous hash: few move when a shard is added."""
    return max(range(shards), key=lambda shard: hashlib.sha256(f"{shard}/{resource}".encode()).digest())
