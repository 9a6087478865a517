"""Parts of a digest as of pt-query-digest, which says what statements cost the fleet most: parts can be added up.

A part counts statements by fingerprint, instance, database and bucket of query_time. Buckets grow by 5 %, as in
pt-query-digest (percona-toolkit, `lib/EventAggregator.pm`, `bucketize_vals`), so that parts of any hours and instances
merge by adding (`tallies`), and a percentile is at most 5 % off, whatever the number of statements.
"""

from typing import Final

import polars as pl

from database_logs.fingerprints import Dialect
from database_logs.redaction import redacted_statements

_INSTANT: Final = pl.Datetime("us", "UTC")
_KEY: Final = ("fingerprint_id", "instance_id", "database", "bucket")
_METRICS: Final = ("query_time", "lock_time", "rows_examined", "rows_sent")
_DTYPES: Final = {
    "query_time": pl.Float64(),
    "lock_time": pl.Float64(),
    "rows_examined": pl.Int64(),
    "rows_sent": pl.Int64(),
}

# What a part needs to know of a statement; the seconds and rows as the slow log has them, null where a log has none.
STATEMENTS: Final = pl.Schema(
    {
        "fingerprint": pl.String(),
        "fingerprint_id": pl.String(),
        **_DTYPES,
        "event_time": _INSTANT,
        "instance_id": pl.String(),
        "database": pl.String(),
        "query": pl.String(),
    }
)
# Per bucket: how many statements, of each metric how many statements told it, its sum, least and greatest value; a
# redacted statement of the slowest.
PART: Final = pl.Schema(
    {
        "fingerprint_id": pl.String(),
        "instance_id": pl.String(),
        "database": pl.String(),
        "bucket": pl.Int16(),
        "fingerprint": pl.String(),
        "calls": pl.Int64(),
        **{
            f"{metric}_{what}": pl.Int64() if what == "count" else dtype
            for metric, dtype in _DTYPES.items()
            for what in ("count", "sum", "min", "max")
        },
        "first_seen": _INSTANT,
        "last_seen": _INSTANT,
        "sample": pl.String(),
    }
)

# Least values of the buckets from the second on, from a microsecond to more than thirty years.
_BOUNDS: Final = pl.Series([1e-6 * 1.05**number for number in range(708)])
# A report shows a statement to be recognised; a bulk insert is recognised by less than its megabytes.
_TEXT_CHARACTERS: Final = 2_000


def postgres_statements(records: pl.DataFrame) -> pl.DataFrame:
    """Return the statements that a log of PostgreSQL tells the duration of: columns of STATEMENTS.

    One that is prepared counts when it is executed, not when it is parsed and bound; auto_explain's plan tells the
    time of a statement once more and does not count.

    Args:
        records: Columns of the logs of PostgreSQL.
    """
    timed = records.select(
        "fingerprint",
        "fingerprint_id",
        "duration_ms",
        "statement_kind",
        "event_time",
        "instance_id",
        "database_name",
        "query",
    )
    return timed.filter(pl.col("statement_kind").is_in(["statement", "execute"])).select(
        "fingerprint",
        "fingerprint_id",
        query_time=pl.col("duration_ms") / 1_000,
        lock_time=pl.lit(None, pl.Float64()),
        rows_examined=pl.lit(None, pl.Int64()),
        rows_sent=pl.lit(None, pl.Int64()),
        event_time="event_time",
        instance_id="instance_id",
        database="database_name",
        query="query",
    )


def part(statements: pl.DataFrame, dialect: Dialect) -> pl.DataFrame:
    """Return the part that some statements are, of a segment or an hour for instance: columns of PART.

    Args:
        statements: Columns of STATEMENTS, others are let alone. Rows without query_time or fingerprint do not count.
        dialect: Of the statements, to redact the samples.
    """
    timed = statements.filter(pl.col("query_time").is_not_null() & pl.col("fingerprint").is_not_null())
    metrics = [
        expression.alias(f"{metric}_{what}")
        for metric in _METRICS
        for what, expression in _aggregates(pl.col(metric)).items()
    ]
    grouped = (
        timed.with_columns(_buckets(timed["query_time"]))
        .group_by(*_KEY)
        .agg(
            pl.len().alias("calls"),
            *metrics,
            pl.col("fingerprint").first(),
            pl.col("event_time").min().alias("first_seen"),
            pl.col("event_time").max().alias("last_seen"),
            slowest(pl.col("query"), "query_time").alias("sample"),
        )
    )
    redacted = redacted_statements(grouped["sample"], grouped["fingerprint"], dialect)
    texts = (text.str.head(_TEXT_CHARACTERS) for text in redacted)
    return grouped.with_columns(*texts).select(PART.names()).cast(PART).sort(_KEY)


def _aggregates(metric: pl.Expr) -> dict[str, pl.Expr]:
    return {"count": metric.count(), "sum": metric.sum(), "min": metric.min(), "max": metric.max()}


def _buckets(seconds: pl.Series) -> pl.Series:
    """Return 0 for less than a microsecond, else one more for each 5 %.

    By bounds rather than by a logarithm, whose last bit depends on how many values are computed at a time.
    """
    return _BOUNDS.search_sorted(seconds, side="right").cast(pl.Int16()).alias("bucket")


def slowest(text: pl.Expr, by: str) -> pl.Expr:
    """Return the text of the row with the greatest `by`, the first in order of the alphabet of several."""
    return text.filter(pl.col(by) == pl.col(by).max()).min()
