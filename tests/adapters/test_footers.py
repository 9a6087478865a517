import io
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from firewall_logs.adapters.footers import LakeFooters, RawFooters
from firewall_logs.contracts import SourceObject
from firewall_logs.errors import FooterBroken
from kernel import aws
from tests.support.aws import LAKE, RAW, sources
from tests.support.firewall import a_source

pytestmark = pytest.mark.pyarrow

EARLY, LATE = datetime(2026, 6, 1, 3, tzinfo=UTC), datetime(2026, 6, 1, 21, tzinfo=UTC)


def _parquet(rows: int = 1000, columns: int = 2, group: int = 300) -> bytes:
    table = pa.table({f"c{n}": list(range(rows)) for n in range(columns)})
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=group)
    return sink.getvalue()


def _put(body: bytes, key: str = "k") -> SourceObject:
    aws.s3().put_object(Bucket=RAW, Key=key, Body=body)
    return a_source(key=key, size=len(body))


def test_row_groups_are_read_with_their_places() -> None:
    body = _parquet()
    footer = RawFooters(sources()).read(_put(body))
    assert [group.rows for group in footer.row_groups] == [300, 300, 300, 100]
    assert footer.rows == 1000
    edges = [4] + [group.end for group in footer.row_groups]
    assert [group.start for group in footer.row_groups] == edges[:-1]
    assert edges[-1] <= footer.start < len(body)


def test_bytes_of_a_row_group_and_the_footer_are_enough_to_read_it() -> None:
    body = _parquet()
    footer = RawFooters(sources()).read(_put(body))
    group = footer.row_groups[2]
    sparse = bytearray(len(body))
    for first, after in ((0, 4), (group.start, group.end), (footer.start, len(body))):
        sparse[first:after] = body[first:after]
    table = pq.ParquetFile(pa.BufferReader(bytes(sparse))).read_row_group(2)
    assert table["c0"].to_pylist() == list(range(600, 900))


def test_footer_longer_than_the_first_read_is_read_whole() -> None:
    body = _parquet(rows=2000, columns=60, group=20)
    length = int.from_bytes(body[-8:-4], "little")
    assert length > 64 << 10
    assert len(RawFooters(sources()).read(_put(body)).row_groups) == 100


@pytest.mark.parametrize(
    "body",
    [
        b"x",
        b"PAR1",
        b"not a parquet file at all",
        _parquet()[:-100],
        _parquet()[:-8] + (1 << 30).to_bytes(4, "little") + b"PAR1",
        b"PAR1" + b"\xff" * 100 + (100).to_bytes(4, "little") + b"PAR1",
    ],
)
def test_what_is_no_parquet_is_refused(body: bytes) -> None:
    with pytest.raises(FooterBroken):
        RawFooters(sources()).read(_put(body))


def _lake(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=1)
    aws.s3().put_object(Bucket=LAKE, Key="f", Body=sink.getvalue())
    return sink.getvalue()


def test_file_of_the_lake_tells_rows_size_columns_and_times() -> None:
    times = pa.array([LATE, EARLY], pa.timestamp("us", "UTC"))
    body = _lake(pa.table({"event_time": times, "action": ["block", None]}))
    footer = LakeFooters(aws.s3(), LAKE).read("f")
    assert footer is not None
    assert (footer.rows, footer.bytes, footer.columns) == (2, len(body), ("event_time", "action"))
    assert (footer.min_time, footer.max_time) == (EARLY, LATE)


def test_file_without_times_has_no_range() -> None:
    _lake(pa.table({"events": [1, 2, None]}))
    footers = LakeFooters(aws.s3(), LAKE)
    footer = footers.read("f")
    assert footer is not None
    assert footer.min_time is None
    assert footers.total("f", "events") == 3


def test_missing_or_broken_file_is_none() -> None:
    aws.s3().put_object(Bucket=LAKE, Key="broken", Body=b"PAR1 is not enough")
    footers = LakeFooters(aws.s3(), LAKE)
    assert footers.read("nothing") is None
    assert footers.read("broken") is None
