"""Which columns of text are kept as dictionaries while a slice is worked on."""

from collections.abc import Mapping
from typing import Final

import polars as pl
from polars.exceptions import ComputeError

from firewall_logs.dictionary import encoding, wide

SAMPLE_ROWS: Final = 65_536
# A dictionary of texts that are mostly distinct only costs: RayID, sometimes ClientIP.
_DISTINCT_SHARE: Final = 0.5


class Encodings:
    """Decides for each column of text when it first sees it, from what it sees."""

    def __init__(self, decided: Mapping[str, pl.DataType] | None = None) -> None:
        """Start with what is decided already."""
        self._dtypes = dict(decided or {})

    def apply(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with its columns of text as they are to be kept.

        A column stays as it was decided, unless it turns out to have more texts than codes of one byte can tell apart.
        """
        return frame.with_columns(self._encoded(each) for each in frame.get_columns() if each.dtype == pl.String)

    def _encoded(self, column: pl.Series) -> pl.Series:
        name = column.name
        if name not in self._dtypes:
            self._dtypes[name] = repetitive(column) or pl.String()
        try:
            return column.cast(self._dtypes[name])
        except ComputeError:
            self._dtypes[name] = wide()
            return column.cast(self._dtypes[name])


def repetitive(texts: pl.Series) -> pl.Categorical | None:
    """Return how a column of text is kept by the first SAMPLE_ROWS of a slice; None: as text."""
    sample = texts.head(SAMPLE_ROWS)
    distinct = sample.n_unique()
    return encoding(distinct) if distinct <= max(1, sample.len() * _DISTINCT_SHARE) else None
