"""Records of PostgreSQL's csvlog."""

from datetime import UTC, datetime

import pytest

from database_logs.boundaries.postgres_csv import cut
from database_logs.log_types import LogType
from database_logs.parsing.postgres_columns import SCHEMA
from tests.support.postgres_logs import bytes_of, parsed

_CSV = LogType.POSTGRES_CSV


def _row(message: str = "text", columns: int = 26, who: str = '"app","shop",42,"10.0.0.1:5432"') -> str:
    quoted = message.replace('"', '""')
    head = f'2026-01-01 10:00:00.123 UTC,{who},695643a0.2a,3,"SELECT",2026-01-01 09:59:59 UTC,4/12,0,ERROR,42P01,'
    rest = [
        "",
        "",
        "",
        "",
        "",
        '"SELECT ""a""\n  FROM b"',
        "15",
        '"f, x.c:7"',
        '"psql"',
        '"client backend"',
        "41",
        "-88",
    ]
    return ",".join([f'{head}"{quoted}"', *rest[: columns - 14]]) + "\n"


def test_columns_are_named_by_the_manual() -> None:
    found = parsed(_row().encode(), _CSV)
    assert dict(found.schema) == dict(SCHEMA)
    row = found.row(0, named=True)
    assert row["event_time"] == datetime(2026, 1, 1, 10, 0, 0, 123_000, tzinfo=UTC)
    assert row["session_start"] == datetime(2026, 1, 1, 9, 59, 59, tzinfo=UTC)
    assert (row["user_name"], row["database_name"], row["process_id"]) == ("app", "shop", 42)
    assert (row["client_host"], row["client_port"], row["session_id"]) == ("10.0.0.1", 5432, "695643a0.2a")
    assert (row["session_line"], row["command_tag"], row["sqlstate"]) == (3, "SELECT", "42P01")
    assert (row["severity"], row["message"], row["query"]) == ("ERROR", "text", 'SELECT "a"\n  FROM b')
    assert (row["query_position"], row["location"], row["application_name"]) == (15, "f, x.c:7", "psql")
    assert (row["backend_type"], row["leader_pid"], row["query_id"]) == ("client backend", 41, -88)


@pytest.mark.parametrize("columns", [23, 24, 26])
def test_versions_are_known_by_their_number_of_columns(columns: int) -> None:
    row = parsed(_row(columns=columns).encode(), _CSV).row(0, named=True)
    assert (row["parse_status"], row["application_name"]) == ("ok", "psql")
    assert row["backend_type"] == (None if columns == 23 else "client backend")


def test_versions_may_follow_each_other() -> None:
    frame = parsed((_row("a", 23) + _row("b", 26) + _row("c", 24)).encode(), _CSV)
    assert frame["message"].to_list() == ["a", "b", "c"]


@pytest.mark.parametrize(
    "message",
    ["a\nb", 'say "hi"', '"x" is a view', _row("inner"), _row("inner") * 2, "\n" + _row('"x" is a view'), "", ","],
)
def test_a_message_may_hold_anything(message: str) -> None:
    data = (_row("first") + _row(message) + _row("last")).encode()
    frame = parsed(data, _CSV)
    assert frame["message"].to_list() == ["first", message or None, "last"]
    assert bytes_of(frame) == data


def test_a_cut_record_gives_what_it_has_and_leaves_the_next_alone() -> None:
    cut_short = _row('he said "no\nand so on').partition(" so on")[0]
    frame = parsed((_row("first") + cut_short + "\n" + _row("last")).encode(), _CSV)
    assert frame.select("message", "parse_status", "parse_reason", "process_id").rows() == [
        ("first", "ok", None, 42),
        ('he said "no\nand', "unparsed", "columns_differ", 42),
        ("last", "ok", None, 42),
    ]


def test_bytes_before_the_first_record_are_kept() -> None:
    frame = parsed(b'rest of a record",,,\n' + _row().encode(), _CSV)
    assert frame.select("parse_status", "parse_reason").rows() == [("unparsed", "no_record"), ("ok", None)]


def test_background_processes_have_no_names() -> None:
    row = parsed(_row(who=",,42,").encode(), _CSV).row(0, named=True)
    assert (row["user_name"], row["database_name"], row["client_host"]) == (None, None, None)


def test_local_clients_have_no_port() -> None:
    row = parsed(_row(who='"a","b",42,"[local]"').encode(), _CSV).row(0, named=True)
    assert (row["client_host"], row["client_port"]) == ("[local]", None)


def test_invalid_utf_8_is_kept_as_bytes() -> None:
    data = _row("caf@").encode().replace(b"caf@", b"caf\xe9") + _row().encode()
    frame = parsed(data, _CSV)
    assert bytes_of(frame) == data
    assert frame["message"].to_list() == ["caf\ufffd", "text"]


def test_carriage_returns_end_lines_too() -> None:
    data = _row().replace("\n  FROM", " FROM").replace("\n", "\r\n").encode() * 2
    assert parsed(data, _CSV)["parse_status"].to_list() == ["ok", "ok"]


def test_cut_is_before_the_last_record() -> None:
    first, last = _row("a"), _row(f"b\n{_row('inner')}")
    assert cut((first + last).encode()) == len(first)
    assert cut((first + last[:-200]).encode()) == len(first)
    assert cut(last.encode()) == 0
