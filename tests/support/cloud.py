"""The embedded cloud for tests: one server a process, and one with the real application, each on a port of its own.

A test module or a conftest imports the fixtures it needs. However many do, there is one server and one deployment; they
end with the test run, even if that is killed.
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

# What `lock_objects` may lock in the deployed application.
LOCKED_BUCKET = "recordings"

# Another account, and what the deployed application may do in it: read a bucket in one role, assess and mend in others.
OTHER_ACCOUNT = "222222222222"
SOURCE_BUCKET = "media-raw"
SOURCE_ROLE = "gatehouse-source-media"

# Machines of the application wait this share of the time: what they wait for is there at once.
WAIT_SCALE = 0.1

_CLOUD = pytest.StashKey[EmbeddedCloud]()
_DEPLOYED = pytest.StashKey[tuple[EmbeddedCloud, Deployment]]()

T = TypeVar("T")


@pytest.fixture(scope="session")
def cloud(pytestconfig: pytest.Config) -> EmbeddedCloud:
    """Return this process's server."""
    if _CLOUD not in pytestconfig.stash:
        pytestconfig.stash[_CLOUD] = _start(pytestconfig)
    return pytestconfig.stash[_CLOUD]


@pytest.fixture(scope="session")
def deployed(pytestconfig: pytest.Config) -> tuple[EmbeddedCloud, Deployment]:
    """Return the real application, and the server that it is deployed into.

    With all that any test wants of it, and IAM enforced: tests share it, and so leave alone what is not their own.
    """
    if _DEPLOYED not in pytestconfig.stash:
        parameters = {
            "FirewallLogsBatchingSeconds": "1",
            "FirewallLogsSealGraceSeconds": "0",
            "FirewallLogsOcsf": "enabled",
            "DataProtection": "enabled",
            "FirewallLogsSourceAccounts": OTHER_ACCOUNT,
            "FirewallLogsSourceBuckets": SOURCE_BUCKET,
            "FirewallLogsSourceRoleArns": f"arn:aws:iam::{OTHER_ACCOUNT}:role/{SOURCE_ROLE}",
            "DataProtectionAssessRoles": "gatehouse-data-protection-assess",
            "DataProtectionLockingBucketArns": f"arn:aws:s3:::{LOCKED_BUCKET}",
            "DataProtectionRemediateRoles": "gatehouse-data-protection-remediate-*",
        }
        started = _start(pytestconfig, enforce_iam=True, wait_scale=WAIT_SCALE)
        pytestconfig.stash[_DEPLOYED] = started, deploy(started, parameters=parameters, on_progress=print)
        pause(started.client("events"))
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


def _start(pytestconfig: pytest.Config, *, enforce_iam: bool = False, wait_scale: float = 1.0) -> EmbeddedCloud:
    started = EmbeddedCloud.start(f"test-{uuid.uuid4().hex[:8]}", enforce_iam=enforce_iam, wait_scale=wait_scale)
    pytestconfig.add_cleanup(lambda: _stop(started))
    return started


def _stop(started: EmbeddedCloud) -> None:
    started.stop()
    shutil.rmtree(started.folder, ignore_errors=True)
