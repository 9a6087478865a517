"""Figures of the lake itself: its hourly and quarantine files, read by DuckDB."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from firewall_logs.contracts import FileKind, LakeFile

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection
    from mypy_boto3_s3 import S3Client

_READERS: Final = 16
_TOP: Final = 12

# Where a run left no file of a kind, the queries run over an empty table of its shape.
_SHAPES: Final[dict[FileKind, str]] = {
    "hourly": "event_date DATE, event_hour TINYINT, client_request_host VARCHAR, action VARCHAR, source VARCHAR, "
    "rule_id VARCHAR, events BIGINT",
    "quarantine": 'reason VARCHAR, field VARCHAR, "row" BIGINT, feed VARCHAR, key VARCHAR',
}


@dataclass(frozen=True)
class HourCell:
    """Events of one hour (UTC) with one action."""

    hour: datetime
    action: str
    events: int


@dataclass(frozen=True)
class Ranked:
    """One of the most frequent rules or hosts.

    Attributes:
        detail: The source of a rule; empty for a host.
        blocked: How many of the events were blocked outright.
    """

    name: str
    detail: str
    events: int
    blocked: int


@dataclass(frozen=True)
class QuarantineCell:
    """Quarantined rows with one reason, field and feed."""

    reason: str
    field: str | None
    feed: str
    rows: int
    objects: int


@dataclass(frozen=True)
class LakeFigures:
    """What the lake holds of the objects reported on."""

    hours: list[HourCell]
    rules: list[Ranked]
    hosts: list[Ranked]
    quarantine: list[QuarantineCell]


def read_lake(s3: "S3Client", bucket: str, held: Iterable[LakeFile]) -> LakeFigures:
    """Return the figures of the hourly and quarantine files among these.

    The files are fetched first: DuckDB's own S3 reader would come as an extension from the network.
    """
    import duckdb  # noqa: PLC0415 - heavy, and only a report needs it

    files = list(held)
    with TemporaryDirectory(prefix="gatehouse-report-") as folder, duckdb.connect() as lake:
        for kind in _SHAPES:
            paths = _fetch(s3, bucket, [file for file in files if file.kind == kind and file.rows], Path(folder))
            _attach(lake, kind, paths)
        return LakeFigures(
            hours=[HourCell(at.replace(tzinfo=UTC), *rest) for at, *rest in lake.execute(_HOURS).fetchall()],
            rules=[Ranked(*row) for row in lake.execute(_RULES).fetchall()],
            hosts=[Ranked(*row) for row in lake.execute(_HOSTS).fetchall()],
            quarantine=[QuarantineCell(*row) for row in lake.execute(_QUARANTINE).fetchall()],
        )


def _fetch(s3: "S3Client", bucket: str, files: list[LakeFile], folder: Path) -> list[str]:
    def fetch(file: LakeFile) -> str:
        # The partition is in the path (event_date=…), so the path is kept.
        path = folder / file.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket=bucket, Key=file.key)["Body"].read())
        return str(path)

    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(fetch, files))


def _attach(lake: "DuckDBPyConnection", kind: FileKind, paths: list[str]) -> None:
    if not paths:
        lake.execute(f"CREATE TABLE {kind} ({_SHAPES[kind]})")
        return
    relation = lake.read_parquet(paths, hive_partitioning=True, union_by_name=True)
    relation.create_view(kind)


_HOURS: Final = """
    SELECT event_date::TIMESTAMP + event_hour * INTERVAL 1 HOUR AS hour, coalesce(action, '(none)') AS action,
           sum(events)::BIGINT AS events
    FROM hourly GROUP BY ALL ORDER BY hour, action
"""
_RULES: Final = f"""
    SELECT coalesce(rule_id, '(no rule)') AS name, coalesce(mode(source), '-') AS detail,
           sum(events)::BIGINT AS events, coalesce(sum(events) FILTER (action = 'block'), 0)::BIGINT AS blocked
    FROM hourly GROUP BY name ORDER BY events DESC, name LIMIT {_TOP}
"""  # noqa: S608 - a constant of this module
_HOSTS: Final = f"""
    SELECT coalesce(client_request_host, '(no host)') AS name, '' AS detail,
           sum(events)::BIGINT AS events, coalesce(sum(events) FILTER (action = 'block'), 0)::BIGINT AS blocked
    FROM hourly GROUP BY name ORDER BY events DESC, name LIMIT {_TOP}
"""  # noqa: S608 - a constant of this module
_QUARANTINE: Final = """
    SELECT reason, field, feed, count(*)::BIGINT AS rows, count(DISTINCT key)::BIGINT AS objects
    FROM quarantine WHERE "row" IS NOT NULL GROUP BY reason, field, feed ORDER BY rows DESC, reason, field, feed
"""
