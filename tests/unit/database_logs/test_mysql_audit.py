from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from database_logs.log_types import LogType
from database_logs.parsing.mysql_audit import parse
from tests.support.rds_segments import segment_of

_MARIADB = "20240501 10:00:00,srv,app,10.0.0.1,7,8,"


def _frame(log: str, file: str = "audit.log.0", time_zone: str = "UTC") -> pl.DataFrame:
    data = log.encode()
    return parse(segment_of(LogType.MYSQL_AUDIT, data, file=file, time_zone=time_zone), data)


def _row(line: str) -> dict[str, Any]:
    return _frame(line + "\n").row(0, named=True)


def test_times_of_aurora_are_micros_and_of_mariadb_local() -> None:
    rows = _frame(f"1714557600000001,s,a,h,7,8,QUERY,d,'x',0\n{_MARIADB}QUERY,d,'x',0\n", time_zone="Europe/Berlin")
    assert rows["event_time"].to_list() == [
        datetime(2024, 5, 1, 10, 0, 0, 1, UTC),
        datetime(2024, 5, 1, 8, tzinfo=UTC),
    ]


@pytest.mark.parametrize("tail", ["", ",,"])
def test_statement_loses_quotes_and_escapes(tail: str) -> None:
    row = _row(_MARIADB + r"QUERY,shop,'SELECT \'a,b\', \"\\n\"\nFROM t',1064" + tail)
    assert row["object"] == "SELECT 'a,b', \"\\n\"\nFROM t"
    assert (row["return_code"], row["object_truncated"], row["operation"]) == (1064, False, "QUERY")
    assert (row["server_host"], row["user"], row["host"], row["database"]) == ("srv", "app", "10.0.0.1", "shop")
    assert (row["connection_id"], row["query_id"], row["parse_status"]) == (7, 8, "ok")


@pytest.mark.parametrize("tail", ["0", "0,,"])
def test_a_cut_statement_has_no_closing_quote(tail: str) -> None:
    row = _row(_MARIADB + "QUERY,shop,'CALL p(1,2," + tail)
    assert (row["object"], row["object_truncated"], row["return_code"]) == ("CALL p(1,2", True, 0)


def test_commas_and_digits_in_a_statement_are_no_return_code() -> None:
    row = _row(_MARIADB + "QUERY,shop,'SELECT 1,2,SSL',0")
    assert (row["object"], row["return_code"]) == ("SELECT 1,2,SSL", 0)


def test_tables_have_names_and_no_return_code() -> None:
    row = _row(_MARIADB + "WRITE,shop,orders,")
    assert (row["operation"], row["object"], row["return_code"], row["object_truncated"]) == (
        "WRITE",
        "orders",
        None,
        None,
    )
    assert row["parse_status"] == "ok"


def test_connections_may_tell_their_type() -> None:
    plain, typed = _row(_MARIADB + "CONNECT,shop,,0"), _row(_MARIADB + "DISCONNECT,,,0,SSL/TLS")
    assert (plain["object"], plain["return_code"], plain["connection_type"]) == (None, 0, None)
    assert (typed["operation"], typed["database"], typed["connection_type"]) == ("DISCONNECT", None, "SSL/TLS")


@pytest.mark.parametrize(
    ("client", "host", "port"),
    [("10.0.0.1:3311", "10.0.0.1", 3311), ("[::1]:3311", "[::1]", 3311), ("::1", "::1", None), ("web", "web", None)],
)
def test_port_is_apart_from_the_host(client: str, host: str, port: int | None) -> None:
    row = _row(f"20240501 10:00:00,srv,app,{client},7,8,CONNECT,shop,,0")
    assert (row["host"], row["port"]) == (host, port)


def test_a_line_without_time_goes_on_with_the_event_before() -> None:
    rows = _frame(_MARIADB + "QUERY,shop,'SELECT\n1',0\n" + _MARIADB + "QUERY,shop,'x',0\n").to_dicts()
    assert [(row["object"], row["return_code"], row["parse_reason"]) for row in rows] == [
        ("SELECT\n1", 0, "continued"),
        ("x", 0, None),
    ]


def test_what_is_no_event_is_kept_with_a_reason() -> None:
    row = _row("20240501 10:00:00,srv,app")
    assert (row["parse_status"], row["parse_reason"], row["user"]) == ("unparsed", "not_audit", None)
    assert row["event_time"] == datetime(2024, 5, 1, 10, tzinfo=UTC)
