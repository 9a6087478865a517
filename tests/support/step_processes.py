"""Processes of `step_worker.py`, lent to one pipeline after the other: starting one takes longer than a run."""

import atexit
import json
import subprocess
import sys
from typing import Any


class StepProcess:
    """A worker that has the environment of whoever has it on loan."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.step_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={"PATH": "/usr/bin:/bin", "PYTHONPATH": "functions:."},
        )
        atexit.register(self._end)

    @property
    def alive(self) -> bool:
        """Whether it still serves."""
        return self._process.poll() is None

    def begin(self, environment: dict[str, str]) -> None:
        """Let it be a new process with these variables."""
        self._write({"environment": environment})

    def ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return its answer."""
        self._write(request)
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def _write(self, document: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(document) + "\n")
        self._process.stdin.flush()

    def _end(self) -> None:
        self._process.kill()
        self._process.communicate()


# By whether it may import pyarrow; polars and pyarrow may not share a process.
_IDLE: dict[bool, list[StepProcess]] = {False: [], True: []}


def lend(pyarrow: bool, environment: dict[str, str]) -> StepProcess:  # noqa: FBT001 - which of the two
    """Return a worker that nobody has, in this environment."""
    process = _IDLE[pyarrow].pop() if _IDLE[pyarrow] else StepProcess()
    process.begin(environment)
    return process


def give_back(pyarrow: bool, process: StepProcess) -> None:  # noqa: FBT001 - which of the two
    """Let others have a worker that answered all that it was asked."""
    if process.alive:
        _IDLE[pyarrow].append(process)
