"""When the objects of a day arrive, and where they are looked for. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Self

from firewall_logs.feeds import Feed

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """Arrivals within which a day's objects are looked for, both inclusive.

    A dated feed says by its folders when an object came, whoever copied it when; of another one LastModified says it.

    Attributes:
        as_of: What was modified later is looked for by a later seal.
    """

    first: datetime
    last: datetime
    as_of: datetime

    @classmethod
    def of(cls, day: date, as_of: datetime) -> Self:
        """Return the window of a day.

        An event lies at most 24 hours after its object's LastModified (else it is `time_implausible`), so the window
        begins a day before the day. What arrives a day after its end or later lies in the window of a later day, whose
        seal looks for it: its rows are late, and reopen this day. What is copied into an old folder of a dated feed
        without an event is in no later window: that is a matter for a backfill.
        """
        start = datetime.combine(day, time(), UTC)
        return cls(start - _DAY, min(as_of, start + 2 * _DAY), as_of)

    def holds(self, feed: Feed, modified: datetime) -> bool:
        """Return whether an object below one of the prefixes is looked for."""
        return modified <= self.as_of and (feed.dated or self.first <= modified <= self.last)

    def prefixes(self, feed: Feed) -> Iterator[str]:
        """Yield the prefixes below which a feed has the objects of the window."""
        if not feed.dated:
            yield feed.prefix
            return
        day = self.first.date()
        while day <= self.last.date():
            yield f"{feed.prefix}{day:%Y%m%d}/"
            day += _DAY
