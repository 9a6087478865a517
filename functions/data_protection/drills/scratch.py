"""Names of scratch tables: what does not have such a name is never deleted."""

import hashlib
import re
from typing import Final

PREFIX: Final = "gatehouse-drill-"
_LONGEST: Final = 255
_DIGITS: Final = 12
_FORM: Final = re.compile(rf"{PREFIX}[0-9a-f]{{{_DIGITS}}}-[a-zA-Z0-9_.-]+")


def scratch_name(table: str, run: str) -> str:
    """Return the name of the table to which a run restores a table: always the same, and of no other run."""
    digest = hashlib.sha256(f"{table}/{run}".encode()).hexdigest()[:_DIGITS]
    return f"{PREFIX}{digest}-{table}"[:_LONGEST]


def is_scratch(name: str) -> bool:
    """Return whether a table has the name of a scratch table."""
    return _FORM.fullmatch(name) is not None
