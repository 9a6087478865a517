"""Reading text of parquet as codes must be fast where it can, right everywhere, and leave the file as it was."""

import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.exceptions import PolarsError

from firewall_logs import parquet_codes, parquet_rows
from firewall_logs.dictionary import encoding
from firewall_logs.parquet_codes import TextAsCodes
from firewall_logs.transform import transform
from tests.support.firewall import a_slice

ROWS = 5000
# In a process of its own, since polars and pyarrow may not share one.
_WRITE = f"""
import sys, decimal, datetime, pyarrow as pa, pyarrow.parquet as pq
texts = [None if n % 7 == 0 else f"value {{n % 3}} äöü" for n in range({ROWS})]
many = [f"value {{n % 900}}" for n in range({ROWS})]
moment = datetime.datetime(2026, 6, 1, 10, 0, 0, 123456)
others = {{
    "int": list(range({ROWS})), "list": [["a", None]] * {ROWS}, "bytes": [b"\\xff"] * {ROWS},
    "none": pa.nulls({ROWS}, pa.string()), "null": pa.nulls({ROWS}),
    "decimal": [decimal.Decimal("1.50")] * {ROWS}, "bool": [True] * {ROWS}, "date": [moment.date()] * {ROWS},
    "fixed": pa.array([b"ab"] * {ROWS}, pa.binary(2)), "half": pa.array([1.5] * {ROWS}, pa.float32()),
    "time": [moment.time()] * {ROWS}, "time_ms": pa.array([43] * {ROWS}, pa.int32()).cast(pa.time32("ms")),
    "time_ns": pa.array([43] * {ROWS}).cast(pa.time64("ns")), "naive": [moment] * {ROWS},
    "utc": pa.array([moment] * {ROWS}, pa.timestamp("us", "UTC")),
    "ns": pa.array([moment] * {ROWS}, pa.timestamp("ns")), "small": pa.array([7] * {ROWS}, pa.uint8()),
    "struct": [{{"a": "x", "b": 1}}] * {ROWS},
    "map": pa.array([[("k", "v")]] * {ROWS}, pa.map_(pa.string(), pa.string())),
    "large": pa.array(many, pa.large_string()),
}}
table = pa.table({{"few": texts, "many": many, **others}})
text = pa.table({{"few": texts, "many": many}})
{{call}}
"""
DIRECT = {
    "dictionaries": "pq.write_table(table, sys.argv[1], row_group_size=2000)",
    "no arrow schema": "pq.write_table(table, sys.argv[1], row_group_size=2000, store_schema=False)",
    "int96": "pq.write_table(table, sys.argv[1], use_deprecated_int96_timestamps=True, store_schema=False)",
    "full dictionary": "pq.write_table(table, sys.argv[1], dictionary_pagesize_limit=500, data_page_size=512)",
    "pages of version 2": "pq.write_table(table, sys.argv[1], data_page_version='2.0', data_page_size=4096)",
    "page index": "pq.write_table(table, sys.argv[1], write_page_index=True, data_page_size=4096)",
    "plain": "pq.write_table(table, sys.argv[1], use_dictionary=False)",
    "gzip": "pq.write_table(table, sys.argv[1], compression='gzip')",
    "uncompressed": "pq.write_table(table, sys.argv[1], compression='none')",
    "required": """schema = pa.schema([pa.field(name, pa.string(), nullable=False) for name in ("few", "many")])
pq.write_table(pa.table({"few": ["x"] * len(many), "many": many}, schema=schema), sys.argv[1])""",
    "metadata": "pq.write_table(table.replace_schema_metadata({'pandas': '{}', 'x' * 300: 'y'}), sys.argv[1])",
    "one column": "pq.write_table(text.select(['many']), sys.argv[1])",
    # What the file's own note says beyond parquet.
    "time zone": """text = text.append_column("t", pa.array([moment] * len(texts), pa.timestamp("us", "Europe/Berlin")))
pq.write_table(text, sys.argv[1])""",
    "categories": "pq.write_table(text.append_column('c', text['few'].dictionary_encode()), sys.argv[1])",
    "duration": "pq.write_table(text.append_column('d', pa.array([1] * len(texts), pa.duration('ms'))), sys.argv[1])",
}
# polars reads these pages only as text.
DELTA = "pq.write_table(text, sys.argv[1], use_dictionary=False, column_encoding='DELTA_BYTE_ARRAY')"


def _file(folder: Path, call: str) -> Path:
    path = folder / "raw.parquet"
    subprocess.run([sys.executable, "-c", _WRITE.replace("{call}", call), str(path)], check=True)  # noqa: S603  # ours
    return path


