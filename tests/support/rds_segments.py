"""Segments for tests of parsers, and what holds for each of them."""

import polars as pl

from database_logs.boundaries.dispatch import cut
from database_logs.log_types import LogType
from database_logs.parsing.dispatch import parse
from database_logs.segments import Origin, Segment


def segment_of(
    log_type: LogType,
    data: bytes,
    start: int = 0,
    *,
    file: str = "f.log",
    time_zone: str = "UTC",
    open_tail: bool = False,
) -> Segment:
    """Return a segment with these bytes of a file."""
    origin = Origin("db-1", "orders-1", "orders", "aurora-mysql", log_type, file, "g1")
    return Segment(origin, start, start + len(data), time_zone=time_zone, open_tail=open_tail)


def bytes_of(frame: pl.DataFrame) -> bytes:
    """Return the bytes that records keep."""
    return b"".join(
        raw.encode() if kept is None else kept for raw, kept in frame.select("raw", "raw_bytes").iter_rows()
    )


def parsed_in_pieces(log_type: LogType, pieces: list[bytes]) -> pl.DataFrame:
    """Return what a log that grows by these pieces is parsed to, each segment alone, the rest when it is closed."""
    frames, kept, offset = [], b"", 0
    for number, piece in enumerate(pieces):
        kept += piece
        complete = len(kept) if number == len(pieces) - 1 else cut(log_type, kept)
        if complete:
            frames.append(parse(segment_of(log_type, kept[:complete], offset), kept[:complete]))
            offset += complete
            kept = kept[complete:]
    return pl.concat(frames) if frames else parse(segment_of(log_type, b""), b"")
