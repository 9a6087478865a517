"""What becomes of rows: odd values, bad rows, duplicates, order and days."""

import gzip
import hashlib
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.support.firewall_slices import Written, of_frame, of_lines
from tests.support.raw import an_event

BASE = {"Datetime": "2026-06-01T10:00:00Z"}


def _row(**given: Any) -> str:
    return json.dumps(BASE | given)


def _reasons(written: Written) -> list[tuple[str, str | None]]:
    return [(row["reason"], row["field"]) for row in written.quarantine]


def test_control_characters_are_syntax_errors_raw_and_values_when_escaped(tmp_path: Path) -> None:
    written = of_lines(
        tmp_path / "slice", _row(Ref="a@b").replace("@", "\x00"), _row(Ref="a@b").replace("@", "\t"), _row(Ref="a\x00b")
    )
    assert _reasons(written) == [("json_syntax", None), ("json_syntax", None)]
    assert [row["ref"] for row in written.events] == ["a\x00b"]


def test_field_of_a_megabyte_passes_through(tmp_path: Path) -> None:
    text = "ü" * (1 << 19)
    written = of_lines(tmp_path / "slice", _row(ClientRequestUserAgent=text), _row(ClientRequestQuery=text), _row())
    assert sorted(len(row["client_request_user_agent"] or "") for row in written.events) == [0, 0, 1 << 19]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("1999-12-31T23:59:59Z", "time_implausible"),
        ("2009-12-31T23:59:59.999999999Z", "time_implausible"),
        ("2026-06-04T00:00:00.000000001Z", "time_implausible"),
        ("9999-12-31T23:59:59Z", "time_implausible"),
        (946_684_799, "time_unit"),
        (4_102_444_800, "time_unit"),
        (2**63, "time_unit"),
        (-1, "time_unit"),
        (10**40, "time_unit"),
        (1780308000.0, "time_type"),
        (True, "time_type"),
        (["2026-06-01T10:00:00Z"], "time_type"),
        ({}, "time_type"),
        (None, "time_missing"),
        ("", "time_missing"),
        ("2026-06-01T10:00:00", "time_naive"),
        ("2026-06-01T10:00:60Z", "time_format"),
        ("2026-02-29T10:00:00Z", "time_format"),
        ("2026-06-01T24:00:00Z", "time_format"),
        ("-1780308000", "time_format"),
        ("2026-06-01T10:00:00Z\n", "time_format"),
    ],
)
def test_time_that_gives_no_instant_is_refused(tmp_path: Path, value: object, reason: str) -> None:
    written = of_lines(tmp_path / "slice", json.dumps({"Datetime": value, "EdgeResponseStatus": "no number"}))
    assert _reasons(written) == [(reason, "Datetime")]


@pytest.mark.parametrize("copies", [1, 20])
def test_latest_and_earliest_plausible_instants_pass(tmp_path: Path, copies: int) -> None:
    times = ["2010-01-01T00:00:00Z", "2026-06-04T00:00:00.000000000000Z"]
    written = of_lines(tmp_path / "slice", *[_row(Datetime=time, Ref=str(n)) for n in range(copies) for time in times])
    assert {row["event_date"] for row in written.events} == {date(2010, 1, 1), date(2026, 6, 4)}


def test_integers_keep_all_their_digits(tmp_path: Path) -> None:
    largest = 2**63 - 1
    lines = [
        _row(AISecurityTokenCount=n, Metadata={"n": 2**70 + 1}, RayID=2**64 + 1)
        for n in (2**53 + 1, largest, str(largest))
    ]
    written = of_lines(tmp_path / "slice", *lines, _row(AISecurityTokenCount=largest + 1))
    assert [row["ai_security_token_count"] for row in written.events] == [2**53 + 1, largest]
    assert written.events[0]["metadata"] == f'{{"n":{2**70 + 1}}}'
    assert written.events[0]["ray_id"] == str(2**64 + 1)
    assert _reasons(written) == [("type_conflict", "AISecurityTokenCount")]


@pytest.mark.parametrize("time", ["1780308000123456789", 1780308000123456789, "2026-06-01T10:00:00.123456789Z"])
def test_nanoseconds_survive(tmp_path: Path, time: object) -> None:
    (event,) = of_lines(tmp_path / "slice", _row(Datetime=time)).events
    assert (event["event_time"], event["event_time_ns"]) == (1780308000123456, 789)


def test_same_instant_in_other_words_is_the_same_event(tmp_path: Path) -> None:
    times = ["2026-06-01T10:00:00Z", 1780308000, "1780308000000", "2026-06-01t12:00:00.0+02:00", 1780308000 * 10**9]
    written = of_lines(
        tmp_path / "slice",
        *[_row(Datetime=time, EdgeResponseStatus=403) for time in times],
        _row(EdgeResponseStatus="403"),
    )
    assert written.outcome.account.duplicates == 5
    assert written.outcome.drift.time_forms == {"rfc3339": 3, "unix": 1, "unixms": 1, "unixnano": 1}


