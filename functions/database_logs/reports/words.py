"""Numbers, times and statements as people read them."""

from datetime import date
from typing import Final

from kernel.pages.words import seen

_LONG: Final = 110


def seconds(value: float) -> str:
    """Return a duration in the unit that suits it."""
    for unit, length in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0), ("s", 1.0), ("ms", 1e-3)):
        if value >= length:
            return f"{value / length:.3g} {unit}"
    return f"{value * 1e6:.3g} µs"


def share(value: float) -> str:
    """Return a part of a whole as per cent."""
    return f"{100 * value:.1f} %"


def day(value: date) -> str:
    """Return a day, such as 7 June 2026."""
    return f"{value.day} {value:%B %Y}"


def short(statement: str, most: int = _LONG) -> str:
    """Return the beginning of a statement, in one line.

    Args:
        statement: Of anybody, so what would not be seen is shown.
        most: Characters.
    """
    line = " ".join(seen(statement[: 2 * most]).split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
