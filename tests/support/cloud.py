"""The embedded cloud for tests: one server a process, on a port of its own, with the real application on demand.

A test module or a conftest imports the fixtures it needs. However many do, there is one server and one deployment; it
ends with the test run, even if that is killed.
"""

import shutil
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from local.deploy import Deployment, deploy
from local.schedules import pause
from local.supervisor import EmbeddedCloud

_CLOUD = pytest.StashKey[EmbeddedCloud]()
_DEPLOYED = pytest.StashKey[Deployment]()

T = TypeVar("T")


@pytest.fixture(scope="session")
def cloud(pytestconfig: pytest.Config) -> EmbeddedCloud:
    """Return this process's server."""
    if _CLOUD not in pytestconfig.stash:
        started = EmbeddedCloud.start(f"test-{uuid.uuid4().hex[:8]}")
        pytestconfig.stash[_CLOUD] = started
        pytestconfig.add_cleanup(lambda: _stop(started))
    return pytestconfig.stash[_CLOUD]


@pytest.fixture(scope="session")
def deployed(pytestconfig: pytest.Config, cloud: EmbeddedCloud) -> Deployment:
    """Return the real application, deployed into the default account of `cloud`."""
    if _DEPLOYED not in pytestconfig.stash:
        parameters = {
            "FirewallLogsBatchingSeconds": "1",
            "FirewallLogsSealGraceSeconds": "0",
            "FirewallLogsOcsf": "enabled",
        }
        pytestconfig.stash[_DEPLOYED] = deploy(cloud, parameters=parameters, on_progress=print)
        pause(cloud.client("events"))
    return pytestconfig.stash[_DEPLOYED]


def eventually(look: Callable[[], T | None], *, seconds: float = 120) -> T:
    """Ask until there is an answer.

    Args:
        look: Returns something false while there is none.
        seconds: When to give up; a machine that others load as well is many times slower.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, f"nothing after {seconds} s"
        time.sleep(0.05)
    return found


def finished(states: Any, execution_arn: str, *, seconds: float = 240) -> dict[str, Any]:
    """Wait for the end of an execution and return its description.

    Args:
        states: A Step Functions client.
        execution_arn: Which one.
        seconds: When to give up.
    """

    def ended() -> dict[str, Any] | None:
        described: dict[str, Any] = states.describe_execution(executionArn=execution_arn)
        return None if described["status"] == "RUNNING" else described

    return eventually(ended, seconds=seconds)


def _stop(started: EmbeddedCloud) -> None:
    started.stop()
    shutil.rmtree(started.folder, ignore_errors=True)
