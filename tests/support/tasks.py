"""Tasks on Fargate as real processes, started as the state machines start them."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

from local.endpoints import credentials
from local.paths import ROOT
from tests.support.aws import ENVIRONMENT
from tests.support.cloud import eventually
from tests.support.pipeline import Pipeline

# What the task definition says; the line is the machine's.
TASK = {"MEMORY_MB": "30720", "VCPUS": "4", "STOP_SECONDS": "60", "WORK_LINE": "0"}


def run(pipeline: Pipeline, **variables: str) -> int:
    """Run a task to its end and return its exit code."""
    with _started(pipeline, variables) as process:
        return _ended(process)


def signalled(pipeline: Pipeline, number: signal.Signals, when: Callable[[], bool], **variables: str) -> int:
    """Run a task, signal it as soon as something holds, and return its exit code."""
    with _started(pipeline, variables) as process:
        eventually(when)
        os.kill(process.pid, number)
        return _ended(process)


def _started(pipeline: Pipeline, variables: dict[str, str]) -> subprocess.Popen[str]:
    environment = {
        "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(ROOT / "functions"),
        **ENVIRONMENT,
        **credentials(),
        "AWS_ENDPOINT_URL": pipeline.cloud.endpoint,
        **TASK,
        **variables,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "batch.main"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _ended(process: subprocess.Popen[str]) -> int:
    said, _ = process.communicate(timeout=240)
    sys.stdout.write(said)
    return process.returncode
