from typing import Any

import pytest

from firewall_logs.backfills import estimate
from firewall_logs.backfills.contracts import Density, Planning
from firewall_logs.backfills.estimate import Capacity

CAPACITY = Capacity(architecture="arm64", concurrency=10, unit_bytes=1000)


def test_rows_of_a_format_follow_from_what_is_known_of_it_and_else_from_the_default() -> None:
    known = Planning(measured=Density(rows=30, bytes=10), sampled=Density(rows=20, bytes=10))
    assert estimate.rows_of({"ndjson.gz": 100, "parquet": 100}, known) == 300 + 200
    assert estimate.rows_of({"ndjson.gz": 13_000, "parquet": 5_400}, Planning()) == 200


def test_units_follow_from_decoded_bytes() -> None:
    assert estimate.wave(0, [100, 100, 150], [], 10, CAPACITY).units == {"lambda": 4}


def test_costs_grow_with_rows_objects_and_units() -> None:
    small = estimate.wave(0, [100], [], 1_000_000, CAPACITY)
    more_rows = estimate.wave(0, [100], [], 10_000_000, CAPACITY)
    more_objects = estimate.wave(0, [1] * 100, [], 1_000_000, CAPACITY)
    assert more_rows.usd["lambda_compute"] > 5 * small.usd["lambda_compute"]
    assert more_objects.usd["s3_puts"] == pytest.approx(100 * small.usd["s3_puts"])
    assert small.usd.keys() == more_rows.usd.keys()


def test_x86_costs_more_than_arm() -> None:
    x86 = Capacity(architecture="x86_64", concurrency=10, unit_bytes=1000)
    assert (
        estimate.wave(0, [100], [], 10, x86).usd["lambda_compute"]
        > estimate.wave(0, [100], [], 10, CAPACITY).usd["lambda_compute"]
    )


def test_total_adds_waves_and_runs_them_one_after_the_other() -> None:
    waves = [estimate.wave(number, [1000] * 20, [], 5_000_000, CAPACITY) for number in range(3)]
    found = estimate.total(Planning(waves=waves), CAPACITY)
    assert (found.objects, found.bytes, found.rows) == (60, 60_000, 15_000_000)
    assert found.usd == pytest.approx(3 * sum(waves[0].usd.values()))
    assert found.seconds == pytest.approx(3 * (20 + 0.02 * 20 + waves[0].seconds / 10), abs=0.1)
    assert found.rows_from.startswith("usual rows in a byte")


def test_more_at_once_takes_less_time_until_every_unit_has_its_own() -> None:
    def seconds(concurrency: int) -> float:
        capacity = Capacity(architecture="arm64", concurrency=concurrency, unit_bytes=1000)
        wave = estimate.wave(0, [1000] * 20, [], 500_000_000, capacity)
        return estimate.total(Planning(waves=[wave]), capacity).seconds

    assert seconds(1) > seconds(10) > seconds(200) == seconds(1000)


def test_nothing_to_do_costs_nothing() -> None:
    found = estimate.total(Planning(listed=5, done=5), CAPACITY)
    assert (found.objects, found.usd, found.seconds) == (0, 0, 0)


def test_heavy_objects_go_to_fargate_where_there_is_one() -> None:
    def heavy(**given: Any) -> list[bool]:
        known = {"heavy_bytes": 1000, "task_memory_mb": 30720}
        capacity = Capacity(architecture="arm64", concurrency=1, unit_bytes=1, **known | given)
        return [
            capacity.is_heavy(kind, size) for kind, size in (("ndjson.gz", 101), ("ndjson.gz", 100), ("parquet", 9999))
        ]

    assert heavy() == [True, False, False]
    assert heavy(task_memory_mb=0) == [False, False, False]
    assert heavy(engine="lambda") == [False, False, False]
    assert heavy(engine="batch") == [True, True, True]


def test_tasks_on_fargate_are_paid_by_cpu_and_memory() -> None:
    capacity = Capacity(architecture="arm64", concurrency=1, unit_bytes=1000, task_memory_mb=30720)
    wave = estimate.wave(0, [], [10_000_000], 264_010_000, capacity)
    assert wave.units == {"batch": 1}
    assert wave.usd["lambda_compute"] == 0
    assert wave.usd["fargate_vcpus"] == pytest.approx(4 * wave.seconds / 3600 * 0.03238, rel=1e-4)
