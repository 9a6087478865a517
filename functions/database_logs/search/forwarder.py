"""ForwardRecords' work: records of a segment into search, each at least once, none of them lost on the way unnoticed.

What search does not take is in the lake all the same. A record is late, refused with its reason, or the message comes
again and goes on where it stopped.
"""

import hashlib
import io
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import polars as pl

from database_logs.contracts import Forwarded, SegmentForwarded, SegmentParsed, StreamSpan
from database_logs.errors import LakeFileMissing, SearchDenied, SearchUnavailable
from database_logs.locations import manifest_key, segment_name
from database_logs.search.answers import outcome
from database_logs.search.bulk import Entry, batches, entry, packed
from database_logs.search.documents import Document, documents
from database_logs.search.sinks import Sink

if TYPE_CHECKING:
    from database_logs.adapters.lake import LakeReader
    from database_logs.adapters.manifests import ManifestReader
    from database_logs.adapters.messages import Messages
    from database_logs.adapters.search_engine import SearchEngine
    from database_logs.adapters.search_state import SearchState

# About a minute of waiting for one request; then the queue waits.
_ATTEMPTS: Final = 7
# What a request may take that is not answered, and what is noted after it.
_REQUEST_SECONDS: Final = 30.0
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0
_LATE_AGAIN: Final = "it is late under the time at which it was sent: look at both clocks"
_US: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")

Refused = tuple[Document, str]  # what search will never take, and why


@dataclass(frozen=True)
class Route:
    """Which documents go where.

    Attributes:
        stream: Of those in time.
        late_stream: Of those that are not, under the time at which they are sent; empty to leave them to the lake.
        past, future: How far from now the engine takes times; None takes all.
    """

    stream: str
    late_stream: str = ""
    past: timedelta | None = None
    future: timedelta | None = None

    def is_late(self, time: datetime, now: datetime) -> bool:
        """Whether the engine would discard a document of this time."""
        too_old = self.past is not None and now - time > self.past
        return too_old or (self.future is not None and time - now > self.future)


