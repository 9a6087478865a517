"""Files that grow while nothing of them is stored."""

from datetime import UTC, datetime

from database_logs.discovery.files import Known, Listed, Moved
from database_logs.discovery.stalls import Watched, generations, watch
from database_logs.file_names import LogFileName, classify

NOW = datetime(2026, 11, 21, 8, 40, tzinfo=UTC)
SLOW, AUDIT = "slowquery/mysql-slowquery.log", "audit/server_audit.log"


def _moved(file: str, size: int, identity: str | None, *, closed: bool = False, gone: bool = False) -> Moved:
    name = classify(file, "mysql")
    assert isinstance(name, LogFileName)
    return Moved(Listed(file, size, NOW), name, identity, closed=closed, gone=gone)


def _looks(*sizes_and_offsets: tuple[int, int]) -> list[bool]:
    """Return after each look whether the file counts as stalled."""
    watched: dict[str, Watched] = {}
    found = []
    for size, offset in sizes_and_offsets:
        watched = watch(watched, {"one": _moved(SLOW, size, "one")}, {"one": offset} if offset else {})
        found.append(watched["one"].is_stalled)
    return found


def test_file_that_grows_thrice_and_is_stored_no_further_is_stalled() -> None:
    assert _looks((10, 0), (20, 0), (30, 0), (40, 0), (50, 0)) == [False, False, False, True, True]
    assert _looks((100, 50), (200, 50), (300, 50), (400, 50)) == [False, False, False, True]


def test_file_that_is_stored_as_it_grows_is_not() -> None:
    assert not any(_looks(*((size + 10, size) for size in range(10, 100, 10))))


def test_file_that_is_stored_further_begins_to_count_anew() -> None:
    assert _looks((10, 0), (20, 0), (30, 0), (40, 0), (50, 40), (60, 40)) == [False] * 3 + [True, False, False]


def test_file_that_waits_and_does_not_grow_is_not() -> None:
    assert not any(_looks(*[(10, 0)] * 9))


def test_file_is_watched_by_its_generation_and_by_its_name_while_nobody_knows_it() -> None:
    known = {AUDIT: Known(AUDIT, 5, NOW, "server_audit.log@1", settled=False, final=False)}
    moved = [_moved(SLOW, 10, "slow@9"), _moved(AUDIT, 10, None)]
    assert set(generations(moved, known)) == {"slow@9", "server_audit.log@1"}
    assert set(generations(moved, {})) == {"slow@9", AUDIT}


def test_file_that_is_gone_or_closed_is_not_watched() -> None:
    assert generations([_moved(SLOW, 10, "slow@9", gone=True)], {}) == {}
    # An instance may have thousands of them, and what is watched is one item of the table.
    assert generations([_moved(f"{SLOW}.2026-11-21.7", 10, "slow@7", closed=True)], {}) == {}
