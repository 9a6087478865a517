"""What committed objects brought to days, by their manifests. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date, timedelta

from firewall_logs.contracts import Account, Manifest
from firewall_logs.days.contracts import DayObject, FeedArrivals
from firewall_logs.feeds import Feeds, arrival
from firewall_logs.identity import source_id
from firewall_logs.locations import object_date

_NEAR = timedelta(days=1)


def day_objects(manifest: Manifest) -> list[DayObject]:
    """Return what an object brought to each day; one without rows in the lake belongs to the day it arrived."""
    rows = rows_by_day(manifest) or {object_date(manifest.source.last_modified): 0}
    return [
        DayObject(
            event_date=day,
            object_id=manifest.object_id,
            source_id=source_id(manifest.source),
            feed=manifest.feed,
            rows=count,
        )
        for day, count in sorted(rows.items())
    ]


def rows_by_day(manifest: Manifest) -> dict[date, int]:
    """Return the rows that an object has in the lake's events, by event date."""
    rows: Counter[date] = Counter()
    for file in manifest.files:
        if file.kind == "events" and file.event_date is not None:
            rows[file.event_date] += file.rows
    return dict(rows)


def by_feed(manifests: Iterable[Manifest], feeds: Feeds) -> dict[str, FeedArrivals]:
    """Sum up by feed what the objects of a day brought.

    Args:
        manifests: Of the objects.
        feeds: Which say on what day an object arrived.
    """
    members: defaultdict[str, list[Manifest]] = defaultdict(list)
    for manifest in manifests:
        members[manifest.feed].append(manifest)
    return {feed: _of(found, feeds) for feed, found in sorted(members.items())}


def add_up(parts: Iterable[dict[str, FeedArrivals]]) -> dict[str, FeedArrivals]:
    """Return the sums of what different objects brought."""
    total: dict[str, FeedArrivals] = {}
    for part in parts:
        for feed, arrivals in part.items():
            before = total.get(feed, FeedArrivals())
            total[feed] = FeedArrivals(
                objects=before.objects + arrivals.objects,
                defects=before.defects + arrivals.defects,
                account=before.account + arrivals.account,
                spread_days=max(before.spread_days, arrivals.spread_days),
                far_rows=before.far_rows + arrivals.far_rows,
            )
    return dict(sorted(total.items()))


def _of(manifests: list[Manifest], feeds: Feeds) -> FeedArrivals:
    return FeedArrivals(
        objects=len(manifests),
        defects=sum(bool(m.object_defect) and m.account.rows_out == 0 for m in manifests),
        account=sum((m.account for m in manifests), Account()),
        spread_days=max((len(rows_by_day(m)) for m in manifests), default=0),
        far_rows=sum(_far(manifest, feeds) for manifest in manifests),
    )


def _far(manifest: Manifest, feeds: Feeds) -> int:
    source = manifest.source
    feed = feeds.owner(source.bucket, source.key)
    # Replays lie in no feed, nor do objects of one that is gone.
    arrived = arrival(source, feed) if feed else object_date(source.last_modified)
    return sum(rows for day, rows in rows_by_day(manifest).items() if abs(day - arrived) > _NEAR)
