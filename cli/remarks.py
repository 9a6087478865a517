"""What is said once an execution has ended, of machines whose results are looked at by other commands."""

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cli.follow import Execution, Follower
from cli.hashes import SHORT
from cli.notes import planned_by
from cli.target import REMEDIATIONS, NotDeployed, Target
from kernel.pages.words import counted, seen


def remark(machine: str, follower: Follower, target: Target) -> str:
    """Return what an execution came to and how to go on; empty where there is nothing to say.

    Args:
        machine: By its short name.
        follower: Of the execution, which has ended.
        target: Where it ran.
    """
    speak = _REMARKS.get(machine)
    return "\n".join(speak(follower, target)) if speak else ""


def rejection(execution: Execution, target: Target) -> str:
    """Return who said no to what an execution was to do, which ends as a success; empty where nobody did.

    Args:
        execution: That has ended.
        target: Where it ran.
    """
    output = execution.result
    if not isinstance(output, dict) or output.get("approved") is not False:
        return ""
    plan = output["planned"]["plan"]
    return f"The plan {plan[:SHORT]} was rejected{_by_whom(plan, target)}; nothing was changed."


def _by_whom(plan: str, target: Target) -> str:
    """Return who rejected a plan and why; empty where the caller may not read that."""
    from botocore.exceptions import ClientError  # noqa: PLC0415 - heavy

    from data_protection.adapters.approvals import ApprovalReader  # noqa: PLC0415
    from data_protection.errors import PlanMissing  # noqa: PLC0415

    try:
        approval = ApprovalReader(target.client("dynamodb"), target.output(REMEDIATIONS)).find(plan).approval
    except (ClientError, NotDeployed, PlanMissing):
        return ""
    return "".join(
        f" by {one.approver} at {one.at:%F %H:%M} UTC" + (f' ("{seen(one.comment)}")' if one.comment else "")
        for one in approval.decisions
        if not one.approves
    )


def _assessed(follower: Follower, target: Target) -> Iterator[str]:
    yield from _reported(follower.execution, target, f"gatehouse assessments {follower.execution.name}")


def _came_to(follower: Follower, target: Target) -> Iterator[str]:
    yield from _reported(follower.execution, target, f"gatehouse results {follower.execution.name}")


def _reported(execution: Execution, target: Target, command: str) -> Iterator[str]:
    """Yield what a run of data_protection came to, and by which command its report is fetched."""
    from cli.protection_runs import came_to, has_files  # noqa: PLC0415 - heavy

    machine = target.short_name(execution.machine)
    if execution.result is not None:
        yield f"{came_to(machine, execution)}."
    if has_files(machine, execution):
        yield f"Its report: {command} {target.options}"


def _locked(follower: Follower, target: Target) -> Iterator[str]:
    yield from _came_to(follower, target)
    simulated = follower.execution.result
    if simulated is not None and "approvers" in simulated:
        simulation = simulated["simulation"]
        yield (
            f"{simulated['approvers']} others approve it: gatehouse approve {simulation[:SHORT]} {target.options}\n"
            f"Then have it applied: {_run('lock_objects', target, apply=simulation)}"
        )


def _created(follower: Follower, target: Target) -> Iterator[str]:
    yield from _came_to(follower, target)
    planned = follower.execution.result
    if planned is not None and planned.get("calls"):
        yield f"Have them made: {_run('create_secure_resources', target, request=planned['request'], apply=True)}"


def _remediated(follower: Follower, target: Target) -> Iterator[str]:
    output = follower.execution.result
    if output is not None and "dry_run" in output:
        yield from _planned(output, target)
        return
    planned = planned_by(follower) if output is None else output["planned"]
    if planned:
        plan = planned["plan"][:SHORT]
        yield f"What became of each step: gatehouse plans {plan} {target.options}"
        yield f"The proof of it: gatehouse evidence {plan} {target.options}"


def _planned(planned: Mapping[str, Any], target: Target) -> Iterator[str]:
    plan, changes = planned["plan"], planned["changes"]
    read = f"gatehouse plans {plan[:SHORT]} {target.options}"
    if changes:
        yield f"The plan has {counted(changes, 'change')}. Read it: {read}"
    else:
        yield f"There is nothing to change. Read why: {read}"
    yield from _left_out(planned, target)
    if changes:
        yield f"Have it carried out: {_run('remediate_account', target, plan=plan, dry_run=False)}"


def _run(machine: str, target: Target, **document: Any) -> str:
    """Return the command that runs a machine."""
    return f"gatehouse run {machine} {target.acting_options} --input {shlex.quote(json.dumps(document))}"


def _left_out(planned: Mapping[str, Any], target: Target) -> Iterator[str]:
    from cli.left_out import left_out  # noqa: PLC0415 - heavy
    from data_protection.remediation.plans import LeftOut  # noqa: PLC0415

    omitted, undoes = planned["omitted"], planned["undoes"]
    if not omitted:
        return
    yield left_out(omitted, "step" if undoes else "finding")
    if LeftOut.NOT_NAMED in omitted:
        how = (
            f"gatehouse undo {undoes[:SHORT]} --named CHECK {target.acting_options}"
            if undoes
            else '"named": ["CHECK"] in the input'
        )
        yield f"What is {LeftOut.NOT_NAMED} is asked for by its check: {how}"
    yield f"Each of them: gatehouse plans {planned['plan'][:SHORT]} --all {target.options}"


_REMARKS: Final[Mapping[str, Callable[[Follower, Target], Iterator[str]]]] = {
    "assess_account": _assessed,
    "create_secure_resources": _created,
    "drill_restore": _came_to,
    "forecast_lifecycle": _came_to,
    "lock_objects": _locked,
    "remediate_account": _remediated,
}
