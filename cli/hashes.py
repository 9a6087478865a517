"""Hashes of plans as people type them: a unique beginning is enough, as git has it."""

import re
from collections.abc import Callable, Sequence
from typing import Final

_WHOLE: Final = 64
_LEAST: Final = 8
# As short as is printed where a whole one is too long.
SHORT: Final = 12


class HashUnknown(LookupError):
    """What was given is no hash, or not the beginning of exactly one."""


def whole(given: str, find: Callable[[str], Sequence[str]], among: str) -> str:
    """Return the hash that begins with what was given.

    Args:
        given: At least 8 digits of it; all 64 are not looked up.
        find: Returns the hashes that begin with digits.
        among: What they are hashes of, in the singular.

    Raises:
        HashUnknown: It is no hash, or none or several begin so; the sentence says what to do.
    """
    digits = given.lower()
    if not re.fullmatch(rf"[0-9a-f]{{{_LEAST},{_WHOLE}}}", digits):
        raise HashUnknown(f"'{given}' is no hash: give its first {_LEAST} digits (0-9, a-f) or more.")
    if len(digits) == _WHOLE:
        return digits
    found = find(digits)
    if not found:
        raise HashUnknown(f"There is no {among} whose hash begins with {digits}: `gatehouse plans` lists plans.")
    if len(found) > 1:
        raise HashUnknown(f"{len(found)} hashes begin with {digits}: {', '.join(found)}. Give more digits.")
    return found[0]
