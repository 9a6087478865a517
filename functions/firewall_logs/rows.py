"""What reading a raw object gives, whatever its format."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl


class ObjectDefect(Exception):  # noqa: N818  # a state of the object, as `object_defect` names it
    """A raw object cannot be read as a whole; its argument is the object reason."""


@dataclass(frozen=True)
class RawRows:
    """The rows of a slice as they were read.

    Attributes:
        frame: Rows whose reading succeeded, in order: the documented fields the object has, under their raw names;
            always the time; and `extra` where it has something.
        row: Their positions in the object (Int64).
        refused: Rows whose reading failed, by `judgement.FINDINGS`; `at` is the position in the object.
        columns_seen: Keys or columns the object has.
        blank_lines: Lines of white space.
        source_rows: Rows by a count that knows nothing of the frame.
        raw: Gives the bytes of rows as they came, by ascending positions in the object (Int64).
    """

    frame: pl.DataFrame
    row: pl.Series
    refused: pl.DataFrame
    columns_seen: list[str]
    blank_lines: int
    source_rows: int
    raw: Callable[[pl.Series], Iterator[bytes]]
