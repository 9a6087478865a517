"""Numbered files that nobody has read: whether what was listed under one number is listed under a higher one.

Each rotation raises the numbers of all files by one and removes the last. A file is written to only while it has no
number, so size and time of the last write tell those that have one apart.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from database_logs.discovery.files import Known, Listed


def is_there(number: int, known: "Mapping[int, Known]", listed: "Mapping[int, Listed]") -> bool:
    """Return whether a file may still be listed, under its number or a higher one; False where it cannot be.

    Args:
        number: That it had; 0 for the file that is written to, which has none.
        known: What was listed before, by number.
        listed: What is listed now, by number.
    """
    rotations = _rotations(known, listed)
    if rotations is not None:
        return number + rotations in listed
    one = known[number]
    if number:
        return any(_is_same(one, file) for now, file in listed.items() if now >= number)
    # Nothing was numbered before, or all of that is gone. The oldest file that was written to since may be it.
    later = [now for now, file in listed.items() if file.last_written >= one.last_written]
    return max(listed, default=-1) == 0 or (bool(later) and listed[max(later)].size >= one.size)


def _rotations(known: "Mapping[int, Known]", listed: "Mapping[int, Listed]") -> int | None:
    """Return how often files were numbered anew; None if no numbered file of then tells."""
    found = {
        now - before
        for before, one in known.items()
        for now, file in listed.items()
        if 0 < before <= now and _is_same(one, file)
    }
    return found.pop() if len(found) == 1 else None


def _is_same(one: "Known", file: "Listed") -> bool:
    return (one.size, one.last_written) == (file.size, file.last_written)
