"""PostgreSQL's logs for tests: segments of them, and lines as the server writes them."""

from collections.abc import Callable
from typing import Any

import polars as pl

from database_logs.log_types import LogType
from database_logs.parsing import postgres_csv, postgres_json, postgres_stderr
from database_logs.segments import Origin, Segment

RDS_PREFIX = "%t:%r:%u@%d:[%p]:"
_PARSERS = {
    LogType.POSTGRES_STDERR: postgres_stderr.parse,
    LogType.POSTGRES_CSV: postgres_csv.parse,
    LogType.POSTGRES_JSON: postgres_json.parse,
}


def segment_of(data: bytes, log_type: LogType = LogType.POSTGRES_STDERR, start: int = 0, **options: Any) -> Segment:
    """Return a segment with these bytes of a file."""
    origin = Origin("db-PG", "orders-1", "orders", "aurora-postgresql", log_type, "error/postgresql.log", "g1")
    return Segment(origin, start, start + len(data), **options)


def parsed(data: bytes, log_type: LogType = LogType.POSTGRES_STDERR, start: int = 0, **options: Any) -> pl.DataFrame:
    """Return the records of these bytes."""
    return _PARSERS[log_type](segment_of(data, log_type, start, **options), data)


def record(text: str, **options: Any) -> dict[str, Any]:
    """Return the one record of these lines."""
    found: dict[str, Any] = parsed(text.encode(), **options).row(0, named=True)
    return found


def line(label: str, text: str, process: int = 7, who: str = "10.0.0.1(5432):app@shop") -> str:
    """Return a line of the log with RDS' prefix, and the further lines of its text."""
    indented = text.replace("\n", "\n\t")
    return f"2026-01-01 10:00:00 UTC:{who}:[{process}]:{label}:  {indented}\n"


def bytes_of(frame: pl.DataFrame) -> bytes:
    """Return the bytes that records keep."""
    return b"".join(
        raw.encode() if kept is None else kept for raw, kept in frame.select("raw", "raw_bytes").iter_rows()
    )


def parsed_in_pieces(
    pieces: list[bytes], cut: Callable[[bytes], int], log_type: LogType = LogType.POSTGRES_STDERR
) -> pl.DataFrame:
    """Return the records of a log that grows by these pieces: each cut alone, the rest when the log is closed."""
    frames, kept, start = [parsed(b"", log_type)], b"", 0
    for number, piece in enumerate(pieces):
        kept += piece
        complete = len(kept) if number == len(pieces) - 1 else cut(kept)
        frames.append(parsed(kept[:complete], log_type, start))
        start += complete
        kept = kept[complete:]
    return pl.concat(frames)
