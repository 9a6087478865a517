"""Which rows become events and which are quarantined, and why: the checks on parsed rows, in their order."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from firewall_logs import schema
from firewall_logs.columns import convert
from firewall_logs.derive import ip_versions
from firewall_logs.dictionary import Dictionary
from firewall_logs.instants import REASON, instants
from firewall_logs.times import Bounds

# Why rows are quarantined: `at` is a position in a frame or, later, a row of the object.
FINDINGS = pl.Schema({"at": pl.Int64(), "reason": REASON, "field": pl.String()})


@dataclass(frozen=True)
class Judged:
    """The rows of a slice after the checks.

    Attributes:
        events: Rows that passed: `row`, the lake's columns of the fields that were read (text as String or
            Categorical), event_time_ns, time_form, and extra.
        refused: The others by FINDINGS, one finding each; `at` is the position in the frame that was judged.
    """

    events: pl.DataFrame
    refused: pl.DataFrame


def judge(frame: pl.DataFrame, bounds: Bounds) -> Judged:
    """Convert and check rows.

    Args:
        frame: `row` (Int64), `extra` (String) and any of the documented fields under their raw names, as read.
        bounds: What the feed and the object say about times.
    """
    columns: list[pl.Series] = [frame["row"], frame["extra"]]
    conflicts: list[pl.DataFrame] = []
    ranges: list[pl.DataFrame] = []
    times, late = _times(frame, bounds)
    columns += times
    for field in schema.FIELDS:
        if field.type == "time" or field.raw not in frame.columns:
            continue
        converted = convert(frame[field.raw], field)
        columns.append(converted.column)
        conflicts.append(_found(converted.conflicts, "type_conflict", field.raw))
        ranges.append(_found(_out_of_range(converted.column, field), "out_of_range", field.raw))
    lake = pl.DataFrame(columns)
    findings = pl.concat([late, *conflicts, *ranges, _bad_addresses(lake)])
    if findings.is_empty():
        return Judged(lake, findings)
    refused = findings.unique("at", keep="first", maintain_order=True).sort("at")
    passed = pl.repeat(True, lake.height, dtype=pl.Boolean, eager=True).scatter(refused["at"], False)
    return Judged(lake.filter(passed), refused)


def _times(frame: pl.DataFrame, bounds: Bounds) -> tuple[list[pl.Series], pl.DataFrame]:
    judged = instants(frame[schema.TIME_FIELD], bounds)
    columns = judged.select(
        event_time=pl.col("us").cast(pl.Datetime("us", "UTC")), event_time_ns="ns", time_form="form"
    ).get_columns()
    refused = judged.with_row_index("at").filter(pl.col("refused").is_not_null())
    return columns, refused.select(
        pl.col("at").cast(pl.Int64), reason="refused", field=pl.lit(schema.TIME_FIELD)
    )


def _found(positions: pl.Series, reason: str, field: str) -> pl.DataFrame:
    return positions.alias("at").to_frame().select(
        pl.col("at").cast(pl.Int64), reason=pl.lit(reason, REASON), field=pl.lit(field)
    )


def _out_of_range(column: pl.Series, field: schema.Field) -> pl.Series:
    if field.low is None:
        return pl.Series(dtype=pl.Int64)
    low, high = (column.list.min(), column.list.max()) if field.type == "int64s" else (column, column)
    outside = low < field.low
    if field.high is not None:
        outside |= high > field.high
    return outside.arg_true()


def _bad_addresses(lake: pl.DataFrame) -> pl.DataFrame:
    if "client_ip" not in lake.columns:
        return _found(pl.Series(dtype=pl.Int64), "ip_invalid", "ClientIP")
    addresses = Dictionary.of(lake["client_ip"])
    return _found(addresses.rows(ip_versions(addresses.values).is_null()), "ip_invalid", "ClientIP")
