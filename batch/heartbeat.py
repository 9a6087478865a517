"""The lease of what a task works on, renewed while it works."""

import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from aws_lambda_powertools import Logger

from batch.exits import REFUSED
from firewall_logs.errors import LeaseLost

logger = Logger()

# `ecs:runTask.sync` takes no heartbeat of the task, so the ledger is where a living task shows.
# https://docs.aws.amazon.com/step-functions/latest/dg/connect-ecs.html
SECONDS: Final = 60.0


class Heartbeat:
    """Renews leases in a thread of its own, and ends the task as soon as one is lost."""

    def __init__(self, renew: Callable[[], None], seconds: float = SECONDS) -> None:
        """Take what is to be done at each beat.

        Args:
            renew: Raises LeaseLost where another run holds the object by now.
            seconds: Between two beats.
        """
        self._renew = renew
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True, name="heartbeat")

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End; no beat follows."""
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(self._seconds):
            try:
                self._renew()
            except LeaseLost:
                logger.exception("lease lost")
                # The main thread may be inside polars for minutes, and all that it still does is done by another run.
                os._exit(REFUSED)
            except Exception:  # the lease outlives many beats, and the next one tries again
                logger.exception("lease not renewed")
