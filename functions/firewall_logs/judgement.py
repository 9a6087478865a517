"""Which rows become events and which are quarantined, and why: the checks on parsed rows, in their order."""

from dataclasses import dataclass
from typing import Final

import polars as pl

from firewall_logs import schema
from firewall_logs.columns import convert
from firewall_logs.derive import ip_versions
from firewall_logs.dictionary import Dictionary
from firewall_logs.instants import instants
from firewall_logs.rows import REASON
from firewall_logs.times import Bounds

_NONE_REFUSED: Final = pl.DataFrame(schema={"at": pl.get_index_type(), "reason": REASON, "field": pl.String()})


@dataclass(frozen=True)
class Judged:
    """The rows of a slice after the checks.

    Attributes:
        rows: In the order of the frame that was judged: the lake's columns of the fields that were read (text as
            String or Categorical, nulls where a value was refused), event_time_ns, and where there is something for
            them ip_version and extra.
        time_form: Of each row (FORM).
        refused: Which rows are quarantined: at (UInt32, ascending positions), reason (REASON), field (String).
    """

    rows: pl.DataFrame
    time_form: pl.Series
    refused: pl.DataFrame


def judge(frame: pl.DataFrame, bounds: Bounds) -> Judged:
    """Convert and check rows.

    Args:
        frame: Any of the documented fields under their raw names, as read, with the time among them; and `extra`
            where a row has one.
        bounds: What the feed and the object say about times.
    """
    times = instants(frame[schema.TIME_FIELD], bounds)
    # Only refused rows have no instant, and columns without nulls take a third of the time to gather.
    us, ns = times["us"].fill_null(0), times["ns"].fill_null(0)
    columns = [us.cast(pl.Datetime("us", "UTC")).alias("event_time"), ns.alias("event_time_ns")]
    if "extra" in frame.columns:
        columns.append(frame["extra"])
    conflicts: list[pl.DataFrame] = []
    ranges: list[pl.DataFrame] = []
    for field in schema.FIELDS:
        if field.type != "time" and field.raw in frame.columns:
            converted = convert(frame[field.raw], field)
            columns.append(converted.column)
            conflicts += _found(converted.conflicts, "type_conflict", field.raw)
            ranges += _found(_out_of_range(converted.column, field), "out_of_range", field.raw)
    rows = pl.DataFrame(columns)
    findings = [*_bad_times(times), *conflicts, *ranges]
    if "client_ip" in rows.columns:
        addresses = Dictionary.occurring(rows["client_ip"])
        versions = ip_versions(addresses.values)
        invalid = addresses.rows(versions.is_null() & addresses.values.is_not_null())
        rows = rows.with_columns(ip_version=addresses.spread(versions))
        findings += _found(invalid, "ip_invalid", "ClientIP")
    refused = pl.concat([_NONE_REFUSED, *findings]).unique("at", keep="first", maintain_order=True).sort("at")
    return Judged(rows, times["form"], refused)


def _bad_times(times: pl.DataFrame) -> list[pl.DataFrame]:
    refused = times["refused"].is_not_null().arg_true()
    found = _found(refused, "time_missing", schema.TIME_FIELD)
    return [frame.with_columns(reason=times["refused"].gather(refused)) for frame in found]


def _found(positions: pl.Series, reason: str, field: str) -> list[pl.DataFrame]:
    """Return what was found as a frame; none where that is nothing, as it is of nearly every column."""
    if positions.is_empty():
        return []
    return [positions.alias("at").to_frame().with_columns(reason=pl.lit(reason, REASON), field=pl.lit(field))]


def _out_of_range(column: pl.Series, field: schema.Field) -> pl.Series:
    if field.low is None:
        return pl.Series(dtype=pl.UInt32)
    low, high = (column.list.min(), column.list.max()) if field.type == "int64s" else (column, column)
    mask = low < field.low
    if field.high is not None:
        mask |= high > field.high
    return mask.arg_true()
