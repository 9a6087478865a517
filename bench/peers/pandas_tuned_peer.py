"""The pandas pipeline that this replaces, as fast as its author could make it: vectorised, and with categoricals.

Text is read as dictionaries and stays categorical from the file to the file, so that rules on text run once per
distinct value, sorting compares integers and gathering moves codes. Only the two ray ids, nearly all distinct, are
strings backed by Arrow. Integers that may be null are kept from turning into floats by masks.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
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
# Arrow writes the whole dictionary into every row group; above this many values text is written as text again, or the
# file would be twice the size.
_FEW = 10_000
_MOSTLY_DISTINCT = ("RayID", "OriginatorRayID")
_DAY_NS = 86_400 * 10**9
_HOUR_NS = 3600 * 10**9


def work(raw: Path, out: Path) -> dict[str, Any]:
    """Read, judge, drop duplicates, derive, sort and write."""
    table = _read(raw)
    frame, nulls = _frame(table)
    rows_in = len(frame)
    ns, reason, field = _judge(frame, nulls)
    bad = np.flatnonzero(reason != "")
    _write_quarantine(table, bad, reason, field, out)
    del table
    repeated = _repeated(frame, reason != "")
    kept = np.flatnonzero((reason == "") & ~repeated)
    ns_day = ns // _DAY_NS
    host_rank = _ranks(frame["ClientRequestHost"])
    order = kept[np.lexsort((kept, ns[kept], host_rank[kept], ns_day[kept]))]
    _derive(frame)
    days, starts = np.unique(ns_day[order], return_index=True)
    for day, rows in zip(days.tolist(), np.split(order, starts[1:]), strict=True):
        _write_day(frame, nulls, ns, rows=rows, day=day, out=out)
    return {
        "rows_in": rows_in,
        "rows_out": len(order),
        "quarantined": len(bad),
        "duplicates": int(repeated.sum()),
        "unseen_values": _unseen(frame),
    }


def _read(raw: Path) -> pa.Table:
    schema = pq.read_schema(raw)
    texts = [name for name in schema.names if not pa.types.is_integer(schema.field(name).type)]
    table = pq.read_table(
        raw, use_threads=False, read_dictionary=[name for name in texts if name not in _MOSTLY_DISTINCT]
    )
    return table.unify_dictionaries()


def _frame(table: pa.Table) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """Return the rows as a frame, and for integer columns which of their values are null (they are 0 in the frame)."""
    columns: dict[str, Any] = {}
    nulls: dict[str, np.ndarray] = {}
    for name in table.column_names:
        column = table.column(name)
        if pa.types.is_dictionary(column.type):
            columns[name] = column.combine_chunks().to_pandas()
        elif not pa.types.is_integer(column.type):
            columns[name] = pd.array(column.cast(pa.large_string()), dtype="str")
        else:
            nulls[name] = column.is_null().to_numpy()
            columns[name] = column.fill_null(0).to_numpy()
    return pd.DataFrame(columns, copy=False), nulls


def _judge(frame: pd.DataFrame, nulls: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each row's instant in ns, the first reason against it and the field to blame."""
    stated = frame["Datetime"].to_numpy()
    ns = np.zeros(len(stated), dtype=np.int64)
    known = np.zeros(len(stated), dtype=bool)
    for unit in (1, 10**3, 10**6, 10**9):
        within = (stated >= UNIX_LOW * unit) & (stated < UNIX_HIGH * unit)
        np.multiply(stated, 10**9 // unit, out=ns, where=within)
        known |= within
    reason = np.full(len(stated), "", dtype=object)
    field = np.full(len(stated), None, dtype=object)
    valid = _by_value(frame["ClientIP"], ip_version)
    addresses = frame["ClientIP"].cat.codes.to_numpy()
    checks = [
        ("time_missing", "Datetime", nulls["Datetime"]),
        ("time_unit", "Datetime", ~known),
        ("time_implausible", "Datetime", (ns < EARLIEST_NS) | (ns > LATEST_NS)),
    ]
    for name, high in RANGES:
        values = frame[name].to_numpy()
        checks.append(("out_of_range", name, ((values < 0) | (values > high)) & ~nulls[name]))
    wrong = np.array([version is None for version in valid] + [False])
    checks.append(("ip_invalid", "ClientIP", wrong[addresses]))
    for name, blamed, fails in checks:
        at = np.flatnonzero(fails)
        at = at[reason[at] == ""]
        reason[at] = name
        field[at] = blamed
    return ns, reason, field


def _by_value(column: pd.Series, rule: Callable[[str], Any]) -> list[Any]:
    return [rule(value) for value in column.cat.categories]


def _spread(column: pd.Series, values: list[Any]) -> pd.Categorical:
    """Return by row what there is by category."""
    codes, uniques = pd.factorize(np.array(values, dtype=object), use_na_sentinel=True)
    by_row = np.append(codes, -1)[column.cat.codes.to_numpy()]
    return pd.Categorical.from_codes(by_row, categories=pd.Index(uniques, dtype="str"))


def _ranks(column: pd.Series) -> np.ndarray:
    """Return by row the rank of its text, nulls first; Python compares code points, as UTF-8's bytes do."""
    texts = column.cat.categories.tolist()
    ranks = np.zeros(len(texts) + 1, dtype=np.int32)
    for rank, at in enumerate(sorted(range(len(texts)), key=texts.__getitem__), 1):
        ranks[at] = rank
    return ranks[column.cat.codes.to_numpy()]


def _repeated(frame: pd.DataFrame, bad: np.ndarray) -> np.ndarray:
    """Compare in full only what agrees in the hash of three columns; Metadata counts in its canonical form."""
    frame["Metadata"] = _spread(frame["Metadata"], _by_value(frame["Metadata"], canonical))
    hashed = pd.util.hash_pandas_object(frame[["RayID", "Datetime", "MatchIndex"]], index=False, categorize=False)
    suspect = np.flatnonzero(hashed.duplicated(keep=False).to_numpy() & ~bad)
    repeated = np.zeros(len(frame), dtype=bool)
    repeated[suspect] = frame.take(suspect).duplicated(keep="first").to_numpy()
    return repeated


def _derive(frame: pd.DataFrame) -> None:
    suffixes = PublicSuffixList()
    hosts, paths, addresses = frame["ClientRequestHost"], frame["ClientRequestPath"], frame["ClientIP"]
    frame["registered_domain"] = _spread(hosts, _by_value(hosts, lambda host: registered_domain(suffixes, host)))
    frame["path_template"] = _spread(paths, _by_value(paths, path_template))
    versions = np.array([ip_version(text) or 0 for text in addresses.cat.categories] + [0], dtype=np.int8)
    frame["ip_version"] = versions[addresses.cat.codes.to_numpy()]


def _write_day(
    frame: pd.DataFrame, nulls: dict[str, np.ndarray], ns: np.ndarray, *, rows: np.ndarray, day: int, out: Path
) -> None:
    event_date = np.datetime64(day, "D")
    part = frame.take(rows)
    times = ns[rows]
    hours = (times // _HOUR_NS % 24).astype(np.int8)
    given = {
        "event_hour": pa.array(hours),
        "registered_domain": pa.array(part["registered_domain"]),
        "ip_version": pa.array(part["ip_version"].to_numpy(), mask=part["ip_version"].to_numpy() == 0),
        "path_template": _text(part["path_template"]),
        "feed": pa.DictionaryArray.from_arrays(np.zeros(len(rows), np.int8), [FEED]),
        "zone": pa.DictionaryArray.from_arrays(np.zeros(len(rows), np.int8), [ZONE]),
        "extra": pa.nulls(len(rows), pa.string()),
    }
    columns: dict[str, pa.Array] = {}
    for raw_name, name, kind in FIELDS:
        if kind == "time":
            columns[name] = pa.array(times // 1000).cast(pa.timestamp("us", "UTC"))
            columns["event_time_ns"] = pa.array((times % 1000).astype(np.int16))
        elif raw_name not in frame.columns:
            columns[name] = pa.nulls(len(rows), _TYPES[kind])
        elif raw_name in nulls:
            columns[name] = pa.array(part[raw_name].to_numpy(), mask=nulls[raw_name][rows])
        else:
            columns[name] = _text(part[raw_name])
    columns |= {name: given[name] for name in DERIVED}
    _write(columns, out / "events" / f"event_date={event_date}" / "data.parquet")

    keys = pd.DataFrame(
        {
            "event_hour": hours,
            **{
                name: part[raw_name].array
                for raw_name, name, _ in FIELDS
                if name in HOURLY_KEYS and raw_name in part.columns
            },
        },
        copy=False,
    )
    counts = keys.groupby(HOURLY_KEYS, observed=True, dropna=False, sort=False).size().reset_index(name="events")
    texts = counts.astype(dict.fromkeys(HOURLY_KEYS[1:], "str"))
    texts = texts.sort_values(HOURLY_KEYS, na_position="first")
    _write(
        {name: pa.array(texts[name], from_pandas=True) for name in texts.columns},
        out / "hourly" / f"event_date={event_date}" / "data.parquet",
    )


def _text(column: pd.Series) -> pa.Array:
    array = pa.array(column)
    if pa.types.is_dictionary(array.type) and len(array.dictionary) > _FEW:
        return array.dictionary_decode()
    return array


def _write(columns: dict[str, pa.Array], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path, compression="zstd", compression_level=ZSTD_LEVEL, row_group_size=ROW_GROUP)


def _write_quarantine(table: pa.Table, bad: np.ndarray, reason: np.ndarray, field: np.ndarray, out: Path) -> None:
    rows = table.take(pa.array(bad)).to_pylist()
    columns = {
        "reason": pa.array(reason[bad], pa.string()),
        "field": pa.array(field[bad], pa.string()),
        "row": pa.array(bad),
        "raw": pa.array([row_json(row).encode() for row in rows], pa.binary()),
        "object_id": pa.array([OBJECT_ID] * len(bad)),
        "bucket": pa.array([BUCKET] * len(bad)),
        "key": pa.array([KEY] * len(bad)),
        "version_id": pa.nulls(len(bad), pa.string()),
        "feed": pa.array([FEED] * len(bad)),
    }
    _write(columns, out / "quarantine" / "data.parquet")


def _unseen(frame: pd.DataFrame) -> dict[str, dict[str, int]]:
    found = {}
    for name, known in ENUMS.items():
        counts = frame[name].value_counts()
        found[name] = {value: int(rows) for value, rows in counts.items() if value.lower() not in known}
    return found


if __name__ == "__main__":
    contend(work)
