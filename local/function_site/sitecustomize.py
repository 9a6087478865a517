# ruff: noqa: INP001 - Python finds it by its name, on the import path
"""What is different for functions from outside, as Python imports a module of this name when it starts.

- Hosts of accounts. The API of S3 Control for an account is at `<account>.<host>`, whatever endpoint a client is given;
  the emulator has no name that another could stand before, so such hosts are the emulator's.
- The clock, for functions of a cloud that has one of its own. `kernel.clock` is what the domains ask for the time;
  whatever else asks, such as signatures of requests, has the machine's.
"""

import os
import socket
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

_LOOPBACK = "127.0.0.1"
_resolve = socket.getaddrinfo


def _resolved(host: Any, *rest: Any, **more: Any) -> Any:
    account = isinstance(host, str) and host.endswith(f".{_LOOPBACK}")
    return _resolve(_LOOPBACK if account else host, *rest, **more)


def _move_clock(file: Path) -> None:
    from kernel import clock  # noqa: PLC0415 - functions whose clock is not moved need not have it

    machine = clock.utc_now

    def moved() -> datetime:
        return machine() + timedelta(seconds=float(file.read_text("ascii")))

    clock.utc_now = moved


socket.getaddrinfo = _resolved
if "GATEHOUSE_CLOCK" in os.environ:
    _move_clock(Path(os.environ["GATEHOUSE_CLOCK"]))
