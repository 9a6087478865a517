"""Our reading of a footer against DuckDB's."""

from pathlib import Path

import duckdb
import pytest

from firewall_logs import events
from firewall_logs.days.contracts import Cut, Place
from firewall_logs.days.row_groups import RowGroup, footer_bytes, row_groups, span
from tests.support.firewall_compaction import a_row, events_file

HOSTS = [None, "", "a.example", "b.example", "é.de", "long-" * 200, "😀"]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write a file of row groups of 16 rows, the first without any host."""
    monkeypatch.setattr(events, "ROW_GROUP_ROWS", 16)
    rows = [a_row(n % 86_400, client_request_host=HOSTS[n % 7], ray_id=f"{n:016x}") for n in range(7 * 20)]
    return events_file(tmp_path, rows)


def _place(host: str | None, hour: int = 0) -> Place:
    return Place(host=host, hour=hour)


def _may(group: RowGroup, start: Place | None, end: Place | None) -> bool:
    return group.may_hold(Cut(start=start, end=end, rows=1))


def test_row_groups_have_their_rows_places_and_hosts(path: Path) -> None:
    found = duckdb.execute(
        """SELECT row_group_id, any_value(row_group_num_rows),
                  min(coalesce(dictionary_page_offset, data_page_offset)),
                  max(coalesce(dictionary_page_offset, data_page_offset) + total_compressed_size)
           FROM parquet_metadata(?) GROUP BY ALL ORDER BY ALL""",
        [str(path)],
    ).fetchall()
    hosts = [
        tuple(row)
        for row in duckdb.execute(
            """SELECT stats_min_value, stats_max_value, stats_null_count FROM parquet_metadata(?)
               WHERE path_in_schema = 'client_request_host' ORDER BY row_group_id""",
            [str(path)],
        ).fetchall()
    ]
    groups = row_groups(path.read_bytes())
    assert [(number, g.rows, g.start, g.end) for number, g in enumerate(groups)] == found
    assert [g.first_row for g in groups] == [16 * n for n in range(9)]
    assert len(groups) == 9
    for group, (low, high, nulls) in zip(groups, hosts, strict=True):
        if nulls == group.rows:
            assert group.lowest == group.highest == (False, b"")
        else:
            assert group.lowest == ((False, b"") if nulls else (True, low.encode()))
            assert group.highest == (True, high.encode())
    assert {nulls for _, _, nulls in hosts} >= {0, 4, 16}


def test_footer_alone_is_enough(path: Path) -> None:
    body = path.read_bytes()
    assert row_groups(body[-footer_bytes(body[-8:]) :]) == row_groups(body)


def test_group_may_hold_a_cut_unless_its_hosts_lie_outside() -> None:
    group = RowGroup(0, 16, 4, 100, (True, b"b"), (True, b"d"))
    assert _may(group, None, None)
    assert _may(group, _place("d", 23), None)
    assert not _may(group, _place("da"), None)
    assert _may(group, None, _place("b", 1))
    assert not _may(group, None, _place("az", 23))
    assert not _may(group, None, _place(None, 23))
    assert _may(group, _place("c", 3), _place("c", 4))


def test_group_with_rows_without_host_holds_the_beginning() -> None:
    group = RowGroup(0, 16, 4, 100, (False, b""), (True, b"d"))
    assert _may(group, None, _place(None, 1))
    assert not _may(group, _place("e"), None)


def test_group_without_statistics_may_hold_anything() -> None:
    group = RowGroup(0, 16, 4, 100, None, None)
    assert _may(group, _place("z", 23), None)
    assert _may(group, None, _place(None, 1))


def test_span_reaches_from_the_first_to_the_last_group_of_a_cut(path: Path) -> None:
    groups = row_groups(path.read_bytes())
    found = span(groups, Cut(start=_place("a.example"), end=_place("b.example"), rows=1))
    assert found is not None
    assert (found.first_row, found.rows) == (32, 48)
    assert (found.start, found.end) == (groups[2].start, groups[4].end)
    assert span(groups, Cut(start=_place("😀😀"), end=None, rows=1)) is None
