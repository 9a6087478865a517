"""What holds for every grammar, whatever the bytes: nothing is lost, and where a log is cut does not matter."""

from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database_logs.log_types import LogType
from database_logs.parsing.dispatch import SCHEMAS, parse
from tests.support.effort import examples
from tests.support.rds_segments import bytes_of, parsed_in_pieces, segment_of

_SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=examples(50))

_ODD = [
    b"",
    b"\n",
    b"\r\n",
    b"text",
    b"\tmore\n",
    b"\xff\xfe\x80\n",
    "zo\u00eb \U0001f600\n".encode(),
    b"\0\x1a\n",
    b"# \n",
]


class Lines(NamedTuple):
    log_type: LogType
    lines: list[bytes]


_BANNER = [
    b"/rdsdbbin/mysqld, Version: 8.0.28 (Source). started with:\n",
    b"Tcp port: 3306  Unix socket: /s\n",
    b"Time    Id Command\n",
]
_LINES = [
    Lines(
        LogType.MYSQL_SLOW,
        [
            *_BANNER,
            b"# Time: 2024-05-01T10:00:00.5Z\n",
            b"# Time: 240501 10:00:00\n",
            b"# Time: 240501  9:00:00 # User@Host: b[b] @ h []\n",
            b"# User@Host: app[app] @  [10.0.0.1]  Id: 7\n",
            b"# Query_time: 1.5  Lock_time: 0.1 Rows_sent: 1  Rows_examined: 2\n",
            b"# Thread_id: 8  Schema:   QC_hit: No\n",
            b"use shop;\n",
            b"SET timestamp=1714557600;\n",
            b"SELECT 1;\n",
            b"# administrator command: Quit;\n",
            b"### a comment\n",
        ],
    ),
    Lines(
        LogType.MYSQL_GENERAL,
        [
            *_BANNER,
            b"2024-05-01T10:00:00.5Z\t    8 Query\tSELECT 1\n",
            b"240501 10:00:00\t    8 Connect\tapp@10.0.0.1 on shop using TCP/IP\n",
            b"240501  9:00:00\t    8 Quit\t\n",
            b"\t\t    9 Init DB\tshop\n",
            b"FROM t\n",
        ],
    ),
    Lines(
        LogType.MYSQL_ERROR,
        [
            b"2024-05-01T10:00:00.5Z 0 [System] [MY-010116] [Server] mysqld starting\n",
            b"2024-05-01 10:00:00 12 [Note] ready\n",
            b"240501 10:00:00 [Warning] old\n",
            b"2024-05-01 10:00:00 7f00 InnoDB: page\n",
            b"2024-05-01 10:00:00 99 [DAS] agent\n",
            b"name:value\n",
        ],
    ),
    Lines(
        LogType.MYSQL_AUDIT,
        [
            b"1714557600000000,s,app,10.0.0.1,7,8,QUERY,shop,'SELECT \\'a,b\\'',0\n",
            b"20240501 10:00:00,s,app,h,7,8,QUERY,shop,'SELECT 1',0,,\n",
            b"20240501 10:00:00,s,app,h,7,0,CONNECT,shop,,0,SSL/TLS\n",
            b"20240501 10:00:00,s,app,h,7,8,READ,shop,t,\n",
            b"20240501 10:00:00,s,app\n",
        ],
    ),
    Lines(
        LogType.POSTGRES_JSON,
        [
            b'{"timestamp": "2026-01-01 10:00:00.123 UTC", "pid": 7, "error_severity": "LOG", "message": "a"}\n',
            b'{"timestamp": "2026-01-01 10:00:00.123 UTC", "message": "cut\n',
            b'{"timestamp": "2026-01-01 10:00:00.123 UTC", "message": "duration: 1.0 ms  statement: SELECT 1"}\n',
        ],
    ),
    Lines(
        LogType.SQLSERVER_ERROR,
        [
            b"2024-05-01 10:00:00.12 spid52      text\r\n",
            b"2024-05-01 10:00:00.12 Logon       Error: 18456, Severity: 14, State: 8.\r\n",
        ],
    ),
    Lines(
        LogType.ORACLE_ALERT,
        [
            b"2024-05-01T10:00:00.123456+02:00\n",
            b"Wed May 01 10:00:00 2024\n",
            b"ORA-00600: internal error, ORA-00600\n",
            b"WARNING: x\n",
        ],
    ),
]  # fmt: skip


@st.composite
def _logs(draw: st.DrawFn, lines: list[bytes]) -> tuple[bytes, list[bytes]]:
    line = st.sampled_from([*lines, *lines, *_ODD])
    log = b"".join(draw(st.lists(line, max_size=25)))
    cuts = sorted(draw(st.lists(st.integers(0, len(log)), max_size=6)))
    return log, [log[start:end] for start, end in zip([0, *cuts], [*cuts, len(log)], strict=True)]


@pytest.mark.parametrize("grammar", _LINES, ids=lambda grammar: grammar.log_type)
@_SETTINGS
@given(data=st.data())
def test_every_byte_is_in_one_record_in_order(grammar: Lines, data: st.DataObject) -> None:
    log, _ = data.draw(_logs(grammar.lines))
    frame = parse(segment_of(grammar.log_type, log, 1_000), log)
    assert bytes_of(frame) == log
    assert frame.schema == SCHEMAS[grammar.log_type]
    offsets = frame["offset_start"].to_list()
    assert [*offsets, 1_000 + len(log)] == [1_000, *frame["offset_end"].to_list()]
    assert frame["event_id"].n_unique() == len(frame)
    assert set(frame["parse_status"]) <= {"ok", "unparsed"}


@pytest.mark.parametrize("grammar", _LINES, ids=lambda grammar: grammar.log_type)
@_SETTINGS
@given(data=st.data())
def test_pieces_of_a_growing_log_parse_to_what_the_whole_does(grammar: Lines, data: st.DataObject) -> None:
    log, pieces = data.draw(_logs(grammar.lines))
    whole = parse(segment_of(grammar.log_type, log), log)
    assert parsed_in_pieces(grammar.log_type, pieces).equals(whole)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@_SETTINGS
@given(data=st.data())
def test_wide_text_of_sql_server_parses_as_narrow_text_does(zone: str, data: st.DataObject) -> None:
    lines = [line.decode() for line in _LINES[5].lines] + ["more\r\n", "zo\u00eb\r\n"]
    text = "2024-05-01 10:00:00.12 Server      up\r\n" + "".join(
        data.draw(st.lists(st.sampled_from(lines), max_size=12))
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, 2 * len(text)), max_size=4)))
    wide = text.encode("utf-16-le")
    pieces = [wide[start:end] for start, end in zip([0, *cuts], [*cuts, len(wide)], strict=True)]
    log_type = LogType.SQLSERVER_ERROR
    found = parsed_in_pieces(log_type, pieces)
    narrow = parse(segment_of(log_type, text.encode()), text.encode())
    located = pl.selectors.by_name("offset_start", "offset_end", "event_id", "raw_bytes")
    assert bytes_of(found) == wide
    assert found.select(~located).equals(narrow.select(~located))
