import math
from datetime import UTC, datetime

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from database_logs.digest import STATEMENTS, digest, merge, part

_SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_TIMES = st.floats(0, 1e5) | st.sampled_from([0.0, 1e-6, 9.9e-7, 1.05e-6, 1.0])
_INSTANTS = st.integers(1_700_000_000, 1_720_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))
_ROWS = st.fixed_dictionaries(
    {
        "fingerprint": st.just("select ?"),
        "fingerprint_id": st.sampled_from("AB"),
        "query_time": _TIMES,
        "lock_time": st.none() | _TIMES,
        "rows_examined": st.none() | st.integers(0, 10**12),
        "rows_sent": st.integers(0, 100),
        "event_time": st.none() | _INSTANTS,
        "instance_id": st.sampled_from(["a", "b"]),
        "database": st.none() | st.just("d"),
        "query": st.sampled_from(["select 1", "SELECT 2", "Select 'x'"]),
    }
)  # fmt: skip
_NOTHING_KNOWN = pl.Series([], dtype=pl.String())


def _part(rows: list[dict[str, object]]) -> pl.LazyFrame:
    return part(pl.DataFrame(rows, schema=STATEMENTS), "mysql").lazy()


@_SETTINGS
@given(rows=st.lists(_ROWS, max_size=30), cut=st.integers(0, 30), again=st.integers(0, 30))
def test_parts_merge_to_the_part_of_all_in_any_order(rows: list[dict[str, object]], cut: int, again: int) -> None:
    first, second = sorted((cut, again))
    pieces = [_part(rows[:first]), _part(rows[first:second]), _part(rows[second:])]
    whole = _part(rows).collect()
    for merged in (merge(pieces), merge([pieces[2], merge(pieces[:2])])):
        assert_frame_equal(merged.collect(), whole, rel_tol=1e-9)


@_SETTINGS
@given(times=st.lists(_TIMES, min_size=1, max_size=60))
def test_percentiles_are_within_five_percent(times: list[float]) -> None:
    rows = [{"fingerprint": "x", "fingerprint_id": "A", "query_time": time, "instance_id": "a"} for time in times]
    row = digest([_part(rows)], _NOTHING_KNOWN).row(0, named=True)
    for percent in (50, 95):
        exact = sorted(times)[math.ceil(len(times) * percent / 100) - 1]
        assert abs(row[f"query_time_p{percent}"] - exact) <= 0.05 * exact + 1e-6
    assert (row["query_time_min"], row["query_time_max"], row["calls"]) == (min(times), max(times), len(times))
