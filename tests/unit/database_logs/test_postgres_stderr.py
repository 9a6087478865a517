"""Records of PostgreSQL's stderr log."""

from datetime import UTC, datetime

import pytest

from database_logs.boundaries.postgres import cut
from database_logs.parsing.postgres_columns import SCHEMA
from tests.support.postgres_logs import bytes_of, line, parsed, record


def test_a_record_is_its_message_with_all_its_lines() -> None:
    first = (
        line("ERROR", "relation does not exist") + line("HINT", "look\nagain") + line("STATEMENT", "SELECT *\nFROM x")
    )
    second = line("LOG", "checkpoint starting: time", who=":@")
    frame = parsed((first + second).encode(), start=100)
    assert dict(frame.schema) == dict(SCHEMA)
    assert frame["raw"].to_list() == [first, second]
    assert frame["offset_start"].to_list() == [100, 100 + len(first)]
    assert frame["offset_end"].to_list() == [100 + len(first), 100 + len(first) + len(second)]
    assert frame.select("severity", "message", "hint", "query", "parse_status").rows() == [
        ("ERROR", "relation does not exist", "look\nagain", "SELECT *\nFROM x", "ok"),
        ("LOG", "checkpoint starting: time", None, None, "ok"),
    ]


def test_prefix_gives_who_and_where() -> None:
    found = record(line("LOG", "text", 42, "2001:db8::1(5432):a@b@shop"))
    assert found["event_time"] == datetime(2026, 1, 1, 10, tzinfo=UTC)
    assert (found["client_host"], found["client_port"], found["process_id"]) == ("2001:db8::1", 5432, 42)
    assert (found["user_name"], found["database_name"], found["time_source"]) == ("a@b", "shop", "line")


def test_unknown_and_empty_names_are_null() -> None:
    assert record(line("LOG", "text", who="10.0.0.1(1):[unknown]@[unknown]"))["user_name"] is None
    assert record(line("LOG", "text", who=":@"))["database_name"] is None


def test_interleaved_lines_are_rows_of_their_own_and_complete_their_message() -> None:
    data = (
        line("ERROR", "failed", 1)
        + line("LOG", "other", 2)
        + line("DETAIL", "of the first", 1)
        + line("STATEMENT", "SELECT 1", 1)
        + line("DETAIL", "of the second", 2)
    ).encode()
    frame = parsed(data)
    assert bytes_of(frame) == data
    first, second, third, fourth = frame.iter_rows(named=True)
    assert (first["detail"], first["query"], second["detail"]) == ("of the first", "SELECT 1", "of the second")
    assert (third["parse_status"], third["parent_event_id"], third["severity"]) == (
        *("continuation", first["event_id"], "DETAIL"),
    )
    assert third["raw"] == line("DETAIL", "of the first", 1) + line("STATEMENT", "SELECT 1", 1)
    assert (fourth["parent_event_id"], fourth["message"]) == (second["event_id"], "of the second")


def test_attached_line_without_message_is_kept_and_flagged() -> None:
    found = record(line("DETAIL", "of something before"))
    assert (found["parse_status"], found["parse_reason"]) == ("continuation", "message_absent")
    assert found["parent_event_id"] is None


def test_lines_without_prefix_belong_to_the_record_before() -> None:
    data = line("LOG", "first") + "no tab here\nnor here\n" + line("LOG", "second")
    frame = parsed(data.encode())
    assert frame["message"].to_list() == ["first\nno tab here\nnor here", "second"]
    assert bytes_of(frame) == data.encode()


def test_lines_before_the_first_record_are_one_unparsed_row() -> None:
    frame = parsed(b"one\n\ttwo\nthree\n" + line("LOG", "text").encode())
    assert frame.select("parse_status", "parse_reason", "message").rows() == [
        ("unparsed", "no_prefix", "one\ntwo\nthree"),
        ("ok", None, "text"),
    ]


def test_verbose_messages_give_sqlstate_and_location() -> None:
    found = record(line("ERROR", "22012: division by zero") + line("LOCATION", "int4div, int.c:870"))
    assert (found["sqlstate"], found["message"], found["location"]) == (
        "22012",
        "division by zero",
        "int4div, int.c:870",
    )


