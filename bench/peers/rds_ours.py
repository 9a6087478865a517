"""Parses a log as the pipeline does: `rds_ours.py <file> <out> <kind> <times>`, `times` over, as if it were one file.

Segments of 64 MiB at most, cut where records begin, each to files of the lake, with fingerprints and what the digest
needs of it. The kind `fingerprints`
takes the statements of a slow log only as far as to their fingerprints.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from common import contend

from database_logs.boundaries.dispatch import cut
from database_logs.contracts import FileRef, SegmentCommitted
from database_logs.fingerprints import fingerprint
from database_logs.lake_files import lake_files
from database_logs.log_types import LogType
from database_logs.parsing.dispatch import parse
from database_logs.segment_parser import segment_of

_TYPES = {
    "postgres": LogType.POSTGRES_STDERR,
    "csv": LogType.POSTGRES_CSV,
    "slow": LogType.MYSQL_SLOW,
    "audit": LogType.MYSQL_AUDIT,
    "fingerprints": LogType.MYSQL_SLOW,
}
_SEGMENT_BYTES = 64 << 20


def _segments(path: Path, log_type: LogType, times: int) -> Iterator[tuple[int, bytes]]:
    """Yield where a segment begins, and its bytes."""
    kept, start = b"", 0
    for _ in range(times):
        with path.open("rb") as file:
            while piece := file.read(_SEGMENT_BYTES - len(kept)):
                kept += piece
                if len(kept) == _SEGMENT_BYTES:
                    complete = cut(log_type, kept)
                    yield start, kept[:complete]
                    start += complete
                    kept = kept[complete:]
    yield start, kept


def _written(committed: SegmentCommitted, data: bytes, out: Path) -> dict[str, int]:
    records = parse(segment_of(committed), data)
    for file in lake_files(committed, records):
        (out / file.described.key.replace("/", "_")).write_bytes(file.body)
    unparsed = int((records["parse_status"] == "unparsed").sum())
    return {"records": len(records), "unparsed": unparsed, "bytes": len(data)}


def _work(path: Path, out: Path) -> dict[str, Any]:
    kind, times = sys.argv[3], int(sys.argv[4])
    log_type = _TYPES[kind]
    file = FileRef(
        account="123456789012",
        region="eu-central-1",
        dbi_resource_id="db-BENCH",
        instance_id="bench",
        cluster_id="bench",
        engine="aurora",
        log_type=log_type,
        file=path.name,
    )
    counts = {"records": 0, "unparsed": 0, "bytes": 0}
    for start, data in _segments(path, log_type, times):
        committed = SegmentCommitted(file=file, generation="1", start=start, end=start + len(data), key="bench")
        for name, count in _written(committed, data, out).items():
            counts[name] += count
    if kind != "fingerprints":
        return counts
    statements = pl.concat(
        [pl.read_parquet(file)["query"] for file in sorted(out.glob("database_logs_logs_*"))]
    ).unique()
    before = time.process_time()
    fingerprint(statements)
    return {**counts, "fingerprints_per_s": round(len(statements) / (time.process_time() - before))}


if __name__ == "__main__":
    contend(_work)
