"""Where a log may be cut, by its kind; as all of this package without polars, for the functions that collect."""

from collections.abc import Callable
from typing import Final

from database_logs.boundaries import mysql, plain, postgres, postgres_csv, postgres_json
from database_logs.log_types import LogType

_CUTS: Final[dict[LogType, Callable[[bytes], int]]] = {
    LogType.MYSQL_ERROR: mysql.cut_error,
    LogType.MYSQL_SLOW: mysql.cut_slow,
    LogType.MYSQL_GENERAL: mysql.cut_general,
    LogType.MYSQL_AUDIT: mysql.cut_audit,
    LogType.POSTGRES_CSV: postgres_csv.cut,
    LogType.POSTGRES_JSON: postgres_json.cut,
    LogType.SQLSERVER_ERROR: plain.cut_sqlserver,
    LogType.ORACLE_ALERT: plain.cut_oracle,
}


def cut(log_type: LogType, data: bytes, prefix: str = postgres.RDS_PREFIX) -> int:
    """Return how many bytes belong to records that are known to be complete: where the last one begins.

    Args:
        log_type: Grammar of the file.
        data: Bytes from the start of a record on; the last line may lack its end.
        prefix: log_line_prefix of the instance, which only postgres_stderr has.

    Returns:
        0 if only the first record begins in `data`: more bytes are needed, or there are none to come.
    """
    if log_type is LogType.POSTGRES_STDERR:
        return postgres.cut(data, prefix)
    return _CUTS[log_type](data)
