"""RecordFailure's work: give back what the run holds, and say what happened."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import TYPE_CHECKING, Final

from firewall_logs.contracts import FailureInput, FailureRecord, RunPlan

if TYPE_CHECKING:
    from firewall_logs.adapters.ledger import LedgerReleases


_THREADS: Final = 16


def release_all(
    failure: FailureInput,
    intent: Sequence[str],
    plan: RunPlan | None,
    releases: "LedgerReleases",
    now: datetime,
) -> FailureRecord:
    """Give back every object that the failed run still holds, and return the evidence."""
    with ThreadPoolExecutor(_THREADS) as threads:
        given_back = threads.map(lambda object_id: releases.release(object_id, failure.run_id, now=now), intent)
        released = {object_id for object_id, is_ours in zip(intent, given_back, strict=True) if is_ours}
    if plan is None:
        failed = max(len(intent), failure.objects)
    else:
        failed = len(released) + sum(
            planned.status in {"missing", "unreadable"} and planned.object_id not in released
            for planned in plan.objects
        )
    # One at least: a rate of success that a failed run does not lower would say that nothing happened.
    return FailureRecord(**failure.model_dump(exclude={"objects"}), recorded_at=now, objects_failed=max(failed, 1))
