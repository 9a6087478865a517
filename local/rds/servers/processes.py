"""Processes of database servers: never as root, never longer than whoever started them."""

import os
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.errors import LocalCloudError

_NOBODY = "nobody"
_START_SECONDS = 60
_STOP_SECONDS = 20


class DatabaseNotStarted(LocalCloudError):
    """A database server is missing or did not come up."""


def _user() -> str | None:
    # PostgreSQL refuses to run as root; containers and CI are root.
    return _NOBODY if os.geteuid() == 0 else None


def give(folder: Path) -> None:
    """Give a folder to the user that servers run as."""
    folder.mkdir(parents=True, exist_ok=True)
    if (user := _user()) is not None:
        shutil.chown(folder, user)


def within_reach(programs: Path, folder: Path) -> Path:
    """Return a folder of programs that the user of servers may enter: itself, or a copy where a parent is private."""
    if _user() is None or all(parent.stat().st_mode & stat.S_IXOTH for parent in programs.parents):
        return programs
    copy = folder / "programs"
    for part in programs.parent.glob(f"{programs.name}*"):
        shutil.copytree(part, copy / part.name, dirs_exist_ok=True)
    return copy / programs.name


def run(command: Sequence[str | Path], folder: Path) -> None:
    """Run a command that prepares a server.

    Raises:
        DatabaseNotStarted: It failed.
    """
    done = subprocess.run(  # noqa: S603 - the server's own tools
        command, cwd=folder, env=_environment(folder), capture_output=True, text=True, check=False, user=_user()
    )
    if done.returncode:
        raise DatabaseNotStarted(f"{command[0]} failed in {folder}: {done.stderr or done.stdout}")


class Process:
    """A server's process, which can be ended and started again.

    Args:
        command: What to run.
        folder: Where.
        ready: Whether it answers.
    """

    def __init__(self, command: Sequence[str | Path], folder: Path, ready: Callable[[], bool]) -> None:
        self._command = command
        self._folder = folder
        self._ready = ready
        self._server: subprocess.Popen[bytes] | None = None
        self._leash: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers.

        Raises:
            DatabaseNotStarted: It does not.
        """
        with (self._folder / "console.log").open("ab") as console:
            self._server = subprocess.Popen(  # noqa: S603 - the server itself
                self._command,
                cwd=self._folder,
                env=_environment(self._folder),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=_user(),
            )
        # When the end of our pipe is gone, however we went, the server goes too.
        self._leash = subprocess.Popen(  # noqa: S603 - a shell that waits
            [
                "/bin/sh",
                "-c",
                f"cat > /dev/null; kill -QUIT {self._server.pid}; sleep 2; kill -KILL {self._server.pid}",
            ],
            stdin=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self._ready():
            if self._server.poll() is not None or time.monotonic() > deadline:
                self.end(signal.SIGKILL)
                said = (self._folder / "console.log").read_text(errors="replace")[-2000:]
                raise DatabaseNotStarted(f"{self._command[0]} did not come up in {self._folder}; it says:\n{said}")
            time.sleep(0.05)

    def end(self, number: signal.Signals) -> None:
        """End it by a signal, and by KILL if that takes too long."""
        if self._leash is not None:
            self._leash.kill()
            self._leash.communicate()
            self._leash = None
        if self._server is not None:
            self._server.send_signal(number)
            try:
                self._server.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()
            self._server = None


def _environment(folder: Path) -> Mapping[str, str]:
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TZ": "UTC", "LANG": "C.UTF-8", "HOME": str(folder)}
