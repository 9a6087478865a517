from datetime import UTC, datetime
from typing import Any

from database_logs.boundaries.mysql import cut_general
from database_logs.log_types import LogType
from database_logs.parsing.mysql_general import parse
from tests.support.rds_segments import segment_of

_NEW = "2024-05-01T10:00:00.500000Z\t    8 "


def _rows(log: str, time_zone: str = "UTC") -> list[dict[str, Any]]:
    data = log.encode()
    return parse(segment_of(LogType.MYSQL_GENERAL, data, time_zone=time_zone), data).to_dicts()


def test_command_has_its_time_connection_and_argument() -> None:
    row = _rows(_NEW + "Query\tSELECT 'a\tb'\nFROM t\n")[0]
    assert row["event_time"] == datetime(2024, 5, 1, 10, 0, 0, 500_000, UTC)
    assert (row["connection_id"], row["command"], row["argument"]) == (8, "Query", "SELECT 'a\tb'\nFROM t")
    assert (row["query"], row["fingerprint"]) == ("SELECT 'a\tb'\nFROM t", "select ? from t")


def test_connections_tell_who_from_where_to_what() -> None:
    rows = _rows(
        _NEW + "Connect\tapp@10.0.0.1 on shop using TCP/IP\n" + _NEW + "Connect\troot@localhost on  using Socket\n"
    )
    found = [(row["user"], row["host"], row["database"], row["query"]) for row in rows]
    assert found == [("app", "10.0.0.1", "shop", None), ("root", "localhost", None, None)]


def test_commands_of_a_second_share_its_time() -> None:
    rows = _rows("240501  9:00:00\t    8 Connect\ta@b on \n\t\t    8 Query\tSELECT 1\n", "Europe/Berlin")
    assert [row["event_time"] for row in rows] == [datetime(2024, 5, 1, 7, tzinfo=UTC)] * 2
    assert [row["time_source"] for row in rows] == ["line", "inherited"]


def test_commands_of_several_words_and_without_argument_are_commands() -> None:
    rows = _rows(_NEW + "Init DB\tshop\n" + _NEW + "Close stmt\t\n" + _NEW + "Quit\t\n" + _NEW + "Statistics\n")
    assert [(row["command"], row["argument"]) for row in rows] == [
        ("Init DB", "shop"),
        ("Close stmt", ""),
        ("Quit", ""),
        ("Statistics", ""),
    ]


def test_banner_is_a_record_and_no_command() -> None:
    banner = (
        "/bin/mysqld, Version: 8.0.28 (x). started with:\nTcp port: 1  Unix socket: /s\nTime   Id Command    Argument\n"
    )
    first, second = _rows(banner + _NEW + "Quit\t\n")
    assert (first["raw"], first["command"], first["parse_status"], first["parse_reason"]) == (
        banner,
        None,
        "ok",
        "banner",
    )
    assert second["command"] == "Quit"


def test_cut_is_before_the_last_command_that_tells_its_time() -> None:
    old = "240501 10:00:00\t    8 Query\tSELECT 1\n"
    assert cut_general((old + old + "\t\t    8 Query\tSELECT 2\n").encode()) == len(old)
