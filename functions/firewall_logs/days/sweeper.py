"""SweepDay's work: what the source has and the ledger does not know as done."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from firewall_logs.contracts import ObjectRef, SourceObject
from firewall_logs.days.contracts import Day, SweptList
from firewall_logs.feeds import is_log
from firewall_logs.identity import object_id

if TYPE_CHECKING:
    from firewall_logs.adapters.lake import ManifestReader
    from firewall_logs.adapters.ledger import LedgerReader
    from firewall_logs.adapters.runs import ListWriter
    from firewall_logs.adapters.sealed import SealedReader
    from firewall_logs.adapters.source import SourceListing
    from firewall_logs.days.window import Window
    from firewall_logs.feeds import Feeds

_THREADS: Final = 32
_BATCH: Final = 1_000
# Of a list, and so of a run: well below the most that PlanRun takes.
MOST_LISTED: Final = 5_000


@dataclass(frozen=True)
class Swept:
    """What a sweep found.

    Attributes:
        listed: Objects of the source within the window.
        missing: Of them, not committed; in the order of feeds and keys.
        held: Of these, in the hands of a run.
    """

    listed: int
    missing: list[ObjectRef]
    held: int


class Sweeper:
    """Compares the source with the ledger."""

    def __init__(
        self, feeds: "Feeds", listing: "SourceListing", ledger: "LedgerReader", manifests: "ManifestReader"
    ) -> None:
        self._feeds = feeds
        self._listing = listing
        self._ledger = ledger
        self._manifests = manifests

    def sweep(self, window: "Window") -> Swept:
        """List every feed's objects that arrived within the window, and find those that are not committed.

        Raises:
            SourceUnreadable: A feed's source may not be listed; the sentence names it.
        """
        listed, held = 0, 0
        missing: list[ObjectRef] = []
        objects = self._listed(window)
        while members := dict(islice(objects, _BATCH)):
            listed += len(members)
            states = {entry.object_id: entry.state for entry in self._ledger.entries(members)}
            unknown = [identity for identity in members if states.get(identity) not in {"COMMITTED", "QUARANTINED"}]
            # One that another transform, or another feed's words, committed is done under another identity.
            with ThreadPoolExecutor(_THREADS) as threads:
                manifests = list(threads.map(lambda identity: self._manifests.of(members[identity]), unknown))
            left = [identity for identity, manifest in zip(unknown, manifests, strict=True) if manifest is None]
            missing += [_ref(members[identity]) for identity in left]
            held += sum(states.get(identity) == "CLAIMED" for identity in left)
        return Swept(listed, missing, held)

    def _listed(self, window: "Window") -> Iterator[tuple[str, SourceObject]]:
        for feed in self._feeds:
            for prefix in window.prefixes(feed):
                for source in self._listing.versions(feed, prefix):
                    if is_log(source.key) and window.holds(feed, source.last_modified):
                        yield object_id(source, feed), source


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
