"""What the name of a log file tells: the grammar, whether it still grows, which files follow each other.

Names: Amazon RDS and Aurora user guides, "Working with DB instance log files" of each engine.
"""

import re
from dataclasses import dataclass
from typing import Final

from database_logs.log_types import LogType


@dataclass(frozen=True)
class LogFileName:
    """A file to collect.

    Attributes:
        log_type: Its grammar.
        base: What the files share that follow each other: the name of the one that is written to, where that name
            stays the same.
        hour: Hour id of a renamed file of MySQL as markers have it, `2024-05-01.7` for what was written from 06:00 to
            07:00 UTC, or `7` from versions without date; the time in the name of other files. None without one.
        index: n of a file that is renamed n to n + 1 with each rotation, so that a name is another file then.
        closed: It is never written to again. A file that is not may have been, which its name does not tell: the next
            one of PostgreSQL and of Aurora's audit has a name of its own.
        compressed: gzip, and the portion API returns the text of it.
    """

    log_type: LogType
    base: str
    hour: str | None = None
    index: int | None = None
    closed: bool = False
    compressed: bool = False


@dataclass(frozen=True)
class IgnoredFile:
    """A file that is not collected, but counted, with the reason: what it is, or `unknown`."""

    reason: str


_MYSQL: Final = {
    "error/mysql-error.log": LogType.MYSQL_ERROR,
    "error/mysql-error-running.log": LogType.MYSQL_ERROR,
    "slowquery/mysql-slowquery.log": LogType.MYSQL_SLOW,
    "general/mysql-general.log": LogType.MYSQL_GENERAL,
    "audit/server_audit.log": LogType.MYSQL_AUDIT,
}
_POSTGRES: Final = {
    "": LogType.POSTGRES_STDERR,
    ".csv": LogType.POSTGRES_CSV,
    ".json": LogType.POSTGRES_JSON,
}
_MYSQL_ROTATED: Final = re.compile(r"(?P<base>.+\.log)\.(?:(?P<day>\d{4}-\d\d-\d\d)\.)?(?P<hour>[01]?\d|2[0-3])")
_SERVER_AUDIT: Final = re.compile(r"(?P<base>audit/server_audit\.log)\.(?P<index>\d+)")
_AURORA_AUDIT: Final = re.compile(r"(?P<base>audit/audit\.log\.\d+)\.(?P<hour>\d{4}-\d\d-\d\d-\d\d-\d\d)(?:\.\d+)?")
_POSTGRES_LOG: Final = re.compile(
    r"(?P<base>error/postgres(?:ql)?\.log)(?:\.(?P<hour>\d{4}-\d\d-\d\d-\d{2}(?:\d\d)?))?"
    r"(?P<form>\.csv|\.json|)(?P<gz>\.gz)?"
)
_SQLSERVER: Final = re.compile(r"(?P<base>log/ERROR)(?:\.(?P<index>\d+))?")
_ORACLE: Final = re.compile(r"(?P<base>trace/alert_[^/]+?\.log)(?:\.(?P<hour>\d{4}-\d\d-\d\d)(?:\.\d+)?)?")

# Reasons by what a name begins with or holds, in this order.
_REASONS: Final = (
    ("external/", "external"),
    ("instance/", "instance"),
    ("iam-db-auth-error", "iam_authentication"),
    ("upgrade", "upgrade"),
    ("log/SQLAGENT", "sql_agent"),
    ("log/log_", "trace"),
    (".trc", "trace"),
    (".trm", "trace"),
    ("listener", "listener"),
    (".aud", "oracle_audit"),
    (".xml", "oracle_audit"),
)


def classify(file: str, engine: str) -> LogFileName | IgnoredFile:
    """Return what a LogFileName tells.

    Args:
        file: LogFileName as DescribeDBLogFiles has it, with its folder.
        engine: As DescribeDBInstances has it, `aurora-postgresql` for instance.
    """
    if "postgres" in engine:
        found = _postgres(file)
    elif "mysql" in engine or engine in {"mariadb", "aurora"}:  # aurora: that of MySQL 5.6
        found = _mysql(file)
    elif engine.startswith("sqlserver"):
        found = _sqlserver(file)
    elif engine.startswith("oracle"):
        found = _oracle(file)
    else:
        return IgnoredFile("engine")
    if found is not None:
        return found
    return IgnoredFile(next((reason for part, reason in _REASONS if part in file), "unknown"))


def _mysql(file: str) -> LogFileName | None:
    if log_type := _MYSQL.get(file):
        return LogFileName(log_type, base=file)
    if name := _SERVER_AUDIT.fullmatch(file):
        return LogFileName(LogType.MYSQL_AUDIT, name["base"], index=int(name["index"]), closed=True)
    if name := _AURORA_AUDIT.fullmatch(file):
        return LogFileName(LogType.MYSQL_AUDIT, name["base"], hour=name["hour"])
    name = _MYSQL_ROTATED.fullmatch(file)
    if name and (log_type := _MYSQL.get(name["base"])):
        # Padded or not by version; markers are not.
        hour = str(int(name["hour"]))
        return LogFileName(log_type, name["base"], f"{name['day']}.{hour}" if name["day"] else hour, closed=True)
    return None


def _postgres(file: str) -> LogFileName | None:
    name = _POSTGRES_LOG.fullmatch(file)
    if name is None:
        return None
    compressed = name["gz"] is not None
    return LogFileName(
        _POSTGRES[name["form"]], name["base"] + name["form"], name["hour"], closed=compressed, compressed=compressed
    )


def _sqlserver(file: str) -> LogFileName | None:
    name = _SQLSERVER.fullmatch(file)
    if name is None:
        return None
    index = None if name["index"] is None else int(name["index"])
    return LogFileName(LogType.SQLSERVER_ERROR, name["base"], index=index, closed=index is not None)


def _oracle(file: str) -> LogFileName | None:
    name = _ORACLE.fullmatch(file)
    if name is None:
        return None
    return LogFileName(LogType.ORACLE_ALERT, name["base"], name["hour"], closed=name["hour"] is not None)
