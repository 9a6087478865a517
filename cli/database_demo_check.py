"""Holds what the servers wrote against what the lake holds, line by line. Shares nothing with the collector.

Lines written are those of the servers' own files, as the fleet's process puts them into a folder. Lines of the lake are
those of the column `raw` in its parquet files, read by DuckDB. They are compared as multisets, one a database instance.

Where a restart took the end of a file, records of it may be in the lake: they had been written. What comes after a
restart has a generation that ends in `~n`, counted by restarts; records from before it that lie behind its first byte
are such ends.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_READERS: Final = 8
_LOGS: Final = "database_logs/logs/"
_RECORDS: Final = """
    SELECT dbi_resource_id, file, generation, offset_start, offset_end, coalesce(raw_bytes, encode(raw))
    FROM read_parquet(?, union_by_name = true, hive_partitioning = true)
    ORDER BY ALL
"""

# Of an instance: how often each line occurs.
Lines = dict[str, Counter[bytes]]


@dataclass(frozen=True)
class Comparison:
    """What came of it.

    Attributes:
        written: Lines in the servers' files.
        in_lake: Lines in the lake, without ends that restarts took.
        taken_by_restarts: Lines of such ends in the lake.
        missing: Lines that the lake has too seldom, by instance.
        duplicates: Lines that it has too often, by instance.
    """

    written: int
    in_lake: int
    taken_by_restarts: int
    missing: Counter[str] = field(default_factory=Counter)
    duplicates: Counter[str] = field(default_factory=Counter)


def compare(written: Lines, records: Iterable[tuple[str, str, str, int, int, bytes]]) -> Comparison:
    """Compare lines written with records of the lake.

    Args:
        written: By DbiResourceId.
        records: DbiResourceId, file, generation, first byte, byte after the last, bytes; in this order.
    """
    held, taken = _lines_of_records(records)
    missing: Counter[str] = Counter()
    duplicates: Counter[str] = Counter()
    for resource in written.keys() | held.keys():
        wanted, found = written.get(resource, Counter()), held.get(resource, Counter())
        missing[resource] += (wanted - found).total()
        duplicates[resource] += (found - wanted).total()
    return Comparison(
        sum(lines.total() for lines in written.values()),
        sum(lines.total() for lines in held.values()),
        taken,
        +missing,
        +duplicates,
    )


def lines_written(truth: Iterable[dict[str, Any]]) -> Lines:
    """Count the lines of the servers' files.

    Args:
        truth: What the fleet's process answers to `truth` with a folder.
    """
    lines: defaultdict[str, Counter[bytes]] = defaultdict(Counter)
    for file in truth:
        lines[file["dbi_resource_id"]].update(_lines(Path(file["path"]).read_bytes()))
    return dict(lines)


def records_of_lake(s3: "S3Client", bucket: str, folder: Path) -> list[tuple[str, str, str, int, int, bytes]]:
    """Fetch the lake's files, and read their records."""
    import duckdb  # noqa: PLC0415 - heavy

    folder.mkdir(parents=True, exist_ok=True)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=_LOGS)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def fetch(numbered: tuple[int, str]) -> str:
        path = folder / f"{numbered[0]}.parquet"
        path.write_bytes(s3.get_object(Bucket=bucket, Key=numbered[1])["Body"].read())
        return str(path)

    with ThreadPoolExecutor(_READERS) as readers:
        paths = list(readers.map(fetch, enumerate(keys)))
    if not paths:
        return []
    with duckdb.connect() as lake:
        return lake.execute(_RECORDS, [paths]).fetchall()


def _lines_of_records(records: Iterable[tuple[str, str, str, int, int, bytes]]) -> tuple[Lines, int]:
    files: defaultdict[tuple[str, str], dict[int, list[tuple[int, int, bytes]]]] = defaultdict(dict)
    for resource, _, generation, start, end, data in records:
        identity, _, restarts = generation.partition("~")
        files[resource, identity].setdefault(int(restarts or 0), []).append((start, end, data))
    lines: defaultdict[str, Counter[bytes]] = defaultdict(Counter)
    taken = 0
    for (resource, _), incarnations in files.items():
        limit: float = float("inf")
        kept: list[tuple[int, int, bytes]] = []
        for number in sorted(incarnations, reverse=True):
            rows = incarnations[number]
            kept += [row for row in rows if row[0] < limit]
            taken += sum(len(_lines(row[2])) for row in rows if row[0] >= limit)
            limit = min(limit, *(row[0] for row in rows))
        lines[resource].update(_lines(b"".join(data for _, _, data in sorted(kept))))
    return dict(lines), taken


def _lines(data: bytes) -> list[bytes]:
    """Return lines, without the newline; the last one may have none."""
    return [*data.split(b"\n")[:-1], *filter(None, [data.rpartition(b"\n")[2]])]


def first_differences(comparison: Comparison) -> Iterator[str]:
    """Yield a sentence an instance that differs, the worst first."""
    for resource in sorted(comparison.missing.keys() | comparison.duplicates.keys()):
        yield f"{resource}: {comparison.missing[resource]} lines missing, {comparison.duplicates[resource]} too many"