class Forwarder:
    """Sends segments.

    Args of the constructor:
        verification: Where some are told of what was stored, to look whether it really is; None to believe the answers.
        one_in: Of how many segments one is looked at.
        random: Returns 0 to 1.
        pause: Waits for seconds.
        remaining: Seconds until the function has to end.
    """

    def __init__(
        self,
        lake: "LakeReader",
        manifests: "ManifestReader",
        engine: "SearchEngine",
        state: "SearchState",
        *,
        sink: Sink,
        route: Route,
        now: Callable[[], datetime],
        random: Callable[[], float],
        pause: Callable[[float], None],
        remaining: Callable[[], float],
        verification: "Messages | None" = None,
        one_in: int = 1,
    ) -> None:
        self._lake = lake
        self._manifests = manifests
        self._engine = engine
        self._state = state
        self._sink = sink
        self._route = route
        self._now = now
        self._random = random
        self._pause = pause
        self._remaining = remaining
        self._verification = verification
        self._one_in = one_in

    def forward(self, parsed: SegmentParsed, message_id: str) -> Forwarded:
        """Send the records of a segment from where this message stopped before.

        Raises:
            SearchUnavailable: Search does not take them now; how far they came is noted.
            SearchDenied: Search does not take anything of ours.
            LakeFileMissing: A file of the segment is gone, and no newer one has replaced it.
        """
        done = self._state.progress(message_id)
        try:
            for batch, records in self._batches(parsed, done.records):
                # What became of a part of a request does not count: all of it is sent again.
                tally = done.model_copy(deep=True)
                refused = self._send(batch, tally)
                if refused:
                    # Under the place of the request: sent once more, it replaces what was refused of it.
                    self._state.note_refused(segment_name(parsed.segment), done.records, refused)
                tally.records += records
                done = tally
        except LakeFileMissing:
            if not self._is_replaced(parsed):
                raise
        except (SearchDenied, SearchUnavailable):
            self._state.note_progress(message_id, done)
            raise
        if self._verification is not None and done.spans and self._is_sampled(parsed):
            self._verification.send(SegmentForwarded(parsed=parsed, spans=list(done.spans.values())))
        return done

    def _is_sampled(self, parsed: SegmentParsed) -> bool:
        """Choose by the segment's name, so that a message that comes again is chosen again; what was missing always."""
        digest = hashlib.sha256(segment_name(parsed.segment).encode()).hexdigest()
        return parsed.resent > 0 or int(digest[:8], 16) % self._one_in == 0

    def _batches(self, parsed: SegmentParsed, skip: int) -> Iterator[tuple[list[Entry], int]]:
        """Yield requests, and how many records each stands for: those left to the lake belong to one as well."""
        for key in parsed.keys:
            records = pl.read_parquet(io.BytesIO(self._lake.read(key)))
            kept, skip = min(skip, records.height), max(skip - records.height, 0)
            for batch in batches(self._entry(document) for document in documents(records, kept)):
                yield batch, len(batch)

    def _entry(self, document: Document) -> Entry:
        now = self._now()
        if document.time is None:
            return self._timed(document, now)
        time = _EPOCH + document.time * _US
        return self._late(document) if self._route.is_late(time, now) else self._timed(document, time)

    def _timed(self, document: Document, time: datetime) -> Entry:
        return entry(document, self._route.stream, (time - _EPOCH) // _US, self._sink)

    def _late(self, document: Document) -> Entry:
        return entry(document, self._route.late_stream, (self._now() - _EPOCH) // _US, self._sink, is_rerouted=True)

    def _send(self, batch: list[Entry], tally: Forwarded) -> list[Refused]:
        """Send a request until something has become of each of its documents, and return what was refused.

        Raises:
            SearchUnavailable: Search does not take it now, or there is no time for another attempt.
        """
        attempts = 0
        refused: list[Refused] = []
        groups = deque([self._in_time(batch, tally)])
        while groups:
            group = groups.popleft()
            if not group:
                continue
            if self._remaining() < _REQUEST_SECONDS:
                raise SearchUnavailable("The function has no time for another request. The message goes on here.")
            answer = self._engine.post(packed(group))
            found = outcome(answer, group, self._sink)
            tally.stored += len(found.stored)
            self._widen(tally, found.stored)
            groups.extendleft(reversed(found.smaller))
            groups.append(self._rerouted(found.late, tally, refused))
            refused += [(one.document, reason) for one, reason in found.refused]
            if found.again:
                attempts += 1
                if attempts == _ATTEMPTS:
                    raise SearchUnavailable(
                        f"Search did not take {len(found.again)} of {len(group)} documents at any of {_ATTEMPTS} "
                        f"attempts, at last with {answer.told} The message comes again and goes on here."
                    )
                self._pause(self._seconds(attempts, answer.retry_after))
                groups.appendleft(found.again)
        tally.refused += len(refused)
        return refused

    def _in_time(self, batch: list[Entry], tally: Forwarded) -> list[Entry]:
        """Return what of a request is to be sent."""
        tally.late += sum(each.is_rerouted for each in batch)
        return [each for each in batch if self._route.late_stream or not each.is_rerouted]

    def _rerouted(self, late: list[Entry], tally: Forwarded, refused: list[Refused]) -> list[Entry]:
        """Return what search found to be late on its new way; what was rerouted before will never be taken."""
        refused += [(each.document, _LATE_AGAIN) for each in late if each.is_rerouted]
        return self._in_time([self._late(each.document) for each in late if not each.is_rerouted], tally)

    def _widen(self, tally: Forwarded, stored: list[Entry]) -> None:
        """Note where documents are now, of each stream for itself."""
        for stream in sorted({each.stream for each in stored}):
            some = [each for each in stored if each.stream == stream]
            ids, times = [each.document.event_id for each in some], [each.time for each in some]
            new = StreamSpan(
                stream=stream,
                documents=len(some),
                first_id=min(ids),
                last_id=max(ids),
                first_time=min(times),
                last_time=max(times),
            )
            known = tally.spans.get(stream)
            tally.spans[stream] = new if known is None else known.joined(new)

    def _seconds(self, attempt: int, retry_after: float | None) -> float:
        """Return a pause with full jitter, or what the engine asks for.

        See "Exponential Backoff And Jitter", AWS Architecture Blog.
        """
        if retry_after is not None:
            return min(retry_after, _LONGEST_PAUSE)
        return self._random() * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**attempt)

    def _is_replaced(self, parsed: SegmentParsed) -> bool:
        found = self._manifests.read(manifest_key(segment_name(parsed.segment)))
        return found is not None and found[0].parsed.keys != parsed.keys
