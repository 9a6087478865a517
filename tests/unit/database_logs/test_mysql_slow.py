from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

from database_logs.boundaries.mysql import cut_slow
from database_logs.log_types import LogType
from database_logs.parsing.mysql_slow import parse
from tests.support.rds_samples import expected, sample
from tests.support.rds_segments import segment_of

_COLUMNS = {
    "Query_time": "query_time",
    "Lock_time": "lock_time",
    "Rows_sent": "rows_sent",
    "Rows_examined": "rows_examined",
    "Rows_affected": "rows_affected",
    "Bytes_sent": "bytes_sent",
    "Thread_id": "connection_id",
}
_EVENT = """# Time: 2024-05-01T10:00:00.500000Z
# User@Host: app[app] @ web [10.0.0.1]  Id: 7
# Query_time: 1.5  Lock_time: 0.25 Rows_sent: 1  Rows_examined: 2
"""


def _rows(log: str | bytes, start: int = 0, time_zone: str = "UTC") -> list[dict[str, Any]]:
    data = log.encode() if isinstance(log, str) else log
    return parse(segment_of(LogType.MYSQL_SLOW, data, start, time_zone=time_zone), data).to_dicts()


def _attributes(row: dict[str, Any]) -> dict[str, str]:
    return {pair["key"]: pair["value"] for pair in row["attributes"] or []}


def _value(row: dict[str, Any], key: str) -> Any:
    return row[_COLUMNS[key]] if key in _COLUMNS else _attributes(row)[key]


def _cases() -> dict[str, Any]:
    cases = expected("go-mysql/expected/slowlog_expected.json")
    assert len(cases) == 22
    return dict(cases)


def test_events_of_published_logs_are_found_where_they_are() -> None:
    for name, case in _cases().items():
        start = 358 if "StartOffset" in name else 0
        data = sample(f"go-mysql/test/slow-logs/{case['file']}").read_bytes()
        rows = [row for row in _rows(data[start:], start) if row["query_time"] is not None]
        # The case filters one command of administrators.
        rows = [row for row in rows if "009" not in name or row["query"] != "Quit"]
        assert [row["offset_start"] for row in rows] == [event["Offset"] for event in case["expect"]], name
        assert [row["query"] for row in rows] == [event["Query"] for event in case["expect"]], name


def test_events_of_published_logs_have_the_values_they_have() -> None:
    for name, case in _cases().items():
        data = sample(f"go-mysql/test/slow-logs/{case['file']}").read_bytes()
        rows = {row["offset_start"]: row for row in _rows(data)}
        for event in case["expect"]:
            row = rows[event["Offset"]]
            assert (row["user"] or "") == event.get("User", "").strip("[]"), name
            assert (row["host"] or "") == event.get("Host", ""), name
            assert (row["database"] or "") == event.get("Db", ""), name
            assert row["is_admin"] == event.get("Admin", False), name
            if "Ts" in event:
                assert row["event_time"] == datetime.fromisoformat(event["Ts"]["time"][:26]).replace(tzinfo=UTC), name
            # A transaction's id is no number, and read as zero there.
            metrics = {**event["TimeMetrics"], **event["NumberMetrics"]}
            metrics.pop("InnoDB_trx_id", None)
            assert {key: float(_value(row, key)) for key in metrics} == metrics, name
            flags = dict(event["BoolMetrics"] or {})
            assert {key: _value(row, key) == "Yes" for key in flags} == flags, name


@pytest.mark.parametrize(("file", "events"), [("slow015.log", 2), ("slow023.log", 8)])
def test_published_logs_have_as_many_events_and_none_without_statement(file: str, events: int) -> None:
    rows = [
        row for row in _rows(sample(f"go-mysql/test/slow-logs/{file}").read_bytes()) if row["query_time"] is not None
    ]
    assert len(rows) == events
    assert all(row["query"] for row in rows)


_HONEYTAIL = {
    "queryTimeKey": "query_time",
    "lockTimeKey": "lock_time",
    "rowsSentKey": "rows_sent",
    "rowsExaminedKey": "rows_examined",
    "rowsAffectedKey": "rows_affected",
    "bytesSentKey": "bytes_sent",
    "userKey": "user",
    "databaseKey": "database",
    "queryKey": "query",
}
# Events that no server writes: statements in or before the header, whose first lines are thrown away there.
_NO_EVENTS = {13, 14, 15, 16}


def test_single_events_have_the_fields_they_have() -> None:
    cases = expected("honeytail/expected/mysql.json")["init:sqds"]
    assert len(cases) == 30
    for number, case in enumerate(cases):
        if number in _NO_EVENTS or not case["sq"]:
            continue
        row = _rows("\n".join(case["rawE"]) + "\n")[0]
        wanted = {_HONEYTAIL[key]: value for key, value in case["sq"].items() if key in _HONEYTAIL}
        # Lines are joined by blanks there.
        found = {key: row[key].replace("\n", " ") if key == "query" else row[key] for key in wanted}
        assert found == wanted, number
        if "clientKey" in case["sq"]:
            assert " ".join(filter(None, [row["host"], f"[{row['ip'] or ''}]"])) == case["sq"]["clientKey"], number
        if (
            case["timestamp"] in ("t1", {"call": "t1.Truncate", "args": ["time.Second"]})
            and "040116" not in case["rawE"][0]
        ):
            micros = 817887 if case["timestamp"] == "t1" else 0
            assert row["event_time"] == datetime(2016, 4, 1, 0, 31, 9, micros, UTC), number


