"""Records of PostgreSQL's jsonlog."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from database_logs.log_types import LogType
from database_logs.parsing.postgres_columns import SCHEMA
from tests.support.postgres_logs import bytes_of, parsed

_JSON = LogType.POSTGRES_JSON


def _line(**more: Any) -> str:
    return (
        json.dumps({"timestamp": "2026-01-01 10:00:00.123 UTC", "error_severity": "LOG", "message": "text", **more})
        + "\n"
    )


def test_keys_are_named_as_the_columns_of_the_other_formats() -> None:
    line = _line(
        user="app",
        dbname="shop",
        pid=42,
        remote_host="10.0.0.1",
        remote_port=5432,
        session_id="695643a0.2a",
        line_num=3,
        ps="SELECT",
        session_start="2026-01-01 09:59:59 UTC",
        vxid="4/12",
        txid=0,
        error_severity="ERROR",
        state_code="42P01",
        message="no",
        hint="look",
        statement="SELECT a\nFROM b",
        cursor_position=15,
        func_name="f",
        file_name="x.c",
        file_line_num=7,
        application_name="psql",
        backend_type="client backend",
        query_id=-88,
    )
    frame = parsed(line.encode(), _JSON)
    assert dict(frame.schema) == dict(SCHEMA)
    row = frame.row(0, named=True)
    assert row["event_time"] == datetime(2026, 1, 1, 10, 0, 0, 123_000, tzinfo=UTC)
    assert (row["user_name"], row["database_name"], row["process_id"]) == ("app", "shop", 42)
    assert (row["client_host"], row["client_port"], row["severity"]) == ("10.0.0.1", 5432, "ERROR")
    assert (row["query"], row["query_position"], row["location"]) == ("SELECT a\nFROM b", 15, "f, x.c:7")
    assert (row["query_id"], row["hint"], row["parse_status"]) == (-88, "look", "ok")


@pytest.mark.parametrize("broken", ["{", "[]", "", "5", '{"message": "no time"}', '{"pid": 1e99}'])
def test_a_broken_line_leaves_the_others_alone(broken: str) -> None:
    data = (_line() + broken + "\n" + _line(pid=5)).encode()
    frame = parsed(data, _JSON)
    assert frame["parse_status"].to_list() == ["ok", "unparsed", "ok"]
    assert frame["parse_reason"].to_list() == [None, "no_object", None]
    assert bytes_of(frame) == data


def test_lines_that_are_no_object_are_one_record_until_the_next_object() -> None:
    junk = "hello\n\n{}\r\n"
    data = (junk + _line() + junk * 2 + _line() * 2 + "cut").encode()
    frame = parsed(data, _JSON)
    assert bytes_of(frame) == data
    assert frame["raw"].to_list() == [junk, _line(), junk * 2, _line(), _line(), "cut"]
    assert frame["parse_status"].to_list() == ["unparsed", "ok", "unparsed", "ok", "ok", "unparsed"]


@pytest.mark.parametrize(
    "broken",
    [
        '{"timestamp":x}',
        '{"timestamp":1}{"timestamp":2}',
        '{"timestamp":1}\r{"timestamp":2}',
        '{"timestamp":"\0"}',
        '{"timestamp":' + "[" * 100_000 + "]" * 100_000 + "}",
        '{"timestamp":' + "1" * 400 + "}",
    ],
    ids=["word", "two", "carriage_return", "nul", "deep", "long_number"],
)
def test_objects_that_cannot_be_read_cost_no_other_record(broken: str) -> None:
    data = (_line() + f"{broken}\n" * 2 + _line(pid=5)).encode()
    frame = parsed(data, _JSON)
    assert bytes_of(frame) == data
    assert frame["parse_status"].to_list() == ["ok", "unparsed", "unparsed", "ok"]
    assert frame["process_id"].to_list() == [None, None, None, 5]


def test_one_broken_object_in_ten_costs_little_more_than_none() -> None:
    whole = (_line() * 10_000).encode()
    broken = ((_line() * 9 + _line().replace("}", '"}')) * 1_000).encode()
    started = time.process_time()
    parsed(whole, _JSON)
    between = time.process_time()
    assert parsed(broken, _JSON)["parse_status"].value_counts(sort=True).rows() == [("ok", 9_000), ("unparsed", 1_000)]
    # Looking for each by halves took a hundred times as long.
    assert time.process_time() - between < 10 * (between - started)


def test_a_value_of_another_type_is_null() -> None:
    row = parsed(_line(pid="x").encode(), _JSON).row(0, named=True)
    assert (row["process_id"], row["message"]) == (None, "text")


def test_unknown_keys_stay_in_raw() -> None:
    row = parsed(_line(colour="blue").encode(), _JSON).row(0, named=True)
    assert row["message"] == "text"
    assert "blue" in row["raw"]


def test_audited_commands_are_taken_apart() -> None:
    row = parsed(_line(message='AUDIT: SESSION,1,1,READ,SELECT,,,"SELECT ""x""",<none>').encode(), _JSON).row(
        0, named=True
    )
    assert (row["audit_class"], row["query"]) == ("READ", 'SELECT "x"')
