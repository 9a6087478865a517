"""Calls that AWS limits are spread so that no second has more of them than it answers."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from data_protection.adapters.snapshots import Pace


class Clock:
    """Time that only sleeping passes; a call is made when its sleep is over."""

    def __init__(self) -> None:
        self.now = 1000.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def made(per_second: float, pauses: list[float]) -> list[float]:
    """Return when calls are made, each a pause after the one before."""
    clock, times = Clock(), []
    pace = Pace(per_second, lambda: clock.now, clock.sleep)
    for pause in pauses:
        clock.sleep(pause)
        pace.take()
        times.append(clock.now)
    return times


def most_in_a_second(times: list[float]) -> int:
    return max(sum(1 for other in times if 0 <= other - one < 0.999_999) for one in times)


@pytest.mark.parametrize("per_second", [1, 10, 30])
@pytest.mark.parametrize("pause", [0.0, 0.01, 0.099, 0.5, 3.0])
def test_no_second_has_more_calls_than_aws_answers(per_second: int, pause: float) -> None:
    assert most_in_a_second(made(per_second, [pause] * 95)) <= per_second


def test_nor_has_the_second_after_a_pause() -> None:
    assert most_in_a_second(made(10, [0.0] * 7 + [5.0] + [0.0] * 30 + [0.95] + [0.0] * 30)) <= 10


def test_all_that_aws_answers_is_asked() -> None:
    times = made(10, [0.0] * 61)

    assert times[-1] - times[0] == pytest.approx(6)
    assert times[9] == times[0]


def test_threads_share_a_pace() -> None:
    slept: list[float] = []
    lock, pace = threading.Lock(), Pace(10, lambda: 0.0, lambda seconds: _keep(lock, slept, seconds))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: pace.take(), range(40)))

    assert sorted(slept) == [1.0] * 10 + [2.0] * 10 + [3.0] * 10


def _keep(lock: threading.Lock, slept: list[float], seconds: float) -> None:
    with lock:
        slept.append(seconds)
