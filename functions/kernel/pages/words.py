"""Numbers and texts as people read them."""

import re
from typing import Final

# What a text could hide or turn around: C0 and C1 controls but tab and newline, and the controls of direction
# (Unicode Technical Report 36, "Bidirectional Text Spoofing").
_UNSEEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def number(value: float) -> str:
    """Return a whole number with thousands separated."""
    return f"{value:,.0f}"


def counted(value: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it must be."""
    return f"{value:,} {noun}{'' if value == 1 else 's'}"


def seen(text: str) -> str:
    r"""Return a text of others with what would not be seen, or would turn it around, as `\x00` or `\u202e`."""
    return _UNSEEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
