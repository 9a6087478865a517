"""How a task ends. Step Functions learns nothing of a container but its exit code."""

from typing import Final

import pydantic

from firewall_logs.errors import (
    CutMismatch,
    InputGone,
    InputUnsorted,
    LeaseLost,
    PlanMissing,
    SourceChanged,
    SourceUnreadable,
    WorkMissing,
)
from kernel.errors import EffectConflict, SettingsInvalid, ValidationError

DONE: Final = 0
# Whatever may be different next time: throttling, a connection that broke.
FAILED: Final = 1
# The next attempt could only fail alike. EX_DATAERR of sysexits.h; the state machine knows the number.
REFUSED: Final = 65
# Told to stop, as by Spot. 128 + SIGTERM, which is what a process that does not listen ends with as well.
INTERRUPTED: Final = 143

REFUSALS: Final = (
    ValidationError,
    pydantic.ValidationError,
    SettingsInvalid,
    WorkMissing,
    LeaseLost,
    SourceChanged,
    SourceUnreadable,
    PlanMissing,
    InputGone,
    InputUnsorted,
    CutMismatch,
    EffectConflict,
)
