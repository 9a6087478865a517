"""Columns as they were read to columns of the lake: the type rules of docs/firewall_logs.md, column by column."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from firewall_logs.dictionary import Dictionary, as_dictionary
from firewall_logs.frames import LAKE_DTYPES
from firewall_logs.plain import decoded, plain_values
from firewall_logs.schema import Field
from firewall_logs.values import CONVERSIONS, Conflict

_INTEGER_TEXT: Final = "^-?[0-9]+$"
_NO_ROWS: Final = pl.Series("row", [], dtype=pl.get_index_type())


@dataclass(frozen=True)
class Converted:
    """A column of the lake.

    Attributes:
        column: With the lake's name; text as String or Categorical, else of the lake's type.
        conflicts: Positions (UInt32) of rows whose value is of another type; their value in `column` is null.
    """

    column: pl.Series
    conflicts: pl.Series


def convert(column: pl.Series, field: Field) -> Converted:
    """Convert a column of any type that parquet has into that of a field.

    Args:
        column: As it was read.
        field: Whose values it holds; not the time field.
    """
    converted = _convert(column, field)
    return Converted(converted.column.alias(field.lake), converted.conflicts)


def _convert(column: pl.Series, field: Field) -> Converted:
    dtype, target = column.dtype, LAKE_DTYPES[field.type]
    if dtype == pl.Null or (isinstance(dtype, pl.List) and dtype == target):
        return Converted(column.cast(target), _NO_ROWS)
    if dtype == pl.Binary:
        # Text without the annotation that says so, as older writers leave it.
        texts = decoded(column)
        lost = (column.is_not_null() & texts.is_null()).arg_true()
        converted = _convert(texts, field)
        return Converted(converted.column, pl.concat([converted.conflicts, lost]))
    if dtype == pl.String or isinstance(dtype, pl.Categorical):
        return _from_text(column, field)
    if dtype.is_integer() and field.type in {"string", "int64"}:
        result = column.cast(target, strict=False)
        return Converted(result, (column.is_not_null() & result.is_null()).arg_true())
    if dtype.is_temporal():
        return Converted(pl.repeat(None, len(column), dtype=target, eager=True), column.is_not_null().arg_true())
    return _one_by_one(column, field)


def _from_text(column: pl.Series, field: Field) -> Converted:
    if field.type == "string":
        return Converted(column, _NO_ROWS)
    repetitive = isinstance(column.dtype, pl.Categorical)
    if not repetitive and field.type != "int64":
        column = as_dictionary(column)
    texts = Dictionary.occurring(column)
    results, conflicts = _integers(texts.values) if field.type == "int64" else _by_rule(texts.values.to_list(), field)
    if field.type == "json" and repetitive:
        # Canonical text is at least as repetitive as the text it was, which the reader found worth a dictionary.
        results = results.cast(column.dtype)
    return Converted(texts.spread(results), texts.rows(conflicts))


def _integers(texts: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Convert texts as `values.int64` does."""
    # to_integer alone would take a plus sign.
    written = texts.str.contains(_INTEGER_TEXT)
    numbers = texts.set(~written.fill_null(value=True), None).str.to_integer(strict=False)
    return numbers, numbers.is_null() & texts.is_not_null() & (texts != "")


def _one_by_one(column: pl.Series, field: Field) -> Converted:
    results, conflicts = _by_rule(plain_values(column), field)
    return Converted(results, conflicts.arg_true())


def _by_rule(values: Any, field: Field) -> tuple[pl.Series, pl.Series]:
    results, conflicts = [], []
    rule = CONVERSIONS[field.type]
    for value in values:
        result, conflict = _judged(rule, value)
        results.append(result)
        conflicts.append(conflict)
    return pl.Series(results, dtype=LAKE_DTYPES[field.type]), pl.Series(conflicts, dtype=pl.Boolean)


def _judged(rule: Callable[[Any], Any], value: Any) -> tuple[Any, bool]:
    try:
        return rule(value), False
    except Conflict:
        return None, True
