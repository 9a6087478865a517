"""Feeds: which raw objects there are, whose they are and how they are written.

One JSON document, validated as a whole: a parameter of the stack, read by the functions from the Parameter Store.
"""

import re
from datetime import date
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from firewall_logs.access import Access
from firewall_logs.documents import parse_list
from firewall_logs.errors import FeedConfigInvalid, FeedUnknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firewall_logs.contracts import SourceObject

RawFormat = Literal["ndjson.gz", "parquet"]
# Cloudflare proves that it may write to a bucket by an object of this name beside the logs.
_CHALLENGE: Final = "ownership-challenge"
# Logpush writes `{DATE}` as a folder: https://developers.cloudflare.com/logs/logpush/logpush-job/custom-fields/
_DAY: Final = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)/")


class Feed(BaseModel):
    """One source of raw firewall events.

    Attributes:
        name: What people and metrics call it.
        bucket: Where its raw objects are.
        prefix: Below which key prefix; ends with a slash, so that `fw/1/` never takes objects of `fw/10/`.
        zone: The Cloudflare zone, a lake column.
        format: Of its objects. Detection would be a guess; a wrong one is quarantined with its reason.
        naive_times: Whether a time without zone is UTC or a reason to quarantine its row.
        dated: Whether a folder `YYYYMMDD/` of the arrival follows the prefix, as with Logpush's `{DATE}`: a sweep then
            lists a few folders instead of everything.
        access: The role that reads the bucket; None where the functions read it themselves.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=r"^[0-9a-z][0-9a-z._-]{0,62}$")]
    bucket: Annotated[str, Field(pattern=r"^[0-9a-z][0-9a-z.-]{1,61}[0-9a-z]$")]
    prefix: Annotated[str, Field(pattern=r"^[^/].*/$", max_length=512)]
    zone: Annotated[str, Field(min_length=1, max_length=253)]
    format: RawFormat
    naive_times: Literal["utc", "refuse"] = "refuse"
    dated: bool = False
    access: Access | None = None


_FEEDS: TypeAdapter[list[Feed]] = TypeAdapter(Annotated[list[Feed], Field(min_length=1)])


class Feeds:
    """The validated feeds, looked up by name or by the object they own.

    Raises:
        FeedConfigInvalid: The document is no JSON, a field is wrong (the sentence names feed and field), two feeds
            share a name, or one prefix lies within another of the same bucket.
    """

    def __init__(self, document: str) -> None:
        feeds = parse_list(document, _FEEDS, "feed", FeedConfigInvalid)
        _refuse_overlaps(feeds)
        self._by_name = {feed.name: feed for feed in feeds}

    def __iter__(self) -> "Iterator[Feed]":
        return iter(self._by_name.values())

    def named(self, name: str) -> Feed:
        """Return the feed of that name.

        Raises:
            FeedUnknown: There is none; the sentence lists those there are.
        """
        try:
            return self._by_name[name]
        except KeyError:
            known = ", ".join(sorted(self._by_name))
            raise FeedUnknown(f"There is no feed '{name}'. The feeds are: {known}.") from None

    def owner(self, bucket: str, key: str) -> Feed | None:
        """Return the feed whose prefix holds this object, or None."""
        return next(
            (f for f in self._by_name.values() if f.bucket == bucket and key.startswith(f.prefix)),
            None,
        )


def is_log(key: str) -> bool:
    """Return whether an object below a feed's prefix is one of its logs: no folder marker, no proof of ownership."""
    return not key.endswith("/") and _CHALLENGE not in key.rpartition("/")[2]


def arrival(source: "SourceObject", feed: Feed) -> date:
    """Return the day that an object of a feed arrived on, in UTC.

    That of its dated folder (`20260601/` or `2026-06-01/`, directly below the feed's prefix) where it has one: it says
    when Logpush delivered it, and stays when somebody copies the object. Else the day of its LastModified.
    """
    found = _DAY.match(source.key, len(feed.prefix))
    if found:
        try:
            return date(int(found[1]), int(found[2]), int(found[3]))
        except ValueError:
            pass
    return source.last_modified.date()


def _refuse_overlaps(feeds: list[Feed]) -> None:
    for position, feed in enumerate(feeds):
        for other in feeds[:position]:
            if feed.name == other.name:
                raise FeedConfigInvalid(f"Two feeds have the field 'name' '{feed.name}': names are unique.")
            if feed.bucket == other.bucket and (
                feed.prefix.startswith(other.prefix) or other.prefix.startswith(feed.prefix)
            ):
                raise FeedConfigInvalid(
                    f"Field 'prefix' of feed '{feed.name}' ('{feed.prefix}') overlaps with that of feed "
                    f"'{other.name}' ('{other.prefix}') in bucket '{feed.bucket}': an object has one owner."
                )
