"""What a cut fetches of its inputs, from a bucket that has them."""

from pathlib import Path

import pytest

from firewall_logs import events
from firewall_logs.adapters.lake import LakeReader
from firewall_logs.days import compaction, inputs
from firewall_logs.days.compaction import compact
from firewall_logs.days.contracts import Cut, Place, PlannedInput
from firewall_logs.days.inputs import Inputs
from firewall_logs.errors import InputGone
from kernel import aws
from tests.support.aws import LAKE
from tests.support.firewall_compaction import a_row, cuts_of, events_file, expected, planned_input, rows_of

Files = tuple[list[Path], list[PlannedInput]]
ALL = Cut(start=None, end=None, rows=1)
HOSTS = [None, "", "a.example", "b.example", "é.de", "long-" * 200, "😀"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """Leave three files of 20 row groups in the lake, and one of a single row."""
    monkeypatch.setattr(events, "ROW_GROUP_ROWS", 32)
    monkeypatch.setattr(compaction, "ROW_GROUP_ROWS", 32)
    small = events_file(tmp_path / "small", [a_row(ray_id="small", client_request_host="b.example")])
    monkeypatch.setattr(inputs, "_GAP", 0)
    large = [
        events_file(
            tmp_path / f"large{number}",
            [a_row(n * 7919 % 86_400, ray_id=f"{number}-{n}", client_request_host=HOSTS[n % 7]) for n in range(640)],
        )
        for number in range(3)
    ]
    paths = [large[0], small, *large[1:]]
    known = [planned_input(path, f"firewall_logs/events/{number}.parquet") for number, path in enumerate(paths)]
    for path, file in zip(paths, known, strict=True):
        aws.s3().put_object(Bucket=LAKE, Key=file.key, Body=path.read_bytes())
    return paths, known


def _inputs(cut: Cut, folder: Path) -> Inputs:
    folder.mkdir()
    return Inputs(LakeReader(aws.s3(), LAKE), cut, folder)


def test_what_is_fetched_is_enough_for_every_cut(files: Files, tmp_path: Path) -> None:
    paths, known = files
    rows = [rows_of(path) for path in paths]
    made = [
        *cuts_of((row for part in rows for row in part), 150),
        *cuts_of((row for part in rows for row in part), 90, by_second=True),
    ]
    for number, cut in enumerate(made):
        out = tmp_path / f"out{number}"
        out.mkdir()
        result = compact(_inputs(cut, tmp_path / f"raw{number}").of(known), cut, out)
        assert rows_of(result.files[0].path) == expected(rows, cut).events
        assert result.rows_in == cut.rows
    assert len(made) > 20


def test_row_groups_of_other_hosts_are_not_fetched(files: Files, tmp_path: Path) -> None:
    _, known = files
    whole = sum(file.bytes for file in known)
    narrow = Cut(start=Place(host="b.example", hour=3), end=Place(host="b.example", hour=4), rows=1)
    fetching = _inputs(narrow, tmp_path / "raw")
    spans = [(given.first_row, given.rows) for given in fetching.of(known)]
    # The small file has a row of that host at midnight, and so none of the hour.
    assert len(spans) == 3
    assert all(first > 200 and rows < 200 for first, rows in spans)
    assert fetching.bytes < whole / 2
    # The row groups, and the footer.
    assert fetching.gets == 3 * 2


def test_hole_that_is_not_worth_a_request_is_fetched(
    files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, known = files
    monkeypatch.setattr(inputs, "_GAP", max(file.bytes for file in known))
    fetching = _inputs(ALL, tmp_path / "raw")
    assert len(list(fetching.of(known))) == fetching.gets == len(known)


def test_file_without_rows_of_the_cut_is_not_asked_for(files: Files, tmp_path: Path) -> None:
    _, known = files
    beyond = Cut(start=Place(host="😀😀", hour=0), end=None, rows=1)
    fetching = _inputs(beyond, tmp_path / "raw")
    assert list(fetching.of(known)) == []
    assert fetching.gets == 0


def test_few_files_are_here_at_once(files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "_AHEAD", 2)
    _, known = files
    fetching = _inputs(ALL, tmp_path / "raw")
    here = [len(list((tmp_path / "raw").iterdir())) for _ in fetching.of(known)]
    assert max(here) <= 3
    assert not list((tmp_path / "raw").iterdir())


def test_input_that_is_gone_is_named(files: Files, tmp_path: Path) -> None:
    _, known = files
    aws.s3().delete_object(Bucket=LAKE, Key=known[2].key)
    with pytest.raises(InputGone, match=r"s3://lake/firewall_logs/events/2\.parquet is not there any more"):
        list(_inputs(ALL, tmp_path / "raw").of(known))
