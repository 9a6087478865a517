"""Sweeps: looks at a whole place, the trail first."""

from collections.abc import Iterator

from data_protection.checks.catalogue import catalogue
from data_protection.contracts import SweepPlace
from data_protection.drift.watcher import Look, Looked, Watcher
from data_protection.reads.cloudtrail import TRAIL_STATUS


class _OfTrails:
    """The checks that see whether trails record: without a trail no event comes."""

    def __contains__(self, pair: object) -> bool:
        return isinstance(pair, tuple) and TRAIL_STATUS in catalogue()[pair[0]].further


def sweep(watcher: Watcher, asked: SweepPlace) -> Iterator[Looked]:
    """Look at the trails of a place, and then at everything; what the first look found is told before the second."""
    place = asked.place.place
    yield watcher.look(Look(asked.run, place, _OfTrails()))
    yield watcher.look(Look(asked.run, place))
