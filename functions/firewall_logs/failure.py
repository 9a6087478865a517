"""RecordFailure's work: give back what the run holds, and say what happened."""

from datetime import datetime
from typing import TYPE_CHECKING

from firewall_logs.contracts import FailureInput, FailureRecord, RunPlan

if TYPE_CHECKING:
    from firewall_logs.adapters.ledger import LedgerReleases


def release_all(
    failure: FailureInput, plan: RunPlan | None, releases: "LedgerReleases", now: datetime
) -> FailureRecord:
    """Give back every object that the failed run still holds, and return the evidence.

    A run that ended before it had a plan may hold leases nobody can name; they run out by themselves.
    """
    objects = plan.objects if plan else []
    held = [planned.object_id for planned in objects if planned.status == "planned"]
    released = sum(releases.release(str(object_id), failure.run_id, now=now) for object_id in held)
    missing = sum(planned.status == "missing" for planned in objects)
    return FailureRecord(**failure.model_dump(), recorded_at=now, objects_failed=released + missing)
