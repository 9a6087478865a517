"""Starts, finds and stops embedded clouds: one MiniStack process each, on a loopback port of its own.

A detached server lives until it is stopped. Any other is on a leash: it reads a pipe that its starter holds open, and
when the starter is gone, however it went, the server reads the end of the pipe and ends with its workers.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from local.emulator.settings import ServerSettings
from local.endpoints import ACCOUNT, REGION, client, get_json, post
from local.errors import ServerNotRunning, ServerNotStarted, ServerNotStopped
from local.paths import CLOUD_PYTHON, DEV_PYTHON, ROOT, RUNTIME_PYTHON, STATE, UNPACKED

START_SECONDS = 60
TERM_SECONDS = 3
_PORT_ATTEMPTS = 5
_KILL_ATTEMPTS = 250
_ENVIRONMENTS = {"cloud": CLOUD_PYTHON, "runtime": RUNTIME_PYTHON}


@dataclass(frozen=True)
class ServerState:
    """What `.local/<name>.json` says of a server.

    Attributes:
        pid: Its process, which leads the session that all its workers belong to.
        created: When the kernel says the process was created; tells it from a later one with its number.
        started_at: Seconds since the epoch.
    """

    name: str
    pid: int
    created: float
    port: int
    region: str
    started_at: float


class EmbeddedCloud:
    """A running server.

    Attributes:
        state: Where and since when it runs.
    """

    def __init__(self, state: ServerState, process: subprocess.Popen[bytes] | None = None) -> None:
        self.state = state
        self._process = process
        self._clients: dict[tuple[str, str], Any] = {}

    @classmethod
    def start(
        cls,
        name: str = "dev",
        *,
        detached: bool = False,
        region: str = REGION,
        enforce_iam: bool = False,
        rds: str = "",
        clock: Path | None = None,
        wait_scale: float = 1.0,
    ) -> "EmbeddedCloud":
        """Start a server and wait until it answers.

        Args:
            name: Tells servers apart; each has its own port, files and data.
            detached: Whether it outlives this process.
            region: Of the server and of all clients.
            enforce_iam: Whether functions may only do what their roles allow.
            rds: Endpoint of the log API of RDS, which functions are told; none if empty.
            clock: File with the seconds that functions are ahead of the machine's time, below zero if behind, and that
                may change while they run; None: they have the machine's.
            wait_scale: Share of the time that state machines would wait, in Wait states and before they try again. With
                less than 1, a wait for a point in time ends before it.

        Raises:
            ServerNotStarted: An environment is missing, a server of this name runs, or it did not come up.
        """
        for environment, python in _ENVIRONMENTS.items():
            if not python.exists():
                raise ServerNotStarted(f"The environment .venvs/{environment} is missing: run `make setup`.")
        for left in STATE.glob("*.json"):
            cls.find(left.stem)  # what a killed run left
        if running := cls.find(name):
            raise ServerNotStarted(
                f"The embedded cloud '{name}' already runs on port {running.state.port}: "
                "use it, or stop it with `gatehouse down`."
            )
        for _ in range(_PORT_ATTEMPTS):
            port = _free_port()
            process = _launch(
                name,
                port,
                region,
                detached=detached,
                enforce_iam=enforce_iam,
                rds=rds,
                clock=clock,
                wait_scale=wait_scale,
            )
            healthy = _await_health(process, port)
            created = psutil.Process(process.pid).create_time() if healthy else 0.0
            cloud = cls(ServerState(name, process.pid, created, port, region, time.time()), process)
            if healthy and cloud.owns_port:
                # Whole or not at all: others look for it while it is written.
                unfinished = _state_file(name).with_suffix(".unfinished")
                unfinished.write_text(json.dumps(asdict(cloud.state)))
                unfinished.replace(_state_file(name))
                return cloud
            cloud.stop()
            log = _log(name)
            if not healthy and "already in use" not in log:
                break
            # Somebody took the port meanwhile: the next one will do.
        raise ServerNotStarted(
            f"The embedded cloud '{name}' did not come up. Its log, .local/{name}/server.log, ends:\n{log[-2000:]}"
        )

    @classmethod
    def find(cls, name: str = "dev") -> "EmbeddedCloud | None":
        """Return the running server of this name; clear away what a dead one left."""
        try:
            state = ServerState(**json.loads(_state_file(name).read_text()))
        except FileNotFoundError:
            return None
        cloud = cls(state)
        if cloud.alive:
            return cloud
        cloud.stop()
        return None

    @classmethod
    def get(cls, name: str = "dev") -> "EmbeddedCloud":
        """Return the running server of this name.

        Raises:
            ServerNotRunning: There is none.
        """
        if cloud := cls.find(name):
            return cloud
        option = "" if name == "dev" else f" --cloud {name}"
        raise ServerNotRunning(
            f"No embedded cloud '{name}' runs in this checkout: start it with `gatehouse up{option}`."
        )

    @property
    def endpoint(self) -> str:
        """AWS_ENDPOINT_URL of this cloud. An address and no name, so that clients address S3 by path."""
        return f"http://127.0.0.1:{self.state.port}"

    @property
    def folder(self) -> Path:
        """Where the server keeps its log and its temporary files."""
        return _folder(self.state.name)

    @property
    def alive(self) -> bool:
        """Whether the process that was started still runs."""
        try:
            process = psutil.Process(self.state.pid)
            return process.create_time() == self.state.created and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    @property
    def owns_port(self) -> bool:
        """Whether the port is listened on by this server and not by another that answers in its place."""
        if not self.alive:
            return False
        sockets = psutil.Process(self.state.pid).net_connections(kind="tcp")
        return any(s.status == psutil.CONN_LISTEN and s.laddr.port == self.state.port for s in sockets)

    def client(self, service: str, account: str = ACCOUNT) -> Any:
        """Return a boto3 client, made once; twelve digits of an account see nothing of another's."""
        key = (service, account)
        if key not in self._clients:
            self._clients[key] = client(service, self.endpoint, account=account, region=self.state.region)
        return self._clients[key]

    def health(self) -> dict[str, Any]:
        """Return what the server says of itself."""
        return get_json(f"{self.endpoint}/_ministack/health")

    def reset(self) -> None:
        """Forget everything, of all accounts."""
        post(f"{self.endpoint}/_ministack/reset")

    def stop(self) -> None:
        """Stop the server and everything it started: TERM, wait, TERM, wait, KILL.

        Raises:
            ServerNotStopped: A process outlives its KILL.
        """
        for _ in range(2):
            if not self.alive:
                break
            os.kill(self.state.pid, signal.SIGTERM)
            self._wait(TERM_SECONDS)
        self._end_survivors()
        if self._process is not None:
            self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
        _state_file(self.state.name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / "tmp", ignore_errors=True)

    def survivors(self) -> list[int]:
        """Return the server's processes that run.

        Workers lead process groups of their own but stay in the server's session. Their endpoint tells them from those
        of a later session with the same number.
        """
        found = []
        for process in psutil.process_iter():
            try:
                if os.getsid(process.pid) != self.state.pid or process.status() == psutil.STATUS_ZOMBIE:
                    continue
                if process.environ().get("AWS_ENDPOINT_URL") == self.endpoint:
                    found.append(process.pid)
            except (ProcessLookupError, psutil.Error):
                continue
        return found

    def _end_survivors(self) -> None:
        for _ in range(_KILL_ATTEMPTS):
            survivors = self.survivors()
            if not survivors:
                return
            for pid in survivors:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.02)
        raise ServerNotStopped(
            f"Processes {self.survivors()} of the embedded cloud outlive a KILL: look at them with ps."
        )

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self.alive and time.monotonic() < deadline:
            if self._process is not None:
                self._process.poll()
            time.sleep(0.02)


