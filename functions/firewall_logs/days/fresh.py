"""Which objects of a day its newest version lacks."""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from firewall_logs.days.contracts import DayObject, SealedDay, SurveyUnit

if TYPE_CHECKING:
    from firewall_logs.adapters.days import DayReader
    from firewall_logs.adapters.sealed import SealedReader


@dataclass(frozen=True)
class Fresh:
    """A day, and what is new of it.

    Attributes:
        previous: The newest version; None before the first.
        index: Every object that brought something to the day.
        objects: Of them, those that the version lacks.
    """

    previous: SealedDay | None
    index: list[DayObject]
    objects: list[DayObject]


def fresh_objects(days: "DayReader", sealed: "SealedReader", day: date, part: SurveyUnit | None = None) -> Fresh:
    """Return the objects of a day that its newest version lacks.

    Args:
        days: The day index.
        sealed: Versions.
        day: Which.
        part: Of the objects; None for all.

    Raises:
        SealMissing: The day's newest version has no document.
    """
    version = days.state(day).version
    previous = sealed.read(day, version) if version else None
    before = frozenset(previous.objects) if previous else frozenset[str]()
    index = list(days.objects(day, *(part.first_and_last if part else ())))
    return Fresh(previous, index, [entry for entry in index if entry.object_id not in before])
