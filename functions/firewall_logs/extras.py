"""The `extra` column: what the documentation does not know, kept as canonical JSON."""

from collections import Counter
from collections.abc import Mapping

import polars as pl

from firewall_logs.dictionary import Dictionary
from firewall_logs.plain import plain_values
from firewall_logs.values import canonical, parse_json


def join_members(texts: Mapping[str, pl.Series]) -> pl.Series:
    """Return `extra`: by row a JSON object of the members that have a value there, null where none has (String).

    Args:
        texts: One member at least: by key its values as canonical JSON text, null where there is none.
    """
    members = [canonical(key) + ":" + texts[key] for key in sorted(texts)]
    joined = pl.concat_str(members, separator=",", ignore_nulls=True)
    return pl.select(extra=pl.when(joined != "").then(pl.concat_str(pl.lit("{"), joined, pl.lit("}")))).to_series()


def json_texts(column: pl.Series) -> pl.Series:
    """Return the values of a column of any type as canonical JSON text."""
    if column.dtype == pl.String or isinstance(column.dtype, pl.Categorical):
        texts = Dictionary.of(column)
        return texts.spread(texts.map(canonical, pl.String()))
    return pl.Series([None if value is None else canonical(value) for value in plain_values(column)], dtype=pl.String)


def count_keys(extras: pl.Series) -> dict[str, int]:
    """Count the rows that have each key, over a column of `extra`."""
    counts: Counter[str] = Counter()
    for text, rows in extras.drop_nulls().value_counts(name="rows").iter_rows():
        for key in parse_json(text):
            counts[key] += rows
    return dict(sorted(counts.items()))
