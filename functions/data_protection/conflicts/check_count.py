"""The number of checks that the standard names, and the number that its requirements make."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Resource, account_of

_NAMED: Final = 36


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    if cases and len(cases) != _NAMED:
        said = f"The standard speaks of {_NAMED} checks, the profile asks {len(cases)} here: scores do not compare."
        yield account_of(cases[0].snapshot.place), said


CONFLICT: Final = Conflict(
    id="CHECK-COUNT",
    title="36 checks are fewer than what is required",
    between=("36 checks", "the requirements that are counted"),
    ways_out="Publish the list of checks and resources with each score, and compare scores of one profile only.",
    detect=_detect,
)
