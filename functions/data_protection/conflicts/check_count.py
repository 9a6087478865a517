"""The number of checks that the standard names, and the number that its requirements make."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Resource, account_of


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    named = cases[0].scope.standard_checks if cases else None
    if named is not None and len(cases) != named:
        said = f"The standard speaks of {named} checks, the profile asks {len(cases)} here: scores do not compare."
        yield account_of(cases[0].snapshot.place), said


CONFLICT: Final = Conflict(
    id="CHECK-COUNT",
    title="The standard counts other checks than its requirements make",
    between=("the checks that the standard counts", "the requirements that are counted"),
    ways_out="Publish the list of checks and resources with each score, and compare scores of one profile only.",
    detect=_detect,
)
