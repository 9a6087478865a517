"""A real MariaDB that logs as RDS does: renamed on the hour by the API, which then lets the server begin anew."""

import shutil
import signal
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

import pymysql

from local.rds.servers.files import FileSource
from local.rds.servers.processes import DatabaseNotStarted, Process, give, run

# What RDS's parameter and option groups set.
PARAMETERS: Final = {
    "log_output": "FILE",
    "slow_query_log": "1",
    "long_query_time": "0",
    "general_log": "1",
    "log_warnings": "2",
    "time_zone": "+00:00",
}
_PLACES: Final = "/usr/sbin:/usr/bin"
_FILES: Final = {"slow": "slow.log", "general": "general.log", "error": "error.log", "audit": "server_audit.log"}
_FLUSHED: Final = {"slow": "FLUSH SLOW LOGS", "general": "FLUSH GENERAL LOGS"}


class MariaDbServer:
    """Debian's MariaDB.

    Args:
        folder: Where its data and logs are; short, as a socket is in it.
    """

    def __init__(self, folder: Path) -> None:
        server, install = _programs()
        if server is None or install is None:
            raise DatabaseNotStarted("MariaDB is missing: install mariadb-server, on Debian with apt-get.")
        self._socket = folder / "socket"
        self._logs = folder / "log"
        data = folder / "data"
        options = [f"--datadir={data}", "--skip-networking", f"--socket={self._socket}", "--skip-log-bin"]
        self._process = Process(
            [
                *(server, "--no-defaults", *options, "--character-set-server=utf8mb4", "--innodb-buffer-pool-size=32M"),
                *("--plugin-load-add=server_audit", "--server-audit-logging=ON"),
                f"--server-audit-file-path={self._logs / _FILES['audit']}",
                f"--log-error={self._logs / _FILES['error']}",
                f"--slow-query-log-file={self._logs / _FILES['slow']}",
                f"--general-log-file={self._logs / _FILES['general']}",
                *(f"--{name.replace('time_zone', 'default-time-zone')}={value}" for name, value in PARAMETERS.items()),
            ],
            folder,
            self._answers,
        )
        for place in (folder, data, self._logs):
            give(place)
        run([install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=normal"], folder)
        self.start()

    @staticmethod
    def installed() -> bool:
        """Whether its programs are there."""
        return all(_programs())

    def source(self, kind: str) -> FileSource | None:
        """Return the log `slow`, `general`, `error` or `audit`."""
        if kind not in _FILES:
            return None
        rotate = partial(self._rotate, kind) if kind in _FLUSHED else None
        return FileSource(partial(self._files, kind), rotate)

    def connect(self) -> "pymysql.Connection[Any]":
        """Return a connection."""
        return pymysql.connect(unix_socket=str(self._socket), user="root", database="mysql", charset="utf8mb4")

    def crash(self) -> None:
        """End it at once."""
        self._process.end(signal.SIGKILL)

    def start(self) -> None:
        """Start it again; it recovers."""
        self._socket.unlink(missing_ok=True)  # a crashed one's, which refuses
        self._process.start()

    def stop(self) -> None:
        """End it in order."""
        self._process.end(signal.SIGTERM)

    def _files(self, kind: str) -> list[Path]:
        live = self._logs / _FILES[kind]
        renamed = sorted(self._logs.glob(f"{live.name}.[0-9]*"), key=lambda path: int(path.suffix[1:]))
        return [*renamed, *([live] if live.exists() else [])]

    def _rotate(self, kind: str, _: datetime) -> None:
        live = self._logs / _FILES[kind]
        # Until the server is told, it writes on into the file under its new name.
        live.rename(live.with_name(f"{live.name}.{len(self._files(kind))}"))
        with self.connect() as connection, connection.cursor() as cursor:
            cursor.execute(_FLUSHED[kind])

    def _answers(self) -> bool:
        if not self._socket.exists():
            return False
        try:
            self.connect().close()
        except pymysql.err.OperationalError:
            return False
        return True


def _programs() -> tuple[str | None, str | None]:
    """Return the server and what prepares its data."""
    return shutil.which("mariadbd", path=_PLACES), shutil.which("mariadb-install-db", path=_PLACES)