def test_word_before_a_colon_is_no_sqlstate() -> None:
    assert record(line("LOG", "PANIC: at the disco"))["sqlstate"] is None


def test_place_in_the_statement_is_a_number() -> None:
    found = record(line("ERROR", 'column "x" does not exist at character 8'))
    assert (found["message"], found["query_position"]) == ('column "x" does not exist', 8)


def test_invalid_utf_8_is_kept_as_bytes() -> None:
    data = line("LOG", "fine").encode() + line("LOG", "caf@").encode().replace(b"caf@", b"caf\xe9")
    frame = parsed(data)
    assert bytes_of(frame) == data
    assert frame["message"].to_list() == ["fine", "caf\ufffd"]
    assert frame["raw_bytes"].is_null().to_list() == [True, False]


def test_crlf_is_no_part_of_a_text() -> None:
    data = line("LOG", "text").replace("\n", "\r\n").encode()
    assert record(data.decode())["message"] == "text"


def test_truncated_and_open_tail_mark_the_last_record() -> None:
    frame = parsed((line("LOG", "a") + line("LOG", "b")).encode(), truncated=True, open_tail=True)
    assert frame.select("truncated", "open_tail").rows() == [(False, False), (True, True)]


def test_no_bytes_are_no_records() -> None:
    frame = parsed(b"")
    assert frame.is_empty()
    assert dict(frame.schema) == dict(SCHEMA)


@pytest.mark.parametrize(
    ("zone", "time_zone", "expected"),
    [
        ("GMT", "Europe/Berlin", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("-03", "UTC", datetime(2026, 7, 1, 13, tzinfo=UTC)),
        ("+0530", "UTC", datetime(2026, 7, 1, 4, 30, tzinfo=UTC)),
        ("CEST", "Europe/Berlin", datetime(2026, 7, 1, 8, tzinfo=UTC)),
        ("CET", "Europe/Berlin", None),
        ("CEST", "UTC", None),
        ("CEST", "localtime", None),
        ("GMT", "localtime", datetime(2026, 7, 1, 10, tzinfo=UTC)),
        ("+0530", "", datetime(2026, 7, 1, 4, 30, tzinfo=UTC)),
    ],
)
def test_times_are_known_by_the_zone_they_name(zone: str, time_zone: str, expected: datetime | None) -> None:
    found = record(f"2026-07-01 10:00:00 {zone}:[local]:a@b:[1]:LOG:  text\n", time_zone=time_zone)
    assert found["event_time"] == expected
    assert found["parse_reason"] == (None if expected else "time_zone_unknown")


@pytest.mark.parametrize(("zone", "hour"), [("CEST", 0), ("CET", 1)])
def test_hour_that_is_twice_is_told_apart_by_its_abbreviation(zone: str, hour: int) -> None:
    found = record(f"2026-10-25 02:30:00 {zone}:[local]:a@b:[1]:LOG:  text\n", time_zone="Europe/Berlin")
    assert found["event_time"] == datetime(2026, 10, 25, hour, 30, tzinfo=UTC)


def test_any_prefix_is_read() -> None:
    found = record("1767261600.250 [42] 695643a0.2a/3 ERROR:  text\n", prefix="%n [%p] %c/%l ")
    assert found["event_time"] == datetime(2026, 1, 1, 10, 0, 0, 250_000, tzinfo=UTC)
    assert (found["session_id"], found["session_line"], found["message"]) == ("695643a0.2a", 3, "text")


def test_prefix_without_process_takes_the_last_message() -> None:
    frame = parsed(b"ERROR:  a\nDETAIL:  b\n", prefix="")
    assert frame.select("message", "detail", "event_time", "time_source").rows() == [("a", "b", None, None)]


def test_cut_is_before_the_last_message() -> None:
    first, last = (
        line("LOG", "a\nb"),
        line("ERROR", "c\nd") + line("DETAIL", "e") + "stray\n2026-01-01 10:00:00 UTC:[lo",
    )
    assert cut((first + last).encode()) == len(first)
    assert cut(last.encode()) == 0
    assert cut(b"") == 0


def test_cut_goes_by_the_prefix() -> None:
    data = b"a|LOG:  one\nb|LOG:  two\n"
    assert cut(data, "%u|") == 12
    assert cut(data) == 0
