"""Counting the objects of an inventory or a listing into lots."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest

from data_protection.lifecycle.histogram import OBJECTS, count
from data_protection.lifecycle.population import Lot, inflow, joined, size_edges
from data_protection.lifecycle.rules import Configuration, StorageClass
from tests.support.data_protection_buckets import NOW, moves, rule

_KB = 1024
_EDGES = size_edges([])
_STANDARD, _IA = StorageClass.STANDARD, StorageClass.STANDARD_IA


def version(key: str, days: float, size: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "size": size,
        "last_modified_date": NOW - timedelta(days=days),
        "storage_class": "STANDARD",
        "is_latest": True,
        "is_delete_marker": False,
        **more,
    }


def counted(*versions: dict[str, Any], prefixes: tuple[str, ...] = ("",)) -> tuple[list[Lot], int]:
    return count(pl.DataFrame(list(versions), schema=OBJECTS), prefixes, _EDGES, NOW)


def lot(age: int = 0, objects: float = 1, size: float = 1, **more: Any) -> Lot:
    given = {"prefix": "", "storage_class": _STANDARD, "noncurrent": False, **more}
    return Lot(age=age, objects=objects, size=size, **given)


def test_objects_are_told_apart_by_prefix_class_age_and_span_of_sizes() -> None:
    lots, left_out = counted(
        version("a/b/1", 3),
        version("a/2", 3, 3 * _KB),
        version("a/3", 3.9, 3 * _KB + 1),
        version("a/4", 4, 3 * _KB),
        version("5", 3, 3 * _KB, storage_class="STANDARD_IA"),
        prefixes=("a/b/", "a/", ""),
    )

    assert left_out == 0
    assert lots == [
        lot(3, size=3 * _KB, storage_class=_IA),
        lot(3, 2, 6 * _KB + 1, prefix="a/"),
        lot(4, size=3 * _KB, prefix="a/"),
        lot(3, prefix="a/b/"),
    ]


@pytest.mark.parametrize("size", [0, 1023, 1024, 128 * _KB - 1, 128 * _KB, 5 * 1024**4])
def test_no_lot_holds_objects_of_both_sides_of_an_edge(size: int) -> None:
    lots, _ = counted(version("a", 1, size), version("b", 1, max(size - 1, 0)), version("c", 1, size + 1))

    for one in lots:
        assert (one.is_small, one.octave) == (lot(size=int(one.mean)).is_small, lot(size=int(one.mean)).octave)
    assert sum(one.objects for one in lots) == 3
    assert sum(one.size for one in lots) == size + max(size - 1, 0) + size + 1


def test_noncurrent_version_is_as_old_as_what_succeeded_it() -> None:
    old = {"is_latest": False}
    lots, _ = counted(
        version("a", 50, 1, **old),
        version("a", 20, 1, **old),
        version("a", 5, 1),
        # A delete marker succeeds as well, and is no object.
        version("b", 40, 2, **old),
        version("b", 10, 0, is_delete_marker=True),
        # Its successor is in another file.
        version("c", 30, 3, **old),
    )

    assert sorted((one.noncurrent, one.age, one.size) for one in lots) == [
        (False, 5, 1),
        (True, 5, 1),
        (True, 10, 2),
        (True, 20, 1),
        (True, 30, 3),
    ]


def test_objects_in_classes_that_no_lifecycle_knows_are_counted_apart() -> None:
    lots, left_out = counted(version("a", 1, storage_class="REDUCED_REDUNDANCY"), version("b", 1))

    assert (len(lots), left_out) == (1, 1)


def test_object_that_was_put_after_the_state_was_taken_is_new() -> None:
    lots, _ = counted(version("a", -0.2))

    assert lots[0].age == 0


def test_nothing_counts_as_nothing() -> None:
    assert counted() == ([], 0)


def test_lots_of_several_files_are_joined_and_keep_their_spans_apart() -> None:
    found = joined([lot(1, 2, 10), lot(1, 1, 200 * _KB), lot(1, 3, 30), lot(2, 1, 5)], _EDGES)

    assert found == (lot(1, 5, 40), lot(1, 1, 200 * _KB), lot(2, 1, 5))


def test_inflow_is_a_month_of_what_came_lately_in_the_class_in_which_it_is_put() -> None:
    moving = Configuration.parse({"Rules": [rule("r", Transitions=moves((0, "GLACIER_IR")))]})
    young = [
        lot(3, 10, 10 * 200 * _KB, storage_class=StorageClass.GLACIER_IR),
        lot(3, 10, 10 * 200 * _KB, storage_class=_IA),
        lot(30, 1000, 1000 * 200 * _KB),
    ]

    found = inflow(young, moving, NOW, 30)

    assert [one.storage_class for one in found] == [_STANDARD, _IA]
    assert {one.age for one in found} == {0}
    assert [one.objects for one in found] == pytest.approx([10 * 365 / 12 / 30] * 2)


@pytest.mark.parametrize("objects", [7, 14, 17, 19])
def test_inflow_of_objects_at_the_edge_of_a_filter_stays_on_its_side(objects: int) -> None:
    edge = 128 * _KB + 1

    found = [one for days in (7, 30) for one in inflow([lot(0, objects, objects * edge)], Configuration(), NOW, days)]

    assert [int(one.mean) for one in found] == [edge, edge]


def test_versions_come_in_only_where_no_rule_makes_them() -> None:
    expiring = Configuration.parse({"Rules": [rule("r", Expiration={"Days": 5})]})
    replaced = [lot(3, 10, 100, noncurrent=True)]

    assert [one.noncurrent for one in inflow(replaced, Configuration(), NOW, 30)] == [True]
    assert inflow(replaced, expiring, NOW, 30) == ()
