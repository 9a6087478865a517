"""The alert log of Oracle: a line that is a time, then the lines of what happened.

Grammar: Oracle Database Administrator's Guide, "Monitoring Errors with Trace Files and the Alert Log"; times are ISO
8601 with offset from 12.2, before that `Wed May 01 10:00:00 2024`, local to the server.
"""

from typing import Final

import polars as pl

from database_logs.boundaries.plain import oracle_starts
from database_logs.parsing.columns import COMMON
from database_logs.parsing.frames import conform
from database_logs.parsing.records import records
from database_logs.parsing.times import named_day, rfc3339
from database_logs.segments import Segment

# codes are those in the text, `ORA-00600`, each once, in order; a record with one has severity ERROR.
SCHEMA: Final = pl.Schema({**COMMON, "message": pl.String(), "codes": pl.List(pl.String())})

_TIME: Final = r"^([0-9]{4}-[^ \r\n]{14,}|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) [^\r\n]{19,21}?)[ ]*\r?\n"


def parse(segment: Segment, data: bytes) -> pl.DataFrame:
    """Parse a segment of an alert log: one row a time and what follows it, with the columns of SCHEMA."""
    raw, time = pl.col("raw"), pl.col("time")
    parts = (
        records(segment, data, oracle_starts(data))
        .with_columns(time=raw.str.extract(_TIME), codes=raw.str.extract_all("ORA-[0-9]{5}"))
        .with_columns(event_time=pl.coalesce(rfc3339(time), named_day(time, segment.time_zone)))
    )
    timed, codes = pl.col("event_time").is_not_null(), pl.col("codes")
    return conform(
        parts,
        {
            "time_source": pl.when(timed).then(pl.lit("line")),
            "severity": pl.when(codes.list.len() > 0)
            .then(pl.lit("ERROR"))
            .when(raw.str.contains("(?m)^WARNING"))
            .then(pl.lit("WARNING")),
            "parse_status": pl.when(timed).then(pl.lit("ok")).otherwise(pl.lit("unparsed")),
            "parse_reason": pl.when(~timed).then(pl.lit("no_time")),
            "message": pl.when(timed).then(raw.str.strip_prefix(time).str.strip_chars(" \r\n")),
            "codes": pl.when(codes.list.len() > 0).then(codes.list.unique(maintain_order=True)),
        },
        SCHEMA,
    )
