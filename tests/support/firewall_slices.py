"""Running the transform on small raw objects, and reading what it wrote as plain rows."""

import gzip
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from firewall_logs.transform import Outcome, transform
from tests.support.firewall import a_slice


@dataclass(frozen=True)
class Written:
    """What a slice became.

    Attributes:
        events: Rows of all events files, in order of date and position.
        hourly: Rows of all hourly files, in the same order.
        quarantine: Rows of the quarantine file.
    """

    outcome: Outcome
    events: list[dict[str, Any]]
    hourly: list[dict[str, Any]]
    quarantine: list[dict[str, Any]]


def transformed(folder: Path, raw: bytes, **given: Any) -> Written:
    """Return what the bytes of a raw object become.

    Args:
        folder: For the files; what it holds is removed.
        raw: The object.
        given: What the slice has of its own.
    """
    shutil.rmtree(folder, ignore_errors=True)
    out = folder / "out"
    out.mkdir(parents=True)
    path = folder / "raw"
    path.write_bytes(raw)
    return written(transform(a_slice(**given), path, out))


def of_lines(folder: Path, *lines: bytes | str, **given: Any) -> Written:
    """Return what lines become, each ended by a line feed."""
    encoded = [line if isinstance(line, bytes) else line.encode() for line in lines]
    whole = b"".join(line + b"\n" for line in encoded)
    return transformed(folder, gzip.compress(whole, mtime=0), **{"format": "ndjson.gz", **given})


def of_frame(folder: Path, frame: pl.DataFrame, **given: Any) -> Written:
    """Return what a frame becomes that is written as a raw parquet object."""
    path = folder.with_suffix(".parquet")
    frame.write_parquet(path)
    return transformed(folder, path.read_bytes(), **given)


def written(outcome: Outcome) -> Written:
    """Read the files of an outcome."""
    rows: dict[str, list[dict[str, Any]]] = {"events": [], "hourly": [], "quarantine": []}
    for file in outcome.files:
        rows[file.kind] += list(_rows(file.path, file.event_date))
    return Written(outcome, rows["events"], rows["hourly"], rows["quarantine"])


def _rows(path: Path, event_date: Any) -> Iterator[dict[str, Any]]:
    frame = pl.read_parquet(path, hive_partitioning=False)
    if "event_time" in frame.columns:
        frame = frame.with_columns(pl.col("event_time").to_physical())
    for row in frame.iter_rows(named=True):
        yield row if event_date is None else {"event_date": event_date, **row}
