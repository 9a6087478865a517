"""The lake's tables as polars schemas."""

from typing import Final

import polars as pl

from firewall_logs import schema

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
SCHEMAS: Final[dict[str, pl.Schema]] = {
    kind: pl.Schema({name: _DTYPES[column] for name, column in columns.items()})
    for kind, columns in schema.TABLES.items()
}
LAKE_DTYPES: Final[dict[schema.LakeType, pl.DataType]] = {
    field.type: SCHEMAS["events"][field.lake] for field in schema.FIELDS
}
