"""Composition: what works on a step, alike for the functions that apply, verify and undo.

A test takes the adapters that are imported here for those of every handler that imports this module.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from data_protection.adapters.approvals import ApprovalReader
from data_protection.adapters.drifts import DriftStore
from data_protection.adapters.estate import Clients, EstateStore
from data_protection.adapters.evidence import EvidenceChain
from data_protection.adapters.findings import Expectations, FindingStore
from data_protection.adapters.plans import PlanReader
from data_protection.adapters.profiles import ProfileStore
from data_protection.adapters.snapshots import Snapshots
from data_protection.adapters.steps import ResourceLocks, StepLedger
from data_protection.checks.catalogue import catalogue
from data_protection.estate import Role
from data_protection.remediation.contracts import StepWorked, WorkOnStep
from data_protection.remediation.decisions import require_approval
from data_protection.remediation.looks import Look
from data_protection.remediation.policy import Policy
from data_protection.remediation.remediator import Remediator
from data_protection.remediation.sights import Sight, mending, undoing
from data_protection.remediation.standings import Standings, Undone
from data_protection.remediation.steps import Progress, State
from data_protection.remediation.undoings import made_by, require_undoing
from data_protection.settings import StepSettings
from data_protection.times import stamp
from kernel import aws
from kernel.clock import utc_now

_FIRST_LOOK: Final = 2  # seconds after the call; then each wait is as long as all before it
_NEXT: Final[dict[State, Literal["verify", "roll_back"]]] = {
    State.APPLIED: "verify",
    State.ROLLING_BACK: "roll_back",
    State.UNDONE: "roll_back",
}


@dataclass(frozen=True)
class Bench:
    """A step and what works on it.

    Attributes:
        remediator: Works.
        role: That changes it; None for the function's own.
        policy: Of the plan.
    """

    remediator: Remediator
    role: Role | None
    policy: Policy


def bench(asked: WorkOnStep, settings: StepSettings, function_arn: str, *, applying: bool = False) -> Bench:
    """Return what works on a step.

    Args:
        asked: Which.
        settings: Of the function.
        function_arn: Of the function.
        applying: Whether it is to be applied: then only with approval, and not where an exception or a tag came since;
            an exception does not keep it from being undone by another plan.

    Raises:
        PlanMissing: There is no such plan or step, or the plan is not what was planned, or does not undo what it says.
        PlanUndone: It is to be applied, and another plan has undone what it is to undo.
        EvidenceBroken: It is to be applied, and the evidence of what it undoes is not as it was written.
        PlanUnapproved: It is to be applied without approval.
        PlanExpired: It is to be applied, and too old.
        EstateInvalid: The account is not remediated any more.
    """
    _, partition, _, region, own, *_ = function_arn.split(":")
    plans = PlanReader(aws.s3(), settings.lake_bucket)
    plan = plans.load(asked.plan)
    step = plan.step(asked.step)
    check = catalogue()[step.change.check]
    if check.mutator is None:
        raise AssertionError("unreachable: a mutator has proposed the step")
    estate = EstateStore(aws.s3(), settings.lake_bucket).load(own, region)
    account = estate.account(plan.account)
    role = account.remediator(check.mutator.phase, own)
    (place,) = estate.places(frozenset({plan.account}), frozenset({plan.region}), partition)
    profile = ProfileStore(aws.s3(), settings.lake_bucket).load(plan.profile)
    if applying:
        approvals = ApprovalReader(aws.dynamodb(), settings.remediations_table)
        require_approval(plan, profile.remediation, approvals, utc_now())
    snapshots = Snapshots(Clients.reading(account).of, reader=account.reader(function_arn))
    first = plans.load(plan.undoes) if plan.undoes else None
    made = made_by(first, step, place) if first is not None else None
    beside = made.served.keys() if made is not None else ()
    look = Look(step, place, profile, snapshots, utc_now, beside=beside, undoing=made is not None)
    findings = FindingStore(aws.s3(), settings.lake_bucket, aws.dynamodb(), settings.findings_table)
    standings = Standings(
        findings,
        DriftStore(aws.dynamodb(), settings.findings_table),
        Expectations(aws.dynamodb(), settings.findings_table),
        check.id,
        profile,
        profile_name=plan.profile,
        plan=plan.hash,
        beside=beside,
    )

    def chain(of: str) -> EvidenceChain:
        return EvidenceChain(
            aws.s3(),
            settings.evidence_bucket,
            plan=of,
            step=step.id,
            principal=role.arn if role else function_arn,
            controls=check.controls,
        )

    def see() -> Sight:
        if made is None:
            return mending(check, step, plan.following(step), look.if_open() if applying else look.anyhow())
        return undoing(check, step, look.if_unprotected() if applying else look.anyhow(), made)

    follow = standings.follow
    if first is not None and made is not None:
        if applying:
            require_undoing(step, first, chain(first.hash).records(), plan.hash)
        follow = Undone(standings, chain(first.hash), plan.hash, term=step.term, now=utc_now).follow
    remediator = Remediator(
        asked.run,
        plan.hash,
        step,
        plan.region,
        look=see,
        follow=follow,
        ledger=StepLedger(aws.dynamodb(), settings.remediations_table),
        locks=ResourceLocks(aws.dynamodb(), settings.remediations_table),
        evidence=chain(plan.hash),
        now=utc_now,
    )
    return Bench(remediator, role, plan.policy)


def worked(progress: Progress, policy: Policy, now: datetime) -> StepWorked:
    """Return how far a step is, when to go on with it, and when others may begin."""
    waited = now - progress.at
    next_ = _NEXT.get(progress.state)
    return StepWorked(
        step=progress.step,
        state=progress.state,
        next=next_ or "nothing",
        wait_seconds=max(_FIRST_LOOK, round(waited / timedelta(seconds=1))) if next_ else 0,
        good=progress.state.is_good,
        opens=stamp(policy.next_opening(now)),
        note=progress.note,
    )
