"""Columns that every record of every log has in the lake."""

from typing import Final

import polars as pl

# raw is the record's bytes as UTF-8 with U+FFFD for what is not; raw_bytes holds the bytes themselves only then, so
# that the bytes of the file can be had back from its records. Offsets are bytes of the file, half-open. truncated: cut
# by RDS, as longer than any segment may be, or, in other columns than raw, as longer than frames.LONGEST_TEXT.
COMMON: Final = pl.Schema(
    {
        "dbi_resource_id": pl.String(),
        "instance_id": pl.String(),
        "cluster_id": pl.String(),
        "engine": pl.String(),
        "log_type": pl.String(),
        "file": pl.String(),
        "generation": pl.String(),
        "offset_start": pl.Int64(),
        "offset_end": pl.Int64(),
        "event_id": pl.String(),
        "event_time": pl.Datetime("us", "UTC"),
        "time_source": pl.String(),
        "severity": pl.String(),
        "raw": pl.String(),
        "raw_bytes": pl.Binary(),
        "parse_status": pl.String(),
        "parse_reason": pl.String(),
        "truncated": pl.Boolean(),
        "open_tail": pl.Boolean(),
    }
)
