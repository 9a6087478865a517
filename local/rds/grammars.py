"""How each engine writes an event into each of its logs."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(slots=True)
class Event:
    """What a server logs.

    Attributes:
        number: Unique in its log.
        sql: The statement's bytes, lines separated by LF or CR LF.
        milliseconds: How long it took.
        failed: Whether it ended in an error.
    """

    at: datetime
    number: int
    pid: int
    user: str
    host: str
    sql: bytes
    milliseconds: float
    rows: int
    failed: bool


Grammar = Callable[[Event], bytes]


def postgres_stderr(event: Event) -> bytes:
    """Write with RDS's prefix, %t:%r:%u@%d:[%p]:, continued lines after a TAB as PostgreSQL does."""
    client = b"::@" if _is_background(event) else f":{event.host}({event.pid + 20_000}):{event.user}@shop".encode()
    prefix = f"{event.at:%Y-%m-%d %H:%M:%S} UTC".encode() + client + f":[{event.pid}]:".encode()
    severity, message, statement = _postgres(event)
    written = prefix + severity + b":  " + message.replace(b"\n", b"\n\t") + b"\n"
    if statement:
        written += prefix + b"STATEMENT:  " + statement.replace(b"\n", b"\n\t") + b"\n"
    return written


def postgres_csv(event: Event) -> bytes:
    """Write the 26 columns of PostgreSQL 14 and later."""
    severity, message, statement = (part.decode("latin-1") for part in _postgres(event))
    at = f"{event.at:%Y-%m-%d %H:%M:%S}.{event.at.microsecond // 1000:03} UTC"
    session = f"{int(event.at.timestamp()):x}.{event.pid:x}"
    background = _is_background(event)
    client = ("", "", event.pid, "") if background else (event.user, "shop", event.pid, f"{event.host}:{event.pid}")
    row = [
        *(at, *client, session, event.number, "" if background else "SELECT"),
        *(f"{event.at:%Y-%m-%d %H:%M:%S} UTC", "3/12", 0, severity),
        *("23505" if event.failed else "00000", message, "", "", "", "", ""),
        *(statement, "", "", "app", "checkpointer" if background else "client backend", "", 0),
    ]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(row)
    return out.getvalue().encode("latin-1")


def _is_background(event: Event) -> bool:
    return not event.failed and event.rows % 40 == 0


def _postgres(event: Event) -> tuple[bytes, bytes, bytes]:
    """Return severity, message and, of an error, the statement."""
    took = f"duration: {event.milliseconds:.3f} ms  ".encode()
    if event.failed:
        text = f'duplicate key value violates unique constraint "orders_pkey" ({event.number})'
        return b"ERROR", text.encode(), event.sql
    if _is_background(event):
        return b"LOG", f"checkpoint complete: wrote {event.rows} buffers ({event.number})".encode(), b""
    if event.rows % 40 == 1:
        plan = f"\nSeq Scan on orders  (cost=0.00..{event.rows}.00 rows={event.rows} width=36)\n  Filter: (id = 7)"
        return b"LOG", took + b"plan:\nQuery Text: " + event.sql + plan.encode(), b""
    if event.rows % 40 == 2:  # noqa: PLR2004 - one in forty
        audit = f'AUDIT: SESSION,{event.number},1,READ,SELECT,TABLE,shop.orders,"'.encode()
        return b"LOG", audit + event.sql.replace(b'"', b'""') + b'",<not logged>', b""
    return b"LOG", took + b"statement: " + event.sql, b""


def mysql_slow(event: Event) -> bytes:
    """Write as MySQL 8 does."""
    head = (
        f"# Time: {event.at:%Y-%m-%dT%H:%M:%S.%f}Z\n"
        f"# User@Host: {event.user}[{event.user}] @  [{event.host}]  Id: {event.pid:5}\n"
        f"# Query_time: {event.milliseconds / 1000:.6f}  Lock_time: 0.000002 Rows_sent: {event.rows}  "
        f"Rows_examined: {event.rows * 7}\n"
        f"{'use shop;' + chr(10) if event.failed else ''}SET timestamp={int(event.at.timestamp())};\n"
    )
    return head.encode() + event.sql + b";\n"


def mysql_general(event: Event) -> bytes:
    """Write as MySQL 8 does."""
    return f"{event.at:%Y-%m-%dT%H:%M:%S.%f}Z\t{event.pid:5} Query\t".encode() + event.sql + b"\n"


