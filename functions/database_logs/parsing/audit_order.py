"""Audit events in the order in which they happened, whichever of the rotating files they went to."""

from collections.abc import Sequence
from typing import Final

import polars as pl

_FILE: Final = ("dbi_resource_id", "file", "generation")


def in_time_order(frames: Sequence[pl.LazyFrame]) -> pl.LazyFrame:
    """Merge frames of audit logs by event_time; of one microsecond in the order of their files and offsets.

    Aurora writes four files at a time, each in order (Aurora user guide, "Advanced Auditing"). A record that has no
    time stays behind the one before it in its file.

    Args:
        frames: With the columns of mysql_audit, of any instances; at least one.
    """
    records = pl.concat(frames).sort(*_FILE, "offset_start")
    behind = pl.col("event_time").forward_fill().over(_FILE)
    return (
        records.with_columns(behind.alias("order"))
        .sort("order", *_FILE, "offset_start", nulls_last=False)
        .drop("order")
    )
