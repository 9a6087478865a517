import subprocess
import sys
import threading

from batch.exits import REFUSED
from batch.heartbeat import Heartbeat
from local.paths import ROOT

# In a process of its own, as it ends with the lease; the main thread would go on for a minute.
LOST = """
import time
from batch.heartbeat import Heartbeat
from firewall_logs.errors import LeaseLost

def renew():
    raise LeaseLost("another run has it")

with Heartbeat(renew, seconds=0.01):
    time.sleep(60)
"""


def test_lease_is_renewed_again_and_again_while_work_goes_on() -> None:
    beats, enough = [], threading.Event()

    def renew() -> None:
        beats.append(1)
        if len(beats) == 3:
            enough.set()

    with Heartbeat(renew, seconds=0.001):
        assert enough.wait(10)
    assert not any(thread.name == "heartbeat" for thread in threading.enumerate())


def test_beat_that_fails_is_followed_by_the_next() -> None:
    beats, enough = [], threading.Event()

    def renew() -> None:
        beats.append(1)
        if len(beats) == 2:
            enough.set()
        raise TimeoutError

    with Heartbeat(renew, seconds=0.001):
        assert enough.wait(10)


def test_lost_lease_ends_the_process_at_once() -> None:
    ended = subprocess.run(  # noqa: S603 - ourselves
        [sys.executable, "-c", LOST],
        cwd=ROOT,
        env={"PYTHONPATH": f"{ROOT}/functions:{ROOT}"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == REFUSED
    assert '"message":"lease lost"' in ended.stdout
