"""Objects that cannot be read as a whole, and objects that are odd but can."""

import gzip
import io
from pathlib import Path

import polars as pl
import pytest

from firewall_logs.transform import transform
from tests.support.firewall import OBJECT_ID, a_slice, a_source
from tests.support.firewall_slices import Written, of_frame, of_lines, transformed
from tests.support.raw import parquet, truncated

LINE = b'{"Datetime":"2026-06-01T10:00:00Z","ClientRequestHost":"a.example","Action":"block"}\n'


def _only_defect(written: Written, defect: str) -> None:
    outcome = written.outcome
    assert outcome.object_defect == defect
    assert [file.kind for file in outcome.files] == ["quarantine"]
    assert outcome.account.model_dump() == {"rows_in": 0, "rows_out": 0, "quarantined": 0, "duplicates": 0}
    assert outcome.quarantined_by_reason == {}
    (record,) = written.quarantine
    assert record == {
        "reason": defect,
        "field": None,
        "row": None,
        "raw": None,
        "object_id": OBJECT_ID,
        "bucket": "raw",
        "key": "cloudflare/47/a",
        "version_id": None,
        "feed": "47",
    }


def _flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 0xFF]) + data[position + 1 :]


@pytest.mark.parametrize(
    ("raw", "defect"),
    [
        (b"", "empty"),
        (b"PK\x03\x04", "not_gzip"),
        (b"\x1f", "not_gzip"),
        (LINE, "not_gzip"),
        (b"\x1f\x8b", "gzip_truncated"),
        (truncated(), "gzip_truncated"),
        (gzip.compress(LINE) + gzip.compress(LINE)[:-1], "gzip_truncated"),
        (gzip.compress(LINE) + gzip.compress(LINE)[:5], "gzip_truncated"),
        (_flipped(gzip.compress(LINE), -5), "gzip_corrupt"),
        (_flipped(gzip.compress(LINE * 100), 20), "gzip_corrupt"),
        (gzip.compress(LINE) + b"trailing", "gzip_corrupt"),
    ],
    ids=range(11),
)
def test_unreadable_ndjson_gives_its_reason_and_nothing_else(tmp_path: Path, raw: bytes, defect: str) -> None:
    _only_defect(transformed(tmp_path / "slice", raw, format="ndjson.gz"), defect)


@pytest.mark.parametrize(
    ("raw", "defect"),
    [
        (b"", "empty"),
        (LINE, "parquet_unreadable"),
        (b"PAR1", "parquet_unreadable"),
        (b"PAR1" + b"\0" * 20 + b"PAR1", "parquet_unreadable"),
        (parquet(3000)[:-1], "parquet_unreadable"),
        (parquet(3000)[:2000], "parquet_unreadable"),
        (_flipped(parquet(3000), -6), "parquet_unreadable"),
    ],
    ids=range(7),
)
def test_unreadable_parquet_gives_its_reason_and_nothing_else(tmp_path: Path, raw: bytes, defect: str) -> None:
    _only_defect(transformed(tmp_path / "slice", raw), defect)


def test_parquet_with_a_broken_page_gives_no_rows_even_of_sound_row_groups(tmp_path: Path) -> None:
    rows = pl.DataFrame(
        {
            "Datetime": ["2026-06-01T10:00:00Z"] * 600_000,
            "RayID": [f"{n:016x}" for n in range(600_000)],
            "ClientIP": ["no address"] + ["192.0.2.1"] * 599_999,
        }
    )
    buffer = io.BytesIO()
    rows.write_parquet(buffer, row_group_size=200_000, compression="zstd")
    raw = buffer.getvalue()
    middle = len(raw) * 9 // 10
    written = transformed(tmp_path / "slice", raw[:middle] + b"\xa5" * 4096 + raw[middle + 4096 :])
    _only_defect(written, "parquet_unreadable")
    assert [path.name for path in (tmp_path / "slice" / "out").iterdir()] == ["quarantine"]


