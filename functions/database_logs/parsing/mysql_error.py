"""The error log of MySQL 5.6 to 8.4 and MariaDB.

Grammar: MySQL manual, "Error Log Output Format" (traditional sink); MariaDB manual, "Error Log". What Aurora mixes in,
lines of agents and SQL of upgrades, belongs to the message before.
"""

from typing import Final

import polars as pl

from database_logs.boundaries.mysql import ERROR_LINE, error_starts
from database_logs.parsing.columns import COMMON
from database_logs.parsing.frames import conform
from database_logs.parsing.records import line_records
from database_logs.parsing.times import rfc3339, short, spaced
from database_logs.segments import Segment

# severity is System, Error, Warning or Note, in capitals; code is MySQL's, `MY-010116`; message has all lines.
SCHEMA: Final = pl.Schema(
    {
        **COMMON,
        "thread_id": pl.Int64(),
        "code": pl.String(),
        "subsystem": pl.String(),
        "message": pl.String(),
    }
)

_LINE: Final = (
    r"^(?P<head>(?P<time>[0-9]{4}-[0-9-]{5}T[^ ]+|[0-9]{4}-[0-9-]{5} [ 0-9][0-9:]+|[0-9]{6} [ 0-9][0-9:]+)"
    r"(?: (?P<thread>(?:0x)?[0-9a-f]+))? (?:\[(?P<level>System|Warning|Note|Error|ERROR|FATAL)\] )?"
    r"(?:\[(?P<code>MY-[0-9]+)\] \[(?P<subsystem>[^\]\n]*)\] )?)"
)
_BEGINS: Final = f"^(?:{ERROR_LINE})"


def parse(segment: Segment, data: bytes) -> pl.DataFrame:
    """Parse a segment of an error log: one row a message, with the columns of SCHEMA."""
    raw, time = pl.col("raw"), pl.col("time")
    parts = (
        line_records(segment, data, _BEGINS, error_starts)
        .with_columns(line=raw.str.extract_groups(_LINE))
        .unnest("line")
        .with_columns(
            event_time=pl.coalesce(rfc3339(time), spaced(time, segment.time_zone), short(time, segment.time_zone))
        )
    )
    timed = pl.col("event_time").is_not_null()
    text = raw.str.strip_prefix(pl.col("head")).str.strip_chars_end("\r\n")
    return conform(
        parts,
        {
            "time_source": pl.when(timed).then(pl.lit("line")),
            "severity": pl.col("level").str.to_uppercase(),
            "parse_status": pl.when(timed).then(pl.lit("ok")).otherwise(pl.lit("unparsed")),
            "parse_reason": pl.when(~timed).then(pl.lit("no_time")),
            "thread_id": pl.col("thread").cast(pl.Int64(), strict=False),
            "message": pl.when(timed).then(text),
        },
        SCHEMA,
    )
