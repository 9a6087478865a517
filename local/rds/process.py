"""`python -m local.rds` in a process of its own, and its commands by HTTP."""

import json
import subprocess
import urllib.request
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from local.errors import LocalCloudError
from local.paths import DEV_PYTHON, ROOT

_STOP_SECONDS = 60
_COMMAND_SECONDS = 600


class RdsNotStarted(LocalCloudError):
    """The log API did not come up."""


class RdsProcess:
    """A fleet; it ends with this object, and with this process however that ends.

    It comes up by and by: `await_fleet` before the first command.

    Args:
        arguments: Of `python -m local.rds`.

    Attributes:
        endpoint: AWS_ENDPOINT_URL_RDS.

    Raises:
        RdsNotStarted: It did not come up.
    """

    def __init__(self, arguments: Sequence[str] = ()) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own
            [DEV_PYTHON, "-m", "local.rds", *arguments], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.endpoint: str = self._said()["endpoint"]

    def await_fleet(self) -> None:
        """Wait until all instances are there.

        Raises:
            RdsNotStarted: They did not come up.
        """
        self._said()

    def _said(self) -> dict[str, Any]:
        """Return what it says next."""
        line = self._process.stdout.readline() if self._process.stdout is not None else b""
        if not line:
            self.stop()
            raise RdsNotStarted("The log API of RDS did not come up: what it wrote above says why.")
        said: dict[str, Any] = json.loads(line)
        return said

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def command(self, name: str, **arguments: Any) -> Any:
        """Carry out a command of local/rds/control.py, and return what it does as JSON has it.

        Raises:
            OSError: The process is gone, or refuses; the answer of an HTTPError says why.
        """
        request = urllib.request.Request(  # noqa: S310 - loopback
            f"{self.endpoint}/_rds/{name}", json.dumps(arguments).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=_COMMAND_SECONDS) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def stop(self) -> int:
        """End it with its database servers, and return its status."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        return self._process.wait(_STOP_SECONDS)
