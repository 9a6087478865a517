"""The digest of a tally: its statements by the time they took."""

from typing import Final

import polars as pl

from database_logs.digest import PART
from database_logs.tallies import Tally, added

# rank is 1 for the greatest sum of query_time; share is its part of the sum of all statements, 0 to 1; percentiles
# are seconds. What is left beyond so many statements as a digest has is its last row, which has no fingerprint_id.
DIGEST: Final = pl.Schema(
    {
        "rank": pl.Int64(),
        "fingerprint_id": pl.String(),
        "fingerprint": pl.String(),
        "calls": pl.Int64(),
        "share": pl.Float64(),
        "query_time_p50": pl.Float64(),
        "query_time_p95": pl.Float64(),
        **{name: dtype for name, dtype in PART.items() if name.endswith(("_count", "_sum", "_min", "_max"))},
        "first_seen": PART["first_seen"],
        "last_seen": PART["last_seen"],
        "is_new": pl.Boolean(),
        "instances": pl.List(pl.String()),
        "databases": pl.List(pl.String()),
        "sample": pl.String(),
    }
)
# What a statement has before it is compared with others.
UNRANKED: Final = pl.Schema({name: dtype for name, dtype in DIGEST.items() if name not in {"rank", "share", "is_new"}})


def unranked(tally: Tally) -> pl.DataFrame:
    """Return the statements of a tally: columns of UNRANKED.

    Args:
        tally: Of all parts of the time and the instances to report, or of one range of them.
    """
    rows = tally.statements
    for name, column in (("instances", "instance_id"), ("databases", "database")):
        table: pl.DataFrame = getattr(tally, name)
        lists = table.group_by("fingerprint_id").agg(pl.col(column).drop_nulls().unique().sort().alias(name))
        rows = rows.join(lists, on="fingerprint_id")
    for percent in (50, 95):
        rows = rows.join(_percentile(tally.buckets, percent), on="fingerprint_id")
    return rows.select(UNRANKED.names()).cast(UNRANKED)


def first(rows: pl.DataFrame, most: int) -> pl.DataFrame:
    """Return the statements that took most time, and what is left as one row without texts, percentiles and names.

    Args:
        rows: Columns of UNRANKED; that of what was left before is among what is left.
        most: Statements to be returned.
    """
    ordered = _ordered(rows)
    kept = ordered.filter(pl.col("fingerprint_id").is_not_null()).head(most)
    left = ordered.slice(kept.height).with_columns(pl.lit(None, pl.String()).alias("fingerprint_id"))
    if not left.height:
        return kept
    summed = added(left.drop(_OF_ONE), ["fingerprint_id"])
    return pl.concat([kept, pl.concat([UNRANKED.to_frame(), summed], how="diagonal")])


def ranked(rows: pl.DataFrame, known: pl.Series) -> pl.DataFrame:
    """Rank statements by the time they took: columns of DIGEST.

    Args:
        rows: Columns of UNRANKED.
        known: fingerprint_ids of earlier digests; what is not among them is new.
    """
    return (
        _ordered(rows)
        .with_columns(
            rank=pl.int_range(1, pl.len() + 1),
            share=(pl.col("query_time_sum") / pl.col("query_time_sum").sum()).fill_nan(0.0),
            is_new=~pl.col("fingerprint_id").is_in(known.unique().to_list()),
        )
        .with_columns(pl.col("is_new").fill_null(value=False))
        .select(DIGEST.names())
        .cast(DIGEST)
    )


_OF_ONE: Final = ("fingerprint", "sample", "query_time_p50", "query_time_p95", "instances", "databases")


def _ordered(rows: pl.DataFrame) -> pl.DataFrame:
    """Order statements by the time they took, what is left of others behind them."""
    is_left = pl.col("fingerprint_id").is_null()
    return rows.sort(is_left, "query_time_sum", "fingerprint_id", descending=[False, True, False])


def _percentile(buckets: pl.DataFrame, percent: int) -> pl.DataFrame:
    """Return the value of nearest rank, which lies between the least and the greatest of its bucket."""
    calls, upto = pl.col("calls"), pl.col("upto")
    within = pl.col("nth") - (upto - calls) - 1
    low, high = pl.col("query_time_min"), pl.col("query_time_max")
    between = pl.when(calls > 1).then(within / (calls - 1)).otherwise(0.0)
    return (
        buckets.sort("fingerprint_id", "bucket")
        .with_columns(
            upto=calls.cum_sum().over("fingerprint_id"),
            nth=(calls.sum().over("fingerprint_id") * percent / 100).ceil().cast(pl.Int64()),
        )
        .filter(upto >= pl.col("nth"))
        .group_by("fingerprint_id", maintain_order=True)
        .first()
        .select("fingerprint_id", (low + (high - low) * between).alias(f"query_time_p{percent}"))
    )
