"""The `extra` column: what the documentation does not know, kept as canonical JSON."""

from collections import Counter

import polars as pl

from firewall_logs.dictionary import Dictionary
from firewall_logs.plain import plain_values
from firewall_logs.values import canonical, parse_json


def extra(unknown: pl.DataFrame) -> pl.Series:
    """Return by row a JSON object of the columns (one at least) that have a value there, else null (String)."""
    members = [_members(unknown[name]) for name in sorted(unknown.columns)]
    joined = pl.concat_str(members, separator=",", ignore_nulls=True)
    return pl.select(extra=pl.when(joined != "").then(pl.concat_str(pl.lit("{"), joined, pl.lit("}")))).to_series()


def count_keys(extras: pl.Series) -> dict[str, int]:
    """Count the rows that have each key, over a column of `extra`."""
    counts: Counter[str] = Counter()
    distinct = extras.drop_nulls().value_counts(name="rows")
    for text, rows in distinct.iter_rows():
        for key in parse_json(text):
            counts[key] += rows
    return dict(sorted(counts.items()))


def _members(column: pl.Series) -> pl.Series:
    """Return `"name":value` by row, null where there is no value."""
    if column.dtype == pl.String or isinstance(column.dtype, pl.Categorical):
        texts = Dictionary.of(column)
        values = texts.spread(texts.map(canonical, pl.String()))
    else:
        values = pl.Series([None if v is None else canonical(v) for v in plain_values(column)], dtype=pl.String)
    return canonical(column.name) + ":" + values
