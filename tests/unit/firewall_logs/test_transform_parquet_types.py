"""Every physical type a converter may have chosen, and what is written."""

import io
import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from firewall_logs import parquet_rows, schema
from firewall_logs.extras import join_members
from firewall_logs.frames import SCHEMAS
from tests.support.firewall_slices import Written, of_frame, of_lines, transformed

MOMENT = datetime(2026, 6, 1, 10, tzinfo=UTC)
US = 1780308000 * 10**6


def _asked(query: str) -> list[Any]:
    with duckdb.connect() as connection:
        return connection.sql(query).fetchall()


def _of_sql(folder: Path, query: str, **given: Any) -> Written:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder.with_suffix(".parquet")
    with duckdb.connect() as connection:
        connection.sql(f"COPY ({query}) TO '{path}' (FORMAT parquet)")
    return transformed(folder, path.read_bytes(), **given)


@pytest.mark.parametrize(
    ("column", "form"),
    [
        (pl.Series([MOMENT], dtype=pl.Datetime("ms", "UTC")), "native"),
        (pl.Series([MOMENT], dtype=pl.Datetime("us", "UTC")), "native"),
        (pl.Series([MOMENT], dtype=pl.Datetime("ns", "UTC")), "native"),
        (pl.Series([MOMENT], dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone("Europe/Berlin"), "native"),
        (pl.Series([MOMENT.replace(tzinfo=None)], dtype=pl.Datetime("ms")), "naive"),
        (pl.Series([MOMENT.replace(tzinfo=None)], dtype=pl.Datetime("ns")), "naive"),
        (pl.Series([1780308000], dtype=pl.Int64), "unix"),
        (pl.Series([1780308000], dtype=pl.UInt32), "unix"),
        (pl.Series([1780308000 * 10**9], dtype=pl.UInt64), "unixnano"),
        (pl.Series([Decimal(1780308000 * 10**3)], dtype=pl.Decimal(20, 0)), "unixms"),
        (pl.Series(["1780308000000000"]), "unixus"),
        (pl.Series(["2026-06-01 10:00:00.000+00:00"]), "rfc3339"),
        (pl.Series(["2026-06-01T10:00:00"]), "naive"),
        (pl.Series([b"2026-06-01T10:00:00Z"], dtype=pl.Binary), "rfc3339"),
        (pl.Series(["2026-06-01T10:00:00Z"], dtype=pl.Categorical), "rfc3339"),
    ],
    ids=range(15),
)
def test_time_of_any_type_is_the_same_instant(tmp_path: Path, column: pl.Series, form: str) -> None:
    written = of_frame(tmp_path / "slice", pl.DataFrame({"Datetime": column}), naive_times="utc")
    assert [(row["event_time"], row["event_time_ns"]) for row in written.events] == [(US, 0)]
    assert written.outcome.drift.time_forms == {form: 1}


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pl.Series([1780308000.0]), "time_type"),
        (pl.Series([float("nan")]), "time_type"),
        (pl.Series([True]), "time_type"),
        (pl.Series([date(2026, 6, 1)]), "time_type"),
        (pl.Series([["2026-06-01T10:00:00Z"]]), "time_type"),
        (pl.Series([Decimal("1780308000.5")]), "time_type"),
        (pl.Series([b"\xff"], dtype=pl.Binary), "time_type"),
        (pl.Series([2**63], dtype=pl.UInt64), "time_unit"),
        (pl.Series([-1], dtype=pl.Int8), "time_unit"),
        (pl.Series([MOMENT.replace(tzinfo=None)]), "time_naive"),
        (pl.Series([2**62], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC")), "time_implausible"),
        (pl.Series([-(2**62)], dtype=pl.Int64).cast(pl.Datetime("ms", "UTC")), "time_implausible"),
        (pl.Series([-1], dtype=pl.Int64).cast(pl.Datetime("ns", "UTC")), "time_implausible"),
        (pl.Series([None], dtype=pl.Float64), "time_missing"),
        (pl.Series([None], dtype=pl.Datetime("us")), "time_missing"),
    ],
    ids=range(15),
)
def test_time_of_another_type_is_refused(tmp_path: Path, column: pl.Series, reason: str) -> None:
    written = of_frame(tmp_path / "slice", pl.DataFrame({"Datetime": column}))
    assert [(row["reason"], row["field"]) for row in written.quarantine] == [(reason, "Datetime")]


