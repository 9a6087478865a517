"""What inputs of a seal say of themselves: files written and counted by pyarrow alone."""

import io
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from firewall_logs.adapters.footers import InputFooters
from firewall_logs.contracts import LakeFile
from firewall_logs.days.contracts import Place
from kernel import aws
from kernel.metering import Meter
from tests.support.aws import LAKE

pytestmark = pytest.mark.pyarrow

DAY = date(2026, 6, 1)
MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)
HOSTS = [None, None, "", "a", "a", "é.de", "\uffff", "😀"]


def _write(key: str, table: pa.Table, **given: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **given)
    aws.s3().put_object(Bucket=LAKE, Key=key, Body=sink.getvalue())
    return sink.getvalue()


def _events(moments: list[tuple[str | None, float]], **given: Any) -> bytes:
    times = pa.array([MIDNIGHT + timedelta(seconds=second) for _, second in moments], pa.timestamp("us", "UTC"))
    hosts = pa.array([host for host, _ in moments], pa.string())
    padding = pa.array([f"{n:0100}" for n in range(len(moments))])
    return _write("events", pa.table({"client_request_host": hosts, "event_time": times, "padding": padding}), **given)


def _file(body: bytes) -> LakeFile:
    return LakeFile(kind="events", key="events", event_date=DAY, rows=1, bytes=len(body), sha256="a" * 64)


def _footers() -> InputFooters:
    return InputFooters(aws.s3(), LAKE)


def _place(host: str | None, second: int) -> Place:
    return Place(host=host, hour=second // 3600, second=second % 3600)


def test_row_groups_tell_where_they_are_and_between_which_places_their_rows_lie() -> None:
    body = _events([(host, 3600 * n + n + 0.5) for n, host in enumerate(HOSTS)], row_group_size=2)
    found = _footers().events("events")
    assert found is not None
    assert [(group.low, group.high) for group in found.row_groups] == [
        (_place(None, 0), _place(None, 3601)),
        (_place("", 7202), _place("a", 10803)),
        (_place("a", 14404), _place("é.de", 18005)),
        (_place("\uffff", 21606), _place("😀", 25207)),
    ]
    assert [group.rows for group in found.row_groups] == [2, 2, 2, 2]
    edges = [4, *(group.end for group in found.row_groups)]
    assert [group.start for group in found.row_groups] == edges[:-1]
    assert pq.read_metadata(pa.BufferReader(body[found.start :])).num_rows == 8
    assert found.start >= edges[-1]
    metadata = pq.read_metadata(pa.BufferReader(body))
    assert found.encoded_bytes == sum(metadata.row_group(n).total_byte_size for n in range(4))
    assert (found.footer.rows, found.footer.bytes) == (8, len(body))


def test_rows_without_host_come_first() -> None:
    _events([(None, 5), ("b", 1)])
    found = _footers().events("events")
    assert found is not None
    assert (found.row_groups[0].low, found.row_groups[0].high) == (_place(None, 1), _place("b", 5))


def test_nothing_is_said_of_places_without_statistics_or_their_columns() -> None:
    _events([("b", 1)], write_statistics=False)
    _write("foreign", pa.table({"other": [1]}))
    for key in ("events", "foreign"):
        found = _footers().events(key)
        assert found is not None
        assert [(group.low, group.high) for group in found.row_groups] == [(None, None)]


def test_hourly_counts_come_with_their_footer_by_one_request() -> None:
    columns = {
        "client_request_host": pa.array(["a", "a", None], pa.string()),
        "event_hour": pa.array([1, 1, 2], pa.int8()),
        "events": [3, 4, 5],
    }
    body = _write("hourly", pa.table(columns))
    meter = Meter(0)
    found = _footers().hourly("hourly")
    assert meter.read().requests == {"s3.GetObject": 1}
    assert found is not None
    assert found.counts == [("a", 1, 7), (None, 2, 5)]
    assert (found.footer.rows, found.footer.bytes, found.footer.columns) == (3, len(body), tuple(columns))


@pytest.mark.parametrize("read", [InputFooters.events, InputFooters.hourly])
def test_missing_or_broken_file_says_nothing(read: Any) -> None:
    aws.s3().put_object(Bucket=LAKE, Key="broken", Body=b"PAR1 is not enough")
    aws.s3().put_object(Bucket=LAKE, Key="empty", Body=b"")
    assert [read(_footers(), key) for key in ("broken", "empty", "nothing")] == [None, None, None]


def test_hourly_file_with_other_columns_counts_nothing_and_names_its_columns() -> None:
    _write("hourly", pa.table({"events": [1]}))
    found = _footers().hourly("hourly")
    assert found is not None
    assert (found.counts, found.footer.columns) == ([], ("events",))


def test_events_of_hours_are_counted_by_second() -> None:
    moments = [(None, 10.0), ("a", 3599.9), ("a", 3600.0), ("a", 3600.9), ("a", 7199.5), ("b", 3600.5), ("b", 9000)]
    body = _events(moments)
    counted = _footers().seconds(_file(body), [0], {("a", 1), ("b", 2), (None, 0), ("c", 1)})
    assert counted == {("a", 1, 0): 2, ("a", 1, 3599): 1, ("b", 2, 1800): 1, (None, 0, 10): 1}


def test_only_hosts_and_times_of_the_row_groups_in_question_are_read() -> None:
    body = _events([(f"h{n}", n) for n in range(2000)], row_group_size=500)
    meter = Meter(0)
    counted = _footers().seconds(_file(body), [1, 3], {("h600", 0), ("h1200", 0), ("h1999", 0)})
    assert counted == {("h600", 0, 600): 1, ("h1999", 0, 1999): 1}
    # The footer; hosts and times of two row groups.
    assert meter.read().requests == {"s3.GetObject": 1 + 2 * 2}
