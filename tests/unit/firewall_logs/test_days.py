"""Which days are due, where their objects are looked for, and what these brought."""

from datetime import UTC, date, datetime, timedelta

import pytest

from firewall_logs.committer import manifest_of
from firewall_logs.contracts import Account, ObjectRef
from firewall_logs.days import arrivals
from firewall_logs.days.calendar import delay, due, unsealed
from firewall_logs.days.contracts import Day, DayObject, FeedArrivals
from firewall_logs.days.sweeper import Swept
from firewall_logs.days.window import Window
from firewall_logs.feeds import Feeds
from firewall_logs.identity import source_id
from tests.support.firewall import FEEDS, a_feed, a_file, a_proof, a_source

DAY = date(2026, 6, 1)
NIGHT = datetime(2026, 6, 2, 2, tzinfo=UTC)


def test_the_day_before_is_due_although_nothing_ever_came_for_it() -> None:
    assert due([], NIGHT) == [DAY]


@pytest.mark.parametrize(("status", "expected"), [("OPEN", 1), ("REOPENED", 1), ("BLOCKED", 1), ("SEALED", 0)])
def test_older_days_are_due_until_they_are_sealed(status: str, expected: int) -> None:
    old = Day(event_date=date(2026, 1, 5), status=status)
    sealed = Day(event_date=DAY, status="SEALED")
    today = Day(event_date=date(2026, 6, 2))
    assert due([today, sealed, old], NIGHT) == [old.event_date] * expected


def test_days_that_stay_blocked_keep_no_other_day_from_its_seal() -> None:
    blocked = [Day(event_date=date(2026, 1, number), status="BLOCKED") for number in (2, 1)]
    reopened = Day(event_date=date(2026, 3, 1), status="REOPENED")
    days = due([*blocked, reopened], NIGHT)
    assert days == [DAY, reopened.event_date, date(2026, 1, 1), date(2026, 1, 2)]


def test_before_two_in_the_morning_the_day_before_is_not_due() -> None:
    assert due([], NIGHT - timedelta(minutes=1)) == [date(2026, 5, 31)]


def test_blocked_days_are_tried_again_once_a_day_and_others_every_hour() -> None:
    sealed = Day(event_date=DAY, status="SEALED")
    blocked, reopened = (Day(event_date=date(2026, 1, n), status=s) for n, s in ((1, "BLOCKED"), (2, "REOPENED")))
    noon = NIGHT + timedelta(hours=10)
    assert due([sealed, blocked, reopened], noon) == [reopened.event_date]
    assert due([sealed, blocked, reopened], NIGHT) == [reopened.event_date, blocked.event_date]
    assert unsealed([sealed, blocked, reopened], noon) == 2


def test_day_that_a_seal_is_at_work_on_is_left_to_it() -> None:
    sealed = Day(event_date=DAY, status="SEALED")
    held = Day(event_date=date(2026, 1, 5), status="REOPENED", held_until=NIGHT + timedelta(seconds=1))
    assert due([sealed, held], NIGHT) == []
    assert due([sealed, held], NIGHT + timedelta(seconds=2)) == [held.event_date]


def test_delay_runs_from_two_in_the_morning_until_the_first_seal() -> None:
    assert delay(Day(event_date=DAY), NIGHT - timedelta(minutes=5)) == 0
    assert delay(Day(event_date=DAY, status="BLOCKED"), NIGHT + timedelta(minutes=90)) == 5400
    assert delay(Day(event_date=DAY, status="REOPENED", version=1), NIGHT + timedelta(hours=5)) == 0


def test_window_of_an_old_day_ends_a_day_after_it() -> None:
    window = Window.of(DAY, NIGHT + timedelta(days=90))
    feed = a_feed()
    assert window.holds(feed, datetime(2026, 5, 31, tzinfo=UTC))
    assert not window.holds(feed, datetime(2026, 5, 30, 23, 59, tzinfo=UTC))
    assert window.holds(feed, datetime(2026, 6, 3, tzinfo=UTC))
    assert not window.holds(feed, datetime(2026, 6, 3, 0, 0, 1, tzinfo=UTC))


