"""Parts of a digest added up: what a digest needs of them, and no more, so that many parts are little.

A part has each statement's texts in each of its rows; a tally has them once. Tallies merge by adding, in any order, and
are cut by ranges of the fingerprint's id, an MD5, so that ranges are of about one size.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Self

import polars as pl

from database_logs.digest import PART, slowest

_ID: Final = "fingerprint_id"
_STATEMENTS: Final = [name for name in PART.names() if name not in {"instance_id", "database", "bucket"}]
_BUCKETS: Final = [_ID, "bucket", "calls", "query_time_min", "query_time_max"]
_INSTANCES: Final = [_ID, "instance_id", "calls", "query_time_sum"]
_DATABASES: Final = [_ID, "database"]
# Hexadecimal digits of the id that say its range, and how many ranges there can be by them.
_RANGE_DIGITS: Final = 3
MOST_RANGES: Final = 16**_RANGE_DIGITS


@dataclass(frozen=True)
class Tally:
    """What some parts come to; columns are those of `digest.PART`.

    Attributes:
        statements: One row a fingerprint: its texts, calls, metrics, when it was seen first and last.
        buckets: One row a fingerprint and bucket: calls, least and greatest query_time.
        instances: One row a fingerprint and instance: calls and the sum of query_time.
        databases: One row a fingerprint and database.
    """

    statements: pl.DataFrame
    buckets: pl.DataFrame
    instances: pl.DataFrame
    databases: pl.DataFrame

    @classmethod
    def of_part(cls, part: pl.DataFrame) -> Self:
        """Return what a part has, for `merge`, which adds its rows up."""
        return cls(*(part.select(names) for names in (_STATEMENTS, _BUCKETS, _INSTANCES, _DATABASES)))

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Return the tally that `write` made these bytes of."""
        whole = pl.read_parquet(io.BytesIO(body))
        tables = (whole.select(_ID, pl.col(name)).explode(name).unnest(name) for name in _TABLES)
        return cls(whole.drop(_TABLES), *tables)

    def write(self) -> bytes:
        """Return a parquet file of one row a fingerprint, with lists of its buckets, instances and databases."""
        whole = self.statements
        for name in _TABLES:
            lists = getattr(self, name).group_by(_ID, maintain_order=True).agg(pl.struct(pl.exclude(_ID)).alias(name))
            whole = whole.join(lists, on=_ID, how="left", maintain_order="left")
        buffer = io.BytesIO()
        whole.write_parquet(buffer, compression="zstd")
        return buffer.getvalue()

    def ranges(self, count: int) -> list["Tally"]:
        """Return the tallies of ranges of the fingerprint's id.

        Args:
            count: Of the ranges: a power of two, at most MOST_RANGES.
        """
        place = pl.col(_ID).str.head(_RANGE_DIGITS).str.to_integer(base=16, strict=True) * count // MOST_RANGES
        parted = [
            table.with_columns(place.alias("range")).partition_by("range", as_dict=True, include_key=False)
            for table in self._tables()
        ]
        nothing = [table.clear() for table in self._tables()]
        return [
            Tally(*(part.get((number,), empty) for part, empty in zip(parted, nothing, strict=True)))
            for number in range(count)
        ]

    @property
    def size(self) -> int:
        """Bytes in memory, about."""
        return sum(int(table.estimated_size()) for table in self._tables())

    def _tables(self) -> list[pl.DataFrame]:
        return [getattr(self, field.name) for field in fields(self)]


_TABLES: Final = [field.name for field in fields(Tally)][1:]


def merge(tallies: Sequence[Tally]) -> Tally:
    """Add tallies up to one; it does not matter which were added first.

    Sums of seconds are exact but for the last digits of a floating-point number.
    """
    sums = [Tally.of_part(PART.to_frame()), *tallies]
    return Tally(
        _added([each.statements for each in sums], [_ID]),
        _added([each.buckets for each in sums], [_ID, "bucket"]),
        _added([each.instances for each in sums], [_ID, "instance_id"]),
        _added([each.databases for each in sums], _DATABASES),
    )


def added(table: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Add up rows of equal key, ordered by it: each column by what its name says that it is."""
    values = [_sum(name) for name in table.columns if name not in key]
    return table.group_by(key).agg(values).select(table.columns).sort(key)


def _added(tables: Sequence[pl.DataFrame], key: Sequence[str]) -> pl.DataFrame:
    return added(pl.concat(tables), key)


def _sum(name: str) -> pl.Expr:
    column = pl.col(name)
    if name == "sample":
        return slowest(column, "query_time_max")
    # Of texts of a fingerprint one that was cut where it was in doubt is behind a whole one.
    if name in {"first_seen", "fingerprint"} or name.endswith("_min"):
        return column.min()
    if name == "last_seen" or name.endswith("_max"):
        return column.max()
    return column.sum()
