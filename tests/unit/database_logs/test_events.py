"""What RDS announces, and what is made of it."""

from datetime import UTC, datetime, timedelta

import pytest

from database_logs.discovery.events import Event, News, remembered, since, unheard
from database_logs.discovery.instances import Instance

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def _event(category: str, message: str, source: str = "shop-1", kind: str = "db-instance", ago: int = 1) -> Event:
    return Event(source=source, kind=kind, message=message, categories=frozenset({category}), at=NOW - ago * MINUTE)


RESTARTED = _event("availability", "DB instance restarted")
FAILED_OVER = _event("failover", "Completed failover to DB instance: shop-2", "shop", "db-cluster")
FULL = _event("low storage", "The allocated storage for the DB instance has been exhausted.")
DELETED = _event("deletion", "DB instance deleted", "orders")
SNAPSHOT = _event("creation", "Manual snapshot created", "shop-1", "db-snapshot")


def _instance(name: str, cluster: str | None = None) -> Instance:
    return Instance(
        dbi_resource_id=f"db-{name}", instance_id=name, cluster_id=cluster, engine="mysql", status="available"
    )


@pytest.mark.parametrize(
    ("event", "concerned"),
    [(RESTARTED, ["shop-1"]), (FAILED_OVER, ["shop-1", "shop-2"]), (SNAPSHOT, []), (DELETED, [])],
)
def test_event_is_about_an_instance_or_all_of_a_cluster(event: Event, concerned: list[str]) -> None:
    instances = [_instance("shop-1", "shop"), _instance("shop-2", "shop"), _instance("shop")]
    assert [one.instance_id for one in instances if News([event]).about(one)] == concerned


def test_restarts_and_failovers_are_counted_once_they_are_over() -> None:
    shutdown = _event("availability", "DB instance shutdown")
    started = _event("failover", "Started cross AZ failover to DB instance: shop-2", "shop", "db-cluster")
    news = News([shutdown, RESTARTED, started, FAILED_OVER])
    assert (news.restarts, news.failovers) == (1, 1)


@pytest.mark.parametrize(
    ("event", "changed"), [(RESTARTED, False), (FULL, False), (FAILED_OVER, True), (DELETED, True), (SNAPSHOT, False)]
)
def test_list_of_instances_is_old_after_some_events(event: Event, changed: bool) -> None:  # noqa: FBT001
    assert News([event]).changes_fleet is changed


def test_storage_runs_short_for_the_instance_that_is_named() -> None:
    assert News([FULL]).short_of_storage(_instance("shop-1"))
    assert not News([FULL]).short_of_storage(_instance("shop-2"))
    assert not News([RESTARTED]).short_of_storage(_instance("shop-1"))


def test_event_that_comes_late_is_heard_and_none_is_heard_twice() -> None:
    late = _event("availability", "DB instance restarted", ago=9)
    heard = remembered([RESTARTED], NOW)
    then = NOW + 5 * MINUTE
    assert since(heard, then) <= late.at
    news = unheard(heard, [late, RESTARTED])
    assert news.restarts == 1
    again = remembered([late, RESTARTED], then)
    assert unheard(again, [RESTARTED]).restarts == 0


def test_first_pass_hears_what_has_just_happened_and_a_late_one_what_rds_still_knows() -> None:
    assert NOW - since(None, NOW) == 10 * MINUTE
    assert NOW - since(remembered([], NOW - timedelta(days=30)), NOW) == timedelta(days=13)
