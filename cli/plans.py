"""`gatehouse plans` lists what remediations would change and what became of it; or shows all of one plan."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.causes import spoken
from cli.console import console, listing, sentences
from cli.executions import is_running
from cli.hashes import SHORT, HashUnknown, whole
from cli.run import Cloud, Env
from cli.target import REMEDIATIONS, NotDeployed, Target

if TYPE_CHECKING:
    from cli.plan_view import Told
    from data_protection.adapters.plans import Entry

_COLUMNS: Final = (
    "plan",
    "made",
    "account",
    "region",
    "phases",
    "changes",
    "one-way",
    "requested by",
    "outcome",
    "undoes",
)
_AT_ONCE: Final = 8

OnePlan = Annotated[str | None, typer.Argument(help="Hash of the plan to show, or its first 8 digits or more.")]
Most = Annotated[int, typer.Option(min=1, help="How many, the latest first.")]
All = Annotated[bool, typer.Option("--all", help="Of one plan, tell each finding that it leaves out.")]


def register(app: typer.Typer) -> None:
    """Add the command `plans`."""
    app.command()(plans)


def plans(
    plan: OnePlan = None, *, most: Most = 20, every: All = False, env: Env = "local", cloud: Cloud = "dev"
) -> None:
    """List the plans of remediations and what became of them; or show all that one of them would do, or has done."""
    from data_protection.errors import EvidenceBroken, PlanMissing  # noqa: PLC0415 - heavy

    with sentences(NotDeployed, HashUnknown, PlanMissing, EvidenceBroken):
        target = Target.of(env, cloud)
        if plan is None:
            listing(_COLUMNS, _rows(target, most))
        else:
            _show(target, plan_hash(target, plan), every=every)


def plan_hash(target: Target, given: str) -> str:
    """Return the hash of the plan, or of the simulation of a lock, that begins with what was given.

    Raises:
        HashUnknown: It is no hash, or none or several begin so.
    """
    from data_protection.adapters.plans import plans_like  # noqa: PLC0415 - heavy

    def find(digits: str) -> list[str]:
        return plans_like(target.client("s3"), target.output("LakeBucketName"), digits)

    return whole(given, find, "plan")


def _show(target: Target, plan: str, *, every: bool) -> None:
    from cli.plan_view import lines  # noqa: PLC0415 - heavy

    out = console(stderr=False)
    for line in lines(_told(target, plan), datetime.now(UTC), every=every):
        out.print(line.hanging if out.is_terminal else line.text)


def _rows(target: Target, most: int) -> list[tuple[str, ...]]:
    from data_protection.adapters.plans import registered  # noqa: PLC0415 - heavy

    entries = list(islice(registered(target.client("dynamodb"), target.output(REMEDIATIONS)), most))
    # One plan takes some ten requests, one after the other.
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(lambda entry: _row(target, entry), entries))


def _row(target: Target, entry: "Entry") -> tuple[str, ...]:
    from data_protection.errors import EvidenceBroken, PlanMissing  # noqa: PLC0415 - heavy

    digits = SHORT if console(stderr=False).is_terminal else None
    shown = entry.plan[:digits]
    made = f"{entry.time:%F %H:%M}"
    try:
        told = _told(target, entry.plan)
    except (PlanMissing, EvidenceBroken) as wrong:
        return shown, made, "", "", "", "", "", "", str(wrong), ""
    plan = told.plan
    return (
        shown,
        made,
        plan.account,
        plan.region,
        ", ".join(map(str, plan.phases)),
        str(len(plan.steps)),
        str(len(plan.one_way)),
        plan.requested_by,
        spoken(str(told.outcome)),
        plan.undoes[:digits],
    )


def _told(target: Target, plan_hash: str) -> "Told":
    """Return a plan with all that is known of it.

    Raises:
        PlanMissing: There is none, or what is kept under the hash is not what was planned.
        EvidenceBroken: Something else lies among its records.
    """
    from cli.plan_view import Told  # noqa: PLC0415 - heavy
    from data_protection.adapters.approvals import ApprovalReader  # noqa: PLC0415
    from data_protection.adapters.evidence import chain_of  # noqa: PLC0415
    from data_protection.adapters.plans import PlanReader  # noqa: PLC0415
    from data_protection.adapters.steps import begun  # noqa: PLC0415
    from data_protection.errors import PlanMissing  # noqa: PLC0415
    from data_protection.remediation.outcomes import outcome  # noqa: PLC0415

    s3, dynamodb, table = target.client("s3"), target.client("dynamodb"), target.output(REMEDIATIONS)
    plan = PlanReader(s3, target.output("LakeBucketName")).load(plan_hash)
    try:
        approval = ApprovalReader(dynamodb, table).find(plan_hash).approval
    except PlanMissing:
        approval = None
    steps = begun(dynamodb, table, plan_hash)
    became = outcome(
        plan,
        chain=chain_of(s3, target.output("EvidenceBucketName"), plan_hash),
        approval=approval,
        steps=steps.values(),
        is_running=partial(is_running, target, target.output("RemediateAccountArn")),
        now=datetime.now(UTC),
    )
    return Told(plan, became, approval, steps)
