import math
from datetime import UTC, datetime
from itertools import pairwise

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


_WIDE = st.floats(1e-6, 1e8) | st.floats(1.0, 1.2) | st.sampled_from([0.0, 1e-6, 9.9e-7, 1.05e-6, 1.05, 1.0])


@_SETTINGS
@given(
    times=st.lists(st.tuples(_WIDE, st.sampled_from("ab"), st.sampled_from("xy")), min_size=1, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=3),
)
def test_percentiles_are_within_five_percent_however_statements_are_spread(
    times: list[tuple[float, str, str]], cuts: list[int]
) -> None:
    rows = [
        {"fingerprint": "x", "fingerprint_id": "A", "query_time": time, "instance_id": instance, "database": database}
        for time, instance, database in times
    ]
    bounds = [0, *sorted(cuts), len(rows)]
    parts = [_part(rows[start:end]) for start, end in pairwise(bounds)]
    row = digest(parts, _NOTHING_KNOWN).row(0, named=True)
    exact = sorted(time for time, _, _ in times)
    for percent in (50, 95):
        # Of nearest rank: the least value that so many per cent are not above.
        value = exact[math.ceil(len(exact) * percent / 100) - 1]
        assert abs(row[f"query_time_p{percent}"] - value) <= max(0.05 * value, 1e-6)
        assert exact[0] <= row[f"query_time_p{percent}"] <= exact[-1]
    assert (row["query_time_min"], row["query_time_max"], row["calls"]) == (exact[0], exact[-1], len(exact))
