"""SIGTERM: the slice or cut in hand is finished if there is time for it, and no other is begun."""

import os
import signal
import threading
import time

from aws_lambda_powertools import Logger

from batch.exits import INTERRUPTED

logger = Logger()


class Interrupted(Exception):
    """The task was told to stop, and everything it had begun is finished."""


class StopSignal:
    """Whether the task was told to stop.

    Spot sends SIGTERM two minutes before it takes the machine, StopTask and a state's timeout send it too; SIGKILL
    follows after the container's stopTimeout.
    https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-capacity-providers.html
    """

    def __init__(self, seconds: float) -> None:
        """Listen from now on.

        Args:
            seconds: How long the slice or cut in hand may still take; then it is abandoned where it is.
        """
        self._seconds = seconds
        self._told = threading.Event()
        # Python's own handler waits for the main thread, which may be inside polars for minutes: what the interpreter
        # writes to a descriptor is there at once.
        heard, tell = os.pipe()
        os.set_blocking(tell, False)
        signal.set_wakeup_fd(tell)
        signal.signal(signal.SIGTERM, lambda *_: None)
        threading.Thread(target=self._wait, args=(heard,), daemon=True, name="stop-signal").start()

    def check(self) -> None:
        """Go on, unless the task was told to stop.

        Raises:
            Interrupted: It was.
        """
        if self._told.is_set():
            raise Interrupted

    def _wait(self, heard: int) -> None:
        os.read(heard, 1)
        logger.warning("told to stop", seconds_left=self._seconds)
        self._told.set()
        time.sleep(self._seconds)
        # Harmless: without its receipt the slice or cut is made again, to the same bytes under the same keys.
        logger.warning("work abandoned")
        os._exit(INTERRUPTED)
