"""Makes the lake of the query benchmark: the raw file as ProcessUnit and CompactUnit leave it, and what is asked of it.

`<python> bench/query_lake.py <raw> <out>`, with the application on PYTHONPATH, writes

    <out>/sealed/events/event_date=YYYY-MM-DD/<cut>.parquet
    <out>/sealed/hourly/event_date=YYYY-MM-DD/<cut>.parquet
    <out>/sealed/rays/event_date=YYYY-MM-DD/<cut>.parquet
    <out>/sealed/addresses/event_date=YYYY-MM-DD/<cut>.parquet
    <out>/questions.json

and prints one line of JSON: rows that were compacted, and the CPU seconds that took.
"""

import json
import shutil
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from firewall_logs.contracts import Slice, SourceObject
from firewall_logs.days.compaction import Input, compact
from firewall_logs.days.cutting import MOST, NOTHING, Moment, Weight, cuts
from firewall_logs.feeds import Feed
from firewall_logs.files import LocalFile
from firewall_logs.planning import Footer, RowGroup, cut
from firewall_logs.transform import transform

_LAST_MODIFIED = datetime(2026, 6, 3, tzinfo=UTC)
_HOST_RANK, _ADDRESS_RANK, _RULE_RANK = 10, 20, 10


def main() -> None:
    """Transform the slices of the file, compact each of its days, choose the questions."""
    raw, out = Path(sys.argv[1]), Path(sys.argv[2])
    loose = out / "loose"
    files = [file for piece in _slices(raw) for file in transform(piece, raw, _folder(loose / str(piece.index))).files]
    days = sorted({file.event_date for file in files if file.event_date is not None})
    cpu = sum(_seal([file for file in files if file.event_date == day], out) for day in days)
    rows = sum(file.rows for file in files if file.kind == "events")
    shutil.rmtree(loose)
    (out / "questions.json").write_text(json.dumps(_questions(out / "sealed" / "events"), indent=2) + "\n")
    print(json.dumps({"rows": rows, "cpu_s": round(cpu, 3)}))


def _slices(raw: Path) -> list[Slice]:
    """Cut the file as PlanRun does; of the footer only the rows count here, as the whole file is at hand."""
    groups = duckdb.execute(
        "SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata(?) ORDER BY 1", [str(raw)]
    ).fetchall()
    footer = Footer(tuple(RowGroup(rows=rows, bytes=0, start=0, end=0) for _, rows in groups), start=0)
    feed = Feed(name="47", bucket="raw", prefix="cloudflare/47/", zone="harbour.example", format="parquet")
    source = SourceObject(bucket="raw", key=raw.name, etag="e", size=raw.stat().st_size, last_modified=_LAST_MODIFIED)
    return cut(feed, source, "0" * 32, 1, footer=footer)


def _seal(files: list[LocalFile], out: Path) -> float:
    """Compact a day and return the CPU seconds that took."""
    events = [Input(str(file.path), file.path, 0, file.rows) for file in files if file.kind == "events"]
    hourly = [file.path for file in files if file.kind == "hourly"]
    counts = pl.scan_parquet(hourly, hive_partitioning=False).select("client_request_host", "event_hour", "events")
    day: defaultdict[Moment, Weight] = defaultdict(lambda: NOTHING)
    for host, hour, number in counts.collect().iter_rows():
        day[host, hour, 0] += Weight(rows=number, bytes=0)
    cpu = 0.0
    for index, piece in enumerate(found.cut for found in cuts(day, MOST)):
        folder = _folder(out / "cut")
        before = time.process_time()
        compacted = compact(events, piece, folder)
        cpu += time.process_time() - before
        for file in compacted.files:
            target = out / "sealed" / file.kind / f"event_date={file.event_date}" / f"{index:05}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            file.path.rename(target)
        shutil.rmtree(folder)
    return cpu


def _questions(events: Path) -> dict[str, Any]:
    """Return what is asked for, by rank in the fullest day: neither what everything has nor what nothing has."""
    lake = pl.scan_parquet(events, hive_partitioning=True)
    days = lake.group_by("event_date").len().sort("len", "event_date").collect()["event_date"]
    day = lake.filter(event_date=days[-1])
    host = _ranked(day, "client_request_host", _HOST_RANK)
    rays = day.select("ray_id").sort("ray_id").collect().to_series()
    return {
        "day": days[-1].isoformat(),
        "host": host,
        "hour": _ranked(day.filter(client_request_host=host), "event_hour", 0),
        "address": _ranked(day, "client_ip", _ADDRESS_RANK),
        "rule": _ranked(day, "rule_id", _RULE_RANK),
        "ray_id": rays[len(rays) // 2],
        "domain": _ranked(day, "registered_domain", 0),
    }


def _folder(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def _ranked(rows: pl.LazyFrame, column: str, rank: int) -> Any:
    counts = rows.group_by(column).len().sort(["len", column], descending=[True, False]).collect()
    return counts[column][min(rank, counts.height - 1)]


if __name__ == "__main__":
    main()
