"""What a cut fetches of its inputs, from a bucket that has them."""

from pathlib import Path

import pytest

from firewall_logs import events
from firewall_logs.adapters.lake import LakeReader
from firewall_logs.contracts import LakeFile
from firewall_logs.days import compaction, inputs
from firewall_logs.days.compaction import compact
from firewall_logs.days.contracts import Cut, Place
from firewall_logs.days.cutting import cuts
from firewall_logs.days.inputs import Inputs
from firewall_logs.errors import InputGone
from kernel import aws
from tests.support.aws import LAKE
from tests.support.firewall_compaction import a_row, events_file, expected, histogram, lake_file, rows_of

ALL = Cut(start=None, end=None, rows=1)
HOSTS = [None, "", "a.example", "b.example", "é.de", "long-" * 200, "😀"]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Path], list[LakeFile]]:
    """Leave three files of 20 row groups in the lake, whose ends are not all of them, and one that is all end."""
    monkeypatch.setattr(events, "ROW_GROUP_ROWS", 32)
    monkeypatch.setattr(compaction, "ROW_GROUP_ROWS", 32)
    small = events_file(tmp_path / "small", [a_row(ray_id="small", client_request_host="b.example")])
    monkeypatch.setattr(inputs, "_TAIL", small.stat().st_size)
    large = [
        events_file(
            tmp_path / f"large{number}",
            [a_row(n * 7919 % 86_400, ray_id=f"{number}-{n}", client_request_host=HOSTS[n % 7]) for n in range(640)],
        )
        for number in range(3)
    ]
    paths = [large[0], small, *large[1:]]
    known = [lake_file(path, f"firewall_logs/events/{number}.parquet") for number, path in enumerate(paths)]
    for path, file in zip(paths, known, strict=True):
        aws.s3().put_object(Bucket=LAKE, Key=file.key, Body=path.read_bytes())
    return paths, known


def _inputs(cut: Cut, folder: Path) -> Inputs:
    folder.mkdir()
    return Inputs(LakeReader(aws.s3(), LAKE), cut, folder)


def test_what_is_fetched_is_enough_for_every_cut(files: tuple[list[Path], list[LakeFile]], tmp_path: Path) -> None:
    paths, known = files
    rows = [rows_of(path) for path in paths]
    for number, cut in enumerate(cuts(histogram(row for part in rows for row in part), 150)):
        out = tmp_path / f"out{number}"
        out.mkdir()
        result = compact(_inputs(cut, tmp_path / f"raw{number}").of(known), cut, out)
        assert rows_of(result.files[0].path) == expected(rows, cut).events
        assert result.rows_in == cut.rows
    assert number > 5


def test_row_groups_of_other_hosts_are_not_fetched(files: tuple[list[Path], list[LakeFile]], tmp_path: Path) -> None:
    _, known = files
    whole = sum(file.bytes for file in known)
    narrow = Cut(start=Place(host="b.example", hour=3), end=Place(host="b.example", hour=4), rows=1)
    fetching = _inputs(narrow, tmp_path / "raw")
    spans = [(given.first_row, given.rows) for given in fetching.of(known)]
    assert spans[1] == (0, 1)
    assert all(first > 200 and rows < 200 for first, rows in [spans[0], *spans[2:]])
    assert fetching.bytes < whole / 2
    # The end, the rest of the footer and the row groups; of the small file just the end.
    assert fetching.gets == 3 + 1 + 3 + 3


def test_file_without_rows_of_the_cut_gives_none(files: tuple[list[Path], list[LakeFile]], tmp_path: Path) -> None:
    _, known = files
    beyond = Cut(start=Place(host="😀😀", hour=0), end=None, rows=1)
    assert [given.rows for given in _inputs(beyond, tmp_path / "raw").of(known)] == [0, 1, 0, 0]


def test_few_files_are_here_at_once(
    files: tuple[list[Path], list[LakeFile]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inputs, "_AHEAD", 2)
    _, known = files
    fetching = _inputs(ALL, tmp_path / "raw")
    here = [len(list((tmp_path / "raw").iterdir())) for _ in fetching.of(known)]
    assert max(here) <= 3
    assert not list((tmp_path / "raw").iterdir())


def test_input_that_is_gone_is_named(files: tuple[list[Path], list[LakeFile]], tmp_path: Path) -> None:
    _, known = files
    aws.s3().delete_object(Bucket=LAKE, Key=known[2].key)
    with pytest.raises(InputGone, match=r"s3://lake/firewall_logs/events/2\.parquet is not there any more"):
        list(_inputs(ALL, tmp_path / "raw").of(known))
