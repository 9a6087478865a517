"""What is said while an execution runs, where it waits for people, for their time, or for another run."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from cli.executions import is_running
from cli.follow import Follower, Step
from cli.hashes import SHORT
from cli.target import NotDeployed, Target


def note(step: Step, follower: Follower, target: Target) -> str:
    """Return what people should know of a state that an execution has come to; mostly nothing.

    Args:
        step: The state.
        follower: Of the execution, as it was last looked at.
        target: Where it runs.
    """
    if step.name == "WhatIsPlanned":
        return _taken_up(follower, target)
    speak = _WAITING.get(step.name) if step.left_at is None else None
    return speak(follower, target) if speak else ""


def _taken_up(follower: Follower, target: Target) -> str:
    """Return which other run has the plan of this one, too; empty for none, and where the caller may not know."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy

    from data_protection.adapters.evidence import chain_of  # noqa: PLC0415
    from data_protection.errors import EvidenceBroken  # noqa: PLC0415
    from data_protection.remediation.evidence import Event  # noqa: PLC0415

    planned = planned_by(follower)
    if planned.get("dry_run", True):
        return ""
    plan, machine = planned["plan"], target.short_name(follower.execution.machine)
    try:
        chain = chain_of(target.client("s3"), target.output("EvidenceBucketName"), plan)
        runs = [
            record.content["run"] for record in chain if record.event is Event.PLANNED and not record.content["dry_run"]
        ]
        running = [
            run
            for run in dict.fromkeys(runs)
            if run != follower.execution.name and is_running(target, target.machine_arn(machine), run)
        ]
    except (ClientError, EvidenceBroken, NotDeployed):
        return ""
    if not running:
        return ""
    return (
        f"The run {running[-1]} waits with this plan already, or carries it out; no step is made twice. How far it is: "
        f"gatehouse plans {plan[:SHORT]} {target.options}"
    )


def _for_approval(follower: Follower, target: Target) -> str:
    plan = planned_by(follower)["plan"][:SHORT]
    return (
        f"waits for approval: gatehouse plans {plan} {target.options}\n"
        f"Somebody else approves it: gatehouse approve {plan} {target.options}"
    )


def _for_window(follower: Follower, _: Target) -> str:
    known = [result["opens"] for result in follower.results(latest_first=True) if result and result.get("opens")]
    opens = max((datetime.fromisoformat(each) for each in known), default=None)
    # Without windows, one has opened.
    if opens is None or opens <= datetime.now(UTC):
        return ""
    return f"waits for its window: opens {opens.astimezone(UTC):%F %H:%M} UTC"


def planned_by(follower: Follower) -> Mapping[str, Any]:
    """Return what the first task of a remediation has planned; nothing where it has failed."""
    return next(follower.results(), None) or {}


# By the names of states, which no other machine has.
_WAITING: Final[Mapping[str, Callable[[Follower, Target], str]]] = {
    "RequestApproval": _for_approval,
    "WaitForWindow": _for_window,
    "WaitToLock": _for_window,
}
