"""What runs and their triggers tell CloudWatch. Pure: names, units and values; the handlers emit them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Literal

from firewall_logs.contracts import ObjectRef, RunSummary
from firewall_logs.days.contracts import SealedDay, SealResult
from firewall_logs.feeds import Feeds, is_log

Unit = Literal["Count", "Bytes", "Seconds", "Count/Second", "None"]


def announced(refs: Iterable[ObjectRef], feeds: Feeds) -> Counter[str]:
    """Count new logs by the name of their feed."""
    return Counter(feed.name for ref in refs if is_log(ref.key) and (feed := feeds.owner(ref.bucket, ref.key)))


def of_run(summary: RunSummary) -> Iterator[tuple[str, Unit, float]]:
    """Yield the metrics of a run that came as far as its commit."""
    account, drift = summary.account, summary.drift
    unseen = sum(map(len, drift.values.values())) + sum(omitted.names for omitted in drift.values_omitted.values())
    yield "ObjectsCommitted", "Count", summary.objects_committed
    yield "ObjectsQuarantined", "Count", summary.objects_defect
    yield "RowsRead", "Count", account.rows_in
    yield "RowsWritten", "Count", account.rows_out
    yield "RowsQuarantined", "Count", account.quarantined
    yield "RowsDuplicated", "Count", account.duplicates
    yield "ColumnsDrifted", "Count", len(drift.columns) + drift.columns_omitted.names
    yield "ValuesDrifted", "Count", unseen
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


def of_seal(document: SealedDay, result: SealResult) -> Iterator[tuple[str, Unit, float]]:
    """Yield the metrics of a version of a day."""
    yield "DaysSealed", "Count", 1
    yield "DaysReopened", "Count", result.reopened
    yield "RowsSealed", "Count", document.account.rows_out
    yield "RowsLate", "Count", document.late_rows
    yield "RowsRepeatedAcrossObjects", "Count", document.account.duplicates
    yield "FilesSealed", "Count", len(document.files)
