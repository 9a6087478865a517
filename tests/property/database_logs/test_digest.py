import math
from dataclasses import fields
from datetime import UTC, datetime
from itertools import pairwise

import polars as pl
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from database_logs.digest import STATEMENTS, part
from database_logs.tallies import Tally, merge
from tests.support.digests import digest

_SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

_TIMES = st.floats(0, 1e5) | st.sampled_from([0.0, 1e-6, 9.9e-7, 1.05e-6, 1.0])
_INSTANTS = st.integers(1_700_000_000, 1_720_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))
_ROWS = st.fixed_dictionaries(
    {
        "fingerprint": st.just("select ?"),
        "fingerprint_id": st.sampled_from(["A0C1", "1B", "FFFF"]),
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


def _part(rows: list[dict[str, object]]) -> pl.DataFrame:
    return part(pl.DataFrame(rows, schema=STATEMENTS), "mysql")


@_SETTINGS
@given(
    rows=st.lists(_ROWS, max_size=30),
    cut=st.integers(0, 30),
    again=st.integers(0, 30),
    ranges=st.sampled_from([1, 4, 32]),
)
def test_parts_merge_to_the_tally_of_all_in_any_order_and_cut_into_ranges(
    rows: list[dict[str, object]], cut: int, again: int, ranges: int
) -> None:
    first, second = sorted((cut, again))
    pieces = [Tally.of_part(_part(some)) for some in (rows[:first], rows[first:second], rows[second:])]
    whole = merge([Tally.of_part(_part(rows))])
    shards = [merge([pieces[2]]), merge(pieces[:2])]
    cuts = [[Tally.read(one.write()) for one in shard.ranges(ranges)] for shard in shards]
    merged_ranges = [merge(of_range) for of_range in zip(*cuts, strict=True)]
    assert len(merged_ranges) == ranges
    for merged in (merge(pieces), merge(shards), merge(merged_ranges)):
        for field in fields(Tally):
            assert_frame_equal(getattr(merged, field.name), getattr(whole, field.name), rel_tol=1e-9)


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
