"""Which logs an engine writes, under which names, how long they stay."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from local.rds.model.logs import DailyLog, HourlyLog, Log, NamedLog, NumberedLog, RunningErrorLog
from local.rds.model.sources import LogSource

MARIADB_FAMILY = ("aurora-mysql", "mysql", "mariadb")
POSTGRES_FAMILY = ("aurora-postgresql", "postgres")
_AUDIT_FILES = 4
# Aurora and RDS for MySQL keep slow and general logs about a day, PostgreSQL's stay rds.log_retention_period = 4,320
# minutes; others are kept by size and count, and stay seven days here.
_DAY = timedelta(days=1)
_THREE_DAYS = timedelta(minutes=4320)
_WEEK = timedelta(days=7)
_MEBIBYTE = 1024 * 1024
_POSTGRES_BYTES = 100_000 * 1024

Sources = Callable[[str], LogSource | None]


def logs_of(engine: str, sources: Sources, numbers: Iterator[int], now: datetime) -> list[Log]:
    """Return an instance's logs.

    Args:
        engine: As DescribeDBInstances has it.
        sources: By kind: `slow`, `general`, `error`, `audit`, `stderr`, `csv`, `alert`; Aurora MySQL's audit files are
            `audit.0` to `audit.3`. None where the log is off.
        numbers: For the generations.
        now: When logging begins.
    """
    written = ((make, sources(kind)) for kind, make in _layout(engine, numbers, now).items())
    return [make(source) for make, source in written if source is not None]


def _layout(engine: str, numbers: Iterator[int], now: datetime) -> dict[str, Callable[[LogSource], Log]]:
    if engine in MARIADB_FAMILY:
        return _mariadb_family(numbers, now)
    if engine in POSTGRES_FAMILY:
        return _postgres_family("%Y-%m-%d-%H%M" if engine.startswith("aurora") else "%Y-%m-%d-%H", numbers, now)
    if engine.startswith("sqlserver"):
        return {"error": _numbered("log/ERROR", numbers, now, max_bytes=10 * _MEBIBYTE, kept=6)}
    if engine.startswith("oracle"):
        return {"alert": lambda source: DailyLog("trace/alert_ORCL.log", source, numbers, now, retention=_WEEK)}
    return {}


def _mariadb_family(numbers: Iterator[int], now: datetime) -> dict[str, Callable[[LogSource], Log]]:
    def hourly(name: str) -> Callable[[LogSource], Log]:
        return lambda source: HourlyLog(name, source, numbers, now, retention=_DAY)

    running = "error/mysql-error-running.log"
    return {
        "slow": hourly("slowquery/mysql-slowquery.log"),
        "general": hourly("general/mysql-general.log"),
        "error": lambda source: RunningErrorLog(running, source, numbers, now, retention=_DAY),
        "audit": _numbered("audit/server_audit.log", numbers, now, max_bytes=_MEBIBYTE, kept=9),
        **{
            f"audit.{number}": _named(
                f"audit/audit.log.{number}.%Y-%m-%d-%H-%M.{{serial}}", numbers, now, _DAY, 100 * _MEBIBYTE
            )
            for number in range(_AUDIT_FILES)
        },
    }


def _postgres_family(stamp: str, numbers: Iterator[int], now: datetime) -> dict[str, Callable[[LogSource], Log]]:
    name = f"error/postgresql.log.{stamp}"
    return {
        kind: _named(f"{name}{suffix}", numbers, now, _THREE_DAYS, _POSTGRES_BYTES)
        for kind, suffix in (("stderr", ""), ("csv", ".csv"))
    }


def _named(
    pattern: str, numbers: Iterator[int], now: datetime, retention: timedelta, max_bytes: int
) -> Callable[[LogSource], Log]:
    return lambda source: NamedLog(pattern, source, numbers, now, retention=retention, max_bytes=max_bytes)


def _numbered(
    name: str, numbers: Iterator[int], now: datetime, *, max_bytes: int, kept: int
) -> Callable[[LogSource], Log]:
    return lambda source: NumberedLog(name, source, numbers, now, retention=_WEEK, max_bytes=max_bytes, kept=kept)
