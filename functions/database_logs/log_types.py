"""The kinds of log that RDS and Aurora write."""

from enum import StrEnum


class LogType(StrEnum):
    """A grammar of log files; the value names the lake's partition and dataset."""

    MYSQL_ERROR = "mysql_error"
    MYSQL_SLOW = "mysql_slow"
    MYSQL_GENERAL = "mysql_general"
    MYSQL_AUDIT = "mysql_audit"
    POSTGRES_STDERR = "postgres_stderr"
    POSTGRES_CSV = "postgres_csv"
    POSTGRES_JSON = "postgres_json"
    SQLSERVER_ERROR = "sqlserver_error"
    ORACLE_ALERT = "oracle_alert"
