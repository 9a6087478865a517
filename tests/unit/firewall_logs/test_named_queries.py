"""The named queries of Athena, run by DuckDB over a small lake. Their SQL keeps to what both know.

What differs between the two: `current_date` is the day of the clock, which no test can set, so a date is put in its
place; and `timestamp` has no zone in Athena, so the views take it off.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

import duckdb
import pytest

from firewall_logs.days.contracts import Verdict
from tests.support.athena import asked_on, attach, queries
from tests.support.small_lake import SmallLake, on

TODAY = date(2026, 6, 9)
YESTERDAY, BEFORE, LONG_AGO = (TODAY - timedelta(days=days) for days in (1, 2, 10))
SEEKER = {"ClientIP": "203.0.113.7", "RayID": "8c0ffee0000000001"}
HOSTLESS = "8c0ffee0000000002"


def _verdict(level: Any, rule: str) -> Verdict:
    return Verdict(feed="47", rule=rule, measure="rows", level=level, figure=1.0, limit=None, detail="few")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    lake = SmallLake(tmp_path_factory.mktemp("named") / "lake")
    lake.commit(
        "one",
        [
            *(on(YESTERDAY, n, Action="block", RuleID="rule-1", ClientASN=64500 + n % 2) for n in range(6)),
            on(YESTERDAY, 6, Action="log", ClientRequestHost="quiet.example.com"),
            *(on(BEFORE, n, Action="managedchallenge", ClientRequestHost="a.example") for n in range(4)),
            on(BEFORE, 4, Action="managedchallengeinteractivesolved", ClientRequestHost="a.example"),
            *(on(BEFORE, 5, Action="log", MatchIndex=index, **SEEKER) for index in (1, 0)),
            on(BEFORE, 8, Action="log", ClientRequestHost=None, RayID=HOSTLESS),
            *(on(LONG_AGO, n, Action="log", RuleID="rule-1") for n in range(2)),
            "no json",
            "[]",
        ],
    )
    for day in (LONG_AGO, BEFORE, YESTERDAY):
        lake.seal(day, [_verdict("pass", "volume"), _verdict("warn", "nulls")])
    lake.commit("late", [on(BEFORE, 7, Action="log", ClientRequestHost="late.example")])
    lake.seal(BEFORE, [_verdict("fail", "volume")])
    lake.commit("today", [on(TODAY, 1, Action="skip")])
    with duckdb.connect() as connection:
        attach(connection, lake.folder)
        yield connection


def _answer(tables: duckdb.DuckDBPyConnection, name: str) -> list[tuple[Any, ...]]:
    return tables.execute(asked_on(str(TODAY), queries()[name])).fetchall()


def test_hosts_are_ranked_by_what_was_blocked(tables: duckdb.DuckDBPyConnection) -> None:
    assert _answer(tables, "top-blocked-hosts") == [("shop.example.com", 6, 6)]


def test_rules_are_ranked_by_what_they_blocked(tables: duckdb.DuckDBPyConnection) -> None:
    assert _answer(tables, "top-blocking-rules") == [("rule-1", "waf", None, 6, 6, 1)]


def test_networks_are_ranked_by_what_was_blocked(tables: duckdb.DuckDBPyConnection) -> None:
    assert _answer(tables, "top-blocked-networks") == [(64500, None, 3, 3), (64501, None, 3, 3)]


def test_one_address_is_followed_through_a_week(tables: duckdb.DuckDBPyConnection) -> None:
    found = _answer(tables, "one-address-in-a-week")

    assert [row[0] for row in found] == [datetime(2026, 6, 7, 5)] * 2  # noqa: DTZ001 - as Athena shows it


def test_one_request_shows_the_last_rule_that_matched_first(tables: duckdb.DuckDBPyConnection) -> None:
    assert [row[2:4] for row in _answer(tables, "one-ray-id")] == [(datetime(2026, 6, 7, 5), index) for index in (0, 1)]  # noqa: DTZ001


def test_a_request_without_a_host_shows_its_hour(tables: duckdb.DuckDBPyConnection) -> None:
    asked = asked_on(str(TODAY), queries()["one-ray-id"]).replace(SEEKER["RayID"], HOSTLESS)

    assert [row[:3] for row in tables.execute(asked).fetchall()] == [(BEFORE, 8, None)]


def test_addresses_are_ranked_by_how_often_a_rule_met_them(tables: duckdb.DuckDBPyConnection) -> None:
    once = [(f"192.0.2.{number}", 1, 1) for number in (0, 2, 3, 4, 5, 6)]

    assert _answer(tables, "addresses-of-a-rule") == [("192.0.2.1", 2, 2), *once]


def test_solved_challenges_are_a_share_of_those_issued(tables: duckdb.DuckDBPyConnection) -> None:
    assert _answer(tables, "challenge-solve-rate") == [(BEFORE, "a.example", 4, 1, 0.25)]


def test_a_rule_is_compared_by_events_a_day(tables: duckdb.DuckDBPyConnection) -> None:
    assert _answer(tables, "rule-before-and-after") == [
        ("before", "log", 2, 2.0, 1),
        ("after", "block", 6, 6.0, 1),
        ("after", "log", 1, 1.0, 1),
        ("after", "managedchallenge", 1, 1.0, 1),
    ]


def test_refused_rows_are_counted_by_reason(tables: duckdb.DuckDBPyConnection) -> None:
    assert _answer(tables, "quarantine-by-reason") == [
        ("47", "json_syntax", None, 1, 1, TODAY),
        ("47", "not_object", None, 1, 1, TODAY),
    ]


def test_only_the_newest_verdicts_of_a_day_count(tables: duckdb.DuckDBPyConnection) -> None:
    found = [row[:5] for row in _answer(tables, "quality-trend")]

    assert found == [
        (YESTERDAY, 1, "47", "nulls", "warn"),
        (BEFORE, 2, "47", "volume", "fail"),
        (LONG_AGO, 1, "47", "nulls", "warn"),
    ]


def test_days_that_were_sealed_again_are_found(tables: duckdb.DuckDBPyConnection) -> None:
    assert _answer(tables, "late-days") == [(BEFORE, 2)]


def test_what_no_seal_has_taken_in_is_counted(tables: duckdb.DuckDBPyConnection) -> None:
    assert _answer(tables, "today-so-far") == [(TODAY, "47", 1, datetime(2026, 6, 9, 1))]  # noqa: DTZ001


@pytest.mark.parametrize("name", sorted(queries()))
def test_every_query_has_a_test(name: str, request: pytest.FixtureRequest) -> None:
    assert f'"{name}"' in request.path.read_text()


@pytest.mark.parametrize("name", sorted(queries()))
def test_every_query_names_days_that_prune_partitions(name: str) -> None:
    table = next(word for word in queries()[name].split() if word.startswith("firewall_"))
    partition = "object_date" if table == "firewall_quarantine" else "event_date"

    assert f"{partition} " in queries()[name].partition("WHERE ")[2].partition("GROUP BY")[0]
