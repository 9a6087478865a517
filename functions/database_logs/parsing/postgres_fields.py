"""Fields that csvlog and jsonlog name, to the columns of a record."""

from typing import Final

import polars as pl

from database_logs.parsing.postgres_columns import SESSION, TEXTS
from database_logs.parsing.postgres_times import instants

# "2026-01-01 00:00:00.001 UTC" and, without fraction, the start of a session.
_TIME: Final = r"^(?P<stamp>\S+ \S+?) (?P<zone>\S+)$"


def with_times(frame: pl.DataFrame, time_zone: str) -> pl.DataFrame:
    """Return the frame with event_time, session_start and their source, and every column of a PostgreSQL record.

    Args:
        frame: Strings under the names of `SESSION` and `TEXTS`, missing where the format has none; log_time; severity;
            parse_status and parse_reason as far as they are known.
        time_zone: IANA name of the zone that abbreviations are taken from.
    """
    found = {}
    for source, name in (("log_time", "event_time"), ("session_start", "session_start")):
        parts = frame[source].str.extract_groups(_TIME).struct.unnest()
        found[name] = instants(parts["stamp"], parts["zone"], time_zone).alias(name)
    frame = frame.with_columns(*found.values())
    columns = {**SESSION, **TEXTS}
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in columns.items() if name not in frame.columns]
    numbers = [name for name, dtype in columns.items() if dtype.is_integer() and name in frame.columns]
    known = pl.col("event_time").is_not_null()
    undated = ~known & pl.col("log_time").is_not_null() & pl.col("parse_reason").is_null()
    return frame.with_columns(
        *missing,
        pl.col(numbers).cast(pl.Int64, strict=False),
        pl.col([name for name, dtype in columns.items() if dtype == pl.String and name in frame.columns]).replace(
            "", None
        ),
        pl.when(known).then(pl.lit("line")).alias("time_source"),
        pl.when(undated).then(pl.lit("time_zone_unknown")).otherwise("parse_reason").alias("parse_reason"),
        pl.lit(None, pl.String).alias("parent_event_id"),
    ).with_columns(pl.col("user_name", "database_name", "application_name").replace("[unknown]", None))
