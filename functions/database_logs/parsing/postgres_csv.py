"""PostgreSQL's csvlog, of any version: its columns are known by their number."""

import io
from typing import Final

import polars as pl

from database_logs.boundaries.postgres_csv import BEGIN, CANDIDATE, HEAD
from database_logs.parsing.postgres_bodies import bodies
from database_logs.parsing.postgres_columns import SCHEMA
from database_logs.parsing.postgres_fields import with_times
from database_logs.parsing.records import Text, records
from database_logs.segments import Segment

# PostgreSQL manual, "Using CSV-Format Log Output": 23 columns up to version 12, one more in 13, two more from 14.
_COLUMNS: Final = (
    *("log_time", "user_name", "database_name", "process_id", "connection_from", "session_id", "session_line"),
    *("command_tag", "session_start", "virtual_transaction_id", "transaction_id", "severity", "sqlstate", "message"),
    *("detail", "hint", "internal_query", "internal_query_position", "context", "query", "query_position"),
    *("location", "application_name", "backend_type", "leader_pid", "query_id"),
)
_COUNTS: Final = (26, 24, 23)
_FIELD: Final = r'(?:"(?:[^"]|"")*"|[^",\r\n]*)'
_CUT: Final = rf'(?s)^{HEAD}(?P<message>(?:"(?:[^"]|"")*"?)?)'
_FROM: Final = r"^(?P<client_host>.*?)(?::(?P<client_port>[0-9]+))?$"


def parse(segment: Segment, data: bytes) -> pl.DataFrame:
    """Return the records of a segment (columns and types of `SCHEMA`), in order.

    A record that is cut, or that has another number of columns, gives what it has up to its message (`parse_status`
    unparsed, `parse_reason` columns_differ); a line before the first record gives nothing (no_record).
    """
    starts = _starts(data)
    common = records(segment, data, starts)
    read = _fields(common["raw"])
    remote = read["connection_from"].str.extract_groups(_FROM).struct.unnest()
    frame = pl.concat([common, read.drop("connection_from"), remote], how="horizontal")
    return bodies(with_times(frame, segment.time_zone)).select(SCHEMA.names()).cast(SCHEMA, strict=False)


def _starts(data: bytes) -> list[int]:
    if not data:
        return []
    starts = pl.Series([0, *(match.end() for match in CANDIDATE.finditer(data))], dtype=pl.Int64)
    text = Text(data).pieces(starts)["raw"]
    return starts.filter(text.str.contains(f"^{BEGIN}") | (starts == 0)).to_list()


def _fields(raw: pl.Series) -> pl.DataFrame:
    """Return the columns of each record as strings, with parse_status and parse_reason."""
    left = raw.to_frame("raw").with_row_index("row")
    parts = []
    for count in _COUNTS:
        fits = left["raw"].str.contains(rf"^(?:{_FIELD},){{{count - 1}}}{_FIELD}\r?\n?$")
        if fits.any():
            whole = left.filter(fits)
            read = pl.read_csv(
                io.BytesIO("".join(whole["raw"]).encode()),
                has_header=False,
                infer_schema=False,
                new_columns=_COLUMNS[:count],
            )
            parts.append(
                read.with_columns(whole["row"], parse_status=pl.lit("ok"), parse_reason=pl.lit(None, pl.String))
            )
            left = left.filter(~fits)
    cut = left.select("row", pl.col("raw").str.extract_groups(_CUT)).unnest("raw")
    names = ("user_name", "database_name", "connection_from", "command_tag", "message")
    ended = pl.col(names).str.strip_chars_end("\r\n").str.strip_suffix('"')
    unquoted = ended.str.strip_prefix('"').str.replace_all('""', '"', literal=True)
    parts.append(
        cut.with_columns(
            unquoted,
            parse_status=pl.lit("unparsed"),
            parse_reason=pl.when(pl.col("log_time").is_null())
            .then(pl.lit("no_record"))
            .otherwise(pl.lit("columns_differ")),
        )
    )
    fields = pl.concat(parts, how="diagonal").sort("row").drop("row")
    missing = [pl.lit(None, pl.String).alias(name) for name in _COLUMNS if name not in fields.columns]
    return fields.with_columns(missing)