def mysql_error(event: Event) -> bytes:
    """Write as MySQL 8 does, with a line now and then that has no head."""
    level = "Warning" if event.failed else "Note"
    more = b"SHOW GLOBAL STATUS took long\n" if event.failed else b""
    text = f"[Server] Aborted connection {event.number} to db: 'shop' user: '{event.user}' host: '{event.host}'"
    return f"{event.at:%Y-%m-%dT%H:%M:%S.%f}Z {event.pid} [{level}] [MY-010914] {text}\n".encode() + more


def mysql_audit(event: Event) -> bytes:
    """Write as the plugin of RDS for MySQL does: quotes and newlines escaped, two commas at the end."""
    at = f"{event.at:%Y%m%d %H:%M:%S}"
    return _audit(event, at) + b",,\n"


def aurora_audit(event: Event) -> bytes:
    """Write as Aurora's advanced auditing does: microseconds since the epoch."""
    return _audit(event, str(int(event.at.timestamp() * 1_000_000))) + b"\n"


def mariadb_slow(event: Event) -> bytes:
    """Write as MariaDB does: the time to the second, without zone, and more about the thread."""
    head = (
        f"# Time: {event.at:%y%m%d} {event.at.hour:2}:{event.at:%M:%S}\n"
        f"# User@Host: {event.user}[{event.user}] @  [{event.host}]\n"
        f"# Thread_id: {event.pid}  Schema: shop  QC_hit: No\n"
        f"# Query_time: {event.milliseconds / 1000:.6f}  Lock_time: 0.000002  Rows_sent: {event.rows}  "
        f"Rows_examined: {event.rows * 7}\n"
        f"# Rows_affected: 0  Bytes_sent: {event.rows * 11}\n"
        f"SET timestamp={int(event.at.timestamp())};\n"
    )
    return head.encode() + event.sql + b";\n"


def mariadb_error(event: Event) -> bytes:
    """Write as MariaDB does."""
    level = "Warning" if event.failed else "Note"
    text = f"Aborted connection {event.number} to db: 'shop' user: '{event.user}' host: '{event.host}'"
    return f"{event.at:%Y-%m-%d} {event.at.hour:2}:{event.at:%M:%S} {event.pid} [{level}] {text}\n".encode()


def mariadb_audit(event: Event) -> bytes:
    """Write as MariaDB's own plugin does: ten fields."""
    return _audit(event, f"{event.at:%Y%m%d %H:%M:%S}") + b"\n"


def sqlserver_error(event: Event) -> bytes:
    """Write as SQL Server does, in UTF-8."""
    text = f"Login failed for user '{event.user}' ({event.number})" if event.failed else f"Backup of {event.number}"
    return f"{event.at:%Y-%m-%d %H:%M:%S}.{event.at.microsecond // 10_000:02} spid{event.pid}      {text}\n".encode()


def oracle_alert(event: Event) -> bytes:
    """Write as Oracle 19c does: the time in a line of its own."""
    text = f"ORA-00060: Deadlock detected ({event.number})" if event.failed else f"Thread 1 advanced ({event.number})"
    return f"{event.at.isoformat(timespec='microseconds')}\n{text}\n".encode()


def _audit(event: Event, at: str) -> bytes:
    sql = event.sql.replace(b"\\", b"\\\\").replace(b"'", b"\\'").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    code = 1062 if event.failed else 0
    head = f"{at},ip-10-0-1-7,{event.user},{event.host},{event.pid},{event.number},QUERY,shop,'"
    return head.encode() + sql + f"',{code}".encode()


GRAMMARS: Final[dict[str, dict[str, Grammar]]] = {
    "mysql": {"slow": mysql_slow, "general": mysql_general, "error": mysql_error, "audit": mysql_audit},
    "mariadb": {"slow": mariadb_slow, "error": mariadb_error, "audit": mariadb_audit},
    "aurora-mysql": {
        "slow": mysql_slow,
        "error": mysql_error,
        **{f"audit.{number}": aurora_audit for number in range(4)},
    },
    "postgres": {"stderr": postgres_stderr, "csv": postgres_csv},
    "aurora-postgresql": {"stderr": postgres_stderr},
    "sqlserver-se": {"error": sqlserver_error},
    "oracle-ee": {"alert": oracle_alert},
}
