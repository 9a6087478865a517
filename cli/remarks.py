"""What is said once an execution has ended, of machines whose results are looked at by other commands."""

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from cli.follow import Execution, Follower
from cli.hashes import SHORT
from cli.target import REMEDIATIONS, NotDeployed, Target
from kernel.pages.words import counted, seen

# In an output, or where the cause of a plan that came to no good end names it.
_PLAN: Final = re.compile(r'(?:"plan":\s*"| Plan )(?P<hash>[0-9a-f]{64})[":]')


def remark(machine: str, execution: Execution, target: Target) -> str:
    """Return what an execution came to and how to go on; empty where there is nothing to say.

    Args:
        machine: By its short name.
        execution: That has ended.
        target: Where it ran.
    """
    speak = _REMARKS.get(machine)
    return speak(execution, target) if speak else ""


def waiting(follower: Follower, target: Target) -> str:
    """Return what people are waited for with, and how they read it; empty while nobody is.

    Args:
        follower: Of the execution, as it was last looked at.
        target: Where it runs.
    """
    steps = follower.execution.steps
    if not steps or steps[-1].name != "RequestApproval" or steps[-1].left_at:
        return ""
    found = next(filter(None, map(_PLAN.search, follower.first_results())), None)
    plan = f" {found['hash'][:SHORT]}" if found else ""
    return f"waits for approval: gatehouse plans{plan} {target.options}"


def rejection(execution: Execution, target: Target) -> str:
    """Return who said no to what an execution was to do, which ends as a success; empty where nobody did.

    Args:
        execution: That has ended.
        target: Where it ran.
    """
    output = json.loads(execution.output) if execution.status == "SUCCEEDED" and execution.output else None
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


def _assessed(execution: Execution, target: Target) -> str:
    fetched = f"Its report: gatehouse assessments {execution.name} {target.options}"
    # The embedded cloud gives what failed an output, too.
    if execution.status == "SUCCEEDED" and execution.output:
        report = json.loads(execution.output)["report"]
        score = "No score" if report["percent"] is None else f"Score {report['percent']:g} %"
        counts = ", ".join(f"{number:,} {status}" for status, number in report["counts"].items() if number)
        return f"{score}, coverage {report['coverage']:g} %: {counts or 'nothing was asked'}.\n{fetched}"
    # A place that failed holds up no other.
    reported = any(step.name == "ReportAssessment" and not step.failed for step in execution.steps)
    return fetched if reported else ""


def _remediated(execution: Execution, target: Target) -> str:
    output = json.loads(execution.output) if execution.status == "SUCCEEDED" and execution.output else {}
    if "dry_run" in output:
        return _planned(output, target)
    if not (found := _PLAN.search((execution.output or "") + (execution.cause or ""))):
        return ""
    plan = found["hash"][:SHORT]
    return (
        f"What became of each step: gatehouse plans {plan} {target.options}\n"
        f"The proof of it: gatehouse evidence {plan} {target.options}"
    )


def _planned(planned: Mapping[str, Any], target: Target) -> str:
    plan, changes = planned["plan"], planned["changes"]
    read = f"gatehouse plans {plan[:SHORT]} {target.options}"
    if not changes:
        said = [f"There is nothing to change. Read why: {read}", *_left_out(planned, target)]
    else:
        given = shlex.quote(json.dumps({"plan": plan, "dry_run": False}))
        said = [
            f"The plan has {counted(changes, 'change')}. Read it: {read}",
            *_left_out(planned, target),
            f"Have it carried out: gatehouse run remediate_account {target.acting_options} --input {given}",
        ]
    return "\n".join(said)


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


_REMARKS: Final[Mapping[str, Callable[[Execution, Target], str]]] = {
    "assess_account": _assessed,
    "remediate_account": _remediated,
}
