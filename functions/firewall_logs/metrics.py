"""What a run tells CloudWatch. Pure: names, units and values; the handler emits them."""

from collections.abc import Iterator
from typing import Literal

from firewall_logs.contracts import RunSummary

Unit = Literal["Count", "Bytes", "Seconds", "Count/Second", "None"]


def of_run(summary: RunSummary) -> Iterator[tuple[str, Unit, float]]:
    """Yield the metrics of a run that came as far as its commit."""
    account = summary.account
    yield "ObjectsCommitted", "Count", summary.objects_committed
    yield "ObjectsQuarantined", "Count", summary.objects_defect
    yield "RowsRead", "Count", account.rows_in
    yield "RowsWritten", "Count", account.rows_out
    yield "RowsQuarantined", "Count", account.quarantined
    yield "RowsDuplicated", "Count", account.duplicates
    yield "ColumnsDrifted", "Count", len(summary.drift.columns)
    yield "ValuesDrifted", "Count", sum(len(values) for values in summary.drift.values.values())
    yield "BytesRead", "Bytes", summary.bytes_in
    yield "BytesWritten", "Bytes", summary.bytes_out
    yield "UsdEstimated", "None", summary.usd
    if summary.objects_committed:
        yield "ObjectLag", "Seconds", summary.lag_seconds_max
        yield "RowsPerSecond", "Count/Second", summary.rows_per_second
    if summary.event_lag_seconds is not None:
        yield "EventLag", "Seconds", summary.event_lag_seconds
    if summary.usd_per_million_rows is not None:
        yield "UsdPerMillionRows", "None", summary.usd_per_million_rows