def _folder(name: str) -> Path:
    return STATE / name


def _state_file(name: str) -> Path:
    return STATE / f"{name}.json"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _launch(
    name: str,
    port: int,
    region: str,
    *,
    detached: bool,
    enforce_iam: bool,
    rds: str,
    clock: Path | None,
    wait_scale: float,
) -> subprocess.Popen[bytes]:
    folder = _folder(name)
    scratch = folder / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    settings = ServerSettings(
        endpoint=f"http://127.0.0.1:{port}",
        region=region,
        root=ROOT,
        runtime_python=RUNTIME_PYTHON,
        container_python=DEV_PYTHON,
        unpacked=UNPACKED,
        rds=rds,
        clock=str(clock.resolve()) if clock is not None else "",
        leashed=not detached,
    )
    variables = {
        "PATH": f"{CLOUD_PYTHON.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(scratch),
        "LANG": "C.UTF-8",
        "TMPDIR": str(scratch),
        "PYTHONPATH": str(ROOT),
        "GATEWAY_PORT": str(port),
        "EDGE_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_REGION": region,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": settings.endpoint,
        # Both would listen beside the gateway, the first on every interface.
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LOG_LEVEL": "WARNING",
        "AUTH": str(enforce_iam).lower(),
        "SFN_WAIT_SCALE": str(wait_scale),
        **settings.variables(),
    }
    with (folder / "server.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 - our own server
            [CLOUD_PYTHON, "-m", "local.emulator.server"],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL if detached else subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _await_health(process: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            get_json(f"http://127.0.0.1:{port}/_ministack/health")
        except OSError:
            time.sleep(0.05)
        else:
            return process.poll() is None
    return False


def _log(name: str) -> str:
    return (_folder(name) / "server.log").read_text(errors="replace")
