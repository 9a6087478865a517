"""Drift: what the source sends that its documentation does not know."""

from typing import Final

import polars as pl

from firewall_logs import schema
from firewall_logs.contracts import Drift
from firewall_logs.extras import count_keys

_TELLING: Final = ("extra", *(field.lake for field in schema.FIELDS if field.known is not None))


def drift(events: pl.DataFrame, passed: pl.Series, time_forms: dict[str, int]) -> Drift:
    """Count unknown columns and unseen values over the rows that passed all checks; take their forms of time over."""
    events = events.select(pl.col(name).gather(passed) for name in _TELLING if name in events.columns)
    return Drift(
        columns=count_keys(events["extra"]) if "extra" in events.columns else {},
        values={
            field.raw: counts
            for field in schema.FIELDS
            if field.known is not None and field.lake in events.columns
            if (counts := _unseen(events[field.lake], field.known))
        },
        time_forms=time_forms,
    )


def _unseen(column: pl.Series, known: schema.KnownValues) -> dict[str, int]:
    counts = column.drop_nulls().value_counts(name="rows")
    return {value: rows for value, rows in sorted(counts.iter_rows()) if value.lower() not in known.values}
