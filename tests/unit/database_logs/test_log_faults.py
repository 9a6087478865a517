"""What servers and clocks do to logs: nothing is lost by it, and what stands beside it is parsed."""

import re
import subprocess
import sys
from datetime import UTC, datetime

import polars as pl
import pytest

from database_logs.log_types import LogType
from database_logs.parsing.columns import COMMON
from database_logs.parsing.dispatch import parse
from database_logs.parsing.frames import LONGEST_TEXT
from local.paths import ROOT
from tests.support.postgres_logs import RDS_PREFIX, bytes_of, line, parsed
from tests.support.rds_segments import segment_of

_CSV = (
    '2026-01-01 10:00:00.123 UTC,"app","shop",42,"10.0.0.1:5432",69.2a,3,"SELECT",2026-01-01 09:59:59 UTC,4/12,0,LOG,'
    '00000,"{}",,,,,,,,,"psql","client backend",,0\n'
)
_JSON = '{{"timestamp": "2026-01-01 10:00:00.123 UTC", "pid": 42, "error_severity": "LOG", "message": "{}"}}\n'
# One event with this text.
_EVENTS = {
    LogType.POSTGRES_STDERR: line("LOG", "{}"),
    LogType.POSTGRES_CSV: _CSV,
    LogType.POSTGRES_JSON: _JSON,
    LogType.MYSQL_SLOW: "# Time: 2024-05-01T10:00:00.5Z\n"
    "# Query_time: 1.5  Lock_time: 0.1 Rows_sent: 1  Rows_examined: 2\n"
    "SET timestamp=1714557600;\n{};\n",
    LogType.MYSQL_GENERAL: "2024-05-01T10:00:00.5Z\t    8 Query\t{}\n",
    LogType.MYSQL_AUDIT: "1714557600000000,s,app,10.0.0.1,7,8,QUERY,shop,'{}',0\n",
    LogType.MYSQL_ERROR: "2024-05-01T10:00:00.5Z 0 [System] [MY-010116] [Server] {}\n",
    LogType.SQLSERVER_ERROR: "2024-05-01 10:00:00.12 spid52      {}\n",
    LogType.ORACLE_ALERT: "2024-05-01T10:00:00.123456+02:00\n{}\n",
}
_STATEMENT = line("LOG", "duration: 1.000 ms  statement: ").rstrip()
_TEXTS = ("message", "query", "argument", "object")


def _longest(text: pl.Series) -> int:
    return max((len(each.encode()) for each in text.drop_nulls()), default=0)


def _texts(frame: pl.DataFrame) -> list[pl.Series]:
    return frame.select(pl.col(pl.String).exclude(COMMON.names())).get_columns()


@pytest.mark.parametrize("log_type", list(LogType))
def test_a_text_of_megabytes_is_cut_and_marked_in_typed_columns_and_whole_in_raw(log_type: LogType) -> None:
    event = _EVENTS[log_type]
    log = (event.format("a" + "\u00e4" * 2_500_000) + event.format("short")).encode()

    frame = parse(segment_of(log_type, log), log)

    assert bytes_of(frame) == log
    assert frame["parse_status"].to_list() == ["ok", "ok"]
    assert frame["truncated"].to_list() == [True, False]
    longest = [_longest(text) for text in _texts(frame) if text.name in _TEXTS and text.count()]
    # A character of two bytes would go beyond the limit.
    assert longest == [LONGEST_TEXT - 1] * len(longest)
    assert all(_longest(text) <= LONGEST_TEXT for text in _texts(frame))
    assert any("short" in (text[1] or "") for text in _texts(frame))


@pytest.mark.parametrize("label", ["DETAIL", "STATEMENT", "CONTEXT"])
def test_lines_that_a_message_collects_are_capped_together(label: str) -> None:
    log = (line("ERROR", "x") + line(label, "y" * 700_000) * 2 + line("LOG", "next")).encode()
    frame = parsed(log)
    assert bytes_of(frame) == log
    assert frame["truncated"].to_list() == [True, False]
    assert max(_longest(text) for text in _texts(frame)) == LONGEST_TEXT


@pytest.mark.parametrize("log_type", list(LogType))
def test_bytes_that_are_no_text_are_kept_and_the_next_record_is_parsed(log_type: LogType) -> None:
    first, last = (_EVENTS[log_type].format(text).encode() for text in ("??", "short"))
    log = first.replace(b"??", b"\xff\xfe\0\x80 \xe2\x82") + last[:-1] + b"\r\n"
    frame = parse(segment_of(log_type, log), log)
    assert bytes_of(frame) == log
    assert frame["raw_bytes"].is_not_null().to_list() == [True, False]
    assert frame["event_time"][1] is not None
    assert frame["parse_status"][1] == "ok"


