"""The logs of a real PostgreSQL, against what it was sent."""

from collections.abc import Iterator
from typing import Any

import polars as pl
import psycopg
import pytest

from database_logs.boundaries import postgres, postgres_csv, postgres_json
from database_logs.log_types import LogType
from tests.support.postgres import running_postgres
from tests.support.postgres_logs import bytes_of, line, parsed, parsed_in_pieces

_SUFFIXES = {LogType.POSTGRES_STDERR: "log", LogType.POSTGRES_CSV: "csv", LogType.POSTGRES_JSON: "json"}
_STATEMENTS = (
    "CREATE TABLE orders (id int PRIMARY KEY, note text NOT NULL, parent int REFERENCES orders)",
    "INSERT INTO orders SELECT n, 'note ' || n FROM generate_series(1, 5000) n",
    "SELECT id,\n\tnote\nFROM orders\n\n  WHERE note = 'it''s \"quoted\"; -- no comment'\n",
    "SELECT count(*) FROM (SELECT note FROM orders ORDER BY note || random()) x",
    "SELECT E'tab\\t\\\\' AS \"Näme\", $$dollar\n'quoted'$$",
    "CREATE ROLE joe PASSWORD 'sesame'",
    "CHECKPOINT",
)
_FAILING = (
    ("INSERT INTO orders VALUES (1, 'twice')", "unique_constraint_violation"),
    ("INSERT INTO orders VALUES (9999, NULL)", "not_null_constraint_violation"),
    ("INSERT INTO orders VALUES (9999, 'x', 77777)", "foreign_key_constraint_violation"),
    ("SELECT 1 / 0", "division_by_zero"),
    ("SELECT nothing FROM orders", "column_does_not_exist"),
    ("SELECT * FROM nowhere", "relation_does_not_exist"),
    ("SELEC 1", "syntax_error"),
    ("SELECT 'x'::int", "invalid_input_syntax"),
    ("DO $$ BEGIN PERFORM 1 / 0; END $$", "division_by_zero"),
)
# Messages that look like the log itself.
_RAISED = (
    "a\nb\n\tc",
    line("LOG", "no record", who="app@shop"),
    '2026-01-01 00:00:00.000 UTC,"a","b",1,"c",1.1,1,"",',
    "{}",
    "",
)
_PREPARED = 3


@pytest.fixture(scope="module")
def logs() -> Iterator[dict[LogType, bytes]]:
    settings = {
        "auto_explain.log_min_duration": "0",
        "auto_explain.log_format": "json",
        "auto_explain.log_analyze": "on",
    }
    with running_postgres(**settings) as server:
        with server.connect() as connection:
            for statement in _STATEMENTS:
                connection.execute(statement.encode())
            for statement, _ in _FAILING:
                with pytest.raises(psycopg.Error):
                    connection.execute(statement.encode())
            for text in _RAISED:
                quoted = text.replace("'", "''")
                connection.execute(f"DO $do$ BEGIN RAISE LOG USING MESSAGE = E'{quoted} '; END $do$".encode())
            for number in range(_PREPARED):
                connection.execute("SELECT note FROM orders WHERE id = %s AND note <> %s", (number, "it's"))
        server.end()
        yield {log_type: server.log(suffix) for log_type, suffix in _SUFFIXES.items()}


@pytest.fixture(scope="module")
def frames(logs: dict[LogType, bytes]) -> dict[LogType, pl.DataFrame]:
    return {log_type: parsed(data, log_type) for log_type, data in logs.items()}


@pytest.mark.parametrize("log_type", _SUFFIXES)
def test_every_record_is_parsed_and_every_byte_kept(
    log_type: LogType, logs: dict[LogType, bytes], frames: dict[LogType, pl.DataFrame]
) -> None:
    frame = frames[log_type]
    assert frame["parse_status"].unique().to_list() == ["ok"]
    assert frame["event_time"].null_count() == 0
    assert bytes_of(frame) == logs[log_type]


def test_three_formats_say_the_same(frames: dict[LogType, pl.DataFrame]) -> None:
    names = [
        *("user_name", "database_name", "client_host", "process_id", "severity", "message", "message_class", "detail"),
        *("hint", "context", "query", "query_position", "internal_query", "duration_ms", "statement_kind"),
        *("statement_name", "parameters", "fingerprint", "plan_node", "plan_total_cost", "temporary_file_bytes"),
    ]
    # Each file takes what two processes write at the same time in an order of its own.
    stderr, csv, json = (
        frames[log_type].sort("process_id", maintain_order=True).select(names).rows() for log_type in _SUFFIXES
    )
    assert csv == json
    for left, right in zip(stderr, csv, strict=True):
        assert left == right


@pytest.mark.parametrize("log_type", _SUFFIXES)
def test_every_statement_is_logged_once(log_type: LogType, frames: dict[LogType, pl.DataFrame]) -> None:
    logged = frames[log_type].filter(pl.col("message_class") == "statement_log")
    simple = logged.filter(pl.col("statement_kind") == "statement")["query"].to_list()
    # what is no SQL fails before it is logged
    sent = [*_STATEMENTS, *(statement for statement, name in _FAILING if name != "syntax_error")]
    assert simple[: len(sent)] == sent
    executed = logged.filter(pl.col("statement_kind") == "execute")
    assert executed["parameters"].to_list() == [f"$1 = '{number}', $2 = 'it''s'" for number in range(_PREPARED)]


@pytest.mark.parametrize("log_type", _SUFFIXES)
def test_every_failure_has_its_class_and_statement(log_type: LogType, frames: dict[LogType, pl.DataFrame]) -> None:
    errors = frames[log_type].filter(pl.col("severity") == "ERROR")
    assert errors.select("query", "message_class").rows() == list(_FAILING)


@pytest.mark.parametrize("log_type", _SUFFIXES)
def test_messages_that_look_like_a_log_are_messages(log_type: LogType, frames: dict[LogType, pl.DataFrame]) -> None:
    raised = frames[log_type].filter(pl.col("context").str.contains("at RAISE"))
    assert [text.strip() for text in raised["message"]] == [text.strip() for text in _RAISED]


@pytest.mark.parametrize("log_type", _SUFFIXES)
def test_plans_name_their_statement(log_type: LogType, frames: dict[LogType, pl.DataFrame]) -> None:
    plans = frames[log_type].filter(pl.col("statement_kind") == "plan")
    assert plans["plan_format"].unique().to_list() == ["json"]
    assert _STATEMENTS[3] in plans["query"].to_list()
    assert plans["plan_actual_ms"].null_count() == 0


def test_the_log_may_be_cut_anywhere(logs: dict[LogType, bytes], frames: dict[LogType, pl.DataFrame]) -> None:
    cuts: dict[LogType, Any] = {
        LogType.POSTGRES_STDERR: postgres.cut,
        LogType.POSTGRES_CSV: postgres_csv.cut,
        LogType.POSTGRES_JSON: postgres_json.cut,
    }
    for log_type, data in logs.items():
        pieces = [data[start : start + 977] for start in range(0, len(data), 977)]
        assert parsed_in_pieces(pieces, cuts[log_type], log_type).equals(frames[log_type])
