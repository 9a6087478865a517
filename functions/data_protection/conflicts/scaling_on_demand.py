"""Autoscaling of a table that is paid by request."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.dynamodb_autoscaling import Autoscaling, on_demand
from data_protection.checks.dynamodb_table import Table
from data_protection.conflicts.conflict import Conflict
from data_protection.readings import Found
from data_protection.reads.dynamodb import TABLE
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases:
        if not isinstance(case.requirement, Autoscaling):
            continue
        made = case.scope.needs[case.resource].get("DDB-EXISTS")
        reading = case.snapshot.reading(TABLE, case.resource)
        if isinstance(made, Table) and made.units is None:
            yield (
                case.resource,
                f"{case.resource.name} is to be made for payment by request, and to scale its capacity.",
            )
        elif isinstance(reading, Found) and on_demand(reading.answer["Table"]):
            yield case.resource, f"{case.resource.name} is paid by request: it has no capacity to scale."


CONFLICT: Final = Conflict(
    id="SCALING-ON-DEMAND",
    title="Autoscaling at 70 % means nothing for a table that is paid by request",
    between=("DDB-SCALE", "DDB-EXISTS"),
    ways_out="Make the table with provisioned capacity, or take payment by request as better than what is asked.",
    detect=_detect,
)
