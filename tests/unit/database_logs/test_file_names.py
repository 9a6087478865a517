import pytest

from database_logs.file_names import IgnoredFile, LogFileName, classify
from database_logs.log_types import LogType

_RUNNING = "error/mysql-error-running.log"
_SLOW = "slowquery/mysql-slowquery.log"
_PG = "error/postgresql.log"


@pytest.mark.parametrize(
    ("engine", "file", "name"),
    [
        ("mysql", "error/mysql-error.log", LogFileName(LogType.MYSQL_ERROR, "error/mysql-error.log")),
        ("aurora-mysql", _RUNNING, LogFileName(LogType.MYSQL_ERROR, _RUNNING)),
        (
            "mariadb",
            f"{_RUNNING}.2024-05-01.07",
            LogFileName(LogType.MYSQL_ERROR, _RUNNING, "2024-05-01.7", closed=True),
        ),
        ("aurora-mysql", _SLOW, LogFileName(LogType.MYSQL_SLOW, _SLOW)),
        ("mysql", f"{_SLOW}.2024-05-01.23", LogFileName(LogType.MYSQL_SLOW, _SLOW, "2024-05-01.23", closed=True)),
        ("mysql", f"{_SLOW}.0", LogFileName(LogType.MYSQL_SLOW, _SLOW, "0", closed=True)),
        (
            "mysql",
            "general/mysql-general.log.2024-05-01.7",
            LogFileName(LogType.MYSQL_GENERAL, "general/mysql-general.log", "2024-05-01.7", closed=True),
        ),
        ("mysql", "audit/server_audit.log", LogFileName(LogType.MYSQL_AUDIT, "audit/server_audit.log")),
        (
            "mariadb",
            "audit/server_audit.log.12",
            LogFileName(LogType.MYSQL_AUDIT, "audit/server_audit.log", index=12, closed=True),
        ),
        (
            "aurora-mysql",
            "audit/audit.log.3.2023-04-19-10-58.10986",
            LogFileName(LogType.MYSQL_AUDIT, "audit/audit.log.3", "2023-04-19-10-58"),
        ),
        (
            "aurora-mysql",
            "audit/audit.log.0.2023-04-19-10-58",
            LogFileName(LogType.MYSQL_AUDIT, "audit/audit.log.0", "2023-04-19-10-58"),
        ),
        (
            "aurora-postgresql",
            f"{_PG}.2024-05-01-1030",
            LogFileName(LogType.POSTGRES_STDERR, _PG, "2024-05-01-1030"),
        ),
        ("postgres", f"{_PG}.2024-05-01-10", LogFileName(LogType.POSTGRES_STDERR, _PG, "2024-05-01-10")),
        (
            "postgres",
            f"{_PG}.2024-05-01-10.csv",
            LogFileName(LogType.POSTGRES_CSV, f"{_PG}.csv", "2024-05-01-10"),
        ),
        (
            "postgres",
            f"{_PG}.2024-05-01-1030.json",
            LogFileName(LogType.POSTGRES_JSON, f"{_PG}.json", "2024-05-01-1030"),
        ),
        (
            "postgres",
            f"{_PG}.2024-05-01-1030.csv.gz",
            LogFileName(LogType.POSTGRES_CSV, f"{_PG}.csv", "2024-05-01-1030", closed=True, compressed=True),
        ),
        ("postgres", "error/postgres.log", LogFileName(LogType.POSTGRES_STDERR, "error/postgres.log")),
        ("sqlserver-se", "log/ERROR", LogFileName(LogType.SQLSERVER_ERROR, "log/ERROR")),
        ("sqlserver-ex", "log/ERROR.2", LogFileName(LogType.SQLSERVER_ERROR, "log/ERROR", index=2, closed=True)),
        ("oracle-ee", "trace/alert_ORCL.log", LogFileName(LogType.ORACLE_ALERT, "trace/alert_ORCL.log")),
        (
            "oracle-se2-cdb",
            "trace/alert_ORCL.log.2024-05-01",
            LogFileName(LogType.ORACLE_ALERT, "trace/alert_ORCL.log", "2024-05-01", closed=True),
        ),
    ],
)
def test_names_tell_grammar_rotation_and_whether_the_file_grows(engine: str, file: str, name: LogFileName) -> None:
    assert classify(file, engine) == name


@pytest.mark.parametrize(
    ("engine", "file", "reason"),
    [
        ("aurora-mysql", "external/mysql-external.log", "external"),
        ("aurora-mysql", "instance/instance.log", "instance"),
        ("mysql", "error/iam-db-auth-error.log.2024-05-01", "iam_authentication"),
        ("mysql", "mysqlUpgrade/upgrade-prechecks.log", "upgrade"),
        ("postgres", "error/pg_upgrade_internal.log.1714557600", "upgrade"),
        ("sqlserver-se", "log/SQLAGENT.OUT", "sql_agent"),
        ("sqlserver-se", "log/log_12.trc", "trace"),
        ("oracle-ee", "trace/ORCL_ora_123.trc", "trace"),
        ("oracle-ee", "trace/listener.log", "listener"),
        ("oracle-ee", "audit/ORCL_ora_1.aud", "oracle_audit"),
        ("mysql", f"{_SLOW}.2024-05-01.24", "unknown"),
        ("mysql", f"{_PG}.2024-05-01-10", "unknown"),
        ("postgres", _SLOW, "unknown"),
        ("neptune", "error/mysql-error.log", "engine"),
        ("docdb", "profiler/profiler.log", "engine"),
    ],
)
def test_what_is_not_collected_has_a_reason(engine: str, file: str, reason: str) -> None:
    assert classify(file, engine) == IgnoredFile(reason)
