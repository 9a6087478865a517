import re
from typing import Any, Literal

import pytest

from firewall_logs import planning
from firewall_logs.contracts import Slice
from firewall_logs.engines import Engines
from firewall_logs.planning import FUNCTION_MB, MOST_GZIP_BYTES, MOST_ROW_GROUP_BYTES
from tests.support.firewall import RUN_ID, a_slice, a_source

TASK_MB = 4 * FUNCTION_MB
HEAVY = 1 << 30
GIB = 1 << 30


def _gzip(size: int, **given: Any) -> Slice:
    return a_slice(format="ndjson.gz", source=a_source(size=size), **given)


def _parquet(row_group: int, size: int = 1000) -> Slice:
    return a_slice(source=a_source(size=size), row_group_bytes=row_group)


LIGHT = _gzip(1000)
HEAVY_BUT_POSSIBLE = _gzip(HEAVY // 10 + 1)
TOO_LARGE_FOR_A_FUNCTION = _gzip(MOST_GZIP_BYTES + 1)
ROW_GROUP_TOO_LARGE_FOR_A_FUNCTION = _parquet(MOST_ROW_GROUP_BYTES + 1)
TOO_LARGE_FOR_A_TASK = _gzip(4 * MOST_GZIP_BYTES + 1)
ROW_GROUP_TOO_LARGE_FOR_A_TASK = _parquet(4 * MOST_ROW_GROUP_BYTES + 1)
WITHOUT_END = _gzip(100 * GIB, defect="gzip_truncated")


@pytest.mark.parametrize(
    ("piece", "auto", "on_lambda", "on_batch", "without_fargate"),
    [
        (LIGHT, "lambda", "lambda", "batch", "lambda"),
        (HEAVY_BUT_POSSIBLE, "batch", "lambda", "batch", "lambda"),
        (TOO_LARGE_FOR_A_FUNCTION, "batch", None, "batch", None),
        (ROW_GROUP_TOO_LARGE_FOR_A_FUNCTION, "batch", None, "batch", None),
        (TOO_LARGE_FOR_A_TASK, None, None, None, None),
        (ROW_GROUP_TOO_LARGE_FOR_A_TASK, None, None, None, None),
    ],
    ids=["light", "heavy", "gzip over function", "group over function", "gzip over task", "group over task"],
)
def test_slice_goes_where_it_fits_and_is_wanted(
    piece: Slice, auto: str | None, on_lambda: str | None, on_batch: str | None, without_fargate: str | None
) -> None:
    found = [Engines(HEAVY, TASK_MB, wanted).of(piece) for wanted in ("auto", "lambda", "batch")]
    assert found == [auto, on_lambda, on_batch]
    assert Engines(HEAVY, 0).of(piece) == without_fargate


def test_object_known_to_be_unreadable_fits_everywhere_as_nobody_reads_it() -> None:
    assert Engines(100 * GIB * 10, 0).of(WITHOUT_END) == "lambda"


def test_gzip_whose_day_would_be_too_large_for_one_put_is_refused_whatever_the_memory() -> None:
    assert planning.fits(_gzip(8 * GIB), 200 * FUNCTION_MB)
    assert not planning.fits(_gzip(8 * GIB + 1), 200 * FUNCTION_MB)


@pytest.mark.parametrize(
    ("piece", "task_mb", "wanted", "told"),
    [
        (TOO_LARGE_FOR_A_FUNCTION, 0, "auto", r"536870913 bytes of gzip are too .*FirewallLogsBatch=enabled"),
        (ROW_GROUP_TOO_LARGE_FOR_A_FUNCTION, 0, "auto", r"a row group of 4294967297 bytes is too .*=enabled"),
        (TOO_LARGE_FOR_A_FUNCTION, TASK_MB, "lambda", "engine 'auto'"),
        (TOO_LARGE_FOR_A_TASK, TASK_MB, "auto", "a task of 16384 MB: raise FirewallLogsBatchCpu"),
    ],
)
def test_refusal_says_what_to_do(
    piece: Slice, task_mb: int, wanted: Literal["auto", "lambda", "batch"], told: str
) -> None:
    assert re.search(told, Engines(HEAVY, task_mb, wanted).refusal(piece))


def test_units_are_numbered_on_from_a_first() -> None:
    units = planning.pack(RUN_ID, [LIGHT, LIGHT], 1, first=7)
    assert [unit.unit for unit in units] == [7, 8]
