"""A real MariaDB that writes all its logs, for tests of what reads them."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

# What RDS's parameter groups and its audit plugin set; slow queries are all there are.
_OPTIONS: Final = [
    "--no-defaults",
    "--skip-networking",
    "--skip-log-bin",
    "--innodb-buffer-pool-size=32M",
    "--character-set-server=utf8mb4",
    "--default-time-zone=+00:00",
    "--log-output=FILE",
    "--general-log=1",
    "--slow-query-log=1",
    "--long-query-time=0",
    "--log-slow-verbosity=query_plan,explain",
    "--plugin-load-add=server_audit",
    "--server-audit-logging=ON",
]


class MariaDb:
    """A server and its logs in a folder: `general.log`, `slow.log`, `error.log` and `audit.log`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, script: str) -> None:
        """Send the statements of a script one after the other, as a client does."""
        client = [
            "mariadb",
            "--no-defaults",
            f"--socket={self._folder / 'socket'}",
            "--user=root",
            "--comments",
            "--force",
        ]
        done = subprocess.run(  # noqa: S603 - Debian's client
            [*client, "--default-character-set=utf8mb4"], input=script.encode(), capture_output=True, check=False
        )
        # Errors of statements are part of a workload; that of a client that reached no server is not.
        assert b"ERROR 2002" not in done.stderr, done.stderr.decode()

    def log(self, name: str) -> bytes:
        """Return a log's bytes."""
        return (self._folder / f"{name}.log").read_bytes()

    def answers(self) -> bool:
        """Whether it serves clients."""
        ping = ["mariadb-admin", "--no-defaults", f"--socket={self._folder / 'socket'}", "--user=root", "ping"]
        return subprocess.run(ping, capture_output=True, check=False).returncode == 0  # noqa: S603 - Debian's client


@contextmanager
def running_mariadb() -> Iterator[MariaDb]:
    """Start a server, stop it afterwards; skip the test where MariaDB is not installed."""
    server = shutil.which("mariadbd", path=f"{os.environ['PATH']}:/usr/sbin")
    install = shutil.which("mariadb-install-db")
    if server is None or install is None:
        pytest.skip("MariaDB is not installed (on Debian: apt-get install mariadb-server)")
    # Not pytest's folder: the path of a socket has 107 characters at most.
    with TemporaryDirectory(prefix="mariadb-") as name:
        folder = Path(name)
        user = [f"--user={'root' if os.getuid() == 0 else os.environ['USER']}"]
        data = f"--datadir={folder / 'data'}"
        subprocess.run(  # noqa: S603 - Debian's server
            [install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db", *user],
            check=True,
            capture_output=True,
        )
        logs = [f"--{option}={folder / log}.log" for option, log in _LOGS.items()]
        process = subprocess.Popen([server, *_OPTIONS, data, f"--socket={folder / 'socket'}", *logs, *user])  # noqa: S603
        mariadb = MariaDb(folder)
        try:
            _wait(mariadb)
            yield mariadb
        finally:
            process.terminate()
            process.wait(60)


_LOGS: Final = {
    "general-log-file": "general",
    "slow-query-log-file": "slow",
    "log-error": "error",
    "server-audit-file-path": "audit",
}


def _wait(mariadb: MariaDb) -> None:
    for _ in range(300):
        if mariadb.answers():
            return
        time.sleep(0.1)
    pytest.fail(f"MariaDB did not start: {mariadb.log('error').decode(errors='replace')}")