def _assert_reads_as_polars_does(path: Path, *, direct: bool) -> None:
    before = path.read_bytes()
    plain = pl.read_parquet(path)
    wanted = {name: encoding(distinct) for name, distinct in (("few", 3), ("many", 900)) if name in plain.columns}
    with TextAsCodes(path, wanted) as source:
        pieces = [source.rows(first, 1500) for first in range(0, ROWS, 1500)]
        assert source.direct == direct
    found = pl.concat(pieces)
    assert found.schema == plain.schema | wanted
    assert found.cast(dict.fromkeys(wanted, pl.String)).equals(plain)
    assert path.read_bytes() == before


@pytest.mark.parametrize("call", DIRECT.values(), ids=DIRECT)
def test_codes_come_from_the_file(tmp_path: Path, call: str) -> None:
    _assert_reads_as_polars_does(_file(tmp_path, call), direct=True)


def test_text_is_encoded_where_codes_cannot_come_from_the_file(tmp_path: Path) -> None:
    _assert_reads_as_polars_does(_file(tmp_path, DELTA), direct=False)


def test_codes_come_from_files_of_duckdb(tmp_path: Path) -> None:
    path = tmp_path / "raw.parquet"
    with duckdb.connect() as connection:
        connection.sql(f"""
            COPY (SELECT 'value ' || (i % 3) AS few, 'value ' || (i % 900) AS many, i, i::HUGEINT AS huge,
                         uuid() AS uuid, TIME '10:00:00.000001' AS time,
                         i::DECIMAL(30, 2) AS decimal, {{'a': 'x', 'b': [i]}} AS nested, now() AS moment
                  FROM range({ROWS}) t(i))
            TO '{path}' (FORMAT parquet)""")  # noqa: S608  # a path of this test
    _assert_reads_as_polars_does(path, direct=True)


@pytest.mark.parametrize("failure", [OSError("read-only"), PolarsError("broken")])
def test_file_without_second_footer_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    monkeypatch.setattr(parquet_rows, "_BATCH_ROWS", 1000)
    raw = tmp_path / "raw"
    _events().write_parquet(raw)
    opened: list[bool] = []
    enter = TextAsCodes.__enter__

    def watched(source: TextAsCodes) -> TextAsCodes:
        enter(source)
        opened.append(source.direct)
        return source

    def refused(*_: object) -> None:
        raise failure

    monkeypatch.setattr(TextAsCodes, "__enter__", watched)
    direct = _files(raw, tmp_path / "direct")
    monkeypatch.setattr(parquet_codes, "_append_footer", refused)
    assert _files(raw, tmp_path / "encoded") == direct
    assert opened == [True, False]


def test_file_that_notes_dictionaries_gives_the_bytes_of_one_with_plain_text(tmp_path: Path) -> None:
    events = (
        _events()
        .drop("Metadata")
        .with_columns(
            ClientRequestHost="host" + (pl.int_range(pl.len()) % 9).cast(pl.String) + ".example",
            ClientRequestUserAgent="agent " + pl.int_range(pl.len()).cast(pl.String),
        )
    )
    events.write_parquet(tmp_path / "plain")
    texts = [name for name, dtype in events.schema.items() if dtype == pl.String]
    events.cast(dict.fromkeys(texts, pl.Categorical())).write_parquet(tmp_path / "noted")
    assert _files(tmp_path / "noted", tmp_path / "a") == _files(tmp_path / "plain", tmp_path / "b")


def _events() -> pl.DataFrame:
    n = pl.int_range(ROWS, eager=True)
    return pl.DataFrame(
        {
            "Datetime": 1780308000 + n // 2,
            "RayID": n.cast(pl.String),
            "Action": pl.Series(["block", "log", None, "BLOCK", "new"]).gather(n % 5),
            "ClientIP": pl.Series(["192.0.2.1", "2001:db8::1", "x", "", None]).gather(n * n % 5),
            "ClientRequestPath": "/orders/" + (n * n % 1700).cast(pl.String),
            "EdgeResponseStatus": pl.Series(["403", "", None, "1000", "no"]).gather(n % 7 % 5),
            "Metadata": pl.Series(['{"b": 1, "a": 2}', '{"a":2,"b":1}', "", "text", "[1]", None]).gather(n % 6),
            "ContentScanObjSizes": pl.Series(["[1, 2]", "", "[null]", None]).gather(n % 4),
            "New": pl.Series(["x", None]).gather(n % 2),
        }
    )


def _files(raw: Path, out: Path) -> dict[str, bytes]:
    out.mkdir()
    outcome = transform(a_slice(), raw, out)
    assert outcome.account.quarantined > 0
    assert outcome.account.rows_out > 0
    return {str(file.path.relative_to(out)): file.path.read_bytes() for file in outcome.files}


