"""Findings of all runs as a table: one parquet file a run, below `data_protection/history/date=<day>/`."""

import io
import json
from typing import Final

import polars as pl

from data_protection.contracts import FindingRow
from data_protection.reports.report import Report
from data_protection.reports.texts import identity

# What is kept of a finding. `id` is the same in all runs; `observed` and `expected` are JSON texts; times are UTC;
# `before` is null at the first look; `expires` is the last day of an exception. The day of the run is the partition.
HISTORY: Final = pl.Schema(
    {
        "run": pl.String(),
        "time": pl.Datetime("us", "UTC"),
        "account": pl.String(),
        "region": pl.String(),
        "profile": pl.String(),
        "id": pl.String(),
        "check": pl.String(),
        "severity": pl.String(),
        "kind": pl.String(),
        "name": pl.String(),
        "arn": pl.String(),
        "status": pl.String(),
        "judged": pl.String(),
        "reason": pl.String(),
        "observed": pl.String(),
        "expected": pl.String(),
        "owner": pl.String(),
        "expires": pl.Date(),
        "excuse": pl.String(),
        "since": pl.Datetime("us", "UTC"),
        "before": pl.String(),
    }
)


def history(report: Report) -> pl.DataFrame:
    """Return the findings of a run by place, check and resource, with columns of HISTORY."""
    records = [_record(row) for row in report.rows]
    frame = pl.DataFrame(records, schema=dict(HISTORY) | {"expires": pl.String()}, orient="row")
    return frame.with_columns(pl.col("expires").str.to_date("%Y-%m-%d", strict=True)).sort(
        "account", "region", "check", "arn"
    )


def as_parquet(report: Report) -> bytes:
    """Return `history` as a parquet file, compressed with zstd."""
    file = io.BytesIO()
    history(report).write_parquet(file, compression="zstd")
    return file.getvalue()


def _record(row: FindingRow) -> dict[str, object]:
    kept = row.model_dump(include=set(HISTORY) - {"id", "observed", "expected"})
    return kept | {
        "id": identity(row),
        "status": row.status.value,
        "judged": row.judged.value,
        "before": row.before.value if row.before else None,
        "observed": json.dumps(row.observed, ensure_ascii=False, sort_keys=True),
        "expected": json.dumps(row.expected, ensure_ascii=False, sort_keys=True),
        "expires": row.expires or None,
    }