def test_defect_known_to_the_planner_needs_no_raw_object(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    outcome = transform(a_slice(defect="parquet_unreadable"), tmp_path / "absent", tmp_path / "out")
    assert outcome.object_defect == "parquet_unreadable"
    assert [file.rows for file in outcome.files] == [1]


def test_rows_that_a_footer_promised_are_accounted_for(tmp_path: Path) -> None:
    written = transformed(tmp_path / "slice", b"PAR1 and nothing else", rows=7)
    assert written.outcome.quarantined_by_reason == {"parquet_unreadable": 7}
    assert written.outcome.account.model_dump() == {"rows_in": 7, "rows_out": 0, "quarantined": 7, "duplicates": 0}
    assert len(written.quarantine) == 1


def test_missing_raw_file_raises(tmp_path: Path) -> None:
    for kind in ("ndjson.gz", "parquet"):
        with pytest.raises(FileNotFoundError):
            transform(a_slice(format=kind), tmp_path / "absent", tmp_path)


@pytest.mark.parametrize("members", [[b""], [b"", b""], [b"\n \n\n"]], ids=["empty", "two empty", "blank lines"])
def test_object_without_rows_gives_no_files(tmp_path: Path, members: list[bytes]) -> None:
    raw = b"".join(map(gzip.compress, members))
    outcome = transformed(tmp_path / "slice", raw, format="ndjson.gz").outcome
    assert outcome.files == []
    assert outcome.object_defect is None
    assert outcome.account.rows_in == outcome.source_rows == 0


@pytest.mark.parametrize("schema", [{"Datetime": pl.String, "Action": pl.String}, {"Action": pl.String}, {}])
def test_parquet_without_rows_gives_no_files(tmp_path: Path, schema: dict[str, pl.DataType]) -> None:
    outcome = of_frame(tmp_path / "slice", pl.DataFrame(schema=schema)).outcome
    assert outcome.files == []
    assert outcome.columns_seen == sorted(schema)
    assert outcome.object_defect is None


@pytest.mark.parametrize(
    "raw",
    [
        gzip.compress(LINE * 3),
        gzip.compress(LINE) + gzip.compress(LINE * 2),
        gzip.compress(LINE[:30]) + gzip.compress(LINE[30:] + LINE * 2),
        gzip.compress(LINE) + gzip.compress(b"") + gzip.compress(LINE * 2) + b"\0" * 700,
        gzip.compress(LINE * 2 + LINE.rstrip()),
        gzip.compress(LINE.replace(b"\n", b"\r\n") * 3),
    ],
    ids=["one member", "two", "a line across two", "zero padding", "no final line feed", "CRLF"],
)
def test_members_and_line_ends_make_no_difference(tmp_path: Path, raw: bytes) -> None:
    written = transformed(tmp_path / "slice", raw, format="ndjson.gz")
    assert written.outcome.account.model_dump() == {"rows_in": 3, "rows_out": 1, "quarantined": 0, "duplicates": 2}
    assert [row["client_request_host"] for row in written.events] == ["a.example"]


def test_blank_lines_are_counted_outside_the_account_and_keep_their_positions(tmp_path: Path) -> None:
    written = of_lines(tmp_path / "slice", "", LINE.strip(), " \t\r", "\x0b", "nonsense", "", "")
    assert written.outcome.blank_lines == 5
    assert written.outcome.source_rows == written.outcome.account.rows_in == 2
    assert [(row["row"], row["raw"]) for row in written.quarantine] == [(4, b"nonsense")]


def test_line_keeps_its_bytes_in_quarantine(tmp_path: Path) -> None:
    lines = [
        b'{"Datetime":1,"a":"\xff"}\r',
        b'{"Datetime": 1780308000, "ClientIP": "x"} \r',
        b"\xef\xbb\xbf" + LINE.strip(),
    ]
    written = of_lines(tmp_path / "slice", *lines)
    assert [row["raw"] for row in written.quarantine] == lines
    assert [row["reason"] for row in written.quarantine] == ["not_utf8", "ip_invalid", "json_syntax"]


def test_quarantine_names_the_object(tmp_path: Path) -> None:
    source = a_source(bucket="their-bucket", key="k ü", version_id="v7")
    (record,) = of_lines(tmp_path / "slice", "[]", source=source, feed="2.ford").quarantine
    assert (record["bucket"], record["key"], record["version_id"], record["feed"]) == (
        "their-bucket",
        "k ü",
        "v7",
        "2.ford",
    )


def test_object_of_more_than_one_block_keeps_its_positions(tmp_path: Path) -> None:
    long = "x" * (6 << 20)
    lines = [f'{{"Datetime":{1780308000 + n},"RayID":"{n}","Ref":"{long}"}}' for n in range(7)]
    lines[5] = "broken" + lines[5]
    written = of_lines(tmp_path / "slice", *lines)
    assert [row["row"] for row in written.quarantine] == [5]
    assert [row["ray_id"] for row in written.events] == ["0", "1", "2", "3", "4", "6"]
    assert {len(row["ref"]) for row in written.events} == {6 << 20}
