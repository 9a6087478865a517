"""Counts the objects of an inventory or a listing into lots."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import polars as pl

from data_protection.lifecycle.population import Lot
from data_protection.lifecycle.rules import StorageClass

# A version of an object, or a delete marker. Times are UTC. The names are those of S3 Inventory:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-inventory.html#storage-inventory-contents
OBJECTS: Final = pl.Schema(
    {
        "key": pl.String(),
        "size": pl.Int64(),
        "last_modified_date": pl.Datetime("ms", "UTC"),
        "storage_class": pl.String(),
        "is_latest": pl.Boolean(),
        "is_delete_marker": pl.Boolean(),
    }
)
_LOT: Final = ("prefix", "storage_class", "noncurrent", "age", "span")


def count(
    objects: pl.DataFrame, prefixes: Sequence[str], edges: Sequence[int], taken: datetime
) -> tuple[list[Lot], int]:
    """Return lots of objects, and how many objects are in storage classes that no lifecycle knows.

    Args:
        objects: With columns of OBJECTS. A noncurrent version is as old as the next newer one of its key in the frame;
            where there is none, as old as itself.
        prefixes: By which to tell objects apart, the longest first, the last one empty.
        edges: Sizes in bytes at which to tell objects apart, ascending.
        taken: The time of the objects' state.
    """
    versions = _since(objects).filter(~pl.col("is_delete_marker"))
    known = versions.filter(pl.col("storage_class").is_in([one.value for one in StorageClass]))
    spans = pl.Series(edges, dtype=pl.Int64).search_sorted(known["size"], side="right")
    found = (
        known.with_columns(
            prefix=pl.coalesce(pl.when(pl.col("key").str.starts_with(one)).then(pl.lit(one)) for one in prefixes),
            noncurrent=~pl.col("is_latest"),
            age=(pl.lit(taken) - pl.col("since")).dt.total_days().clip(0),
            span=pl.Series(spans, dtype=pl.Int64),
        )
        .group_by(_LOT)
        .agg(pl.len().alias("objects"), pl.col("size").sum())
        .sort(_LOT)
    )
    lots = [
        Lot(prefix, StorageClass(storage_class), noncurrent, age, objects, size)
        for prefix, storage_class, noncurrent, age, _, objects, size in found.iter_rows()
    ]
    return lots, versions.height - known.height


def _since(objects: pl.DataFrame) -> pl.DataFrame:
    """Add since when each version is what it is: put, or succeeded by another one."""
    put = pl.col("last_modified_date")
    if objects["is_latest"].all():
        return objects.with_columns(since=put)
    followed = put.shift(-1).over("key", order_by=["last_modified_date", "is_latest"])
    return objects.with_columns(since=pl.when("is_latest").then(put).otherwise(followed.fill_null(put)))
