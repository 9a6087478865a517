from datetime import date
from pathlib import Path

import pytest

from firewall_logs.days.contracts import DayObject
from firewall_logs.days.view import DayView, newest_versions
from firewall_logs.errors import ManifestMissing
from firewall_logs.locations import day_key
from tests.support.small_lake import SmallLake, on

DAY, OTHER = date(2026, 6, 7), date(2026, 6, 8)


def _view(lake: SmallLake, day: date) -> DayView:
    return DayView.of(day, lake.newest(day), [entry for entry in lake.index if entry.event_date == day])


def test_the_newest_version_of_each_day_is_found_among_other_keys() -> None:
    keys = [day_key(DAY, 2), day_key(DAY, 10), day_key(DAY, 9), day_key(OTHER, 1), "firewall_logs/days/notes.txt"]

    assert newest_versions(keys) == {DAY: 10, OTHER: 1}


def test_every_file_that_is_named_is_there_and_every_row_is_in_one_of_them(tmp_path: Path) -> None:
    lake = SmallLake(tmp_path / "lake")
    lake.commit("a", [on(DAY, 1), on(OTHER, 2)])
    lake.seal(DAY)
    lake.commit("b", [on(DAY, 3), on(DAY, 4)])
    for day, rows, versions in ((DAY, 3, 1), (OTHER, 1, 0)):
        view = _view(lake, day)
        files = view.files(lake.manifests)

        assert all(lake.folder.joinpath(file.key).exists() for file in files)
        assert sum(file.rows for file in files if file.kind == "events") == rows
        assert (view.sealed.version if view.sealed else 0) == versions
    lake.seal(DAY)
    assert _view(lake, DAY).loose == ()
    assert sum(file.rows for file in _view(lake, DAY).files({}) if file.kind == "events") == 3


def test_an_object_that_only_brought_quarantine_makes_no_day() -> None:
    entry = DayObject(event_date=DAY, object_id="a" * 32, source_id="b" * 32, feed="47", rows=0)

    assert DayView.of(DAY, None, [entry]).is_empty


def test_a_lost_manifest_is_named(tmp_path: Path) -> None:
    lake = SmallLake(tmp_path / "lake")
    lake.commit("a", [on(DAY, 1)])

    with pytest.raises(
        ManifestMissing, match="brought 1 rows to 2026-06-07, but its manifest firewall_logs/manifests/"
    ):
        _view(lake, DAY).files({})
