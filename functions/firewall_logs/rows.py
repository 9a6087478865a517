"""What reading a raw object gives, whatever its format: batches of rows, and what is known once they are read."""

from collections.abc import Iterator
from typing import Final, Protocol

import polars as pl

from firewall_logs import schema

REASON: Final = pl.Enum(schema.ROW_REASONS)
# Rows that are quarantined: `row` is the position in the object, `raw` the row as it came.
REFUSED: Final = pl.Schema({"row": pl.Int64(), "reason": REASON, "field": pl.String(), "raw": pl.Binary()})


class ObjectDefect(Exception):  # a state of the object, as `object_defect` names it
    """A raw object cannot be read as a whole; its argument is the object reason."""


class Batch(Protocol):
    """Some rows, in the order of the object."""

    @property
    def frame(self) -> pl.DataFrame:
        """Rows whose reading succeeded: documented fields under their raw names, always the time; and `extra`."""

    @property
    def row(self) -> pl.Series:
        """Their positions in the object (Int64)."""

    @property
    def refused(self) -> pl.DataFrame:
        """Rows whose reading failed, by REFUSED."""

    def raw(self, positions: pl.Series) -> pl.Series:
        """Return rows of the frame as they came (Binary)."""


class Reader(Protocol):
    """Reads a slice; the properties are final once all batches are read."""

    def batches(self) -> Iterator[Batch]:
        """Yield the rows.

        Raises:
            ObjectDefect: The object cannot be read as a whole; what was yielded before does not count.
        """

    @property
    def columns_seen(self) -> list[str]:
        """Keys or columns the slice has."""

    @property
    def blank_lines(self) -> int:
        """Lines of white space."""

    @property
    def source_rows(self) -> int:
        """Rows by a count that knows nothing of the batches."""
