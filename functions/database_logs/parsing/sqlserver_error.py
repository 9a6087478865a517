"""The ERRORLOG of SQL Server.

Grammar: a time local to the server, the source in twelve characters, a text, maybe of several lines. An error says its
number, severity and state in a record of its own, before that of its text (SQL Server documentation, "Database Engine
error severities").
"""

from typing import Final

import polars as pl

from database_logs.boundaries.plain import is_wide, sqlserver_starts
from database_logs.parsing.columns import COMMON
from database_logs.parsing.frames import conform
from database_logs.parsing.records import records
from database_logs.parsing.times import spaced
from database_logs.segments import Segment

# source is `spid52`, `Logon`, `Server` ...; severity is FATAL from level 20, ERROR from 11, INFO below.
SCHEMA: Final = pl.Schema(
    {
        **COMMON,
        "source": pl.String(),
        "message": pl.String(),
        "error_number": pl.Int64(),
        "severity_level": pl.Int64(),
        "state": pl.Int64(),
    }
)

_LINE: Final = r"^\x{feff}?(?P<head>(?P<time>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\.[0-9]{2,}) (?P<source>\S*) *)"
_ERROR: Final = r"\bError: (?P<error>[0-9]+), Severity: (?P<level>[0-9]+), State: (?P<number>[0-9]+)"
_FATAL, _USER_ERROR = 20, 11


def parse(segment: Segment, data: bytes) -> pl.DataFrame:
    """Parse a segment of an ERRORLOG: one row a line with a time and what follows it, with the columns of SCHEMA."""
    found = records(segment, data, sqlserver_starts(data))
    if is_wide(data):
        # The bytes stay beside the text, as no text of UTF-8 gives them back.
        kept = [data[start - segment.start : end - segment.start] for start, end in _offsets(found)]
        read = [piece.decode("utf-16-le", errors="replace") for piece in kept]
        found = found.with_columns(pl.Series("raw", read), pl.Series("raw_bytes", kept))
    raw, level = pl.col("raw"), pl.col("level").cast(pl.Int64(), strict=False)
    parts = (
        found.with_columns(line=raw.str.extract_groups(_LINE))
        .unnest("line")
        .with_columns(event_time=spaced(pl.col("time"), segment.time_zone), error=raw.str.extract_groups(_ERROR))
        .rename({"error": "numbers"})
        .unnest("numbers")
    )
    timed = pl.col("event_time").is_not_null()
    text = raw.str.strip_prefix("\ufeff").str.strip_prefix(pl.col("head")).str.strip_chars_end("\r\n")
    return conform(
        parts,
        {
            "time_source": pl.when(timed).then(pl.lit("line")),
            "severity": pl.when(level >= _FATAL)
            .then(pl.lit("FATAL"))
            .when(level >= _USER_ERROR)
            .then(pl.lit("ERROR"))
            .when(level.is_not_null())
            .then(pl.lit("INFO")),
            "parse_status": pl.when(timed).then(pl.lit("ok")).otherwise(pl.lit("unparsed")),
            "parse_reason": pl.when(~timed).then(pl.lit("no_time")),
            "message": pl.when(timed).then(text),
            "error_number": pl.col("error").cast(pl.Int64(), strict=False),
            "severity_level": level,
            "state": pl.col("number").cast(pl.Int64(), strict=False),
        },
        SCHEMA,
    )


def _offsets(found: pl.DataFrame) -> list[tuple[int, int]]:
    return list(found.select("offset_start", "offset_end").iter_rows())
