"""Which columns of text are kept as dictionaries while a slice is worked on."""

from typing import Final

import polars as pl

from firewall_logs.dictionary import encoding

SAMPLE_ROWS: Final = 65_536
# A dictionary of texts that are mostly distinct only costs: RayID, sometimes ClientIP.
_DISTINCT_SHARE: Final = 0.5


class Encodings:
    """Decides for each column of text when it first sees it, from what it sees, and then sticks to it."""

    def __init__(self) -> None:
        self._dtypes: dict[str, pl.DataType] = {}

    def apply(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the frame with its columns of text as they are to be kept."""
        texts = [column for column in frame.get_columns() if column.dtype == pl.String]
        for column in texts:
            if column.name not in self._dtypes:
                self._dtypes[column.name] = encoding(column.name) if repetitive(column) else pl.String()
        return frame.with_columns(column.cast(self._dtypes[column.name]) for column in texts)


def repetitive(texts: pl.Series) -> bool:
    """Return whether a column of text is kept as a dictionary, by the first SAMPLE_ROWS of a slice."""
    sample = texts.head(SAMPLE_ROWS)
    return sample.n_unique() <= max(1, sample.len() * _DISTINCT_SHARE)
