"""The proof of the demo of database logs tells each way in which a lake can be wrong."""

from collections import Counter
from pathlib import Path

import pytest

from cli.database_demo_check import compare, first_differences, lines_written

WRITTEN = {"db-1": Counter({b"a": 1, b"b": 2, b"": 1})}
RECORDS = [("db-1", "f", "g", 0, 2, b"a\n"), ("db-1", "f", "g", 2, 5, b"b\n\n"), ("db-1", "f", "g", 5, 6, b"b")]


def test_lake_with_every_line_once_is_right() -> None:
    found = compare(WRITTEN, RECORDS)
    assert (found.written, found.in_lake) == (4, 4)
    assert not list(first_differences(found))


@pytest.mark.parametrize(
    ("records", "missing", "duplicates"),
    [
        pytest.param(RECORDS[1:], 1, 0, id="a record is missing"),
        pytest.param([*RECORDS[:1], *RECORDS], 0, 1, id="a record is there twice"),
        pytest.param([("db-1", "f", "g", 0, 2, b"x\n"), *RECORDS[1:]], 1, 1, id="a record has other bytes"),
        pytest.param([("db-2", *RECORDS[0][1:]), *RECORDS[1:]], 1, 1, id="a record is another instance's"),
    ],
)
def test_lake_that_differs_is_told(
    records: list[tuple[str, str, str, int, int, bytes]], missing: int, duplicates: int
) -> None:
    found = compare(WRITTEN, records)
    assert (found.missing.total(), found.duplicates.total()) == (missing, duplicates)
    assert list(first_differences(found))


def test_what_a_restart_took_counts_apart() -> None:
    before = [("db-1", "f", "g", 0, 2, b"a\n"), ("db-1", "f", "g", 2, 7, b"lost\n")]
    after = [("db-1", "f", "g~1", 2, 6, b"new\n")]
    found = compare({"db-1": Counter({b"a": 1, b"new": 1})}, [*before, *after])
    assert (found.in_lake, found.taken_by_restarts) == (2, 1)
    assert not list(first_differences(found))


def test_line_without_its_end_counts(tmp_path: Path) -> None:
    (tmp_path / "0").write_bytes(b"one\ntwo\n\nthr")
    (tmp_path / "1").write_bytes(b"")
    truth = [{"dbi_resource_id": "db-1", "path": str(tmp_path / name)} for name in "01"]
    assert lines_written(truth) == {"db-1": Counter({b"one": 1, b"two": 1, b"": 1, b"thr": 1})}
