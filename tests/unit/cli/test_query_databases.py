"""`gatehouse query` and Athena's named queries over database logs as the parsers write them."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.target import Target
from database_logs.contracts import FileRef, SegmentCommitted
from database_logs.lake_files import lake_files
from database_logs.log_types import LogType
from database_logs.parsing.dispatch import parse
from database_logs.segment_parser import segment_of
from kernel.objects import Bucket
from tests.support.athena import asked_on, queries
from tests.support.aws import DAYS, LAKE, account
from tests.support.parsed_logs import SLOW_LOG, file_of, slow_event

PREFIX = "2026-06-07 09:15:00 UTC:10.0.0.9(4711):app@orders:[7]:"
MESSAGES = (
    "duration: 3000.000 ms  statement: SELECT name FROM people WHERE id = 1",
    "AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.people,SELECT name FROM people,<not logged>",
)
POSTGRES = "".join(f"{PREFIX}LOG:  {message}\n" for message in MESSAGES).encode()
AUDIT = b"20260607 08:00:00,db,app,10.0.0.9,9,1,QUERY,orders,'DELETE FROM people',0\n"
Ask = Callable[..., list[dict[str, Any]]]


class Deployed(Target):
    @cached_property
    def outputs(self) -> dict[str, str]:
        return {"LakeBucketName": LAKE, "FirewallDaysTableName": DAYS}


def _store(file: FileRef, log: bytes) -> None:
    segment = SegmentCommitted(file=file, generation="g", start=0, end=len(log), key="k")
    for made in lake_files(segment, parse(segment_of(segment), log)):
        Bucket(boto3.client("s3"), LAKE).put_once(made.described.key, made.body, "")


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Yield a call of the command on a lake with four logs."""
    monkeypatch.setattr(
        Target, "of", lambda environment, cloud: Deployed(environment, cast("Any", boto3.client), cloud)
    )
    monkeypatch.setattr("local.paths.STATE", tmp_path / "state")

    def asked(*arguments: str) -> list[dict[str, Any]]:
        result = CliRunner().invoke(app, ["query", *arguments, "--format", "json"])
        assert result.exit_code == 0, result.stderr
        return [json.loads(line) for line in result.stdout.splitlines()]

    with account():
        _store(file_of(), SLOW_LOG + slow_event(datetime(2026, 6, 7, 9, 30, tzinfo=UTC), "SELECT 1"))
        _store(file_of(LogType.POSTGRES_STDERR, file="postgresql.log"), POSTGRES)
        _store(file_of(LogType.MYSQL_AUDIT, file="server_audit.log"), AUDIT)
        _store(file_of(LogType.ORACLE_ALERT, file="alert.log"), b"a line without any time\n")
        yield asked


def _named(query: str) -> str:
    return asked_on("2026-06-08", queries("database_logs")[query])


def test_records_of_a_day_are_found(ask: Ask) -> None:
    sql = 'SELECT event_date, count(*) AS n, sum(query_time) AS seconds, max("user") AS who FROM mysql_slow GROUP BY 1'

    assert ask(sql, "--day", "2026-06-08") == [{"event_date": "2026-06-08", "n": 1, "seconds": 9.0, "who": "app"}]
    assert {row["event_date"] for row in ask(sql)} == {"2026-06-07", "2026-06-08"}


def test_records_without_time_are_found_where_no_day_is_asked_for(ask: Ask) -> None:
    sql = "SELECT event_date, raw FROM oracle_alert"

    assert ask(sql) == [{"event_date": None, "raw": "a line without any time\n"}]
    assert ask(sql, "--day", "2026-06-07") == []


def test_a_table_without_files_has_its_columns(ask: Ask) -> None:
    assert ask("SELECT error_number, event_date FROM sqlserver_error WHERE event_time > TIMESTAMP '2026-01-01'") == []


@pytest.mark.usefixtures("ask")
def test_a_table_that_is_not_there_is_answered_with_those_that_are() -> None:
    result = CliRunner().invoke(app, ["query", "SELECT 1 FROM slow_log"])

    assert "The tables are events, hourly, quarantine, quality, mysql_error, mysql_slow" in result.stderr
    assert "Did you mean" not in result.stderr


def test_slowest_statements_of_both_engines_are_ranked_by_their_seconds(ask: Ask) -> None:
    found = ask(_named("slowest-statements"))

    assert [(row["fingerprint"], row["calls"], row["total_seconds"]) for row in found] == [
        ("select name from people where id = ?", 3, 7.0),
        ("select ?", 1, 1.5),
    ]


def test_one_instance_in_one_hour_is_in_the_order_of_time(ask: Ask) -> None:
    found = ask(_named("one-instance-one-hour"))

    assert [(row["event_time"], row["log_type"]) for row in found] == [
        ("2026-06-07 09:15:00", "postgres_stderr"),
        ("2026-06-07 09:15:00", "postgres_stderr"),
        ("2026-06-07 09:30:00", "mysql_slow"),
    ]


def test_what_a_user_did_is_found_in_both_audits(ask: Ask) -> None:
    found = ask(_named("audit-of-a-user"))

    assert [(row["operation"], row["object"], row["statement"]) for row in found] == [
        ("QUERY", None, "DELETE FROM people"),
        ("SELECT", "public.people", "SELECT name FROM people"),
    ]