def test_broken_text_is_an_error_and_the_file_is_as_before(tmp_path: Path) -> None:
    path = tmp_path / "raw.parquet"
    pl.DataFrame({"few": ["value"] * 9}).write_parquet(path, compression="uncompressed")
    path.write_bytes(path.read_bytes().replace(b"value", b"v\xffl\xffe"))
    before = path.read_bytes()
    with pytest.raises(PolarsError), TextAsCodes(path, {"few": encoding(1)}) as source:
        source.rows(0, 9)
    assert path.read_bytes() == before


@pytest.mark.parametrize("pages", ["direct", "as text"])
def test_column_of_few_texts_that_becomes_one_of_many_keeps_them_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pages: str
) -> None:
    monkeypatch.setattr(parquet_rows, "_BATCH_ROWS", 1000)
    if pages == "as text":
        monkeypatch.setattr(TextAsCodes, "_opens_as", lambda *_: False)
    rows = 70_000
    n = pl.int_range(rows, eager=True)
    late = pl.DataFrame(
        {
            "Datetime": 1780308000 + n // 2,
            "RayID": n.cast(pl.String),
            "EdgeColoCode": pl.select(pl.when(n < rows - 3000).then(n % 100).otherwise(n % 700)).to_series(),
        }
    ).cast({"EdgeColoCode": pl.String})
    late.write_parquet(tmp_path / "raw")
    out = tmp_path / "out"
    out.mkdir()
    outcome = transform(a_slice(), tmp_path / "raw", out)
    assert outcome.account.rows_out == rows
    events = pl.concat(pl.read_parquet(file.path) for file in outcome.files if file.kind == "events")
    found = events.select("ray_id", "edge_colo_code").sort("ray_id")
    assert found.equals(late.select(ray_id="RayID", edge_colo_code="EdgeColoCode").sort("ray_id"))


_BROKEN = """
import sys, pyarrow as pa, pyarrow.parquet as pq
agents = [f"agent {n % 3000:04}" if n != 80_000 else "agent XXXX" for n in range(90_000)]
times = [f"2026-06-01T10:{n // 60 % 60:02}:{n % 60:02}Z" for n in range(90_000)]
table = pa.table({"Datetime": times, "RayID": [f"{n:x}" for n in range(90_000)], COLUMN: agents})
pq.write_table(table, sys.argv[1], compression="none", write_statistics=False, LAYOUT)
"""
LAYOUTS = {
    "a dictionary": "use_dictionary=True",
    "plain pages": "use_dictionary=False",
    "a full dictionary": "dictionary_pagesize_limit=2000",
    "lengths apart": "use_dictionary=False, column_encoding={COLUMN: 'DELTA_LENGTH_BYTE_ARRAY'}",
}


@pytest.mark.parametrize("column", ["ClientRequestUserAgent", "ClientRequestPath"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_broken_text_past_the_sample_is_found_and_spoils_nothing_else(tmp_path: Path, layout: str, column: str) -> None:
    path = tmp_path / "raw.parquet"
    program = _BROKEN.replace("LAYOUT", LAYOUTS[layout]).replace("COLUMN", repr(column))
    subprocess.run([sys.executable, "-c", program, path], check=True)  # noqa: S603  # ours
    sound = path.read_bytes()
    assert b"agent XXXX" in sound
    for content, defect in ((sound.replace(b"agent XXXX", b"agent \xffXXX"), "parquet_unreadable"), (sound, None)):
        path.write_bytes(content)
        out = tmp_path / str(defect)
        out.mkdir()
        assert transform(a_slice(), path, out).object_defect == defect
    for file in out.rglob("*.parquet"):
        pl.read_parquet(file)


NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=200)


@given(
    texts=st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=5), max_size=30),
    names=st.lists(NAMES, min_size=1, max_size=4, unique=True),
    note=st.dictionaries(NAMES, st.text(st.characters(codec="utf-8"), max_size=300), max_size=3),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_under_any_name_is_the_same(
    tmp_path: Path, texts: list[str | None], names: list[str], note: dict[str, str]
) -> None:
    path = tmp_path / "raw.parquet"
    frame = pl.DataFrame({name: texts[number:] + texts[:number] for number, name in enumerate(names)}, strict=False)
    frame = frame.cast(pl.String)
    frame.write_parquet(path, metadata=note)
    with TextAsCodes(path, {name: encoding(30) for name in names}) as source:
        assert source.rows(0, frame.height).cast(pl.String).equals(frame)
        assert source.direct
