"""Which days are to be sealed, and how late they are. Pure."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from firewall_logs.days.contracts import Day

# A day's seal begins two hours after its end, so that what arrives late by minutes is in; two hours later it is due.
START: Final = time(2)


def due(days: Iterable[Day], now: datetime) -> list[date]:
    """Return the days to start a seal of now.

    The last day comes first, as it has a deadline; the others oldest first. What is blocked is tried again once a day,
    at START, and comes last: days that stay blocked must not keep others from their seal. A day that a seal is at work
    on is left to it.
    """
    last = last_day(now)
    again = now.astimezone(UTC).hour == START.hour
    wanted = [
        day
        for day in _unsealed(days, last)
        if (again or day.status != "BLOCKED") and (day.held_until is None or day.held_until < now)
    ]
    order = sorted(wanted, key=lambda day: (day.event_date != last, day.status == "BLOCKED", day.event_date))
    return [day.event_date for day in order]


def unsealed(days: Iterable[Day], now: datetime) -> int:
    """Return how many days should be sealed and are not."""
    return len(_unsealed(days, last_day(now)))


def last_day(now: datetime) -> date:
    """Return the last day whose seal is to have begun."""
    return (now.astimezone(UTC) - timedelta(hours=START.hour)).date() - timedelta(days=1)


def _unsealed(days: Iterable[Day], last: date) -> list[Day]:
    states = {last: Day(event_date=last)} | {day.event_date: day for day in days if day.event_date <= last}
    return [day for day in states.values() if day.status != "SEALED"]


def delay(day: Day, now: datetime) -> float:
    """Return for how many seconds a day has been waiting for its first seal since that was to begin; 0 once sealed."""
    begins = datetime.combine(day.event_date + timedelta(days=1), START, UTC)
    return 0.0 if day.version else max(0.0, (now - begins).total_seconds())
