"""Changes that the standard counts among the harmless ones of phase 1, and that are not."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.dynamodb_key import TableKey
from data_protection.checks.dynamodb_stream import Stream, view_type
from data_protection.conflicts.conflict import Conflict
from data_protection.readings import Found
from data_protection.reads.dynamodb import TABLE
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases:
        reading = case.snapshot.reading(TABLE, case.resource)
        if not isinstance(reading, Found):
            continue
        table, name = reading.answer["Table"], case.resource.name
        if isinstance(case.requirement, Stream) and view_type(table) not in {None, case.requirement.view}:
            yield case.resource, f"Another view type of {name}'s stream is a new stream, and its consumers stop."
        if isinstance(case.requirement, TableKey) and table.get("ItemCount") and not _is_ours(table):
            yield case.resource, f"{name} has readers: with another key those without rights on it are locked out."


def _is_ours(table: Any) -> bool:
    return bool(table.get("SSEDescription", {}).get("SSEType") == "KMS")


CONFLICT: Final = Conflict(
    id="PHASE-ONE-RISK",
    title="Phase 1 holds changes that can break readers",
    between=("DDB-STREAM", "DDB-KMS"),
    ways_out="Have these two approved by those who read the tables, after consumers are drained and rights are given.",
    detect=_detect,
)
