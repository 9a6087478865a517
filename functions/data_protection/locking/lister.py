"""ListVersions' work: what a bucket holds, cut into shards, a piece at a time."""

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from data_protection.locking.contracts import LockJob, Part, ShardItem, VersionsListed
from data_protection.locking.versions import SHARD_VERSIONS, Listing, Marker, Version, as_lines
from data_protection.times import stamp
from kernel.contracts import Contract

if TYPE_CHECKING:
    from data_protection.adapters.lock_files import LockFiles
    from data_protection.adapters.version_pages import VersionPages

# Between our clock and that of S3, which dates versions.
_SKEW: Final = timedelta(minutes=5)
_JSON_LINES: Final = "application/x-ndjson"


class Progress(Contract):
    """How far a listing is.

    Attributes:
        listing: What is in shards.
        marker: Where it goes on; None at the beginning.
        previous: The last entry before that, which the next one may follow as a version.
        done: Whether that is all.
    """

    listing: Listing
    marker: Marker | None = None
    previous: Version | None = None
    done: bool = False


class Lister:
    """Lists a bucket.

    Args:
        pages: Of the bucket.
        files: Keep the listing.
        now: The time.
        shard_versions: At how many versions a shard is closed; pages are not cut.
    """

    def __init__(
        self,
        pages: "VersionPages",
        files: "LockFiles",
        now: Callable[[], datetime],
        shard_versions: int = SHARD_VERSIONS,
    ) -> None:
        self._pages, self._files, self._now = pages, files, now
        self._shard_versions = shard_versions

    def go_on(self, job: LockJob, part: Part, enough: Callable[[], bool]) -> VersionsListed:
        """List from where the last attempt came to, until all is listed or it is enough.

        Raises:
            EffectConflict: Another attempt lists at the same time.
            LockStale: There is much more than what was approved.
        """
        progress, tag = self._files.find(progress_key(job, part), Progress)
        progress = progress or Progress(listing=Listing(started=self._now()))
        since = self._since(job, part)
        waiting: list[Version] = []
        if not progress.done:
            for page in self._pages.after(job.terms.prefix, progress.marker, progress.previous):
                waiting += [version for version in page.versions if since is None or version.written >= since]
                progress = Progress(
                    listing=progress.listing,
                    marker=page.next,
                    previous=page.versions[-1] if page.versions else progress.previous,
                    done=page.next is None,
                )
                is_enough = enough()
                if len(waiting) >= self._shard_versions or progress.done or is_enough:
                    progress = self._close(job, part, progress, waiting)
                    tag, waiting = self._files.replace(progress_key(job, part), progress, tag), []
                if is_enough:
                    break
        listing = progress.listing
        if progress.done:
            self._tell_shards(job, part, listing)
            if job.simulation and part == "present":
                self._files.simulation(job.simulation).require_grown_little(listing)
        return VersionsListed(
            done=progress.done,
            shards=len(listing.shards),
            entries=listing.entries,
            items=items_key(job, part),
            opens=stamp(job.next_opening(self._now())),
        )

    def _since(self, job: LockJob, part: Part) -> datetime | None:
        return None if part == "present" else listing_of(self._files, job, "present").started - _SKEW

    def _close(self, job: LockJob, part: Part, progress: Progress, versions: Sequence[Version]) -> Progress:
        """Write a shard; its key has its content, so that two attempts do not write one over the other's."""
        if not versions:
            return progress
        number = len(progress.listing.shards)
        content = hashlib.sha256(as_lines(versions)).hexdigest()[:16]
        key = f"{part_prefix(job, part)}versions/{number:06d}-{content}.jsonl.gz"
        self._files.write_lines(key, versions)
        return progress.model_copy(update={"listing": progress.listing.with_shard(key, versions)})

    def _tell_shards(self, job: LockJob, part: Part, listing: Listing) -> None:
        """Write the shards for the Map; only of a listing that is kept, and so again where that was interrupted."""
        items = [ShardItem(number=number, key=key) for number, key in enumerate(listing.shards)]
        body = "".join(f"{item.model_dump_json()}\n" for item in items)
        self._files.write(items_key(job, part), body.encode(), _JSON_LINES)


def listing_of(files: "LockFiles", job: LockJob, part: Part) -> Listing:
    """Return a listing that is done.

    Raises:
        PlanMissing: It has not begun.
    """
    return files.get(progress_key(job, part), Progress).listing


def part_prefix(job: LockJob, part: Part) -> str:
    """Return below which a part of a run keeps its files."""
    return f"{job.folder}{part}/"


def progress_key(job: LockJob, part: Part) -> str:
    """Return where a listing says how far it is."""
    return f"{part_prefix(job, part)}listing.json"


def items_key(job: LockJob, part: Part) -> str:
    """Return where the shards of a listing are listed."""
    return f"{part_prefix(job, part)}shards.jsonl"
