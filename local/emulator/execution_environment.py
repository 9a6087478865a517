"""One Lambda execution environment: a process of AWS's Runtime Interface Client that handles one event at a time."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any

from local.emulator.memory import MemoryGuard, Watched
from local.emulator.runtime_api import Invocation, RuntimeApi, Signal

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html: after 10 s Lambda starts the
# initialisation again, this time inside the function's own timeout.
INIT_SECONDS = 10
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB, measured by AWS as this many bytes.
RESPONSE_BYTES = 6_291_556


@dataclass(frozen=True)
class Reply:
    """How an invocation ended.

    Attributes:
        payload: The handler's result, or the error document.
        log: Everything the process wrote meanwhile.
        peak_mb: Highest resident memory.
        is_text: Whether the result was not JSON.
        reusable: Whether the environment can take another event.
    """

    payload: Any
    log: str
    peak_mb: int
    is_error: bool = False
    is_text: bool = False
    reusable: bool = True


class ExecutionEnvironment:
    """Starts its process at once and answers through `invoke`, one event after the other."""

    def __init__(
        self, command: Sequence[str], variables: Mapping[str, str], code: Path, memory_mb: int, guard: MemoryGuard
    ) -> None:
        self.idle_since = time.monotonic()
        self._memory_mb = memory_mb
        self._guard = guard
        self._api = RuntimeApi()
        self._folder = Path(tempfile.mkdtemp(prefix="environment-"))
        scratch = self._folder / "tmp"
        scratch.mkdir()
        self._log = (self._folder / "log").open("a+b")
        self._cold = True
        self._process = subprocess.Popen(  # noqa: S603 - the function's own process
            command,
            cwd=code,
            env={
                **variables,
                "AWS_LAMBDA_RUNTIME_API": self._api.address,
                "TMPDIR": str(scratch),
                "HOME": str(scratch),
            },
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        threading.Thread(target=self._await_exit, daemon=True, name=f"environment-{self._process.pid}").start()

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def invoke(self, invocation: Invocation) -> Reply:
        """Hand over an event and wait until it is answered, or until time or memory run out."""
        watched = Watched(self._process.pid, self._memory_mb, self.kill)
        with self._guard.watching(watched):
            self._api.offer(invocation)
            answer = self._await_answer(invocation)
        error, reusable = self._error(answer, invocation, watched)
        log = self._take_log()
        if error is not None:
            if answer is None or answer.kind == "exited":  # nobody but the platform could say so
                log += f"{error['errorMessage']}\n"
            return Reply(error, log, watched.peak_mb, is_error=True, reusable=reusable)
        body = b"" if answer is None else answer.body
        try:
            return Reply(json.loads(body), log, watched.peak_mb)
        except ValueError:
            return Reply(body.decode(errors="replace"), log, watched.peak_mb, is_text=True)

    def close(self) -> None:
        """End the process, its children and its files."""
        self.kill()
        self._api.close()
        self._process.wait()
        self._log.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def kill(self) -> None:
        """End the process and its children; whoever waits for an answer learns of it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _await_exit(self) -> None:
        code = self._process.wait()
        self._api.signals.put(Signal("exited", exit_code=code))

    def _await_answer(self, invocation: Invocation) -> Signal | None:
        """Return the answer or the exit; None after the timeout, which starts once the process has the event."""
        deadline = time.monotonic() + invocation.timeout + (INIT_SECONDS if self._cold else 0)
        while True:
            try:
                happened = self._api.signals.get(timeout=max(0.0, deadline - time.monotonic()))
            except Empty:
                self.kill()
                return None
            if happened.kind != "started":
                return happened
            self._cold = False
            deadline = time.monotonic() + invocation.timeout

    def _error(
        self, answer: Signal | None, invocation: Invocation, watched: Watched
    ) -> tuple[dict[str, Any] | None, bool]:
        """Return the error document, if it is one, and whether the environment lives on."""
        request = f"RequestId: {invocation.request_id}"
        if answer is None:
            message = f"{request} Error: Task timed out after {invocation.timeout:.2f} seconds"
            return {"errorType": "Sandbox.Timedout", "errorMessage": message}, False
        if answer.kind == "exited":
            reason = f"{request} Error: Runtime exited {_exit_reason(answer.exit_code)}"
            kind = "Runtime.OutOfMemory" if watched.exceeded else "Runtime.ExitError"
            return {"errorType": kind, "errorMessage": reason}, False
        if answer.kind == "error":
            document = json.loads(answer.body)
            # A failed initialisation is reported before any event was taken, and the process ends after it.
            return document, not self._cold
        if len(answer.body) > RESPONSE_BYTES:
            message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_BYTES} bytes)."
            return {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}, True
        return None, True

    def _take_log(self) -> str:
        # The process appends and was done writing when it answered: what is in the file belongs to this event.
        self._log.seek(0)
        text = self._log.read().decode(errors="replace")
        self._log.truncate(0)
        return text


def _exit_reason(code: int) -> str:
    if code == 0:
        return "without providing a reason"
    if code < 0:
        return f"with error: signal: {signal.strsignal(-code) or -code}".lower()
    return f"with error: exit status {code}"
