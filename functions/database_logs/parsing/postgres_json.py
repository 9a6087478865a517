"""PostgreSQL's jsonlog (from version 15): one object a line, without the keys that have no value."""

import io
import json
from typing import Final

import polars as pl

from database_logs.boundaries.postgres_json import BEGIN, starts
from database_logs.parsing.postgres_bodies import bodies
from database_logs.parsing.postgres_columns import SCHEMA
from database_logs.parsing.postgres_fields import with_times
from database_logs.parsing.records import records
from database_logs.segments import Segment

# PostgreSQL manual, "Using JSON-Format Log Output".
_KEYS: Final = {
    "timestamp": "log_time",
    "user": "user_name",
    "dbname": "database_name",
    "pid": "process_id",
    "remote_host": "client_host",
    "remote_port": "client_port",
    "session_id": "session_id",
    "line_num": "session_line",
    "ps": "command_tag",
    "session_start": "session_start",
    "vxid": "virtual_transaction_id",
    "txid": "transaction_id",
    "error_severity": "severity",
    "state_code": "sqlstate",
    "message": "message",
    "detail": "detail",
    "hint": "hint",
    "internal_query": "internal_query",
    "internal_position": "internal_query_position",
    "context": "context",
    "statement": "query",
    "cursor_position": "query_position",
    "func_name": "function",
    "file_name": "source_file",
    "file_line_num": "source_line",
    "application_name": "application_name",
    "backend_type": "backend_type",
    "leader_pid": "leader_pid",
    "query_id": "query_id",
}
# Numbers too: one that does not fit its column is null then, and its record is read all the same.
_STRINGS: Final = pl.Schema(dict.fromkeys(_KEYS, pl.String()))


def parse(segment: Segment, data: bytes) -> pl.DataFrame:
    """Return the records of a segment (columns and types of `SCHEMA`), in order.

    Lines that are no object of the server's, a run of them together, are a row without fields (`parse_status` unparsed,
    `parse_reason` no_object).
    """
    common = records(segment, data, starts(data))
    read = _objects(common["raw"]).rename(_KEYS)
    place = pl.concat_str("source_file", pl.lit(":"), pl.col("source_line").cast(pl.String))
    located = pl.concat_str("function", pl.lit(", "), place).alias("location")
    whole = pl.col("log_time").is_not_null()
    frame = pl.concat([common, read], how="horizontal").with_columns(
        located,
        pl.when(whole).then(pl.lit("ok")).otherwise(pl.lit("unparsed")).alias("parse_status"),
        pl.when(~whole).then(pl.lit("no_object")).alias("parse_reason"),
    )
    return bodies(with_times(frame, segment.time_zone)).select(SCHEMA.names()).cast(SCHEMA, strict=False)


def _objects(raw: pl.Series) -> pl.DataFrame:
    """Return the keys of each line; null where it is no object."""
    # Each line that polars cannot read costs some attempts.
    whole = raw.str.starts_with(BEGIN.decode()) & raw.str.strip_chars_end(" \r\n").str.ends_with("}")
    lines = raw.to_frame("line").with_row_index("row").filter(whole)
    read = lines.select("row").hstack(_read(lines["line"]))
    return (
        raw.to_frame("line")
        .with_row_index("row")
        .join(read, on="row", how="left", maintain_order="left")
        .drop("row", "line")
    )


def _read(lines: pl.Series) -> pl.DataFrame:
    """Return the keys of lines that may be objects, null for lines that are none."""
    try:
        return pl.read_ndjson(io.BytesIO("".join(lines).encode()), schema=_STRINGS)
    except pl.exceptions.PolarsError:
        # It does not say which line it cannot read. To look for them by halves takes minutes for one in a hundred.
        sound = pl.Series([_is_sound(line) for line in lines])
        if not sound.all():
            places = pl.select(pl.when(sound).then(sound.cum_sum() - 1)).to_series()
            return _read(lines.filter(sound)).select(pl.all().gather(places))
        if len(lines) == 1:
            return pl.DataFrame([{}], schema=_STRINGS)
        half = len(lines) // 2
        return pl.concat([_read(lines[:half]), _read(lines[half:])])


def _is_sound(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True
