"""What RDS announces: whom it happens to is looked at in the pass that hears of it.

RDS announces at its best effort, late or never at times (RDS user guide, "Monitoring Amazon RDS events"): nothing that
must be right depends on it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final

from database_logs.discovery.instances import Instance
from kernel.contracts import Document

# After which instances are no more, or other ones, or their files have other ends, or go early.
CATEGORIES: Final = ("availability", "creation", "deletion", "failover", "low storage")
_FLEET_CHANGES: Final = frozenset({"creation", "deletion", "failover"})
_LOW_STORAGE: Final = "low storage"
_INSTANCE, _CLUSTER = "db-instance", "db-cluster"
# An event can come later than it happened.
_OVERLAP: Final = timedelta(minutes=10)
# DescribeEvents knows two weeks.
_LONGEST: Final = timedelta(days=13)


class Event(Document):
    """An event of RDS.

    Attributes:
        source, kind: What it is about, and what that is, such as db-instance.
        message: As RDS words it.
    """

    source: str
    kind: str
    message: str
    categories: frozenset[str]
    at: datetime

    @property
    def identity(self) -> str:
        """What tells it from all others."""
        return sha256(f"{self.kind}/{self.source}/{self.at.isoformat()}/{self.message}".encode()).hexdigest()[:16]


class Heard(Document):
    """What was heard already.

    Attributes:
        until: When events were last asked for.
        recent: Events that the next answer will have again.
    """

    until: datetime
    recent: frozenset[str]


class News:
    """Events that were not heard before."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._events = [event for event in events if event.kind in {_INSTANCE, _CLUSTER}]

    @property
    def changes_fleet(self) -> bool:
        """Whether an older list of instances is wrong by now."""
        return any(_FLEET_CHANGES & event.categories for event in self._events)

    @property
    def restarts(self) -> int:
        """How many instances were restarted."""
        return sum(event.kind == _INSTANCE and "restarted" in event.message.lower() for event in self._events)

    @property
    def failovers(self) -> int:
        """How many failovers were completed."""
        return sum("failover" in event.categories and "completed" in event.message.lower() for event in self._events)

    def about(self, instance: Instance) -> bool:
        """Whether something happened to an instance or its cluster."""
        return any(_names(event, instance) for event in self._events)

    def short_of_storage(self, instance: Instance) -> bool:
        """Whether an instance was said to have hardly any storage left."""
        return any(_LOW_STORAGE in event.categories and _names(event, instance) for event in self._events)


def since(heard: Heard | None, now: datetime) -> datetime:
    """Return from when on events are asked for."""
    return now - _OVERLAP if heard is None else max(heard.until - _OVERLAP, now - _LONGEST)


def unheard(heard: Heard | None, events: Iterable[Event]) -> News:
    """Return what of an answer is new."""
    return News(event for event in events if heard is None or event.identity not in heard.recent)


def remembered(events: Iterable[Event], now: datetime) -> Heard:
    """Return what is to be remembered of an answer."""
    return Heard(until=now, recent=frozenset(event.identity for event in events if event.at >= now - _OVERLAP))


def _names(event: Event, instance: Instance) -> bool:
    return (event.kind, event.source) in {(_INSTANCE, instance.instance_id), (_CLUSTER, instance.cluster_id)}