def test_what_arrives_after_a_seal_began_is_left_to_a_later_one() -> None:
    assert not Window.of(DAY, NIGHT).holds(a_feed(), NIGHT + timedelta(seconds=1))
    assert not Window.of(DAY, NIGHT).holds(a_feed(dated=True), NIGHT + timedelta(seconds=1))


def test_dated_feed_is_looked_for_in_the_folders_of_its_window_whenever_it_was_copied() -> None:
    feed = a_feed(dated=True)
    window = Window.of(DAY, NIGHT + timedelta(days=90))
    assert list(window.prefixes(feed)) == [f"cloudflare/47/2026{day}/" for day in ("0531", "0601", "0602", "0603")]
    assert window.holds(feed, NIGHT + timedelta(days=50))
    assert list(Window.of(DAY, NIGHT).prefixes(a_feed())) == ["cloudflare/47/"]


def test_object_belongs_to_each_day_it_has_rows_of() -> None:
    files = [a_file(event_date=DAY, rows=5), a_file(event_date=date(2026, 6, 2), rows=3), a_file(kind="hourly")]
    manifest = manifest_of([a_proof(files=files)])
    assert [(entry.event_date, entry.rows) for entry in arrivals.day_objects(manifest)] == [
        (DAY, 5),
        (date(2026, 6, 2), 3),
    ]


def test_object_without_rows_belongs_to_the_day_it_arrived() -> None:
    source = a_source(last_modified=datetime(2026, 6, 3, 23, tzinfo=UTC))
    account = Account(rows_in=1, quarantined=1)
    manifest = manifest_of([a_proof(source=source, account=account, quarantined_by_reason={"empty": 1}, files=[])])
    [entry] = arrivals.day_objects(manifest)
    assert entry == DayObject(
        event_date=date(2026, 6, 3),
        object_id=manifest.object_id,
        source_id=source_id(source),
        feed=manifest.feed,
        rows=0,
    )


def test_arrivals_tell_rows_that_are_far_from_their_object() -> None:
    source = a_source(last_modified=datetime(2026, 6, 3, tzinfo=UTC))
    files = [a_file(event_date=DAY, rows=5), a_file(event_date=date(2026, 6, 2), rows=3)]
    brought = arrivals.by_feed([manifest_of([a_proof(source=source, files=files)])], Feeds(FEEDS))
    [found] = brought.values()
    assert (found.objects, found.defects, found.spread_days, found.far_rows) == (1, 0, 2, 5)
    [twice] = arrivals.add_up([brought, brought]).values()
    assert (twice.objects, twice.spread_days, twice.far_rows) == (2, 2, 10)
    assert twice.account == found.account + found.account
    assert arrivals.add_up([]) == {}
    assert FeedArrivals() == FeedArrivals(objects=0)


@pytest.mark.parametrize(
    ("key", "far"),
    [
        ("cloudflare/47/20260602/a", 0),
        ("cloudflare/47/2026-06-02/a", 0),
        ("cloudflare/47/20260603/a", 5),
        ("cloudflare/47/a", 8),
        ("cloudflare/47/20269999/a", 8),
        ("gone/20260602/a", 8),
    ],
)
def test_rows_of_an_object_that_was_copied_in_later_are_judged_by_its_dated_folder(key: str, far: int) -> None:
    source = a_source(key=key, last_modified=datetime(2027, 1, 1, tzinfo=UTC))
    files = [a_file(event_date=DAY, rows=5), a_file(event_date=date(2026, 6, 2), rows=3)]
    [found] = arrivals.by_feed([manifest_of([a_proof(source=source, files=files)])], Feeds(FEEDS)).values()
    assert found.far_rows == far


def test_sweep_leaves_what_is_too_much_for_it_to_a_backfill() -> None:
    swept = Swept(listed=3, missing=[ObjectRef(bucket="raw", key="cloudflare/47/a")] * 2, bytes=2 * 10**9)
    assert swept.refusal(2 * 10**9) is None
    assert swept.refusal(10**9) == (
        "2 objects of 2.0 GB are not in the lake, the first s3://raw/cloudflare/47/a: more than the 1.0 GB that a seal "
        "brings in by itself (FirewallLogsMostSweptGigabytes). Bring them in with `gatehouse backfill`, then seal the "
        "day."
    )
