"""PlanBackfill's work: a range of any length into waves, in as many calls as it takes, with little in memory."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from firewall_logs.backfills import estimate
from firewall_logs.backfills.contracts import BackfillInput, Density, Planning
from firewall_logs.backfills.estimate import Capacity
from firewall_logs.contracts import SourceObject
from firewall_logs.errors import FooterBroken, SourceChanged, SourceUnreadable

if TYPE_CHECKING:
    from firewall_logs.adapters.backfills import Backfills
    from firewall_logs.adapters.footers import RawFooters
    from firewall_logs.backfills.listing import Listed, Listing
    from firewall_logs.feeds import Feeds
    from firewall_logs.standing import Lookout

# A wave is a run: large enough that a million objects are 250 of them, and well below what a run takes.
WAVE_OBJECTS: Final = 4_000
WAVE_BYTES: Final = 64 << 30
# Looked up in ledger and manifests at once.
_CHUNK: Final = 500
# Met between two looks at the clock, where nothing of the range is among them.
_STRIDE: Final = 20_000
_FOOTERS_PER_WAVE: Final = 20
_MANIFESTS: Final = 50
_THREADS: Final = 16


class BackfillPlanner:
    """Lists a range, leaves out what is done, and writes waves."""

    def __init__(
        self,
        feeds: "Feeds",
        listing: "Listing",
        lookout: "Lookout",
        footers: "RawFooters",
        backfills: "Backfills",
        *,
        capacity: Capacity,
    ) -> None:
        self._feeds = feeds
        self._listing = listing
        self._lookout = lookout
        self._footers = footers
        self._backfills = backfills
        self._capacity = capacity

    def advance(self, backfill_id: str, request: BackfillInput, out_of_time: Callable[[], bool]) -> Planning:
        """Go on with the plan until it is complete or the time is up, and return how far it is.

        What is written last is `planning.json`, after each wave: a call that is killed costs no more than the wave that
        it was at, and the next one writes that wave again.

        Raises:
            FeedUnknown: The request names a feed that is not configured.
            FeedConfigInvalid: The prefix of the request lies outside the feed's.
            ListInvalid: The list is not there, or holds something else than raw objects.
        """
        planning = self._backfills.planning(backfill_id)
        if planning.complete:
            return planning
        gathered: list[SourceObject] = []
        for chunk in _chunks(self._listing.after(request, planning.cursor)):
            planning = self._take(chunk, planning, gathered)
            late = out_of_time()
            if late or len(gathered) + _CHUNK > WAVE_OBJECTS or sum(s.size for s in gathered) >= WAVE_BYTES:
                planning = self._close(backfill_id, planning, gathered)
            if late:
                return planning
        return self._close(backfill_id, planning.model_copy(update={"complete": True}), gathered)

    def _take(self, chunk: "list[Listed]", planning: Planning, gathered: list[SourceObject]) -> Planning:
        """Count a chunk and add what is left of it to be done to `gathered`."""
        wanted = [listed for listed in chunk if listed.is_wanted]
        found = [listed.source for listed in wanted if listed.source is not None]
        standing = self._lookout.look(found)
        gathered += standing.open
        learned = planning.measured
        if learned.bytes == 0:
            learned = self._measured(standing.done)
        return planning.model_copy(
            update={
                "cursor": chunk[-1].cursor,
                "listed": planning.listed + len(found),
                "listed_bytes": planning.listed_bytes + sum(source.size for source in found),
                "done": planning.done + len(standing.done),
                "done_bytes": planning.done_bytes + sum(source.size for source in standing.done),
                "ignored": planning.ignored + len(wanted) - len(found),
                "measured": learned,
            }
        )

    def _close(self, backfill_id: str, planning: Planning, gathered: list[SourceObject]) -> Planning:
        """Write what is gathered as a wave, and then how far the plan is."""
        if gathered:
            number = len(planning.waves)
            sampled = self._sampled(gathered, planning.sampled)
            planning = planning.model_copy(update={"sampled": sampled})
            rows = estimate.rows_of(self._bytes_by_format(gathered), planning)
            heavy = [s.size for s in gathered if self._capacity.is_heavy(self._format(s), s.size)]
            light = [s.size for s in gathered if not self._capacity.is_heavy(self._format(s), s.size)]
            wave = estimate.wave(number, light, heavy, rows, self._capacity)
            self._backfills.keep_wave(backfill_id, number, gathered)
            planning = planning.model_copy(update={"waves": [*planning.waves, wave]})
            gathered.clear()
        self._backfills.keep_planning(backfill_id, planning)
        return planning

    def _bytes_by_format(self, sources: Iterable[SourceObject]) -> dict[str, int]:
        sizes: dict[str, int] = {}
        for source in sources:
            kind = self._format(source)
            sizes[kind] = sizes.get(kind, 0) + source.size
        return sizes

    def _format(self, source: SourceObject) -> str:
        feed = self._feeds.owner(source.bucket, source.key)
        if feed is None:
            raise LookupError(f"s3://{source.bucket}/{source.key} was planned, but no feed owns it.")
        return feed.format

    def _measured(self, done: list[SourceObject]) -> Density:
        """Return rows and bytes of some committed NDJSON objects, by their manifests."""
        lines = [source for source in done if self._format(source) == "ndjson.gz"][:_MANIFESTS]
        with ThreadPoolExecutor(_THREADS) as threads:
            manifests = [manifest for manifest in threads.map(self._lookout.manifest, lines) if manifest is not None]
        whole = [manifest for manifest in manifests if manifest.object_defect is None]
        return Density(rows=sum(m.account.rows_in for m in whole), bytes=sum(m.source.size for m in whole))

    def _sampled(self, gathered: list[SourceObject], known: Density) -> Density:
        """Read footers of the wave's parquet objects: of all if they are few, else of some all over it."""
        parquet = [source for source in gathered if self._format(source) == "parquet" and source.size > 0]
        step = max(1, -(-len(parquet) // _FOOTERS_PER_WAVE))
        chosen = parquet[::step]
        with ThreadPoolExecutor(_THREADS) as threads:
            rows = list(threads.map(self._rows, chosen))
        readable = [(count, source.size) for count, source in zip(rows, chosen, strict=True) if count is not None]
        return Density(
            rows=known.rows + sum(count for count, _ in readable),
            bytes=known.bytes + sum(size for _, size in readable),
        )

    def _rows(self, source: SourceObject) -> int | None:
        try:
            return self._footers.read(source).rows
        except (FooterBroken, SourceChanged, SourceUnreadable):
            return None


def _chunks(met: "Iterable[Listed]") -> "Iterator[list[Listed]]":
    """Yield some hundred objects of the range at a time, fewer where they are large."""
    chunk: list[Listed] = []
    wanted = size = 0
    for listed in met:
        chunk.append(listed)
        if listed.is_wanted:
            wanted += 1
            size += listed.source.size if listed.source else 0
        if wanted == _CHUNK or size >= WAVE_BYTES // 8 or len(chunk) == _STRIDE:
            yield chunk
            chunk, wanted, size = [], 0, 0
    if chunk:
        yield chunk