@pytest.mark.parametrize("log_type", [LogType.POSTGRES_STDERR, LogType.MYSQL_ERROR, LogType.MYSQL_SLOW])
def test_a_clock_that_goes_back_leaves_records_in_their_order_with_the_times_they_tell(log_type: LogType) -> None:
    event = _EVENTS[log_type].format("x")
    times = [f"{hour:02}:00:00" for hour in (10, 12, 9, 11)]
    log = "".join(event.replace("10:00:00", time) for time in times).encode()
    frame = parse(segment_of(log_type, log), log)
    assert bytes_of(frame) == log
    assert frame["event_time"].dt.strftime("%H:%M:%S").to_list() == times


def test_local_times_of_an_hour_that_is_twice_are_of_the_first_and_those_of_a_missing_hour_of_none() -> None:
    times = ["2024-10-27 02:30:00", "2024-03-31 02:30:00", "2024-03-31 03:30:00"]
    log = "".join(f"{time} 12 [Note] ready\n" for time in times).encode()
    frame = parse(segment_of(LogType.MYSQL_ERROR, log, time_zone="Europe/Berlin"), log)
    assert frame["event_time"].to_list() == [
        datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
        None,
        datetime(2024, 3, 31, 1, 30, tzinfo=UTC),
    ]
    assert frame["parse_reason"].to_list() == [None, "no_time", None]


def test_an_hour_that_a_zone_leaves_out_has_no_time_and_says_so() -> None:
    log = line("LOG", "x").replace("2026-01-01 10:00:00 UTC", "2026-03-29 02:30:00 CET").encode()
    row = parsed(log, time_zone="Europe/Berlin").row(0, named=True)
    assert (row["event_time"], row["parse_reason"], row["message"]) == (None, "time_zone_unknown", "x")


def test_lines_of_another_prefix_go_on_with_the_record_before_until_the_prefix_is_known() -> None:
    before, after = line("LOG", "old"), "2026-01-01 10:00:00.123 UTC [42] app@shop LOG:  new\n"
    log = (before + after + after).encode()
    frame = parsed(log, prefix=RDS_PREFIX)
    assert bytes_of(frame) == log
    assert frame["message"].to_list() == [f"old\n{after}{after}".rstrip()]
    known = parsed((after * 2).encode(), prefix="%m [%p] %u@%d ")
    assert known["message"].to_list() == ["new", "new"]


def test_lines_of_stderr_in_a_csvlog_cost_the_row_before_them_and_no_other() -> None:
    row = _CSV.format("x")
    log = (row + line("LOG", "redirected") + row).encode()
    frame = parsed(log, LogType.POSTGRES_CSV)
    assert bytes_of(frame) == log
    assert frame["message"].to_list() == ["x", "x"]
    assert frame["parse_reason"].to_list() == ["columns_differ", None]


def test_rows_of_csv_in_a_stderr_log_belong_to_the_message_before_them() -> None:
    log = (line("LOG", "a") + _CSV.format("x") + line("LOG", "b")).encode()
    frame = parsed(log)
    assert bytes_of(frame) == log
    assert frame["message"].to_list() == ["a\n" + _CSV.format("x").rstrip(), "b"]


def test_a_line_that_another_process_wrote_into_is_one_record_and_the_next_is_its_own() -> None:
    whole = line("LOG", "written by one", 7)
    log = (whole[:70] + line("ERROR", "written by another", 8) + line("LOG", "next", 9)).encode()
    frame = parsed(log)
    assert bytes_of(frame) == log
    assert frame["process_id"].to_list() == [7, 9]
    assert "written by another" in frame["message"][0]


@pytest.mark.parametrize(
    ("log_type", "segment"),
    [
        (
            LogType.POSTGRES_STDERR,
            f"{_STATEMENT!r}.encode() + b' WHERE x = 12345 AND a' * 3_000_000",
        ),
        (LogType.POSTGRES_STDERR, "b'hello world\\n' * 5_000_000"),
        (LogType.POSTGRES_JSON, "b'hello world\\n' * 5_000_000"),
    ],
    ids=["one_record", "lines", "lines_of_json"],
)
def test_memory_is_bounded_whatever_a_segment_of_64_megabytes_holds(log_type: LogType, segment: str) -> None:
    script = (
        "import re; from database_logs.log_types import LogType; from database_logs.parsing.dispatch import parse; "
        "from tests.support.rds_segments import segment_of; "
        f"data = {segment}; frame = parse(segment_of(LogType.{log_type.name}, data), data); "
        "assert frame['raw'].str.len_bytes().sum() == len(data); "
        "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
    )
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", script],
        env={"PYTHONPATH": f"{ROOT / 'functions'}:{ROOT}", "POLARS_MAX_THREADS": "1"},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    # The function has 3,008 MB.
    assert int(re.findall(r"\d+", done.stdout)[0]) < 1_600_000