def test_headers_in_a_statement_do_not_begin_an_event() -> None:
    statement = "SELECT 1\n# Time: noon\n; # User@Host: nobody\n# User@Host: x\nFROM t;\n"
    rows = _rows(_EVENT + statement + _EVENT + "SELECT 2;\n")
    assert [row["query"] for row in rows] == [statement.strip()[:-1], "SELECT 2"]


def test_banner_is_a_record_of_its_own_and_no_event() -> None:
    banner = (
        "/bin/mysqld, Version: 8.0.28 (x). started with:\nTcp port: 1  Unix socket: /s\nTime   Id Command    Argument\n"
    )
    first, second, third = _rows(banner + banner + _EVENT + "SELECT 1;\n")
    assert (first["raw"], second["raw"]) == (banner, banner)
    assert (first["parse_reason"], first["query"], first["query_time"], third["parse_reason"]) == (
        "banner",
        None,
        None,
        None,
    )


def test_times_are_of_the_line_else_inherited_else_of_the_statement() -> None:
    header = "# User@Host: a[a] @ h []\n# Query_time: 1  Lock_time: 0\n"
    old = f"# Time: 240501 10:00:00\n{header}SELECT 1;\n{header}SET timestamp=1714550000;\nSELECT 2;\n"
    alone = f"{header}SET timestamp=1714550000;\nSELECT 3;\n"
    unknown = f"{header}SELECT 4;\n"
    rows = [*_rows(old, time_zone="Europe/Berlin"), *_rows(alone), *_rows(unknown)]
    at_eight, stated = datetime(2024, 5, 1, 8, tzinfo=UTC), datetime.fromtimestamp(1714550000, UTC)
    assert [(row["event_time"], row["time_source"]) for row in rows] == [
        (at_eight, "line"),
        (at_eight, "inherited"),
        (stated, "line"),
        (None, None),
    ]
    assert rows[1]["statement_time"] == stated


@pytest.mark.parametrize(
    ("client", "found"),
    [
        ("app[app] @ web [10.0.0.1]", ("app", "web", "10.0.0.1")),
        ("a@b[a@b] @ web []", ("a@b", "web", None)),
        ("[SQL_SLAVE] @  []", ("SQL_SLAVE", None, None)),
        ("app @ web [10.0.0.1]", ("app", "web", "10.0.0.1")),
        ("[] @ localhost [::1]", (None, "localhost", "::1")),
        ("", (None, None, None)),
    ],
)
def test_user_host_and_address_may_be_missing(client: str, found: tuple[str, str, str]) -> None:
    row = _rows(f"# User@Host: {client}  Id:   12\n# Query_time: 1  Lock_time: 0\nSELECT 1;\n")[0]
    assert (row["user"], row["host"], row["ip"]) == found


def test_values_with_colons_are_values() -> None:
    extra = "# Start: 2024-05-01T10:00:00.1Z End: 2024-05-01T10:00:01.6Z Schema: Errno: 0\n"
    row = _rows(_EVENT + extra + "SELECT 1;\n")[0]
    assert _attributes(row) == {
        "Start": "2024-05-01T10:00:00.1Z",
        "End": "2024-05-01T10:00:01.6Z",
        "Schema": "",
        "Errno": "0",
    }
    assert row["database"] is None


def test_preamble_is_no_part_of_the_statement() -> None:
    row = _rows(_EVENT + "use `Shop`;\nSET last_insert_id=5,insert_id=6,timestamp=1714557598.25;\nSELECT 'a;\n';\n")[0]
    assert (row["database"], row["query"]) == ("Shop", "SELECT 'a;\n'")
    assert row["statement_time"] == datetime(2024, 5, 1, 9, 59, 58, 250_000, UTC)
    assert row["fingerprint"] == "select ?"


def test_commands_of_administrators_have_their_own_fingerprint() -> None:
    row = _rows(_EVENT + "SET timestamp=1714557598;\n# administrator command: Quit;\n")[0]
    assert (row["is_admin"], row["query"], row["fingerprint"]) == (True, "Quit", "administrator command: Quit")


def test_bytes_that_are_no_utf8_are_kept() -> None:
    data = _EVENT.encode() + b"SELECT _binary'\xff\xfe';\n"
    frame = parse(segment_of(LogType.MYSQL_SLOW, data), data)
    assert frame["raw_bytes"].to_list() == [data]
    assert frame["query"].to_list() == ["SELECT _binary'\ufffd\ufffd'"]


def test_cut_is_before_the_last_event_that_tells_its_time() -> None:
    untimed = "# User@Host: a[a] @ h []\n# Query_time: 1\nSELECT 2;\n"
    log = _EVENT + "SELECT 1;\n" + _EVENT + "SELECT 2;\n" + untimed
    assert cut_slow(log.encode()) == len(_EVENT + "SELECT 1;\n")
    assert cut_slow((log + "# Time: 2024-05-01T10:00:01Z\n# User@Host").encode()) == len(_EVENT + "SELECT 1;\n")
    assert cut_slow(_EVENT.encode()) == 0


def test_a_million_bytes_of_statement_are_one_event() -> None:
    statement = ",\n".join(["REPLACE t VALUES (1, 'x')", *["(1, 'x')"] * 100_000])
    frame = pl.DataFrame(_rows(_EVENT + statement + ";\n"))
    assert frame["query"].to_list() == [statement]
    assert frame["fingerprint"].to_list() == ["replace t values(?+)"]