def test_rows_that_differ_in_any_one_column_are_two_events(tmp_path: Path) -> None:
    full = an_event(1, Metadata={"a": 1}, ContentScanObjSizes=[1, None], ContentScanObjTypes=["x"], New=1)
    others = [
        full | {key: other}
        for key, other in {
            "Metadata": {"a": 2},
            "ContentScanObjSizes": [1],
            "ContentScanObjTypes": ["y"],
            "New": 2,
            "Ref": "",
            "ClientASN": 0,
        }.items()
    ]
    written = of_lines(tmp_path / "slice", *map(json.dumps, [full, *others, full, others[0]]))
    assert written.outcome.account.model_dump() == {"rows_in": 9, "rows_out": 7, "quarantined": 0, "duplicates": 2}


def test_many_equal_rows_leave_one(tmp_path: Path) -> None:
    written = of_lines(tmp_path / "slice", *[json.dumps(an_event(n % 3)) for n in range(3000)])
    assert (written.outcome.account.rows_out, written.outcome.account.duplicates) == (3, 2997)


def test_first_check_that_fails_gives_the_reason_and_schema_order_the_field(tmp_path: Path) -> None:
    bad = {"Metadata": 5, "ClientASN": -1, "EdgeResponseStatus": True, "ClientIP": "x", "MatchIndex": -1}
    lines = [json.dumps(BASE | bad)]
    for field in ("EdgeResponseStatus", "Metadata", "ClientASN", "MatchIndex", "ClientIP"):
        bad.pop(field)
        lines.append(json.dumps(BASE | bad))
    assert _reasons(of_lines(tmp_path / "slice", *lines)) == [
        ("type_conflict", "EdgeResponseStatus"),
        ("type_conflict", "Metadata"),
        ("out_of_range", "ClientASN"),
        ("out_of_range", "MatchIndex"),
        ("ip_invalid", "ClientIP"),
    ]


def test_rows_of_another_dataset_are_told_apart_by_their_keys(tmp_path: Path) -> None:
    lines = [
        '{"EdgeStartTimestamp":1}',
        '{"EdgeStartTimestamp":null}',
        '{"EdgeStartTimestamp":1,"Datetime":null}',
        "{}",
    ]
    assert _reasons(of_lines(tmp_path / "slice", *lines)) == [
        ("wrong_dataset", None),
        ("wrong_dataset", None),
        ("time_missing", "Datetime"),
        ("time_missing", "Datetime"),
    ]


def test_deep_nesting_is_refused_like_broken_json(tmp_path: Path) -> None:
    def nested(depth: int) -> str:
        return '{"Datetime":1780308000,"Metadata":' + '{"a":' * (depth - 1) + "1" + "}" * depth

    lines = [nested(128), nested(129), nested(5000), json.dumps(BASE | {"Ref": "[" * 5000})]
    written = of_lines(tmp_path / "slice", *lines)
    assert _reasons(written) == [("json_syntax", None)] * 2
    assert len(written.events) == 2


def test_object_of_bad_rows_alone_has_only_a_quarantine_file(tmp_path: Path) -> None:
    written = of_lines(tmp_path / "slice", *["nonsense"] * 5000)
    assert [file.kind for file in written.outcome.files] == ["quarantine"]
    assert [row["row"] for row in written.quarantine] == list(range(5000))
    assert written.outcome.quarantined_by_reason == {"json_syntax": 5000}


def test_columns_of_nulls_are_columns(tmp_path: Path) -> None:
    frame = pl.DataFrame({"Datetime": ["2026-06-01T10:00:00Z"], "Action": [None], "Metadata": [None], "New": [None]})
    written = of_frame(tmp_path / "slice", frame)
    assert written.outcome.columns_seen == ["Action", "Datetime", "Metadata", "New"]
    assert written.events[0]["action"] is None
    assert written.events[0]["extra"] is None
    assert written.outcome.drift.columns == {}


def test_every_event_date_has_its_files(tmp_path: Path) -> None:
    first = datetime(2012, 1, 1, tzinfo=UTC)
    # More than a function may have files open: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    days = 1100
    times = [first + timedelta(days=day) for day in reversed(range(days))]
    frame = pl.DataFrame(
        {"Datetime": times, "Action": ["block"] * len(times)}, schema_overrides={"Datetime": pl.Datetime("ms", "UTC")}
    )
    written = of_frame(tmp_path / "slice", frame)
    events = [file for file in written.outcome.files if file.kind == "events"]
    assert [file.event_date for file in events] == [time.date() for time in reversed(times)]
    assert {file.rows for file in events} == {1}
    assert [(file.min_time, file.max_time) for file in events[:2]] == [(first, first), (first + timedelta(days=1),) * 2]
    assert len(written.hourly) == days


