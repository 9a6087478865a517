"""The job as it is usually written in pandas: vectorised, on Arrow-backed columns, and in pandas' own words.

`pandas_tuned_peer` is what becomes of it when its author knows what the pipeline knows.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from common import (
    BUCKET,
    DERIVED,
    EARLIEST_NS,
    ENUMS,
    FEED,
    FIELDS,
    HOURLY_KEYS,
    KEY,
    LATEST_NS,
    OBJECT_ID,
    RANGES,
    ROW_GROUP,
    UNIX_HIGH,
    UNIX_LOW,
    ZONE,
    ZSTD_LEVEL,
    canonical,
    contend,
    ip_version,
    path_template,
    registered_domain,
    row_json,
)
from publicsuffixlist import PublicSuffixList

_TYPES = {
    "string": pa.string(),
    "json": pa.string(),
    "int64": pa.int64(),
    "strings": pa.list_(pa.string()),
    "int64s": pa.list_(pa.int64()),
}
_HOUR_NS = 3600 * 10**9


def work(raw: Path, out: Path) -> dict[str, Any]:
    """Read, judge, drop duplicates, derive, sort and write."""
    frame = pd.read_parquet(raw, dtype_backend="pyarrow")
    rows_in = len(frame)
    stated = frame["Datetime"]
    frame["ns"] = _instants(stated)
    frame["ip_version"] = _mapped(frame["ClientIP"], ip_version, pa.int8())
    reason, field = _reasons(frame, stated)
    bad = reason != ""
    _write_quarantine(frame[bad].drop(columns=["ns", "ip_version"]), reason, field, out)
    good = frame[~bad]
    good = good.assign(Metadata=_mapped(good["Metadata"], canonical, pa.string()))
    unique = good.drop_duplicates()
    suffixes = PublicSuffixList()
    unique = unique.assign(
        registered_domain=_mapped(
            unique["ClientRequestHost"], lambda host: registered_domain(suffixes, host), pa.string()
        ),
        path_template=_mapped(unique["ClientRequestPath"], path_template, pa.string()),
    )
    # stable, so that rows of one host and instant keep their order
    unique = unique.sort_values(["ClientRequestHost", "ns"], kind="stable", na_position="first")
    days = unique["ns"] // (24 * _HOUR_NS)
    for day in sorted(days.unique()):
        _write_day(unique[days == day], np.datetime64(int(day), "D"), out)
    return {
        "rows_in": rows_in,
        "rows_out": len(unique),
        "quarantined": int(bad.sum()),
        "duplicates": len(good) - len(unique),
        "unseen_values": _unseen(frame),
    }


def _instants(stated: pd.Series) -> pd.Series:
    found = pd.Series(None, index=stated.index, dtype=stated.dtype)
    for unit in (1, 10**3, 10**6, 10**9):
        within = (stated >= UNIX_LOW * unit) & (stated < UNIX_HIGH * unit)
        if within.any():
            found = found.mask(within.fillna(value=False), stated.where(within) * (10**9 // unit))
    return found


def _mapped(column: pd.Series, rule: Any, kind: pa.DataType) -> pd.Series:
    values = {value: rule(value) for value in column.dropna().unique()}
    return column.map(values).astype(pd.ArrowDtype(kind))


def _reasons(frame: pd.DataFrame, stated: pd.Series) -> tuple[pd.Series, pd.Series]:
    ns = frame["ns"]
    checks = [
        ("time_missing", "Datetime", stated.isna()),
        ("time_unit", "Datetime", ns.isna()),
        ("time_implausible", "Datetime", (ns < EARLIEST_NS) | (ns > LATEST_NS)),
        *(("out_of_range", name, ~frame[name].between(0, high)) for name, high in RANGES),
        ("ip_invalid", "ClientIP", frame["ClientIP"].notna() & frame["ip_version"].isna()),
    ]
    failed = [check.fillna(value=False).to_numpy(dtype=bool) for _, _, check in checks]
    reason = np.select(failed, [name for name, _, _ in checks], default="")
    field = np.select(failed, [blamed for _, blamed, _ in checks], default="")
    return pd.Series(reason, index=frame.index), pd.Series(field, index=frame.index)


def _write_day(part: pd.DataFrame, event_date: np.datetime64, out: Path) -> None:
    ns = part["ns"].to_numpy(dtype=np.int64)
    given = {
        "event_time": pd.Series(pd.to_datetime(ns // 1000, unit="us", utc=True).as_unit("us"), index=part.index),
        "event_time_ns": pd.Series((ns % 1000).astype(np.int16), index=part.index),
        "event_hour": pd.Series((ns // _HOUR_NS % 24).astype(np.int8), index=part.index),
        "registered_domain": part["registered_domain"],
        "ip_version": part["ip_version"],
        "path_template": part["path_template"],
        "feed": pd.Series(FEED, index=part.index, dtype=pd.ArrowDtype(pa.string())),
        "zone": pd.Series(ZONE, index=part.index, dtype=pd.ArrowDtype(pa.string())),
        "extra": pd.Series(None, index=part.index, dtype=pd.ArrowDtype(pa.string())),
    }
    columns: dict[str, pd.Series] = {}
    for raw_name, name, kind in FIELDS:
        if kind == "time":
            columns |= {"event_time": given["event_time"], "event_time_ns": given["event_time_ns"]}
        elif raw_name in part.columns:
            columns[name] = part[raw_name]
        else:
            columns[name] = pd.Series(None, index=part.index, dtype=pd.ArrowDtype(_TYPES[kind]))
    columns |= {name: given[name] for name in DERIVED}
    lake = pd.DataFrame(columns, copy=False)
    _write(lake, out / "events" / f"event_date={event_date}" / "data.parquet")
    counts = lake.groupby(HOURLY_KEYS, dropna=False, sort=False).size().reset_index(name="events")
    counts = counts.sort_values(HOURLY_KEYS, na_position="first")
    _write(counts, out / "hourly" / f"event_date={event_date}" / "data.parquet")


def _write(frame: pd.DataFrame, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(path, index=False, compression="zstd", compression_level=ZSTD_LEVEL, row_group_size=ROW_GROUP)


def _write_quarantine(bad: pd.DataFrame, reason: pd.Series, field: pd.Series, out: Path) -> None:
    rows = bad.astype(object).where(bad.notna(), None).to_dict("records")
    record = pd.DataFrame(
        {
            "reason": reason[bad.index],
            "field": field[bad.index],
            "row": bad.index.to_numpy(),
            "raw": [row_json(row).encode() for row in rows],
            "object_id": OBJECT_ID,
            "bucket": BUCKET,
            "key": KEY,
            "version_id": pd.Series(None, index=bad.index, dtype="str"),
            "feed": FEED,
        }
    )
    _write(record, out / "quarantine" / "data.parquet")


def _unseen(frame: pd.DataFrame) -> dict[str, dict[str, int]]:
    found = {}
    for name, known in ENUMS.items():
        counts = frame[name].value_counts()
        found[name] = {value: int(rows) for value, rows in counts.items() if value.lower() not in known}
    return found


if __name__ == "__main__":
    contend(work)
