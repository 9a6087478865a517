"""Parquet files of the lake: the one place that writes them, since the writer's settings decide their bytes."""

import io
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl
from polars.io.plugins import register_io_source

from firewall_logs.frames import SCHEMAS

ROW_GROUP_ROWS: Final = 262_144
_ARROW_SCHEMA: Final = "ARROW:schema"


def write(kind: str, path: Path, slabs: Iterator[pl.DataFrame], schema: pl.Schema) -> None:
    """Write slabs of rows as one file, a row group each.

    Args:
        kind: Of the file.
        path: Of the file; its folder is made.
        slabs: Of at most ROW_GROUP_ROWS rows; text as String or Categorical.
        schema: Of the slabs.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    register_io_source(lambda *_: slabs, schema=schema).sink_parquet(
        path,
        compression="zstd",
        compression_level=3,
        statistics=True,
        row_group_size=ROW_GROUP_ROWS,
        metadata={_ARROW_SCHEMA: _arrow_schema(kind)},
    )


@cache
def _arrow_schema(kind: str) -> str:
    """Return the Arrow schema of a kind of file, in which all text is text.

    Slabs hold text as dictionaries because that is how they are fastest to encode. Left to itself polars would note
    that in the footer, and readers that honour the note would get dictionaries, which polars cannot prune by.
    """
    buffer = io.BytesIO()
    SCHEMAS[kind].to_frame().write_parquet(buffer)
    return pl.read_parquet_metadata(io.BytesIO(buffer.getvalue()))[_ARROW_SCHEMA]
