"""Whether two contenders wrote the same: row for row and in the same order, column by column.

Usage: `<python> bench/peers/compare.py <ours> <theirs>`; prints one line of JSON: what differs. DuckDB reads both, in a
process of its own.
"""

# ruff: noqa: S608 - the statements are made of this benchmark's own paths and constants

import json
import sys
from pathlib import Path

import duckdb
from common import DERIVED, FIELDS, HOURLY_KEYS

_EVENTS = [
    name for _, lake_name, kind in FIELDS for name in ([lake_name, "event_time_ns"] if kind == "time" else [lake_name])
] + DERIVED
_CASTS = {
    "strings": "varchar[]",
    "int64s": "bigint[]",
    "int64": "bigint",
    "time": "bigint",
}


def main() -> None:
    """Compare every kind of file."""
    ours, theirs = Path(sys.argv[1]), Path(sys.argv[2])
    con = duckdb.connect()
    found = [
        *_partitions(con, ours, theirs, "events", _event_columns()),
        *_partitions(
            con, ours, theirs, "hourly", {**{key: f"{key}::varchar" for key in HOURLY_KEYS}, "events": "events"}
        ),
        *_same(
            con,
            ours / "quarantine" / "data.parquet",
            theirs / "quarantine" / "data.parquet",
            {name: name for name in ("reason", "row", "object_id", "bucket", "key", "version_id", "feed")},
        ),
    ]
    print(json.dumps({"differences": found}))


def _event_columns() -> dict[str, str]:
    kinds = {lake_name: kind for _, lake_name, kind in FIELDS}
    shown = {}
    for name in _EVENTS:
        kind = kinds.get(name, "")
        if kind == "time":
            # the same number of microseconds, and of a type that says UTC
            shown[name] = f"epoch_us({name}::timestamptz)"
        else:
            shown[name] = f"{name}::{_CASTS.get(kind, 'varchar')}"
    return shown


def _partitions(
    con: duckdb.DuckDBPyConnection, ours: Path, theirs: Path, kind: str, columns: dict[str, str]
) -> list[str]:
    mine, other = ({path.parent.name for path in (side / kind).glob("*/data.parquet")} for side in (ours, theirs))
    if mine != other:
        return [f"{kind}: partitions {sorted(mine)} against {sorted(other)}"]
    return [
        difference
        for part in sorted(mine)
        for difference in _same(
            con, ours / kind / part / "data.parquet", theirs / kind / part / "data.parquet", columns
        )
    ]


def _same(con: duckdb.DuckDBPyConnection, mine: Path, other: Path, columns: dict[str, str]) -> list[str]:
    """Compare two files; their columns must have the same names and types in the same order as well."""
    where = "/".join(mine.parts[-3:])
    named = [
        [
            row[:2]
            for row in con.execute(
                "describe select * from read_parquet(?, hive_partitioning = false)", [str(path)]
            ).fetchall()
        ]
        for path in (mine, other)
    ]
    names = [name for name, _ in named[0]]
    if (
        named[0] != named[1]
        or not set(columns) <= set(names)
        or (where.startswith("events") and names != list(columns))
    ):
        return [f"{where}: columns {named[0]} against {named[1]}"]
    shown = ", ".join(f"{expression} as {name}" for name, expression in columns.items())
    for side, path in (("mine", mine), ("other", other)):
        con.execute(
            f"""create or replace temp view {side} as select file_row_number as place, {shown}
            from read_parquet('{path}', file_row_number = true, hive_partitioning = false)"""
        )
    counts = [con.execute(f"select count(*) from {side}").fetchone()[0] for side in ("mine", "other")]
    if counts[0] != counts[1]:
        return [f"{where}: {counts[0]} rows against {counts[1]}"]
    # positions are part of what is compared, so order is too, and equal rows count as often as they come
    unlike = ", ".join(f"count(*) filter (where mine.{name} is distinct from other.{name})" for name in columns)
    row = con.execute(f"select count(*), {unlike} from mine join other using (place)").fetchone()
    if row[0] != counts[0]:
        return [f"{where}: {row[0]} of {counts[0]} positions met"]
    return [
        f"{where}: {name} differs in {unequal} rows" for name, unequal in zip(columns, row[1:], strict=True) if unequal
    ]


if __name__ == "__main__":
    main()
