"""Compaction and the plain reference say the same of any day, however its rows lie in files and where it is cut."""

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firewall_logs.days.contracts import Cut
from firewall_logs.days.profiles import add_profiles
from tests.support.effort import examples
from tests.support.firewall_compaction import (
    Row,
    a_row,
    address_key,
    compacted,
    cuts_of,
    events_file,
    expected,
    hourly_key,
    order,
    plain,
    profiles_of,
    rows_of,
)

_SETTINGS = settings(
    max_examples=examples(30), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)

HOSTS = st.sampled_from([None, None, "", "a", "A", "a.example", "é.de", "\uffff", "😀", "h" * 300])
ROWS = st.builds(
    a_row,
    seconds=st.sampled_from([0, 0.5, 1, 1800, 3599.999999, 3600, 7200, 43_200, 86_399]),
    event_time_ns=st.sampled_from([0, 0, 999]),
    client_request_host=HOSTS,
    action=st.sampled_from([None, "block", "BLOCK", "İ", ""]),
    ray_id=st.sampled_from([None, "", "8c0ffee000000001", "8C0FFEE000000001", "é"]),
    client_ip=st.sampled_from([None, "203.0.113.7", "2001:db8::7"]),
    rule_id=st.sampled_from([None, "r1", "r2"]),
    edge_response_status=st.sampled_from([None, 0, 403, -(2**63), 2**63 - 1]),
    content_scan_obj_types=st.sampled_from([None, [], ["a", None]]),
    content_scan_obj_sizes=st.sampled_from([None, [1, None]]),
    feed=st.sampled_from(["47", "47", "3"]),
)
FILES = st.lists(st.lists(ROWS, min_size=1, max_size=12), max_size=5)


def _sorted_by_content(rows: list[Row]) -> list[str]:
    return sorted(map(repr, rows))


@_SETTINGS
@given(FILES, st.integers(2, 40), st.booleans(), st.randoms(use_true_random=False))
def test_cuts_become_what_the_reference_says(
    files: list[list[Row]],
    limit: int,
    by_second: bool,  # noqa: FBT001 - drawn
    random: Any,
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = [events_file(folder / f"in{number}", rows) for number, rows in enumerate(files)]
        inputs = [rows_of(path) for path in paths]
        made = cuts_of((row for rows in inputs for row in rows), limit, by_second=by_second)
        results = {}
        for index in random.sample(range(len(made)), len(made)):
            results[index] = compacted(paths, made[index], folder / f"out{index}")
        day: list[Row] = []
        removed: list[Row] = []
        for index, cut in enumerate(made):
            result, wanted = results[index], expected(inputs, cut)
            events, hourly, rays, addresses = (rows_of(file.path) for file in result.files)
            assert events == wanted.events
            assert {hourly_key(row): row["events"] for row in hourly} == wanted.hourly
            assert len(hourly) == len(wanted.hourly)
            assert [tuple(row.values()) for row in rays] == wanted.rays
            assert {address_key(row): row["events"] for row in addresses} == wanted.addresses
            assert [row["rule_id"] or "" for row in addresses] == sorted(row["rule_id"] or "" for row in addresses)
            assert len(addresses) == len(wanted.addresses)
            assert (result.rows_in, result.duplicates) == (cut.rows, len(wanted.removed))
            assert plain(result.profiles) == profiles_of(wanted.events, wanted.removed)
            times = [row["event_time"] for row in wanted.events]
            assert (result.files[0].min_time, result.files[0].max_time) == (min(times), max(times))
            day += events
            removed += wanted.removed
        assert day == sorted(day, key=order)
        total = add_profiles(results[index].profiles for index in sorted(results))
        assert plain(total) == profiles_of(day, removed)


@_SETTINGS
@given(st.lists(ROWS, min_size=1, max_size=30), st.lists(st.integers(0, 3), min_size=30, max_size=30))
def test_split_of_the_rows_over_files_does_not_change_what_is_left(rows: list[Row], split: list[int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        parts = [[row for row, part in zip(rows, split, strict=False) if part == number] for number in range(4)]
        paths = [events_file(folder / f"in{number}", part) for number, part in enumerate(parts) if part]
        result = compacted(paths, Cut(start=None, end=None, rows=len(rows)), folder / "out")
        assert _sorted_by_content(rows_of(result.files[0].path)) == sorted({repr(row) for row in rows})
