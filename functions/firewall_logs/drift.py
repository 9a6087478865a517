"""Drift: what the source sends that its documentation does not know."""

import polars as pl

from firewall_logs import schema
from firewall_logs.contracts import Drift
from firewall_logs.extras import count_keys


def drift(events: pl.DataFrame, time_forms: pl.Series, passed: pl.Series) -> Drift:
    """Count unknown columns, unseen values and forms of time over the rows at the positions that passed all checks."""
    return Drift(
        columns=count_keys(events["extra"].gather(passed)) if "extra" in events.columns else {},
        values={
            field.raw: counts
            for field in schema.FIELDS
            if field.known is not None and field.lake in events.columns
            if (counts := _unseen(events[field.lake], passed, field.known))
        },
        time_forms=_counts(time_forms.gather(passed)),
    )


def _unseen(column: pl.Series, passed: pl.Series, known: schema.KnownValues) -> dict[str, int]:
    counts = _counts(column.gather(passed))
    return {value: rows for value, rows in counts.items() if value.lower() not in known.values}


def _counts(values: pl.Series) -> dict[str, int]:
    counted = values.drop_nulls().value_counts(name="rows")
    return dict(sorted(counted.iter_rows()))
