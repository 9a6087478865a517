from datetime import UTC, datetime
from typing import Any

import pytest

from database_logs.boundaries.mysql import cut_error
from database_logs.log_types import LogType
from database_logs.parsing.mysql_error import parse
from tests.support.rds_segments import segment_of


def _rows(log: str, time_zone: str = "UTC") -> list[dict[str, Any]]:
    data = log.encode()
    return parse(segment_of(LogType.MYSQL_ERROR, data, time_zone=time_zone), data).to_dicts()


@pytest.mark.parametrize(
    ("line", "time", "fields"),
    [
        ("2024-05-01T10:00:00.5Z 7 [System] [MY-010116] [Server] up", (10, 500_000), ("SYSTEM", 7, "MY-010116", "up")),
        ("2024-05-01T10:00:00.5+02:00 7 [Warning] old [x] y", (8, 500_000), ("WARNING", 7, None, "old [x] y")),
        ("2024-05-01 10:00:00 139 [Note] ready", (8, 0), ("NOTE", 139, None, "ready")),
        ("2024-05-01  9:00:00 0 [ERROR] Plugin", (7, 0), ("ERROR", 0, None, "Plugin")),
        ("240501 10:00:00 [Warning] a", (8, 0), ("WARNING", None, None, "a")),
        ("2024-05-01 10:00:00 7f00aa InnoDB: page", (8, 0), (None, None, None, "InnoDB: page")),
    ],
)
def test_lines_of_every_version(line: str, time: tuple[int, int], fields: tuple[str, int, str, str]) -> None:
    row = _rows(line + "\n", "Europe/Berlin")[0]
    assert row["event_time"] == datetime(2024, 5, 1, time[0], 0, 0, time[1], UTC)
    assert (row["severity"], row["thread_id"], row["code"], row["message"]) == fields
    assert row["parse_status"] == "ok"


@pytest.mark.parametrize(
    "line",
    [
        "20240501 10:00:00 server_audit: MariaDB Audit Plugin started",
        "2024-05-01 10:00:00 1234567890123 [DAS] agent",
        "buffer_pool:12",
        "ALTER TABLE mysql.user ADD COLUMN a int;",
        "# a comment of a script",
    ],
)
def test_lines_of_agents_and_upgrades_belong_to_the_message_before(line: str) -> None:
    log = f"2024-05-01T10:00:00.5Z 0 [Note] [MY-1] [Server] up\n{line}\n"
    rows = _rows(log)
    assert [row["message"] for row in rows] == [f"up\n{line}"]
    assert cut_error(log.encode()) == 0


def test_what_is_before_the_first_message_is_kept_unparsed() -> None:
    first, second = _rows("mysqld: stack\n2024-05-01T10:00:00.5Z 0 [Note] up\n")
    assert (first["parse_status"], first["parse_reason"], first["event_time"]) == ("unparsed", "no_time", None)
    assert second["parse_status"] == "ok"
