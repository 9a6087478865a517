"""What is said once an execution has ended, of machines whose results are looked at by other commands."""

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Final

from cli.follow import Execution
from cli.hashes import SHORT
from cli.target import Target
from kernel.pages.words import counted

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
        return _planned(output["plan"], output["changes"], target)
    if not (found := _PLAN.search((execution.output or "") + (execution.cause or ""))):
        return ""
    plan = found["hash"][:SHORT]
    return (
        f"What became of each step: gatehouse plans {plan} {target.options}\n"
        f"The proof of it: gatehouse evidence {plan} {target.options}"
    )


def _planned(plan: str, changes: int, target: Target) -> str:
    if not changes:
        return (
            f"There is nothing to change. What was left out, and why: gatehouse plans {plan[:SHORT]} {target.options}"
        )
    given = shlex.quote(json.dumps({"plan": plan, "dry_run": False}))
    return (
        f"The plan has {counted(changes, 'change')}. Read it: gatehouse plans {plan[:SHORT]} {target.options}\n"
        f"Have it carried out: gatehouse run remediate_account {target.acting_options} --input {given}"
    )


_REMARKS: Final[Mapping[str, Callable[[Execution, Target], str]]] = {
    "assess_account": _assessed,
    "remediate_account": _remediated,
}
