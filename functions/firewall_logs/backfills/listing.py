"""What a backfill is about: the logs of a range, one after the other, from wherever an earlier call stopped."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firewall_logs.backfills.contracts import BackfillInput
from firewall_logs.contracts import ListedObject, SourceObject
from firewall_logs.errors import FeedConfigInvalid, SourceUnreadable
from firewall_logs.feeds import arrival, is_log

if TYPE_CHECKING:
    from firewall_logs.adapters.runs import ObjectLists
    from firewall_logs.adapters.source import SourceCatalogue, SourceListing
    from firewall_logs.feeds import Feeds


@dataclass(frozen=True)
class Listed:
    """An object that was met.

    Attributes:
        cursor: From which listing goes on after it.
        source: The object; None where it is gone, may not be looked at, or is no feed's log.
        is_wanted: Whether it is in the range.
    """

    cursor: str
    source: SourceObject | None
    is_wanted: bool = True


class Listing:
    """Lists what a backfill is about."""

    def __init__(
        self, feeds: "Feeds", versions: "SourceListing", catalogue: "SourceCatalogue", lists: "ObjectLists"
    ) -> None:
        self._feeds = feeds
        self._versions = versions
        self._catalogue = catalogue
        self._lists = lists

    def after(self, request: BackfillInput, cursor: str | None) -> Iterator[Listed]:
        """Yield what is met after a cursor, in an order that never changes; what is out of range as well.

        Raises:
            FeedUnknown: The request names a feed that is not configured.
            FeedConfigInvalid: The prefix of the request lies outside the feed's.
            ListInvalid: The list is not there, or holds something else than raw objects.
        """
        if request.list_key is not None:
            yield from self._of_list(request.list_key, int(cursor or 0))
        else:
            yield from self._of_feed(request, cursor or "")

    def _of_list(self, key: str, cursor: int) -> Iterator[Listed]:
        for number, listed in enumerate(self._lists.read(key), start=1):
            if number > cursor:
                yield Listed(str(number), self._described(listed))

    def _described(self, listed: ListedObject) -> SourceObject | None:
        if self._feeds.owner(listed.bucket, listed.key) is None or not is_log(listed.key):
            return None
        try:
            return self._catalogue.describe(listed)
        except SourceUnreadable:
            return None

    def _of_feed(self, request: BackfillInput, cursor: str) -> Iterator[Listed]:
        feed = self._feeds.named(str(request.feed))
        prefix = request.prefix or feed.prefix
        if not prefix.startswith(feed.prefix):
            raise FeedConfigInvalid(
                f"The prefix '{prefix}' lies outside feed '{feed.name}', whose prefix is '{feed.prefix}'."
            )
        for source in self._versions.versions(feed, prefix, cursor):
            day = arrival(source, feed)
            is_wanted = is_log(source.key) and (request.start or day) <= day <= (request.end or day)
            yield Listed(source.key, source, is_wanted)