def test_int96_is_a_naive_timestamp(tmp_path: Path) -> None:
    path = tmp_path / "int96.parquet"
    # In a process of its own, since polars and pyarrow may not share one.
    code = (
        "import datetime as d, pyarrow as pa, pyarrow.parquet as pq;"
        "t = pa.table({'Datetime': pa.array([d.datetime(2026, 6, 1, 10, 0, 0, 123457)], pa.timestamp('ns'))});"
        f"pq.write_table(t, {str(path)!r}, use_deprecated_int96_timestamps=True)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603  # the code above
    accepted = transformed(tmp_path / "slice", path.read_bytes(), naive_times="utc")
    assert [row["event_time"] for row in accepted.events] == [US + 123457]
    refused = transformed(tmp_path / "slice", path.read_bytes())
    assert refused.outcome.quarantined_by_reason == {"time_naive": 1}


NESTED = """
    SELECT '2026-06-01T10:00:00Z' AS "Datetime", map {'b': 'é', 'a': '1'} AS "Metadata",
           ['clean', NULL] AS "ContentScanObjResults", [1, NULL]::UTINYINT[] AS "ContentScanObjSizes",
           [1, 2] AS "ContentScanObjTypes", {'y': 1, 'x': NULL} AS "AISecurityCustomTopicCategories",
           203::UTINYINT AS "EdgeResponseStatus", 18446744073709551615::UBIGINT AS "RayID",
           1.50::DECIMAL(5, 2) AS "Ref", 0.1::DOUBLE AS "Description", 'waf'::BLOB AS "Source",
           map {'k': [1, 2]} AS "NewMap", {'b': 1.5, 'a': 'x'} AS "NewStruct",
           DATE '2026-06-01' AS "NewDate", true AS "NewBool", '{"z": 1}'::JSON AS "NewJson"
"""


def test_nested_and_wide_types_become_lake_types(tmp_path: Path) -> None:
    (row,) = _of_sql(tmp_path / "slice", NESTED).events
    assert row["metadata"] == '{"a":"1","b":"é"}'
    assert row["ai_security_custom_topic_categories"] == '{"x":null,"y":1}'
    assert row["content_scan_obj_results"] == ["clean", None]
    assert row["content_scan_obj_sizes"] == [1, None]
    assert row["content_scan_obj_types"] == ["1", "2"]
    assert row["edge_response_status"] == 203
    assert row["ray_id"] == "18446744073709551615"
    assert (row["ref"], row["description"], row["source"]) == ("1.50", "0.1", "waf")
    assert json.loads(row["extra"]) == {
        "NewMap": {"k": [1, 2]},
        "NewStruct": {"a": "x", "b": 1.5},
        "NewDate": "2026-06-01",
        "NewBool": True,
        "NewJson": '{"z": 1}',
    }


@pytest.mark.parametrize(
    ("field", "sql"),
    [
        ("Action", "true"),
        ("Action", "[1]"),
        ("Action", "{'a': 1}"),
        ("Action", "DATE '2026-06-01'"),
        ("Action", "'\\xFF'::BLOB"),
        ("ClientASN", "1.0::DOUBLE"),
        ("ClientASN", "18446744073709551615::UBIGINT"),
        ("ClientASN", "1.5::DECIMAL(5, 2)"),
        ("ClientASN", "TIMESTAMP '2026-06-01'"),
        ("ClientASN", "[1]"),
        ("Metadata", "5"),
        ("Metadata", "['a']"),
        ("ContentScanObjSizes", "['a']"),
        ("ContentScanObjSizes", "[1.0::DOUBLE]"),
        ("ContentScanObjSizes", "7"),
        ("ContentScanObjTypes", "[true]"),
        ("ContentScanObjTypes", "map {'a': 1}"),
    ],
)
def test_value_of_another_type_is_a_conflict(tmp_path: Path, field: str, sql: str) -> None:
    query = f"""SELECT 1780308000 AS "Datetime", CASE n WHEN 1 THEN {sql} END AS "{field}" FROM range(3) t(n)"""  # noqa: S608
    written = _of_sql(tmp_path / "slice", query)
    assert [(row["reason"], row["field"], row["row"]) for row in written.quarantine] == [("type_conflict", field, 1)]
    assert (written.outcome.account.rows_out, written.outcome.account.duplicates) == (1, 1)


def test_decimal_without_places_is_an_integer(tmp_path: Path) -> None:
    frame = pl.DataFrame({"Datetime": [1780308000], "ClientASN": pl.Series([Decimal(64500)], dtype=pl.Decimal(20, 0))})
    assert [row["client_asn"] for row in of_frame(tmp_path / "slice", frame).events] == [64500]


def test_object_without_time_column_is_refused_row_by_row(tmp_path: Path) -> None:
    request = of_frame(tmp_path / "slice", pl.DataFrame({"EdgeStartTimestamp": [1, None], "RayID": ["a", "b"]}))
    assert request.outcome.quarantined_by_reason == {"wrong_dataset": 2}
    assert [json.loads(row["raw"]) for row in request.quarantine] == [
        {"EdgeStartTimestamp": 1, "RayID": "a"},
        {"RayID": "b"},
    ]
    neither = of_frame(tmp_path / "slice", pl.DataFrame({"RayID": ["a", "b"]}))
    assert [(row["reason"], row["field"], row["row"]) for row in neither.quarantine] == [
        ("time_missing", "Datetime", 0),
        ("time_missing", "Datetime", 1),
    ]


def test_quarantined_row_is_canonical_json(tmp_path: Path) -> None:
    frame = pl.DataFrame({"Datetime": ["é"], "ClientASN": [7], "b": [None], "New": [{"z": 1, "a": [1.5, None]}]})
    (record,) = of_frame(tmp_path / "slice", frame).quarantine
    assert record["raw"].decode() == '{"ClientASN":7,"Datetime":"é","New":{"a":[1.5,null],"z":1}}'


@pytest.mark.parametrize("compression", ["snappy", "gzip", "zstd", "lz4", "brotli", "uncompressed"])
def test_any_codec_is_read(tmp_path: Path, compression: Any) -> None:
    buffer = io.BytesIO()
    pl.DataFrame({"Datetime": [1780308000], "Action": ["block"]}).write_parquet(buffer, compression=compression)
    assert transformed(tmp_path / "slice", buffer.getvalue()).outcome.account.rows_out == 1


def _row_groups(rows: int, size: int) -> bytes:
    buffer = io.BytesIO()
    numbers = pl.int_range(rows, eager=True)
    frame = pl.DataFrame(
        {
            "Datetime": 1780308000 + numbers,
            "RayID": numbers.cast(pl.String),
            "ClientIP": ["x"] + ["192.0.2.1"] * (rows - 1),
        }
    )
    frame.write_parquet(buffer, row_group_size=size, compression="uncompressed")
    return buffer.getvalue()


def test_slice_reads_its_row_groups_and_nothing_else(tmp_path: Path) -> None:
    raw = _row_groups(3000, 1000)
    path = tmp_path / "whole.parquet"
    path.write_bytes(raw)
    spans = _asked(
        f"""SELECT row_group_id, min(coalesce(dictionary_page_offset, data_page_offset)),
            max(coalesce(dictionary_page_offset, data_page_offset) + total_compressed_size)
            FROM parquet_metadata('{path}') GROUP BY ALL ORDER BY 1"""  # noqa: S608  # a path of this test
    )
    _, begin, end = spans[1]
    footer = spans[2][2]
    # What a worker has on disk that fetched the slice's bytes alone.
    sparse = b"PAR1" + b"\0" * (begin - 4) + raw[begin:end] + b"\0" * (footer - end) + raw[footer:]
    written = transformed(tmp_path / "slice", sparse, index=1, slices=3, row_groups=(1, 2), first_row=1000, rows=1000)
    assert [row["ray_id"] for row in written.events] == [str(n) for n in range(1000, 2000)]
    assert written.outcome.source_rows == 1000


def test_slices_number_rows_by_their_position_in_the_object(tmp_path: Path) -> None:
    raw = _row_groups(3000, 1000)
    first = transformed(tmp_path / "slice", raw, slices=2, row_groups=(0, 2), first_row=0, rows=2000)
    assert [row["row"] for row in first.quarantine] == [0]
    assert first.outcome.account.rows_out == 1999
    last = transformed(tmp_path / "slice", raw, index=1, slices=2, row_groups=(2, 3), first_row=2000, rows=1000)
    assert (last.outcome.account.rows_out, last.quarantine) == (1000, [])


# ---------------------------------------------------------------- what is written

PHYSICAL = {
    "string": ("BYTE_ARRAY", "StringType()"),
    "binary": ("BYTE_ARRAY", None),
    # DuckDB shows the width as the character of that number.
    "int8": ("INT32", "IntType(bitWidth=\b, isSigned=1)"),
    "int16": ("INT32", "IntType(bitWidth=\x10, isSigned=1)"),
    "int64": ("INT64", None),
    "timestamp": (
        "INT64",
        "TimestampType(isAdjustedToUTC=1, unit=TimeUnit(MILLIS=<null>, MICROS=MicroSeconds(), NANOS=<null>))",
    ),
}


@pytest.mark.parametrize("rows", [1, 40], ids=["as text", "as dictionaries"])
def test_files_have_the_documented_columns_and_text_is_nothing_but_text(tmp_path: Path, rows: int) -> None:
    line = json.dumps({"Datetime": 1780308000, "Action": "block", "ClientRequestHost": "a.example"})
    written = of_lines(tmp_path / "slice", *[line] * rows, "nonsense")
    assert {file.kind for file in written.outcome.files} == {"events", "hourly", "quarantine"}
    for file in written.outcome.files:
        columns = schema.TABLES[file.kind]
        nodes = _asked(f"SELECT name, type, logical_type FROM parquet_schema('{file.path}')")  # noqa: S608  # our path
        physical = {name: (kind, logical) for name, kind, logical in nodes[1:]}
        assert tuple(name for name, _, _ in nodes if name in columns) == schema.COLUMNS[file.kind]
        for name, kind in columns.items():
            if not kind.startswith("list"):
                assert physical[name] == PHYSICAL[kind], name
        assert pl.read_parquet_schema(file.path) == SCHEMAS[file.kind]


def test_hosts_have_statistics_and_rows_of_a_host_lie_together(tmp_path: Path) -> None:
    rows = 300_000
    numbers = pl.int_range(rows, eager=True)
    frame = pl.DataFrame(
        {
            "Datetime": 1780308000 + numbers // 10,
            "RayID": numbers.cast(pl.String),
            "ClientRequestHost": "h" + (numbers % 10).cast(pl.String),
        }
    )
    (events,) = [f for f in of_frame(tmp_path / "slice", frame).outcome.files if f.kind == "events"]
    spans = _asked(
        f"""SELECT stats_min_value, stats_max_value FROM parquet_metadata('{events.path}')
            WHERE path_in_schema = 'client_request_host' ORDER BY row_group_id"""  # noqa: S608  # a path of this test
    )
    assert spans == [("h0", "h8"), ("h8", "h9")]
    assert events.max_time == MOMENT + timedelta(seconds=29_999)


def test_columns_that_nobody_knows_are_put_together_once_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    joined: list[int] = []

    def counting(texts: dict[str, pl.Series]) -> pl.Series:
        joined.append(len(texts))
        return join_members(texts)

    monkeypatch.setattr(parquet_rows, "join_members", counting)
    written = of_frame(
        tmp_path / "slice", pl.DataFrame({"Datetime": [1780308000] * 2, "New": ["a", "b"], "Old": [1, 2]})
    )
    assert [event["extra"] for event in written.events] == ['{"New":"a","Old":1}', '{"New":"b","Old":2}']
    assert joined == [2]
