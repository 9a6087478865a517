"""The number of alarms that is asked, and those that autoscaling makes for itself."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.cloudwatch_alarms import Alarms
from data_protection.checks.dynamodb_autoscaling import Autoscaling
from data_protection.conflicts.conflict import Conflict
from data_protection.resources import Resource

_EACH: Final = 8  # four for reads and four for writes of a table


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    scaled = sum(isinstance(case.requirement, Autoscaling) for case in cases)
    for case in cases:
        if isinstance(case.requirement, Alarms) and scaled * _EACH >= case.requirement.least:
            said = (
                f"Autoscaling of {scaled} tables makes {scaled * _EACH} alarms for itself: {case.requirement.least} "
                "would be there without one that tells anybody anything, and are not counted."
            )
            yield case.resource, said


CONFLICT: Final = Conflict(
    id="SCALING-ALARMS",
    title="The alarms of autoscaling would meet the number of alarms that is asked",
    between=("CW-ALARMS", "DDB-SCALE"),
    ways_out="Count alarms that people made and that reach somebody, as CW-ALARMS does.",
    detect=_detect,
)
