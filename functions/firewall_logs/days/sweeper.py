"""SweepDay's work: what the source has and the ledger does not know as done."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from firewall_logs.contracts import ObjectRef, SourceObject
from firewall_logs.days.contracts import Day, SweptList
from firewall_logs.feeds import is_log

if TYPE_CHECKING:
    from firewall_logs.adapters.runs import ListWriter
    from firewall_logs.adapters.sealed import SealedReader
    from firewall_logs.adapters.source import SourceListing
    from firewall_logs.days.window import Window
    from firewall_logs.feeds import Feeds
    from firewall_logs.standing import Lookout

_BATCH: Final = 1_000
_GB: Final = 10**9
# Of a list, and so of a run: well below the most that PlanRun takes.
MOST_LISTED: Final = 5_000


@dataclass
class Swept:
    """What a sweep found.

    Attributes:
        listed: Objects of the source within the window.
        missing: Of them, not committed; in the order of feeds and keys.
        bytes: Of these.
        held: Of these, in the hands of a run.
    """

    listed: int = 0
    missing: list[ObjectRef] = field(default_factory=list)
    bytes: int = 0
    held: int = 0

    def refusal(self, most_bytes: int) -> str | None:
        """Return why so much is not processed by a seal, or None: a backfill has an estimate, a limit and a pause."""
        if self.bytes <= most_bytes:
            return None
        first = self.missing[0]
        return (
            f"{len(self.missing)} objects of {self.bytes / _GB:.1f} GB are not in the lake, the first s3://{first.bucket}/"
            f"{first.key}: more than the {most_bytes / _GB:.1f} GB that a seal brings in by itself "
            "(FirewallLogsMostSweptGigabytes). Bring them in with `gatehouse backfill`, then seal the day."
        )


class Sweeper:
    """Compares the source with the ledger."""

    def __init__(self, feeds: "Feeds", listing: "SourceListing", lookout: "Lookout") -> None:
        self._feeds = feeds
        self._listing = listing
        self._lookout = lookout

    def sweep(self, window: "Window") -> Swept:
        """List every feed's objects that arrived within the window, and find those that are not committed.

        Raises:
            SourceUnreadable: A feed's source may not be listed; the sentence names it.
        """
        swept = Swept()
        objects = self._listed(window)
        while members := list(islice(objects, _BATCH)):
            standing = self._lookout.look(members)
            swept.listed += len(members)
            swept.missing += map(_ref, standing.open)
            swept.bytes += sum(source.size for source in standing.open)
            swept.held += len(standing.held)
        return swept

    def _listed(self, window: "Window") -> Iterator[SourceObject]:
        for feed in self._feeds:
            for prefix in window.prefixes(feed):
                for source in self._listing.versions(feed, prefix):
                    if is_log(source.key) and window.holds(feed, source.last_modified):
                        yield source


def lists_of(seal_id: str, number: int, missing: Sequence[ObjectRef], lists: "ListWriter") -> list[SweptList]:
    """Write lists of the missing objects, each for a run of its own, and return them.

    Args:
        seal_id: Whose sweep.
        number: Its round; a later round starts other runs.
        missing: What is left to do.
        lists: Where to write.
    """
    name = f"{seal_id}-s{number}"
    return [
        SweptList(name=f"{name}-{part}", list_key=lists.write(name, part, missing[start : start + MOST_LISTED]))
        for part, start in enumerate(range(0, len(missing), MOST_LISTED))
    ]


def unfinished(day: Day, sealed: "SealedReader") -> int | None:
    """Return the version that a seal committed without coming to its end; None where there is none."""
    if sealed.find(day.event_date, day.version + 1) is not None:
        return day.version + 1
    return day.version if day.cleaned < day.version else None


def _ref(source: SourceObject) -> ObjectRef:
    return ObjectRef(bucket=source.bucket, key=source.key, version_id=source.version_id)
