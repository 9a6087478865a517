"""Drift is seen by events of CloudTrail, and the trail itself may be what drifts."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.conflicts.conflict import Conflict
from data_protection.readings import Found
from data_protection.reads.cloudtrail import TRAIL_STATUS
from data_protection.resources import Kind, Resource, account_of


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases[:1]:
        account = account_of(case.snapshot.place)
        if "CT-LOGGING" not in case.scope.needs.get(account, {}):
            yield account, "Changes are seen by a trail that the profile does not ask for: nobody sees when it stops."
        for trail in case.snapshot.resources(Kind.TRAIL):
            reading = case.snapshot.reading(TRAIL_STATUS, trail)
            if isinstance(reading, Found) and not reading.answer["IsLogging"]:
                yield trail, f"{trail.name} does not log: changes that it alone records are seen by the sweep only."


CONFLICT: Final = Conflict(
    id="DRIFT-TRAIL",
    title="Re-checks by events depend on the trail that they guard",
    between=("drift by events", "CT-LOGGING"),
    ways_out="Ask CT-LOGGING of the account, and keep the scheduled sweep, which looks at the trail first.",
    detect=_detect,
)
