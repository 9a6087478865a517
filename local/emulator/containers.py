# ruff: noqa: SLF001 - MiniStack's private names are what is replaced here; seams.py checks them at start
"""ECS tasks as local processes: a double of the few calls of the Docker client that MiniStack makes.

The image is not run: the container's command is, in the repository, with a Python of the caller's choice.
"""

import json
import os
import signal
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ministack.core.responses import get_account_id, get_region
from ministack.services import ecs
from ministack.services import stepfunctions as sfn

from local.emulator import seams

# https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html, stopTimeout
STOP_SECONDS = 30
COMMAND_NOT_FOUND = 127
_POLL_SECONDS = 0.2
_DOCKER_HOST = "host.docker.internal"


class LocalContainer:
    """A process that answers like a Docker container."""

    def __init__(self, command: list[str], variables: dict[str, str], root: Path, labels: dict[str, str]) -> None:
        self.id = uuid.uuid4().hex
        self.labels = labels
        self.attrs: dict[str, Any] = {"NetworkSettings": {"Networks": {}}}
        self._lines: list[bytes] = []
        self._changed = threading.Condition()
        self._ended = False
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the container's command
                command,
                cwd=root,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        except OSError as refused:
            self._lines.append(f"{command}: {refused.strerror}".encode())
            self._ended = True
        else:
            threading.Thread(target=self._read, daemon=True, name=f"container-{self.id[:8]}").start()

    @property
    def status(self) -> str:
        """`running` or `exited`."""
        return "exited" if self._ended else "running"

    def reload(self) -> None:
        """Do nothing: the status is always the current one."""

    def wait(self) -> dict[str, int]:
        """Wait for the end and return the code, 128 + n after signal n as Docker has it."""
        if self._process is None:
            return {"StatusCode": COMMAND_NOT_FOUND}
        code = self._process.wait()
        return {"StatusCode": code if code >= 0 else 128 - code}

    def logs(self, *, stream: bool = False, **_: Any) -> bytes | Iterator[bytes]:
        """Return what was written so far, or follow it to the end."""
        return self._follow() if stream else b"".join(self._lines)

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """TERM, wait, KILL."""
        if self._process is None:
            return
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def remove(self, **_: Any) -> None:
        """End the process at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, number)

    def _read(self) -> None:
        process = self._process
        assert process is not None and process.stdout is not None  # noqa: S101, PT018 - started with a pipe
        for line in process.stdout:
            with self._changed:
                self._lines.append(line)
                self._changed.notify_all()
        process.wait()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _follow(self) -> Iterator[bytes]:
        seen = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda seen=seen: self._ended or len(self._lines) > seen)  # type: ignore[misc]
                fresh, ended = self._lines[seen:], self._ended
            yield from fresh
            seen += len(fresh)
            if ended and not fresh:
                return


class LocalContainers:
    """`client.containers`; `client.images` is never asked for, as only services resolve images.

    Attributes:
        python: What `python` in a container's command means.
        root: Working directory of every container.
    """

    def __init__(self, python: Path, root: Path, endpoint: str) -> None:
        self._python = python
        self._root = root
        self._endpoint = endpoint
        self._all: dict[str, LocalContainer] = {}

    @property
    def containers(self) -> "LocalContainers":
        """This object: the client and its one collection are the same here."""
        return self

    def run(
        self, image: str, *, command: list[str] | None, environment: dict[str, str], labels: dict[str, str], **_: Any
    ) -> LocalContainer:
        """Start a container's command.

        Raises:
            ValueError: The container has no command; the image's own cannot be known.
        """
        if not command:
            raise ValueError(f"the embedded cloud needs a command in the container definition of {image}")
        program = str(self._python) if command[0] in ("python", "python3") else command[0]
        variables = {
            "PATH": f"{self._python.parent}:/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TMPDIR": os.environ["TMPDIR"],
            "PYTHONPATH": str(self._root / "functions"),
            "PYTHONUNBUFFERED": "1",
            "AWS_ENDPOINT_URL": self._endpoint,
            "AWS_REGION": get_region(),
            "AWS_DEFAULT_REGION": get_region(),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": get_account_id(),
            "AWS_SECRET_ACCESS_KEY": "local",
            # MiniStack tells containers where Docker would find it.
            **{name: value.replace(_DOCKER_HOST, "127.0.0.1") for name, value in environment.items()},
        }
        container = LocalContainer([program, *command[1:]], variables, self._root, labels)
        self._all[container.id] = container
        return container

    def get(self, identifier: str) -> LocalContainer:
        """Return a container by its id."""
        return self._all[identifier]

    def list(self, **_: Any) -> list[LocalContainer]:
        """Return every container."""
        return list(self._all.values())

    def close(self) -> None:
        """End every container."""
        for container in self._all.values():
            container.remove()
        self._all.clear()


def install(containers: LocalContainers) -> None:
    """Let MiniStack's ECS run commands locally and report how they end."""
    seams.replace(ecs, "_get_docker", "", lambda _: lambda: containers)
    seams.replace(ecs, "_mark_task_stopped", "task_arn task reason stop_code exit_code", _stopped(containers))
    seams.replace(ecs, "reset", "", _reset(containers))
    seams.private(ecs, "_describe_tasks", "data")
    seams.replace(sfn, "_poll_ecs_tasks", "cluster task_arns", lambda _: _await_tasks)


def _stopped(containers: LocalContainers) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """StopTask records how its containers really ended; MiniStack writes 0 before it stops them."""

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def mark(arn: str, task: dict[str, Any], reason: str, stop_code: str, exit_code: int | None = None) -> Any:
            if stop_code == "UserInitiated":
                for identifier, described in zip(task["_docker_ids"], task["containers"], strict=False):
                    container = containers.get(identifier)
                    container.stop()
                    described["exitCode"] = container.wait()["StatusCode"]
            return original(arn, task, reason, stop_code, exit_code)

        return mark

    return wrap


def _reset(containers: LocalContainers) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def reset() -> None:
            containers.close()
            original()

        return reset

    return wrap


def _await_tasks(cluster: str, arns: list[str]) -> dict[str, Any]:
    """Wait for `runTask.sync` and fail as AWS does: a container that does not exit with 0 is States.TaskFailed."""
    waiting = threading.Event()
    while True:
        waiting.wait(_POLL_SECONDS)
        _, _, body = ecs._describe_tasks({"cluster": cluster, "tasks": arns})
        tasks = json.loads(body)["tasks"]
        if tasks and all(task["lastStatus"] == "STOPPED" for task in tasks):
            break
    task: dict[str, Any] = _pascal(tasks[0])
    codes = [container.get("ExitCode") for described in map(_pascal, tasks) for container in described["Containers"]]
    if any(codes) or None in codes:
        raise sfn._ExecutionError("States.TaskFailed", json.dumps(task))
    return task


def _pascal(value: Any) -> Any:
    """Return AWS's spelling of a described task inside a state machine."""
    if isinstance(value, dict):
        return {key[:1].upper() + key[1:]: _pascal(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_pascal(item) for item in value]
    return value
