"""RecordFailure's work: give back what the run holds, and say what happened."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

from firewall_logs.contracts import FailureInput, FailureRecord, RunPlan

if TYPE_CHECKING:
    from firewall_logs.adapters.ledger import LedgerReleases


def release_all(
    failure: FailureInput,
    intent: Iterable[str],
    plan: RunPlan | None,
    releases: "LedgerReleases",
    now: datetime,
) -> FailureRecord:
    """Give back every object that the failed run still holds, and return the evidence."""
    released = sum(releases.release(object_id, failure.run_id, now=now) for object_id in intent)
    missing = sum(planned.status == "missing" for planned in plan.objects) if plan else 0
    return FailureRecord(**failure.model_dump(), recorded_at=now, objects_failed=released + missing)
