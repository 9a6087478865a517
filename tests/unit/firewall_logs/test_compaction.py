import hashlib
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from firewall_logs.contracts import Omitted
from firewall_logs.days.contracts import Cut, Place
from firewall_logs.days.version import COMPACTION_VERSION
from firewall_logs.errors import InputUnsorted
from firewall_logs.events import ROW_GROUP_ROWS, write_days
from firewall_logs.order import Order
from firewall_logs.schema import COLUMNS
from local.paths import ROOT
from tests.support.firewall_compaction import Row, a_row, compacted, events_file, rows_of

ALL = Cut(start=None, end=None, rows=1)
GOLDEN = ("3+polars-2.1.0", "9da94bbd744a3eb2014b06f3f860cf62a9f0fe6483eb497eaa6b50c6764091be")

_DIGEST = """
import hashlib, sys
from pathlib import Path
from firewall_logs.days.contracts import Cut
from tests.support.firewall_compaction import compacted
out, *inputs = map(Path, sys.argv[1:])
result = compacted(inputs, Cut(start=None, end=None, rows=1), out)
for file in result.files:
    print(file.path.relative_to(out), hashlib.sha256(file.path.read_bytes()).hexdigest())
print(result.profiles)
"""


def _rows(numbers: range) -> list[Row]:
    return [
        a_row(
            n * 7919 % 86_400,
            client_request_host=f"h{n * 31 % 97}.example.com" if n % 13 else None,
            ray_id=f"{n:016x}",
            action=f"a{n % 7}",
            edge_response_status=n % 600,
            content_scan_obj_types=[f"t{n % 3}"] if n % 5 == 0 else None,
        )
        for n in numbers
    ]


@pytest.fixture
def inputs(tmp_path: Path) -> list[Path]:
    """Write two files that share a tenth of their rows."""
    return [events_file(tmp_path / "a", _rows(range(1000))), events_file(tmp_path / "b", _rows(range(900, 1900)))]


def test_file_has_the_schema_of_the_lake_and_text_is_text(inputs: list[Path], tmp_path: Path) -> None:
    files = compacted(inputs, ALL, tmp_path / "out").files
    events = files[0]
    assert [file.kind for file in files] == ["events", "hourly", "rays", "addresses"]
    for file in files:
        assert tuple(pl.read_parquet_schema(file.path)) == COLUMNS[file.kind]
    assert pl.read_parquet_schema(events.path) == pl.read_parquet_schema(inputs[0])
    assert events.rows == 1900


def test_earlier_input_decides_about_rows_that_agree_in_host_and_instant(tmp_path: Path) -> None:
    one, two = (events_file(tmp_path / name, [a_row(ray_id=name)]) for name in "ab")
    order = [
        [row["ray_id"] for row in rows_of(compacted(paths, ALL, tmp_path / f"out{number}").files[0].path)]
        for number, paths in enumerate([[one, two], [two, one]])
    ]
    assert order == [["a", "b"], ["b", "a"]]


def test_rows_of_two_feeds_are_two_events(tmp_path: Path) -> None:
    paths = [events_file(tmp_path / feed, [a_row(feed=feed)]) for feed in ("47", "3", "47")]
    result = compacted(paths, ALL, tmp_path / "out")
    assert (result.rows_in, result.duplicates) == (3, 1)
    assert {feed: (found.rows, found.duplicates) for feed, found in result.profiles.items()} == {
        "3": (1, 0),
        "47": (1, 1),
    }


def test_cut_without_rows_has_no_files(inputs: list[Path], tmp_path: Path) -> None:
    beyond = Cut(start=Place(host="z", hour=0), end=None, rows=0)
    result = compacted(inputs, beyond, tmp_path / "out")
    assert (result.rows_in, result.files, result.profiles) == (0, [], {})


def test_file_in_another_order_is_refused(tmp_path: Path) -> None:
    path = events_file(tmp_path, [a_row(client_request_host=host) for host in "abc"])
    pl.read_parquet(path)[[2, 0, 1]].write_parquet(path)
    middle = Cut(start=Place(host="b", hour=0), end=None, rows=2)
    with pytest.raises(InputUnsorted, match=r"/data\.parquet is not sorted by host and hour"):
        compacted([path], middle, tmp_path / "out")


def test_profile_names_the_first_thousand_values_and_counts_the_rest(tmp_path: Path) -> None:
    path = events_file(tmp_path, [a_row(n, action=f"A{n:04}") for n in range(1200)])
    action = compacted([path], ALL, tmp_path / "out").profiles["47"].columns["action"]
    assert (len(action.values), action.values["a0999"]) == (1000, 1)
    assert action.values_omitted == Omitted(names=200, rows=200)


def test_bytes_of_a_small_cut_are_those_of_the_version(inputs: list[Path], tmp_path: Path) -> None:
    files = compacted(inputs, ALL, tmp_path / "out").files
    digests = [hashlib.sha256(file.path.read_bytes()).hexdigest() for file in files]
    found = hashlib.sha256("\n".join(digests).encode()).hexdigest()
    assert (COMPACTION_VERSION, found) == GOLDEN, "other bytes need another COMPACTION_VERSION: see days/version.py"


def test_same_inputs_give_the_same_bytes_and_profile_whatever_the_threads(tmp_path: Path) -> None:
    # More than one row group and more than one batch.
    numbers = pl.int_range(300_000, eager=True)
    paths = []
    for name, first in (("a", 0), ("b", 120_000)):
        shifted = numbers.slice(first, 180_000)
        seconds = shifted * 7919 % 86_400
        frame = pl.DataFrame(
            {
                "event_time": (seconds * 1_000_000 + 1_780_272_000_000_000).cast(pl.Datetime("us", "UTC")),
                "event_time_ns": pl.repeat(0, 180_000, dtype=pl.Int16, eager=True),
                "client_request_host": "h" + (shifted * 31 % 97).cast(pl.String) + ".example.com",
                "ray_id": shifted.cast(pl.String).str.zfill(16),
                "action": "a" + (shifted % 7).cast(pl.String),
            }
        )
        paths.append(_written(frame, tmp_path / name))
    outcomes = set()
    for attempt, threads in enumerate(["1", "2", "8"]):
        environment = os.environ | {"POLARS_MAX_THREADS": threads, "PYTHONPATH": f"{ROOT}:{ROOT / 'functions'}"}
        command = [sys.executable, "-c", _DIGEST, str(tmp_path / f"out{attempt}"), *map(str, paths)]
        outcomes.add(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)  # noqa: S603 - ours
    assert len(outcomes) == 1
    assert "rows=300000, duplicates=60000" in outcomes.pop()


def _written(frame: pl.DataFrame, folder: Path) -> Path:
    every = pl.int_range(frame.height, dtype=pl.UInt32, eager=True)
    positions = Order.of(frame, every).positions
    files = write_days(frame, positions, folder, row_group_rows=ROW_GROUP_ROWS, feed="47", zone="z")
    return next(file.path for file in files if file.kind == "events")
