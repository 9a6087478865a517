"""How search engines differ that take bulk requests: where the time is, and what they say of a document.

Sources: OpenObserve, `src/core/src/logs/bulk.rs` and its ingestion documentation; Elasticsearch and OpenSearch
reference, "Bulk API".
"""

from datetime import UTC, datetime
from typing import Any, ClassVar, Final, Literal, Protocol

Verdict = Literal["stored", "late", "again", "refused"]

_OK: Final = range(200, 300)
_CONFLICT: Final = 409
# It has too much to do, or a shard moves.
_PASSING: Final = (429, 503)


class Sink(Protocol):
    """One kind of search engine."""

    # Parts of the body of a 400 that say that the request would be taken later.
    passing: ClassVar[tuple[str, ...]]

    def fields(self, time: int) -> dict[str, object]:
        """Return the fields that tell the engine a document's time, in microseconds since 1970."""

    def verdict(self, item: dict[str, Any]) -> Verdict:
        """Return what became of a document, by its item of the answer."""


class OpenObserve:
    """OpenObserve. It discards what is older than ZO_INGEST_ALLOWED_UPTO, and stores what it is sent twice twice."""

    passing: ClassVar[tuple[str, ...]] = ("Quota exceeded", "is being deleted", "not an ingester")

    def fields(self, time: int) -> dict[str, object]:
        """Return `_timestamp`; without it OpenObserve takes the time of the request."""
        return {"_timestamp": time}

    def verdict(self, item: dict[str, Any]) -> Verdict:
        """Judge by status and error of the item: `errors` of the answer is false for some that failed."""
        error = item.get("error")
        if not error and item.get("status") in _OK:
            return "stored"
        kind, reason = (error or {}).get("type"), str((error or {}).get("reason"))
        if kind == "timestamp_parsing_failed" and reason.startswith(("Too old", "Too far")):
            return "late"
        # The stream takes nothing for now: its breaker is open, or it is being deleted.
        if kind == "pipeline_execution_failed" or item.get("status") in _PASSING:
            return "again"
        return "refused"


class Elasticsearch:
    """Elasticsearch and OpenSearch."""

    passing: ClassVar[tuple[str, ...]] = ()

    def fields(self, time: int) -> dict[str, object]:
        """Return `@timestamp`, which a data stream requires."""
        return {"@timestamp": datetime.fromtimestamp(time / 1_000_000, UTC).isoformat(timespec="microseconds")}

    def verdict(self, item: dict[str, Any]) -> Verdict:
        """Judge by the status; a document that is there already is as good as stored."""
        status = item.get("status")
        if status in _OK or status == _CONFLICT:
            return "stored"
        return "again" if status in _PASSING else "refused"


SINKS: Final[dict[str, Sink]] = {"openobserve": OpenObserve(), "elasticsearch": Elasticsearch()}
