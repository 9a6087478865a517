"""Drift: what the source sends that its documentation does not know."""

import polars as pl

from firewall_logs import schema
from firewall_logs.contracts import Drift
from firewall_logs.dictionary import Dictionary
from firewall_logs.extras import count_keys


def drift(events: pl.DataFrame, refused: pl.Series, time_forms: dict[str, int]) -> Drift:
    """Count unknown columns and unseen values over the rows that passed all checks; take their forms of time over.

    Args:
        events: The lake's columns that the slice has.
        refused: Positions (UInt32) of rows that did not pass.
        time_forms: Of those that passed.
    """
    return Drift(
        columns=count_keys(_of_passed(events["extra"], refused)) if "extra" in events.columns else {},
        values={
            field.raw: counts
            for field in schema.FIELDS
            if field.known is not None and field.lake in events.columns
            if (counts := _unseen(events[field.lake], field.known, refused))
        },
        time_forms=time_forms,
    )


def _of_passed(extras: pl.Series, refused: pl.Series) -> pl.Series:
    return extras.gather(_passed(extras.is_not_null().arg_true(), refused))


def _unseen(column: pl.Series, known: schema.KnownValues, refused: pl.Series) -> dict[str, int]:
    texts = Dictionary.of(column)
    rows = texts.rows(texts.map(lambda text: text.lower() not in known.values, pl.Boolean()))
    counts = column.gather(_passed(rows, refused)).value_counts(name="rows")
    return dict(sorted(counts.iter_rows()))


def _passed(rows: pl.Series, refused: pl.Series) -> pl.Series:
    return rows.filter(~rows.is_in(refused.implode()))
