import hashlib
import json
import os
from collections.abc import Callable, Iterator
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import boto3
import duckdb
import pytest
from typer.testing import CliRunner, Result

from cli import query_cache
from cli.main import app
from cli.query_files import LakeFiles, Wanted
from cli.target import Target
from firewall_logs.adapters.days import DayIndex
from firewall_logs.days.contracts import DaySealed, Verdict
from tests.support.aws import DAYS, LAKE, account
from tests.support.small_lake import SmallLake, on

FIRST, SECOND, NEVER = date(2026, 6, 7), date(2026, 6, 8), date(2026, 5, 1)
Ask = Callable[..., Result]


class Deployed(Target):
    @cached_property
    def outputs(self) -> dict[str, str]:
        return {"LakeBucketName": LAKE, "FirewallDaysTableName": DAYS}


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[SmallLake]:
    """Yield a lake with one sealed day, one that is not sealed, and a late object of the sealed one."""
    with account():
        made = SmallLake(tmp_path / "lake")
        made.commit("one", [on(FIRST, 1), on(FIRST, 2, Action="log"), on(SECOND, 3), "no json"])
        made.seal(
            FIRST, [Verdict(feed="47", rule="volume", measure="rows", level="warn", figure=2, limit=3, detail="")]
        )
        made.commit("late", [on(FIRST, 5, ClientRequestHost="late.example")])
        _deploy(made)
        yield made


def _verdict(level: Any) -> Verdict:
    return Verdict(feed="47", rule="volume", measure="rows", level=level, figure=2, limit=3, detail="")


def _deploy(lake: SmallLake) -> None:
    lake.upload(boto3.client("s3"))
    index = DayIndex(boto3.client("dynamodb"), DAYS)
    for entry in lake.index:
        index.add(entry)
        index.open(entry.event_date)


