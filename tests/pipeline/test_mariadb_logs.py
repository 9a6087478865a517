"""Logs that a real MariaDB wrote under a known workload."""

import polars as pl
import pytest

from database_logs.digest import part
from database_logs.fingerprints import fingerprint, fingerprint_ids
from database_logs.log_types import LogType
from database_logs.parsing.dispatch import parse
from tests.support.digests import digest
from tests.support.mariadb import running_mariadb
from tests.support.rds_segments import bytes_of, parsed_in_pieces, segment_of

_STATEMENTS = [
    "CREATE TABLE shop.orders (id INT PRIMARY KEY, note TEXT, `a ``b` INT)",
    "INSERT INTO shop.orders VALUES (1, 'it''s', NULL), (2, 'a \\'b\\', \"c\"', 3)",
    "SELECT * FROM shop.orders\n# Time: 240501 10:00:00\n# User@Host: x[x] @ y []\nWHERE id = 1",
    "SELECT 'a\n# Time: 240501 10:00:00\n# User@Host: x[x] @ y []\n\nb'",
    "SELECT /* a, b */ 1, 'zo\u00eb \U0001f600', 0xFF -- end\n FROM shop.orders",
    "SELECT note FROM shop.orders WHERE id IN (1, 2, 3) ORDER BY id ASC LIMIT 5",
    "SELECT note FROM shop.orders WHERE id IN (4) ORDER BY id ASC LIMIT 1",
    "SELECT 'tab\there', '20240501 10:00:00,x,y', '\\\\'",
    "SELECT missing FROM shop.orders",
    "UPDATE shop.orders SET note = 'done' WHERE id = 2",
    "SELECT SLEEP(0.01)",
]
_ROUNDS = 20
_LOGS = {
    "slow": LogType.MYSQL_SLOW,
    "general": LogType.MYSQL_GENERAL,
    "error": LogType.MYSQL_ERROR,
    "audit": LogType.MYSQL_AUDIT,
}


@pytest.fixture(scope="module")
def logs() -> dict[str, bytes]:
    with running_mariadb() as mariadb:
        mariadb.run("CREATE DATABASE shop")
        for _ in range(_ROUNDS):
            mariadb.run("USE shop;\n" + ";\n".join([*_STATEMENTS, "DROP TABLE shop.orders"]) + ";\n")
        return {name: mariadb.log(name) for name in _LOGS}


def _records(logs: dict[str, bytes], name: str) -> pl.DataFrame:
    return parse(segment_of(_LOGS[name], logs[name]), logs[name])


def _of_workload(found: pl.Series) -> list[str]:
    """Return the statements of the workload: without those of the client and of the fixture."""
    known = set(_STATEMENTS)
    return [text for text in found.drop_nulls() if text in known]


@pytest.mark.parametrize("name", _LOGS)
def test_every_byte_of_a_real_log_is_in_a_record_that_parses(logs: dict[str, bytes], name: str) -> None:
    records = _records(logs, name)
    assert bytes_of(records) == logs[name]
    assert records.filter(pl.col("parse_status") != "ok")["raw"].to_list() == []
    assert records.filter(pl.col("parse_reason").is_null())["event_time"].null_count() == 0


@pytest.mark.parametrize("name", _LOGS)
def test_pieces_of_a_real_log_parse_to_what_the_whole_does(logs: dict[str, bytes], name: str) -> None:
    data = logs[name]
    pieces = [data[start : start + 4_099] for start in range(0, len(data), 4_099)]
    assert parsed_in_pieces(_LOGS[name], pieces).equals(_records(logs, name))


@pytest.mark.parametrize(("name", "column"), [("slow", "query"), ("general", "query"), ("audit", "object")])
def test_statements_are_found_as_they_were_sent(logs: dict[str, bytes], name: str, column: str) -> None:
    assert _of_workload(_records(logs, name)[column]) == _STATEMENTS * _ROUNDS


def test_slow_log_tells_rows_database_and_client(logs: dict[str, bytes]) -> None:
    slow = _records(logs, "slow").filter(pl.col("query").is_in(_STATEMENTS))
    assert (
        slow["query_time"].null_count() == slow["rows_examined"].null_count() == slow["connection_id"].null_count() == 0
    )
    assert set(slow["database"]) == {"shop"}
    assert set(slow.select("user", "host").rows()) == {("root", "localhost")}
    slept = slow.filter(pl.col("query").str.contains("SLEEP"))
    assert slept["query_time"].min() >= 0.01  # type: ignore[operator]
    assert slow["attributes"].null_count() == 0


def test_audit_tells_return_codes_connections_and_tables(logs: dict[str, bytes]) -> None:
    audit = _records(logs, "audit")
    failed = audit.filter(pl.col("object") == "SELECT missing FROM shop.orders")
    assert failed["return_code"].to_list() == [1054] * _ROUNDS
    operations = dict(audit.group_by("operation").len().rows())
    assert operations["CONNECT"] >= _ROUNDS
    # The last client may still be on its way out.
    assert operations["CONNECT"] - operations["DISCONNECT"] in {0, 1}
    assert operations["CREATE"] == operations["DROP"] == _ROUNDS
    assert set(audit.filter(pl.col("operation") == "DROP")["object"]) == {"orders"}


def test_error_log_tells_that_the_server_is_ready(logs: dict[str, bytes]) -> None:
    error = _records(logs, "error")
    assert error["message"].str.contains("ready for connections").sum() == 1
    assert {"NOTE"} <= set(error["severity"].drop_nulls())


def test_digest_counts_what_was_executed(logs: dict[str, bytes]) -> None:
    report = digest([part(_records(logs, "slow"), "mysql")], pl.Series([], dtype=pl.String()))
    calls = dict(report.select("fingerprint_id", "calls").rows())
    sent = fingerprint_ids(fingerprint(pl.Series(_STATEMENTS * _ROUNDS))).value_counts(name="calls").rows()
    assert {one: calls[one] for one, _ in sent} == dict(sent)
