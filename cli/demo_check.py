"""Holds what the application says and what the lake holds against what the generator planted."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from cli.reports.evidence import Evidence
from firewall_logs.contracts import LakeFile, Manifest

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from demo.plant import Planted, PlantedObject

_READERS: Final = 16
# Kinds of files whose rows are compared with what was planted.
_COUNTED: Final = ("events", "hourly", "quarantine")

Cell = tuple[str, int, str]


@dataclass(frozen=True)
class Difference:
    """A number that is not what was planted."""

    where: str
    what: str
    planted: object
    found: object

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: planted {self.planted}, found {self.found}"


@dataclass(frozen=True)
class LakeCount:
    """What DuckDB counts in the lake's own files.

    Attributes:
        events: Rows by date, hour and action, from the events.
        hourly: The same from the hourly counts.
        bad_rows: (position, reason) of each quarantined row, by raw key.
    """

    events: Mapping[Cell, int]
    hourly: Mapping[Cell, int]
    bad_rows: Mapping[str, list[tuple[int, str]]]


def count_lake(s3: "S3Client", bucket: str, held: Iterable[LakeFile]) -> LakeCount:
    """Count the rows of all files that are the lake."""
    import duckdb  # noqa: PLC0415 - heavy

    files = [file for file in held if file.rows and file.kind in _COUNTED]
    with TemporaryDirectory(prefix="gatehouse-demo-") as folder, duckdb.connect() as lake:
        paths = _fetch(s3, bucket, files, Path(folder))

        def rows(query: str, kind: str) -> list[tuple[Any, ...]]:
            if not paths[kind]:
                return []
            lake.read_parquet(paths[kind], hive_partitioning=True, union_by_name=True).create_view(kind)
            return lake.execute(query).fetchall()

        bad: dict[str, list[tuple[int, str]]] = defaultdict(list)
        for key, row, reason in rows(_BAD_ROWS, "quarantine"):
            bad[key].append((row, reason))
        return LakeCount(
            events={(day, hour, action): count for day, hour, action, count in rows(_EVENTS, "events")},
            hourly={(day, hour, action): count for day, hour, action, count in rows(_HOURLY, "hourly")},
            bad_rows=bad,
        )


def compare(planted: "Planted", evidence: Evidence, lake: LakeCount) -> list[Difference]:
    """Return every difference; an empty list is the demo's success."""
    return [
        *_objects(planted, evidence),
        *_totals(planted, evidence),
        *_cells("events of the lake", planted, lake.events),
        *_cells("hourly counts of the lake", planted, lake.hourly),
        *_bad_rows(planted, lake),
    ]


# ---------------------------------------------------------------- what the application says


def _objects(planted: "Planted", evidence: Evidence) -> Iterator[Difference]:
    committed = {manifest.source.key: manifest for manifest in evidence.manifests.values()}
    if len(committed) != len(evidence.manifests):
        yield Difference("manifests", "objects", len(committed), len(evidence.manifests))
    blank = _blank_lines(evidence)
    for each in planted.objects:
        manifest = committed.pop(each.key, None)
        if each.ignored or manifest is None:
            if each.ignored != (manifest is None):
                yield Difference(each.key, "manifest", *(("none", "one") if each.ignored else ("one", "none")))
            continue
        found = _figures(manifest) | {"blank lines": blank[each.key]}
        for what, expected in _expected(each).items():
            if found[what] != expected:
                yield Difference(each.key, what, expected, found[what])
    for key in committed:
        yield Difference(key, "manifest", "none", "one")


def _expected(each: "PlantedObject") -> dict[str, object]:
    return {
        "rows in": each.rows_in,
        "rows out": each.rows_out,
        "quarantined": each.quarantined,
        "duplicates": each.duplicates,
        "defect": each.defect,
        "unknown columns": each.unknown_columns,
        "unknown values": each.unknown_values,
        "blank lines": each.blank_lines,
    }


def _figures(manifest: Manifest) -> dict[str, object]:
    account = manifest.account
    return {
        "rows in": account.rows_in,
        "rows out": account.rows_out,
        "quarantined": manifest.quarantined_by_reason,
        "duplicates": account.duplicates,
        "defect": manifest.object_defect,
        "unknown columns": manifest.drift.columns,
        "unknown values": manifest.drift.values,
    }


def _blank_lines(evidence: Evidence) -> Counter[str]:
    # A manifest does not carry them: they are no rows. The receipts do.
    blank: Counter[str] = Counter()
    for receipt in evidence.receipts:
        blank[receipt.proof.source.key] += receipt.proof.blank_lines
    return blank


def _totals(planted: "Planted", evidence: Evidence) -> Iterator[Difference]:
    """Compare the sums, which objects that are equal one by one cannot break unless one counts twice."""
    manifests = list(evidence.manifests.values())
    reasons: Counter[str] = Counter()
    for manifest in manifests:
        reasons.update(manifest.quarantined_by_reason)
    found: dict[str, object] = {
        "rows_in": sum(manifest.account.rows_in for manifest in manifests),
        "rows_out": sum(manifest.account.rows_out for manifest in manifests),
        "duplicates": sum(manifest.account.duplicates for manifest in manifests),
        "quarantined": dict(sorted(reasons.items())),
    }
    for what, value in found.items():
        if value != planted.totals[what]:
            yield Difference("totals", what, planted.totals[what], value)


# ---------------------------------------------------------------- what the lake holds


def _cells(where: str, planted: "Planted", found: Mapping[Cell, int]) -> Iterator[Difference]:
    expected = {
        (each["event_date"], each["event_hour"], each["action"]): each["events"] for each in planted.totals["events"]
    }
    for cell in sorted(expected.keys() | found.keys(), key=str):
        if expected.get(cell, 0) != found.get(cell, 0):
            day, hour, action = cell
            yield Difference(where, f"{action} on {day} at {hour:02d} h", expected.get(cell, 0), found.get(cell, 0))


def _bad_rows(planted: "Planted", lake: LakeCount) -> Iterator[Difference]:
    for each in planted.objects:
        expected, found = sorted(each.bad_rows), sorted(lake.bad_rows.get(each.key, []))
        if expected != found:
            odd = sorted(set(expected) ^ set(found))[:3]
            yield Difference(each.key, f"quarantined rows, the first odd ones {odd}", len(expected), len(found))


def _fetch(s3: "S3Client", bucket: str, files: list[LakeFile], folder: Path) -> dict[str, list[str]]:
    def fetch(file: LakeFile) -> tuple[str, str]:
        path = folder / file.key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket=bucket, Key=file.key)["Body"].read())
        return file.kind, str(path)

    paths: dict[str, list[str]] = {kind: [] for kind in _COUNTED}
    with ThreadPoolExecutor(_READERS) as readers:
        for kind, path in readers.map(fetch, files):
            paths[kind].append(path)
    return paths


_EVENTS: Final = """
    SELECT event_date::VARCHAR, event_hour::INTEGER, action, count(*)::BIGINT FROM events GROUP BY ALL
"""
_HOURLY: Final = """
    SELECT event_date::VARCHAR, event_hour::INTEGER, action, sum(events)::BIGINT FROM hourly GROUP BY ALL
"""
_BAD_ROWS: Final = 'SELECT key, "row", reason FROM quarantine WHERE "row" IS NOT NULL'
