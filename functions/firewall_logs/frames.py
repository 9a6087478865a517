"""The lake's tables as polars schemas, and the writer's settings: one place, since they decide the bytes."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl
from polars.io.plugins import register_io_source

from firewall_logs import schema

# Rows that are gathered and written at a time, and a row group of the lake.
SLAB_ROWS: Final = 262_144

_DTYPES: Final[dict[schema.ColumnType, pl.DataType]] = {
    "string": pl.String(),
    "binary": pl.Binary(),
    "int8": pl.Int8(),
    "int16": pl.Int16(),
    "int64": pl.Int64(),
    "timestamp": pl.Datetime("us", "UTC"),
    "list<string>": pl.List(pl.String()),
    "list<int64>": pl.List(pl.Int64()),
}
SCHEMAS: Final = {
    kind: pl.Schema({name: _DTYPES[kind_of] for name, kind_of in columns.items()})
    for kind, columns in schema.TABLES.items()
}
