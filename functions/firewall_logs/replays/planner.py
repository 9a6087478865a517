"""PlanReplay's work: from quarantined rows to objects that a run processes like any other."""

import hashlib
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from firewall_logs import locations, schema
from firewall_logs.contracts import ListedObject, ListedReplay, Manifest, SourceObject
from firewall_logs.errors import QuarantineIncomplete, RequestTooLarge
from firewall_logs.feeds import Feed
from firewall_logs.replays.contracts import ReplayClaim, ReplayInput
from firewall_logs.version import TRANSFORM_VERSION

if TYPE_CHECKING:
    from firewall_logs.adapters.lake import LakeListing, ManifestReader
    from firewall_logs.adapters.ledger import LedgerReader
    from firewall_logs.adapters.quarantine import QuarantineReader
    from firewall_logs.adapters.replays import ReplayClaims, ReplayObjects
    from firewall_logs.feeds import Feeds

# What is written within a function's fifteen minutes, at a second each and a few at once.
MOST_REPLAYS: Final = 2_000
_THREADS: Final = 16
# Rows of some objects are large, and as many files lie on the function's disk at once.
_WRITERS: Final = 4
_DIGITS: Final = 8
_DAY: Final = "object_date="


@dataclass(frozen=True)
class Candidate:
    """Quarantined rows of one object and reason.

    Attributes:
        claim: The claim that stands on them; None where there is none.
        source: The object that they were, or are to be, replayed from; None where it is not written.
        is_replayed: Whether that object is committed.
    """

    manifest: Manifest
    reason: str
    rows: int
    claim: ReplayClaim | None = None
    source: SourceObject | None = None
    is_replayed: bool = False


@dataclass(frozen=True)
class Choice:
    """What a request chooses.

    Attributes:
        candidates: Rows by object and reason.
        whole_objects: Objects that were quarantined whole, by reason.
    """

    candidates: list[Candidate]
    whole_objects: Counter[str]

    @property
    def due(self) -> list[Candidate]:
        """What no replay has brought to its end."""
        return [candidate for candidate in self.candidates if not candidate.is_replayed]


class ReplayFinder:
    """Finds quarantined rows, and whether they were replayed."""

    def __init__(
        self,
        listing: "LakeListing",
        ledger: "LedgerReader",
        manifests: "ManifestReader",
        claims: "ReplayClaims",
        objects: "ReplayObjects",
    ) -> None:
        self._listing = listing
        self._ledger = ledger
        self._manifests = manifests
        self._claims = claims
        self._objects = objects

    def choose(self, request: ReplayInput) -> Choice:
        """Return the rows that the request is about; only those count whose object is committed."""
        with ThreadPoolExecutor(_THREADS) as threads:
            sources = self._ledger.sources(sorted(self._object_ids(request)))
            manifests = threads.map(self._manifests.of, sources.values())
            chosen = [
                manifest
                for object_id, manifest in zip(sources, manifests, strict=True)
                if manifest is not None and manifest.object_id == object_id and _is_chosen(manifest, request)
            ]
            whole = Counter(
                manifest.object_defect
                for manifest in chosen
                if manifest.object_defect is not None
                and (request.reasons is None or manifest.object_defect in request.reasons)
            )
            candidates = [
                Candidate(manifest, reason, rows)
                for manifest in chosen
                for reason, rows in manifest.quarantined_by_reason.items()
                if reason in schema.ROW_REASONS and (request.reasons is None or reason in request.reasons)
            ]
            return Choice(list(threads.map(self._standing, candidates)), whole)

    def _standing(self, candidate: Candidate) -> Candidate:
        claim = self._claims.read(candidate.manifest.object_id, candidate.reason)
        if claim is None:
            return candidate
        source = self._objects.find(claim.key)
        # An object that has expired was replayed all the same: written anew it would be another one, with another ETag.
        noted = self._claims.source(candidate.manifest.object_id, candidate.reason)
        is_replayed = any(known is not None and self._manifests.of(known) is not None for known in (noted, source))
        return replace(candidate, claim=claim, source=source, is_replayed=is_replayed)

    def _object_ids(self, request: ReplayInput) -> set[str]:
        return {
            key.rpartition("/")[2].partition("-")[0]
            for prefix in _prefixes(request)
            for key, _ in self._listing.partition(prefix)
            if _is_in_range(key, request)
        }


