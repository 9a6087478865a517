"""Which parser a kind of log has."""

from collections.abc import Callable
from typing import Final

import polars as pl

from database_logs.log_types import LogType
from database_logs.parsing import (
    mysql_audit,
    mysql_error,
    mysql_general,
    mysql_slow,
    oracle_alert,
    postgres_columns,
    postgres_csv,
    postgres_json,
    postgres_stderr,
    sqlserver_error,
)
from database_logs.parsing.times import with_possible_times
from database_logs.segments import Segment

_PARSERS: Final[dict[LogType, Callable[[Segment, bytes], pl.DataFrame]]] = {
    LogType.MYSQL_ERROR: mysql_error.parse,
    LogType.MYSQL_SLOW: mysql_slow.parse,
    LogType.MYSQL_GENERAL: mysql_general.parse,
    LogType.MYSQL_AUDIT: mysql_audit.parse,
    LogType.POSTGRES_STDERR: postgres_stderr.parse,
    LogType.POSTGRES_CSV: postgres_csv.parse,
    LogType.POSTGRES_JSON: postgres_json.parse,
    LogType.SQLSERVER_ERROR: sqlserver_error.parse,
    LogType.ORACLE_ALERT: oracle_alert.parse,
}
SCHEMAS: Final[dict[LogType, pl.Schema]] = {
    LogType.MYSQL_ERROR: mysql_error.SCHEMA,
    LogType.MYSQL_SLOW: mysql_slow.SCHEMA,
    LogType.MYSQL_GENERAL: mysql_general.SCHEMA,
    LogType.MYSQL_AUDIT: mysql_audit.SCHEMA,
    LogType.POSTGRES_STDERR: postgres_columns.SCHEMA,
    LogType.POSTGRES_CSV: postgres_columns.SCHEMA,
    LogType.POSTGRES_JSON: postgres_columns.SCHEMA,
    LogType.SQLSERVER_ERROR: sqlserver_error.SCHEMA,
    LogType.ORACLE_ALERT: oracle_alert.SCHEMA,
}


def parse(segment: Segment, data: bytes) -> pl.DataFrame:
    """Return the records of a segment: the columns of COMMON, then those of SCHEMAS for its kind of log.

    Args:
        segment: What the bytes are; a part of a file that begins and ends where records do.
        data: Its bytes. Whatever they are, each is in `raw` or `raw_bytes` of exactly one record; other texts have a
            greatest length.
    """
    return with_possible_times(_PARSERS[segment.origin.log_type](segment, data), segment.time_zone)
