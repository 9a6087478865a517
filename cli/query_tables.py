"""The tables that `gatehouse query` knows: their columns, their dates, and where those of databases are."""

from typing import Final

import polars as pl

from database_logs.log_types import LogType
from database_logs.parsing.dispatch import SCHEMAS
from firewall_logs import schema

# Named as Athena has them, so that a query serves both; PostgreSQL's three formats have the same columns.
DATABASE_LOGS: Final[dict[str, tuple[LogType, ...]]] = {
    "mysql_error": (LogType.MYSQL_ERROR,),
    "mysql_slow": (LogType.MYSQL_SLOW,),
    "mysql_general": (LogType.MYSQL_GENERAL,),
    "mysql_audit": (LogType.MYSQL_AUDIT,),
    "postgres": (LogType.POSTGRES_STDERR, LogType.POSTGRES_CSV, LogType.POSTGRES_JSON),
    "sqlserver_error": (LogType.SQLSERVER_ERROR,),
    "oracle_alert": (LogType.ORACLE_ALERT,),
}
TABLES: Final = ("events", "hourly", "quarantine", "quality", *DATABASE_LOGS)

_FIREWALL_TYPES: Final[dict[str, str]] = {
    "string": "VARCHAR",
    "binary": "BLOB",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int64": "BIGINT",
    "timestamp": "TIMESTAMP",
    "list<string>": "VARCHAR[]",
    "list<int64>": "BIGINT[]",
}
_DATABASE_TYPES: Final[dict[pl.DataType, str]] = {
    pl.String(): "VARCHAR",
    pl.Binary(): "BLOB",
    pl.Boolean(): "BOOLEAN",
    pl.Int32(): "INTEGER",
    pl.Int64(): "BIGINT",
    pl.Float64(): "DOUBLE",
    pl.Datetime("us", "UTC"): "TIMESTAMP",
    pl.List(pl.String()): "VARCHAR[]",
    pl.List(pl.Struct({"key": pl.String(), "value": pl.String()})): "STRUCT(key VARCHAR, value VARCHAR)[]",
}
_QUALITY: Final = {
    "version": "BIGINT",
    "feed": "VARCHAR",
    "rule": "VARCHAR",
    "measure": "VARCHAR",
    "level": "VARCHAR",
    "figure": "DOUBLE",
    "limit": "DOUBLE",
    "detail": "VARCHAR",
}


def partition(table: str) -> str:
    """Return the name of a table's date."""
    return "object_date" if table == "quarantine" else "event_date"


def columns(table: str) -> dict[str, str]:
    """Return name and DuckDB's type of a table's columns, without its date; times are UTC without a zone."""
    if table in DATABASE_LOGS:
        shape = SCHEMAS[DATABASE_LOGS[table][0]]
        return {name: _DATABASE_TYPES[kind] for name, kind in shape.items()}
    if table == "quality":
        return _QUALITY
    return {name: _FIREWALL_TYPES[kind] for name, kind in schema.TABLES[table].items()}