class ReplayWriter:
    """Claims rows and writes the objects that they are replayed from."""

    def __init__(
        self,
        feeds: "Feeds",
        quarantine: "QuarantineReader",
        claims: "ReplayClaims",
        objects: "ReplayObjects",
    ) -> None:
        self._feeds = feeds
        self._quarantine = quarantine
        self._claims = claims
        self._objects = objects

    def write(self, due: list[Candidate]) -> list[ListedObject]:
        """Claim and write rows: first the claim, then the object that it names, then a note of which that is.

        What is there already stays.

        Raises:
            RequestTooLarge: These are more than MOST_REPLAYS.
            FeedUnknown: The feed of the rows is not configured any more.
            QuarantineIncomplete: The quarantine does not hold the rows that a manifest counts.
        """
        if len(due) > MOST_REPLAYS:
            raise RequestTooLarge(
                f"The choice has {len(due):,} objects and reasons to replay, more than the {MOST_REPLAYS:,} of one "
                "replay: choose fewer days or reasons, and replay the others afterwards."
            )
        with ThreadPoolExecutor(_WRITERS) as threads:
            return list(threads.map(self._write, due))

    def _write(self, candidate: Candidate) -> ListedObject:
        manifest = candidate.manifest
        feed = self._feeds.named(manifest.feed)
        key = locations.replay_object_key(manifest.object_id, candidate.reason, rules_id(feed))
        claim = candidate.claim or self._claims.claim(
            ReplayClaim(object_id=manifest.object_id, reason=candidate.reason, rows=candidate.rows, key=key)
        )
        source = candidate.source or self._put(candidate, claim.key)
        self._claims.note_source(manifest.object_id, candidate.reason, source)
        return ListedObject(
            bucket=source.bucket,
            key=source.key,
            version_id=source.version_id,
            feed=feed.name,
            replay_of=ListedReplay(
                object_id=manifest.object_id,
                reason=candidate.reason,
                rows=candidate.rows,
                last_modified=manifest.source.last_modified,
            ),
        )

    def _put(self, candidate: Candidate, key: str) -> SourceObject:
        files = [file.key for file in candidate.manifest.files if file.kind == "quarantine"]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "rows.ndjson.gz")
            rows = self._quarantine.write_raw(files, candidate.reason, path)
            if rows != candidate.rows:
                raise QuarantineIncomplete(
                    f"The manifest of object {candidate.manifest.object_id} counts {candidate.rows} rows with reason "
                    f"{candidate.reason}, but its quarantine files hold {rows}: {', '.join(files)}. Nothing of them is "
                    "replayed before the difference is explained."
                )
            self._objects.put(key, path)
        source = self._objects.find(key)
        if source is None:
            raise LookupError(f"The object {key} of the runs bucket was written just now and is not there.")
        return source


def rules_id(feed: Feed) -> str:
    """Return a short name of everything but its rows that decides what becomes of a replay."""
    words = f"{TRANSFORM_VERSION}\0{feed.name}\0{feed.zone}\0{feed.naive_times}"
    return hashlib.sha256(words.encode()).hexdigest()[:_DIGITS]


def _is_chosen(manifest: Manifest, request: ReplayInput) -> bool:
    return (request.feed is None or manifest.feed == request.feed) and (
        request.keys is None or manifest.source.key in request.keys
    )


def _prefixes(request: ReplayInput) -> Iterable[str]:
    if request.start is None or request.end is None:
        return [f"{locations.QUARANTINE}/"]
    return (locations.partition_prefix("quarantine", day) for day in _days(request.start, request.end))


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _is_in_range(key: str, request: ReplayInput) -> bool:
    day = date.fromisoformat(key.partition(_DAY)[2].partition("/")[0])
    return (request.start or day) <= day <= (request.end or day)