def test_events_lie_in_the_order_of_host_instant_and_row(tmp_path: Path) -> None:
    hosts = [
        "b.example",
        None,
        "a.example",
        "B.example",
        "é.example",
        "a.example",
        "\U0001f600.example",
        "\uffff.example",
    ]
    lines = [
        _row(ClientRequestHost=host, Ref=str(n), Datetime=f"2026-06-01T10:00:0{9 - n}.000000001Z")
        for n, host in enumerate(hosts)
    ]
    lines.append(_row(ClientRequestHost="a.example", Ref="8", Datetime="2026-06-01T10:00:04.000000000Z"))
    lines.append(_row(ClientRequestHost="a.example", Ref="9", Datetime="2026-06-01T10:00:04.000000000Z"))
    written = of_lines(tmp_path / "slice", *lines)
    assert [row["ref"] for row in written.events] == list(
        "1389520476"[:1] + "3" + "8" + "9" + "5" + "2" + "0" + "4" + "7" + "6"
    )


def test_hourly_counts_add_up_and_are_sorted(tmp_path: Path) -> None:
    written = of_lines(tmp_path / "slice", *[json.dumps(an_event(n)) for n in range(2000)], _row(Action=None))
    assert sum(row["events"] for row in written.hourly) == len(written.events) == 2001
    keys = [tuple((value is not None, value) for value in list(row.values())[:-1]) for row in written.hourly]
    assert keys == sorted(keys)


def test_unknown_keys_and_values_are_kept_and_counted(tmp_path: Path) -> None:
    lines = [
        _row(New={"b": [1.50, None], "a": "é"}, Old=None, Action="TARPIT", Ref="0"),
        _row(New=True, row=1, Action="Block"),
        _row(Ref=1),
    ]
    written = of_lines(tmp_path / "slice", *lines)
    extras = sorted(row["extra"] or "" for row in written.events)
    assert extras == ["", '{"New":true,"row":1}', '{"New":{"a":"é","b":[1.5,null]}}']
    assert written.outcome.drift.columns == {"New": 2, "row": 1}
    assert written.outcome.drift.values == {"Action": {"TARPIT": 1}}
    assert written.outcome.columns_seen == ["Action", "Datetime", "New", "Old", "Ref", "row"]


def test_unknown_keys_and_values_of_refused_rows_are_not_counted(tmp_path: Path) -> None:
    lines = [_row(Action="odd", New=1), _row(Action="odd", New=1, EdgeResponseStatus=1000)]
    written = of_lines(tmp_path / "slice", *lines)
    assert written.outcome.quarantined_by_reason == {"out_of_range": 1}
    assert written.outcome.drift.columns == {"New": 1}
    assert written.outcome.drift.values == {"Action": {"odd": 1}}


_DIGEST = """
import hashlib, sys
from pathlib import Path
from tests.support.firewall import a_slice
from firewall_logs.transform import transform
raw, out, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
outcome = transform(a_slice(format=kind), raw, out)
for file in outcome.files:
    print(file.path.relative_to(out), hashlib.sha256(file.path.read_bytes()).hexdigest())
"""


@pytest.mark.parametrize("kind", ["ndjson.gz", "parquet"])
def test_same_slice_gives_the_same_bytes_whatever_the_threads(tmp_path: Path, kind: str) -> None:
    rows = 300_000 if kind == "parquet" else 20_000
    numbers = pl.int_range(rows, eager=True)
    frame = pl.DataFrame(
        {
            "Datetime": 1780308000 + (numbers * 7919) % 60_000,
            "RayID": (numbers // 2).cast(pl.String).str.zfill(16),
            "ClientRequestHost": "h" + (numbers * 31 % 97).cast(pl.String) + ".example.com",
            "ClientRequestPath": "/p/" + (numbers % 5000).cast(pl.String),
            "ClientIP": "192.0.2." + (numbers % 300).cast(pl.String),
            "Action": "a" + (numbers % 7).cast(pl.String),
            "New": numbers % 3,
        }
    )
    raw = tmp_path / "raw"
    if kind == "parquet":
        frame.write_parquet(raw, row_group_size=50_000)
    else:
        raw.write_bytes(gzip.compress(frame.write_ndjson().encode() + b"nonsense\n", mtime=0))
    digests = set()
    for attempt, threads in enumerate(["1", "1", "2", "8"]):
        out = tmp_path / f"out{attempt}"
        out.mkdir()
        root = Path(__file__).parents[3]
        environment = os.environ | {"POLARS_MAX_THREADS": threads, "PYTHONPATH": f"{root}:{root / 'functions'}"}
        command = [sys.executable, "-c", _DIGEST, str(raw), str(out), kind]
        digests.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)  # noqa: S603  # ours
    assert len(digests) == 1
    assert digests.pop().count("\n") >= 3


def test_what_another_slice_left_in_memory_does_not_change_the_bytes(tmp_path: Path) -> None:
    lines = [json.dumps(an_event(n)) for n in range(500)]
    first = of_lines(tmp_path / "first", *lines)
    kept = pl.Series(["zz", "log", "block"]).cast(pl.Categorical(pl.Categories("action", namespace="firewall_logs")))
    second = of_lines(tmp_path / "second", *lines)
    assert kept.len() == 3
    digests = [[hashlib.sha256(f.path.read_bytes()).hexdigest() for f in w.outcome.files] for w in (first, second)]
    assert digests[0] == digests[1]
