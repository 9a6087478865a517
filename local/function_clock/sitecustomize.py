# ruff: noqa: INP001 - Python finds it by its name, on the import path
"""Moves the clock of functions: on the import path of those alone whose cloud has a clock of its own.

Python imports a module of this name when it starts. `kernel.clock` is what the domains ask for the time; whatever else
asks, such as signatures of requests, has the machine's.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

from kernel import clock

_machine = clock.utc_now


def _moved() -> datetime:
    return _machine() + timedelta(seconds=float(Path(os.environ["GATEHOUSE_CLOCK"]).read_text("ascii")))


clock.utc_now = _moved
