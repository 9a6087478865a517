"""Which days are to be sealed, and how late they are. Pure."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from firewall_logs.days.contracts import Day

# A day's seal begins two hours after its end, so that what arrives late by minutes is in; two hours later it is due.
START: Final = time(2)
DEADLINE_SECONDS: Final = 7200


def due(days: Iterable[Day], now: datetime) -> list[date]:
    """Return the days to seal now, oldest first: the day before, and every older one that is not sealed."""
    yesterday = now.astimezone(UTC).date() - timedelta(days=1)
    states: dict[date, str] = {yesterday: "OPEN"} | {
        day.event_date: day.status for day in days if day.event_date <= yesterday
    }
    return sorted(day for day, status in states.items() if status != "SEALED")


def delay(day: Day, now: datetime) -> float:
    """Return for how many seconds a day has been waiting for its first seal since that was to begin; 0 once sealed."""
    begins = datetime.combine(day.event_date + timedelta(days=1), START, UTC)
    return 0.0 if day.version else max(0.0, (now - begins).total_seconds())
