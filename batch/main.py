"""A task on Fargate: one piece of work that is too heavy for a function.

Started by: states RunOnSpot and RunOnDemand of process_objects and seal_day, which say by environment what is to be
done (BatchSettings). Result: an exit code (`exits.py`); what was done is in receipts and ledger, and whoever comes
again goes on there.
"""

import sys
from collections.abc import Callable, Mapping
from typing import Final

from aws_lambda_powertools import Logger

from batch import cut, unit
from batch.exits import DONE, FAILED, INTERRUPTED, REFUSALS, REFUSED
from batch.stopping import Interrupted, StopSignal
from firewall_logs.settings import BatchSettings
from kernel.settings import load

logger = Logger()

WORKS: Final[Mapping[str, Callable[[BatchSettings, StopSignal], None]]] = {"unit": unit.process, "cut": cut.compact}


def main() -> int:
    """Do the work and return the exit code."""
    try:
        settings = load(BatchSettings)
        WORKS[settings.work_kind](settings, StopSignal(settings.stop_seconds))
    except Interrupted:
        logger.warning("task interrupted")
        return INTERRUPTED
    except REFUSALS:
        logger.exception("work refused")
        return REFUSED
    except Exception:  # the border of the process: its code is all that is seen of it
        logger.exception("work failed")
        return FAILED
    return DONE


if __name__ == "__main__":
    sys.exit(main())
