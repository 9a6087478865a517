"""Files of events as ProcessUnit leaves them, and what compaction makes of them by a plain and slow reference."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from firewall_logs import schema
from firewall_logs.contracts import LakeFile
from firewall_logs.days.compaction import Compacted, Input, compact
from firewall_logs.days.contracts import Cut, FeedProfile, Place
from firewall_logs.duplicates import duplicates, without
from firewall_logs.events import write_days
from firewall_logs.frames import SCHEMAS
from tests.support.firewall_days import DAY

Row = dict[str, Any]

MIDNIGHT = datetime(DAY.year, DAY.month, DAY.day, tzinfo=ZoneInfo("UTC"))


def a_row(seconds: float = 0, **given: Any) -> Row:
    """Return an event of the lake, so many seconds into the day."""
    moment = MIDNIGHT + timedelta(seconds=seconds)
    known = {"event_time": moment, "event_time_ns": 0, "feed": "47", "zone": "media.example"}
    return dict.fromkeys(schema.EVENTS) | known | {"event_hour": moment.hour} | given


def events_file(folder: Path, rows: list[Row]) -> Path:
    """Write rows of one object as ProcessUnit does: sorted, and each once."""
    frame = pl.DataFrame(rows, schema=SCHEMAS["events"])
    kept = without(frame.height, duplicates(frame))
    return next(file.path for file in write_days(frame, kept, folder) if file.kind == "events")


def lake_file(path: Path, key: str) -> LakeFile:
    """Describe a local file of events as if it were in the lake."""
    body = path.read_bytes()
    return LakeFile(
        kind="events",
        key=key,
        event_date=DAY,
        rows=_height(path),
        bytes=len(body),
        sha256=hashlib.sha256(body).hexdigest(),
    )


def compacted(paths: Iterable[Path], cut: Cut, out: Path) -> Compacted:
    """Compact local files that are there as a whole."""
    out.mkdir(parents=True)
    return compact([Input(str(path), path, 0, _height(path)) for path in paths], cut, out)


def rows_of(path: Path) -> list[Row]:
    """Return the rows of a file of the lake."""
    return list(pl.read_parquet(path, hive_partitioning=False).iter_rows(named=True))


def _height(path: Path) -> int:
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def histogram(rows: Iterable[Row]) -> Counter[tuple[str | None, int]]:
    """Count rows as their hourly counts do."""
    return Counter((row["client_request_host"], row["event_hour"]) for row in rows)


# ---------------------------------------------------------------- the reference


@dataclass(frozen=True)
class Expected:
    """What a cut becomes.

    Attributes:
        events: Rows in order.
        hourly: Rows by the keys of the hourly counts.
        removed: Rows that repeat another.
        rows_in: All.
    """

    events: list[Row]
    hourly: Counter[tuple[Any, ...]]
    removed: list[Row]
    rows_in: int


def expected(files: Iterable[list[Row]], cut: Cut) -> Expected:
    """Return what the rows of input files become."""
    inside = [row for rows in files for row in rows if within(row, cut)]
    first: dict[str, Row] = {}
    removed = []
    for row in inside:
        if (content := repr(row)) in first:
            removed.append(row)
        else:
            first[content] = row
    events = sorted(first.values(), key=order)
    return Expected(events, Counter(hourly_key(row) for row in events), removed, len(inside))


def order(row: Row) -> Any:
    """Return what sorts rows as the lake is sorted."""
    host = row["client_request_host"]
    return host is not None, (host or "").encode(), row["event_time"], row["event_time_ns"]


def hourly_key(row: Row) -> tuple[Any, ...]:
    """Return what a row is counted under."""
    return tuple(row[name] for name in schema.HOURLY if name != "events")


def within(row: Row, cut: Cut) -> bool:
    """Return whether a row is in a cut."""
    here = _place(row["client_request_host"], row["event_hour"])
    return (cut.start is None or _of(cut.start) <= here) and (cut.end is None or here < _of(cut.end))


def profiles_of(events: list[Row], removed: list[Row]) -> dict[str, dict[str, Any]]:
    """Return profiles by feed as plain JSON, of columns that have a value."""
    return {
        feed: {
            "rows": sum(row["feed"] == feed for row in events),
            "duplicates": sum(row["feed"] == feed for row in removed),
            "columns": {
                name: _column(name, values)
                for name in schema.EVENTS
                if (values := [row[name] for row in events if row["feed"] == feed and row[name] is not None])
            },
        }
        for feed in sorted({row["feed"] for row in [*events, *removed]})
    }


def plain(profiles: dict[str, FeedProfile]) -> dict[str, dict[str, Any]]:
    """Return profiles in the form of `profiles_of`."""
    return {
        feed: {
            "rows": profile.rows,
            "duplicates": profile.duplicates,
            "columns": {
                name: {"present": column.present, "low": column.low, "high": column.high, "values": column.values}
                for name, column in profile.columns.items()
                if column.present
            },
        }
        for feed, profile in profiles.items()
    }


def _column(name: str, values: list[Any]) -> dict[str, Any]:
    integers = schema.EVENTS[name] == "int64"
    enumerated = name in {"action", "client_ip_class", "leaked_credential_check_result", "source"}
    return {
        "present": len(values),
        "low": min(values) if integers else None,
        "high": max(values) if integers else None,
        "values": dict(sorted(Counter(value.lower() for value in values).items())) if enumerated else {},
    }


def _of(place: Place) -> Any:
    return _place(place.host, place.hour)


def _place(host: str | None, hour: int) -> Any:
    return host is not None, (host or "").encode(), hour
