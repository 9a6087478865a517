from datetime import UTC, datetime
from typing import Any

from database_logs.log_types import LogType
from database_logs.parsing import oracle_alert, sqlserver_error
from tests.support.rds_segments import bytes_of, segment_of


def _sqlserver(data: bytes, time_zone: str = "UTC") -> list[dict[str, Any]]:
    return sqlserver_error.parse(segment_of(LogType.SQLSERVER_ERROR, data, time_zone=time_zone), data).to_dicts()


def _oracle(log: str, time_zone: str = "UTC") -> list[dict[str, Any]]:
    data = log.encode()
    return oracle_alert.parse(segment_of(LogType.ORACLE_ALERT, data, time_zone=time_zone), data).to_dicts()


_ERRORLOG = """2024-05-01 10:00:00.12 Server      Microsoft SQL Server 2019\r
\tCopyright\r
2024-05-01 10:00:01.50 Logon       Error: 18456, Severity: 14, State: 8.\r
2024-05-01 10:00:01.50 Logon       Login failed for user 'sa'.\r
2024-05-01 10:00:02.00 spid52      Error: 824, Severity: 24, State: 2.\r
"""


def test_lines_of_sql_server_have_time_source_and_message() -> None:
    rows = _sqlserver(_ERRORLOG.encode(), "America/New_York")
    assert [(row["source"], row["message"]) for row in rows[:1] + rows[2:3]] == [
        ("Server", "Microsoft SQL Server 2019\r\n\tCopyright"),
        ("Logon", "Login failed for user 'sa'."),
    ]
    assert rows[0]["event_time"] == datetime(2024, 5, 1, 14, 0, 0, 120_000, UTC)


def test_severity_of_sql_server_is_that_of_its_level() -> None:
    rows = _sqlserver(_ERRORLOG.encode())
    assert [row["severity"] for row in rows] == [None, "ERROR", None, "FATAL"]
    assert [(row["error_number"], row["severity_level"], row["state"]) for row in rows[1::2]] == [
        (18456, 14, 8),
        (824, 24, 2),
    ]


def test_utf16_of_sql_server_is_read_and_kept() -> None:
    data = _ERRORLOG.encode("utf-16")
    frame = sqlserver_error.parse(segment_of(LogType.SQLSERVER_ERROR, data), data)
    assert bytes_of(frame) == data
    assert frame["message"].to_list() == [row["message"] for row in _sqlserver(_ERRORLOG.encode())]


def test_records_of_oracle_are_a_time_and_what_follows() -> None:
    rows = _oracle(
        "Starting up\n"
        "2024-05-01T10:00:00.123456+02:00\nThread 1 advanced\n  Current log# 1\n"
        "Wed May 01 10:00:01 2024\nErrors in file x.trc:\nORA-00600: a [1]\nORA-07445: b ORA-00600\n"
        "2024-05-01T10:00:02.000000+00:00\nWARNING: Heavy swapping\n",
        "Europe/Berlin",
    )
    assert [row["parse_status"] for row in rows] == ["unparsed", "ok", "ok", "ok"]
    assert [row["event_time"] for row in rows[1:]] == [
        datetime(2024, 5, 1, 8, 0, 0, 123456, UTC),
        datetime(2024, 5, 1, 8, 0, 1, tzinfo=UTC),
        datetime(2024, 5, 1, 10, 0, 2, tzinfo=UTC),
    ]
    assert [row["severity"] for row in rows] == [None, None, "ERROR", "WARNING"]
    assert rows[1]["message"] == "Thread 1 advanced\n  Current log# 1"
    assert (rows[1]["codes"], rows[2]["codes"]) == (None, ["ORA-00600", "ORA-07445"])


def test_an_alert_log_with_carriage_returns_tells_what_one_without_them_does() -> None:
    log = "2024-05-01T10:00:00.123456+02:00\nThread 1\nWed May 01 10:00:01 2024 \nORA-00600: a\n"
    told = [
        [(row["event_time"], row["message"], row["codes"], row["parse_status"]) for row in _oracle(each)]
        for each in (log, log.replace("\n", "\r\n"))
    ]
    assert told[0] == told[1]
    assert [row[3] for row in told[1]] == ["ok", "ok"]
