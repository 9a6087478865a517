"""Which objects are in the lake already: what ledger and manifests say, as the planner of a run would judge it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from firewall_logs.contracts import Manifest, SourceObject
from firewall_logs.identity import object_id

if TYPE_CHECKING:
    from firewall_logs.adapters.lake import ManifestReader
    from firewall_logs.adapters.ledger import LedgerReader
    from firewall_logs.feeds import Feeds

_FINAL: Final = frozenset({"COMMITTED", "QUARANTINED"})
_THREADS: Final = 32


@dataclass(frozen=True)
class Standing:
    """Objects by what is to become of them.

    Attributes:
        open: Not in the lake, or not wholly.
        done: In the lake, under whatever transform and feed.
        ignored: Of no feed.
        held: Of the open ones, in the hands of a run.
    """

    open: list[SourceObject] = field(default_factory=list)
    done: list[SourceObject] = field(default_factory=list)
    ignored: list[SourceObject] = field(default_factory=list)
    held: list[SourceObject] = field(default_factory=list)


class Lookout:
    """Asks ledger and manifests about objects."""

    def __init__(self, feeds: "Feeds", ledger: "LedgerReader", manifests: "ManifestReader") -> None:
        self._feeds = feeds
        self._ledger = ledger
        self._manifests = manifests

    def look(self, sources: Sequence[SourceObject]) -> Standing:
        """Sort objects, some thousands at most, keeping their order.

        The ledger's word ends the matter. Without it, an object is done where the manifest of another transform or feed
        configuration stands in its place: no run would process it again. A manifest of its own identity is that of a
        commit which was stopped before day index and ledger: its rows are in no day yet.
        """
        ids = {
            source: object_id(source, feed)
            for source in sources
            if (feed := self._feeds.owner(source.bucket, source.key)) is not None
        }
        states = {entry.object_id: entry.state for entry in self._ledger.entries(ids.values())}
        doubtful = [source for source, identity in ids.items() if states.get(identity) not in _FINAL]
        with ThreadPoolExecutor(_THREADS) as threads:
            manifests = dict(zip(doubtful, threads.map(self._manifests.of, doubtful), strict=True))
        standing = Standing()
        for source in sources:
            if source not in ids:
                standing.ignored.append(source)
            elif source not in manifests or _is_anothers(manifests[source], ids[source]):
                standing.done.append(source)
            else:
                standing.open.append(source)
                if states.get(ids[source]) == "CLAIMED":
                    standing.held.append(source)
        return standing

    def manifest(self, source: SourceObject) -> Manifest | None:
        """Return an object's manifest."""
        return self._manifests.of(source)


def _is_anothers(manifest: Manifest | None, identity: str) -> bool:
    return manifest is not None and manifest.object_id != identity
