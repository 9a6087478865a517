"""Files of events as ProcessUnit leaves them, and what compaction makes of them by a plain and slow reference."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import polars as pl

from firewall_logs import events as unit_events
from firewall_logs import schema
from firewall_logs.days.compaction import Compacted, Input, compact
from firewall_logs.days.contracts import Cut, FeedProfile, Place, PlacedRowGroup, PlannedInput
from firewall_logs.days.cutting import Moment, Weight, cuts
from firewall_logs.duplicates import duplicates
from firewall_logs.frames import SCHEMAS
from firewall_logs.order import Order
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
    order = Order.of(frame, pl.int_range(frame.height, dtype=pl.UInt32, eager=True))
    positions = order.without(duplicates(frame, order.suspects))
    files = unit_events.write_days(frame, positions, folder, row_group_rows=unit_events.ROW_GROUP_ROWS)
    return next(file.path for file in files if file.kind == "events")


def planned_input(path: Path, key: str) -> PlannedInput:
    """Describe a local file of events as a seal's plan does, by what DuckDB reads in its footer."""
    groups = duckdb.execute(
        """SELECT any_value(row_group_num_rows), min(coalesce(dictionary_page_offset, data_page_offset)),
                  max(coalesce(dictionary_page_offset, data_page_offset) + total_compressed_size),
                  any_value(columns(['stats_min_value', 'stats_max_value']))
                    FILTER (path_in_schema = 'client_request_host'),
                  any_value(stats_null_count) FILTER (path_in_schema = 'client_request_host'),
                  any_value(columns(['stats_min_value', 'stats_max_value'])) FILTER (path_in_schema = 'event_time')
           FROM parquet_metadata(?) GROUP BY row_group_id ORDER BY row_group_id""",
        [str(path)],
    ).fetchall()
    body = path.read_bytes()
    return PlannedInput(
        key=key,
        bytes=len(body),
        footer=len(body) - int.from_bytes(body[-8:-4], "little") - 8,
        row_groups=[
            PlacedRowGroup(
                rows=rows,
                start=start,
                end=end,
                low=_at(None if nulls else low, earliest),
                high=_at(high, latest),
            )
            for rows, start, end, low, high, nulls, earliest, latest in groups
        ],
    )


def _at(host: str | None, instant: str) -> Place:
    hour, minute, second = map(int, instant[11:19].split(":"))
    return Place(host=host, hour=hour, second=60 * minute + second)


def compacted(paths: Iterable[Path], cut: Cut, out: Path) -> Compacted:
    """Compact local files that are there as a whole."""
    out.mkdir(parents=True)
    return compact([Input(str(path), path, 0, _height(path)) for path in paths], cut, out)


def rows_of(path: Path) -> list[Row]:
    """Return the rows of a file of the lake."""
    return list(pl.read_parquet(path, hive_partitioning=False).iter_rows(named=True))


def _height(path: Path) -> int:
    return int(pl.scan_parquet(path).select(pl.len()).collect().item())


def cuts_of(rows: Iterable[Row], limit: int, *, by_second: bool = False) -> list[Cut]:
    """Cut rows as their hourly counts say, or their times."""
    counted: Counter[Moment] = Counter()
    for row in rows:
        moment = row["event_time"]
        second = moment.minute * 60 + moment.second if by_second else 0
        counted[row["client_request_host"], row["event_hour"], second] += 1
    return cuts_at(counted, limit)


def cuts_at(counted: Mapping[Moment, int], limit: int) -> list[Cut]:
    """Cut counted rows."""
    day = {moment: Weight(rows=count, bytes=0) for moment, count in counted.items()}
    return [found.cut for found in cuts(day, Weight(rows=limit, bytes=0))]


# ---------------------------------------------------------------- the reference


@dataclass(frozen=True)
class Expected:
    """What a cut becomes.

    Attributes:
        events: Rows in order.
        hourly: Rows by the keys of the hourly counts.
        rays: Where each Ray ID is, as rows of that table in order.
        addresses: Rows by the keys of the counts by address.
        removed: Rows that repeat another.
        rows_in: All.
    """

    events: list[Row]
    hourly: Counter[tuple[Any, ...]]
    rays: list[tuple[Any, ...]]
    addresses: Counter[tuple[Any, ...]]
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
    return Expected(
        events=events,
        hourly=Counter(hourly_key(row) for row in events),
        rays=_rays(events),
        addresses=Counter(address_key(row) for row in events),
        removed=removed,
        rows_in=len(inside),
    )


def _rays(events: list[Row]) -> list[tuple[Any, ...]]:
    places = {tuple(row[name] for name in schema.RAYS) for row in events}
    known = [place for place in places if place[0] is not None]
    return sorted(known, key=lambda place: (place[0].encode(), _place(place[1], place[2], 0)))


def order(row: Row) -> Any:
    """Return what sorts rows as the lake is sorted."""
    host = row["client_request_host"]
    return host is not None, (host or "").encode(), row["event_time"], row["event_time_ns"]


def hourly_key(row: Row) -> tuple[Any, ...]:
    """Return what a row is counted under."""
    return tuple(row[name] for name in schema.HOURLY if name != "events")


def address_key(row: Row) -> tuple[Any, ...]:
    """Return what a row is counted under by address."""
    return tuple(row[name] for name in schema.ADDRESSES if name != "events")


def within(row: Row, cut: Cut) -> bool:
    """Return whether a row is in a cut."""
    moment = row["event_time"]
    here = _place(row["client_request_host"], moment.hour, moment.minute * 60 + moment.second)
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
    return _place(place.host, place.hour, place.second)


def _place(host: str | None, hour: int, second: int) -> Any:
    return host is not None, (host or "").encode(), hour, second