@pytest.fixture
def ask(lake: SmallLake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Return a call of the command."""
    monkeypatch.setattr(
        Target, "of", lambda environment, cloud: Deployed(environment, cast("Any", boto3.client), cloud)
    )
    monkeypatch.setattr("local.paths.STATE", tmp_path / "state")
    return lambda *arguments: CliRunner().invoke(app, ["query", *arguments])


def _rows(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_sealed_late_and_unsealed_rows_are_each_there_once(ask: Ask) -> None:
    sql = "SELECT event_date, count(*) AS events, max(client_request_host) AS host FROM events GROUP BY 1 ORDER BY 1"

    assert _rows(ask(sql, "--format", "json")) == [
        {"event_date": "2026-06-07", "events": 3, "host": "shop.example.com"},
        {"event_date": "2026-06-08", "events": 1, "host": "shop.example.com"},
    ]


def test_a_new_version_is_read_instead_of_the_one_before(ask: Ask, lake: SmallLake) -> None:
    before = _rows(ask("SELECT count(*) AS n FROM events", "--day", "2026-06-07", "--format", "json"))
    lake.seal(FIRST)
    _deploy(lake)

    assert (
        _rows(ask("SELECT count(*) AS n FROM events", "--day", "2026-06-07", "--format", "json"))
        == before
        == [{"n": 3}]
    )


def test_the_ground_of_the_answer_is_told(ask: Ask) -> None:
    told = ask("SELECT count(*) FROM hourly").stderr

    assert "2026-06-07 to 2026-06-08: 2 days, 1 sealed, with 1 late objects besides, 1 not sealed yet" in told


def test_days_outside_the_range_are_not_read(ask: Ask) -> None:
    found = _rows(ask("SELECT DISTINCT event_date FROM hourly", "--from", "2026-06-08", "--format", "json"))

    assert found == [{"event_date": "2026-06-08"}]


def test_times_are_utc_without_a_zone(ask: Ask) -> None:
    [row] = _rows(ask("SELECT event_time FROM events", "--day", "2026-06-08", "--format", "json"))

    assert row == {"event_time": "2026-06-08 03:00:00"}


def test_quarantine_goes_by_the_day_its_object_came(ask: Ask) -> None:
    [row] = _rows(ask("SELECT object_date, reason, raw FROM quarantine", "--day", "2026-06-09", "--format", "json"))

    assert row == {"object_date": "2026-06-09", "reason": "json_syntax", "raw": "no json"}


def test_only_the_newest_verdicts_are_shown(ask: Ask, lake: SmallLake) -> None:
    lake.seal(FIRST, [_verdict("pass")])
    _deploy(lake)

    assert _rows(ask('SELECT version, level, "limit" FROM quality', "--format", "json")) == [
        {"version": 2, "level": "pass", "limit": 3.0}
    ]


def test_a_table_without_files_is_empty_and_has_its_columns(ask: Ask) -> None:
    assert _rows(ask("SELECT reason, object_date FROM quarantine", "--day", "2026-05-01", "--format", "json")) == []


def test_a_day_without_events_is_an_error_that_names_the_days_there_are(ask: Ask) -> None:
    result = ask("SELECT * FROM events", "--day", str(NEVER))

    assert result.exit_code == 1
    assert "The lake has no events on 2026-05-01: it has days from 2026-06-07 to 2026-06-08." in result.stderr


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT count(* FROM events", "LINE 1: SELECT count(* FROM events"),
        ("SELECT hots FROM events", 'Referenced column "hots" not found'),
        ("SELECT 1 FROM nowhere", "nowhere"),
        ("SELECT CAST(ray_id AS DATE) FROM events", "DuckDB refuses the query"),
        ("SET threads = 1", "Ask one question that gives rows"),
        ("SELECT 1; SELECT 2", "Ask one question that gives rows"),
    ],
)
def test_a_wrong_query_is_a_sentence_with_its_place(ask: Ask, sql: str, told: str) -> None:
    result = ask(sql)

    assert result.exit_code == 1
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_no_extension_is_fetched(ask: Ask) -> None:
    result = ask("SELECT * FROM 'https://example.com/x.parquet'")

    assert result.exit_code == 1
    assert "DuckDB refuses the query" in result.stderr


def test_what_was_fetched_once_is_not_fetched_again(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask("SELECT count(*) FROM events")
    monkeypatch.setattr(LakeFiles, "fetch", lambda *_: pytest.fail("fetched again"))

    assert ask("SELECT count(*) FROM events").stdout == first.stdout


def test_a_file_that_a_seal_replaces_meanwhile_is_looked_up_again(
    ask: Ask, lake: SmallLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetch = LakeFiles.fetch
    sealed: list[DaySealed] = []

    def seal_first(files: LakeFiles, wanted: Wanted) -> bytes:
        if not sealed:
            sealed.append(lake.seal(SECOND))
            _deploy(lake)
        return fetch(files, wanted)

    monkeypatch.setattr(LakeFiles, "fetch", seal_first)

    assert _rows(ask("SELECT count(*) AS n FROM events", "--day", "2026-06-08", "--format", "json")) == [{"n": 1}]


def test_more_than_the_cache_may_hold_is_refused_before_anything_is_fetched(ask: Ask) -> None:
    result = ask("SELECT count(*) FROM events", "--cache-gb", "0.000001")

    assert result.exit_code == 1
    assert "ask for fewer days, or give --cache-gb" in result.stderr


def test_what_was_used_least_recently_makes_room(tmp_path: Path) -> None:
    class Ten:
        def fetch(self, wanted: Wanted) -> bytes:
            return wanted.key.encode() * 10

    def file(letter: str) -> Wanted:
        digest = hashlib.sha256(letter.encode() * 10).hexdigest()
        return Wanted("events", letter, FIRST, 10, digest)

    cache = query_cache.FileCache(tmp_path, 25)
    for number, letter in enumerate("ab"):
        [path] = cache.provide(Ten(), [file(letter)], lambda *_: None)["events"]
        os.utime(path, (number, number))
    cache.provide(Ten(), [file("c")], lambda *_: None)

    assert {path.read_text()[0] for path in tmp_path.rglob("*.parquet")} == {"b", "c"}


def test_damaged_bytes_never_reach_the_cache(tmp_path: Path) -> None:
    class Damaged:
        def fetch(self, _wanted: Wanted) -> bytes:
            return b"other"

    wanted = Wanted("events", "k", FIRST, 5, "0" * 64)

    with pytest.raises(query_cache.FileDamaged, match="restore it"):
        query_cache.FileCache(tmp_path, 100).provide(Damaged(), [wanted], lambda *_: None)
    assert not list(tmp_path.rglob("*.parquet"))


def test_answers_are_written_as_files(ask: Ask, tmp_path: Path) -> None:
    sql = "SELECT client_request_host AS host, count(*) AS n FROM events GROUP BY 1 ORDER BY 1"
    for form in ("csv", "parquet"):
        assert ask(sql, "--format", form, "--out", str(tmp_path / f"a.{form}")).exit_code == 0

    wanted = [("late.example", 1), ("shop.example.com", 3)]
    assert (tmp_path / "a.csv").read_text() == "host,n\nlate.example,1\nshop.example.com,3\n"
    with duckdb.connect() as connection:
        assert connection.read_parquet(str(tmp_path / "a.parquet")).fetchall() == wanted


def test_people_see_a_table(ask: Ask) -> None:
    shown = ask("SELECT client_request_host, count(*) AS n, NULL AS nothing FROM events GROUP BY 1 ORDER BY 1").stdout

    assert "late.example" in shown
    assert "nothing" in shown


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--day", "2026-06-07", "--from", "2026-06-07"], "--day is one day"),
        (["--from", "2026-06-08", "--to", "2026-06-07"], "is after"),
        (["--out", "x"], "A table is for eyes"),
    ],
)
def test_options_that_contradict_each_other_are_refused(ask: Ask, options: list[str], told: str) -> None:
    result = ask("SELECT 1", *options)

    assert result.exit_code == 1
    assert told in result.stderr
