import pytest

from bench.rds_discovery import Log, added, percentile


def test_each_growth_waits_for_the_first_task_that_asks_for_all_of_it() -> None:
    log = Log(written=[(10, 100), (20, 200), (30, 300)])
    assert list(log.queued(250, 50)) == [40, 30]
    assert list(log.queued(250, 60)) == []
    assert list(log.queued(300, 90)) == [60]


@pytest.mark.parametrize(
    ("lag", "written_at", "expected"),
    [
        pytest.param(100, 120, 40, id="written just after a poll, which saw it a minute later"),
        pytest.param(100, 175, 95, id="written just before a poll"),
        pytest.param(5, 120, -55, id="found before the poll"),
    ],
)
def test_lag_is_counted_from_when_the_naive_poller_would_have_seen_the_bytes(
    lag: float, written_at: float, expected: float
) -> None:
    assert added(lag, written_at) == expected


def test_percentile_is_a_value_that_occurs() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile(range(1, 101), 0.95) == 95
    assert percentile([7], 0.95) == 7
