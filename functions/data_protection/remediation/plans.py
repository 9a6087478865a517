"""Plans: every change that a remediation would make, as one document with one hash. Pure.

What people approve is the hash; what is applied is the document that has it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from pydantic import Field

from data_protection.assessments import Assessment, Finding
from data_protection.changes import CannotChange, Change, digest
from data_protection.checks.check import Quota, Severity
from data_protection.conflicts.clashes import clashes
from data_protection.errors import PlanMissing, PlanTooLarge
from data_protection.remediation.policy import Limits, Policy
from data_protection.resources import Kind
from data_protection.snapshot import NotRead, ResourceMissing
from data_protection.verdicts import Status
from kernel.contracts import Contract

_SLACK: Final = timedelta(minutes=10)  # for calls that come late
_URGENCY: Final = {severity: rank for rank, severity in enumerate(Severity)}


class LeftOut(StrEnum):
    """Why a finding has no step in a plan."""

    UNKNOWN = "unknown"  # what could not be read is not changed
    MISSING = "missing"  # the resource does not exist
    EXCEPTED = "excepted"
    NO_MUTATOR = "no_mutator"
    REFUSED = "refused"  # the mutator sees no safe change
    PROTECTED = "protected"
    OTHER_PHASE = "other_phase"
    NOT_NAMED = "not_named"  # cannot be undone, and nobody asked for it by name
    LATER = "later"  # another step replaces the same whole; the next plan has it
    # Of a step that is not undone:
    NOT_ASKED = "not_asked"
    NOT_VERIFIED = "not_verified"  # by evidence; it changed nothing, or nobody knows
    UNDONE = "undone"  # by another plan
    NO_INVERSE = "no_inverse"
    CHANGED = "changed"  # others have changed by now what it made
    NEEDED = "needed"  # by another step that stays


class Step(Contract):
    """One change of a plan.

    Attributes:
        id: Of it within the plan: check, resource and number.
        kind: Of the resource.
        name: Of the resource.
        arn: Of the resource.
        severity: Of the check.
        status: Of the check before the change.
        reason: What the check saw before the change.
        change: The change itself.
        follows: Ids of the steps that must be verified before it.
        risk: What other steps of the plan add to the risk of the change, one sentence; empty for nothing.
    """

    id: str
    kind: Kind
    name: str
    arn: str
    severity: Severity
    status: Status
    reason: str
    change: Change
    follows: tuple[str, ...] = ()
    risk: str = ""

    @property
    def target(self) -> str:
        """The ARN of what the call changes: the resource, or another one that it needs."""
        return self.change.target or self.arn

    @property
    def term(self) -> timedelta:
        """How long the work on it takes at most: until its change has settled, and once more to undo it."""
        return 2 * timedelta(seconds=self.change.wait_seconds) + _SLACK


class Omission(Contract):
    """A finding that the plan does not touch.

    Attributes:
        check: Its id.
        arn: Of the resource.
        why: The class of the reason.
        reason: A sentence.
    """

    check: str
    arn: str
    why: LeftOut
    reason: str


class Contradiction(Contract):
    """Requirements that cannot be met at once, of which a step of the plan meets one.

    Attributes:
        conflict: Id of the kind of conflict.
        arn: Of the resource.
        sentence: Why it is one.
        ways_out: What can be decided.
    """

    conflict: str
    arn: str
    sentence: str
    ways_out: str


class Plan(Contract):
    """All that a remediation would change.

    Attributes:
        account: Whose.
        region: Where.
        profile: Name of the profile.
        policy: Of remediation that the profile had.
        phases: Of the standard that it covers.
        made_at: When the resources were read.
        requested_by: Who asked for it.
        resources_in_scope: How many resources the profile has in scope here.
        steps: In the order in which they are applied.
        omissions: Findings without a step.
        contradictions: Conflicts about what its steps are to meet.
        undoes: Hash of the plan whose steps it undoes; empty for one that mends. Where empty it is no part of the
            document, so that plans from before there was an undoing keep their hashes.
    """

    account: str
    region: str
    profile: str
    policy: Policy
    phases: tuple[int, ...]
    made_at: datetime
    requested_by: str
    resources_in_scope: int
    steps: tuple[Step, ...]
    omissions: tuple[Omission, ...]
    contradictions: tuple[Contradiction, ...]
    undoes: str = Field(default="", exclude_if=lambda undoes: not undoes)

    @property
    def hash(self) -> str:
        """The SHA-256 of the document, which an approval is bound to."""
        return digest(self.model_dump(mode="json"))

    @property
    def one_way(self) -> tuple[Step, ...]:
        """The steps after which not everything can be brought back: data is lost, or no call undoes them."""
        return tuple(step for step in self.steps if not step.change.comes_back)

    @property
    def approvers(self) -> int:
        """How many people must approve it."""
        return self.approvers_by(self.policy)

    @property
    def expires(self) -> datetime:
        """When it may not be carried out any more."""
        return self.expires_by(self.policy)

    @property
    def omitted(self) -> Mapping[LeftOut, int]:
        """How many findings it does not touch, by the reason."""
        return Counter(omission.why for omission in self.omissions)

    @property
    def summary(self) -> Mapping[str, Any]:
        """What people are shown who are asked for approval: small enough for a message."""
        return {
            "plan": self.hash,
            "account": self.account,
            "region": self.region,
            "phases": list(self.phases),
            "requested_by": self.requested_by,
            "changes": len(self.steps),
            "resources": self.resources_touched,
            "one_way": [step.id for step in self.one_way],
            "contradictions": sorted({one.conflict for one in self.contradictions}),
            **({"undoes": self.undoes} if self.undoes else {}),
        }

    def approvers_by(self, policy: Policy) -> int:
        """Return how many people a policy asks to approve it; an undoing is approved beforehand by none."""
        lasting = sum(bool(self.undoes) or not step.change.undone_automatically for step in self.steps)
        return policy.approvers(self.phases, changes=len(self.steps), lasting=lasting)

    def expires_by(self, policy: Policy) -> datetime:
        """Return when it may not be carried out any more by a policy."""
        return self.made_at + timedelta(days=policy.plan_days)

    def decided_until(self, now: datetime) -> datetime:
        """Return until when people may decide who are asked now."""
        return min(now + timedelta(hours=self.policy.approval_hours), self.expires)

    def step(self, step_id: str) -> Step:
        """Return a step.

        Raises:
            PlanMissing: The plan has none of that id.
        """
        for step in self.steps:
            if step.id == step_id:
                return step
        raise PlanMissing(f"The plan {self.hash} has no step {step_id}.")

    def following(self, step: Step) -> Step | None:
        """Return the step that goes on where a step ends: for the same check, with the same resource."""
        return next((other for other in self.steps if step.id in other.follows), None)

    def alike(self, step: Step) -> list[Step]:
        """Return the steps that make the very same call, itself among them."""
        return [other for other in self.steps if other.change.call == step.change.call]

    @property
    def resources_touched(self) -> int:
        """How many resources it changes."""
        return len({step.target for step in self.steps})


def make_plan(
    assessment: Assessment,
    *,
    profile: str,
    phases: Sequence[int],
    named: frozenset[str],
    policy: Policy,
    requested_by: str,
) -> Plan:
    """Return the plan that would satisfy the failed checks of some phases.

    Args:
        assessment: What was found.
        profile: Name of the profile.
        phases: Of the standard; checks of other phases are left out.
        named: Ids of checks whose changes may lose data or be one-way; only these get such steps.
        policy: Whose limits the plan must keep.
        requested_by: Who asks.

    Raises:
        PlanTooLarge: It would change more than the limits allow; the sentence says how much and what to do.
    """
    steps: list[Step] = []
    omissions: list[Omission] = []
    for finding in sorted(assessment.findings, key=_order):
        planned = _steps(finding, phases, named, policy.limits, steps)
        if isinstance(planned, Omission):
            omissions.append(planned)
        else:
            steps += planned
    place = assessment.snapshot.place
    plan = Plan(
        account=place.account,
        region=place.region,
        profile=profile,
        policy=policy,
        phases=tuple(sorted(set(phases))),
        made_at=assessment.snapshot.taken_at,
        requested_by=requested_by,
        resources_in_scope=len({finding.resource for finding in assessment.findings}),
        steps=_warned(steps, assessment),
        omissions=tuple(omissions),
        contradictions=_contradictions(steps, assessment),
    )
    require_within_limits(plan)
    return plan


def _order(finding: Finding) -> tuple[int, int, str, str]:
    phase = finding.check.mutator.phase if finding.check.mutator else 0
    return phase, _URGENCY[finding.check.severity], finding.check.id, finding.resource.arn


class NotPlanned(Exception):
    """Why something gets no step.

    Args:
        why: The class of the reason.
        reason: A sentence.
    """

    def __init__(self, why: LeftOut, reason: str) -> None:
        super().__init__(reason)
        self.why = why


def _steps(
    finding: Finding, phases: Sequence[int], named: frozenset[str], limits: Limits, planned: Iterable[Step]
) -> Sequence[Step] | Omission:
    if finding.status in {Status.PASS, Status.NOT_APPLICABLE}:
        return []
    try:
        _require_open(finding, limits)
        steps = _chain(finding, _changes(finding, phases, named))
        for target in {step.change.target for step in steps} - {""}:
            require_unprotected(target, finding.case.snapshot.inventory.tags_by_arn(target), limits)
        _require_apart(steps, planned)
        _require_whole(finding, planned)
        return steps  # noqa: TRY300 - what is planned, beside the reasons why nothing is
    except NotPlanned as reason:
        return Omission(check=finding.check.id, arn=finding.arn, why=reason.why, reason=str(reason))


def _require_open(finding: Finding, limits: Limits) -> None:
    """Let only pass what was seen, what nobody answers for, and what no tag protects."""
    if finding.status is Status.UNKNOWN:
        raise NotPlanned(LeftOut.UNKNOWN, finding.verdict.reason)
    if (exception := finding.exception) is not None:
        raise NotPlanned(
            LeftOut.EXCEPTED, f"{exception.owner} answers for it until {exception.expires}: {exception.reason}"
        )
    snapshot = finding.case.snapshot
    require_unprotected("It", snapshot.tags_of(finding.resource), limits)


def require_unprotected(what: str, tags: Mapping[str, str] | None, limits: Limits) -> None:
    """Let only pass what no tag protects.

    Args:
        what: A resource, or `It`.
        tags: Of it; None where they cannot be read.
        limits: Which tags protect.

    Raises:
        NotPlanned: One does, or may.
    """
    if tags is None:
        raise NotPlanned(LeftOut.UNKNOWN, f"{what} may be protected: its tags cannot be read.")
    if tag := limits.protect(tags):
        raise NotPlanned(LeftOut.PROTECTED, f"{what} carries the tag {tag}, which keeps remediation away.")


def _changes(finding: Finding, phases: Sequence[int], named: frozenset[str]) -> Sequence[Change]:
    check, mutator = finding.check, finding.check.mutator
    if mutator is None:
        raise NotPlanned(LeftOut.NO_MUTATOR, check.advice)
    if mutator.phase not in phases:
        raise NotPlanned(LeftOut.OTHER_PHASE, f"It belongs to phase {mutator.phase}.")
    try:
        changes = mutator.propose(finding.case)
    except CannotChange as refusal:
        raise NotPlanned(LeftOut.REFUSED, str(refusal)) from None
    except NotRead as unread:
        raise NotPlanned(LeftOut.UNKNOWN, str(unread)) from None
    except ResourceMissing as missing:
        reason = f"{missing}: plan again once it is made, as by create_secure_resources."
        raise NotPlanned(LeftOut.MISSING, reason) from None
    for change in changes:
        if not change.reversibility.comes_back and check.id not in named:
            raise NotPlanned(
                LeftOut.NOT_NAMED,
                f"{change.title}: class {change.reversibility}, which does not come back. Ask for {check.id} by name.",
            )
    return changes


def _require_apart(steps: Iterable[Step], planned: Iterable[Step]) -> None:
    """Let only pass what no planned step undoes.

    Of two calls that set the same parameters of the same thing to other values, the later one was made from what the
    earlier one replaces: as it would be refused as stale, or lose what that one added, it waits for the next plan.
    """
    for step in steps:
        for other in planned:
            if _replaced(step) == _replaced(other) and step.change.call != other.change.call:
                raise NotPlanned(
                    LeftOut.LATER,
                    f"{other.id} changes the same of {step.target} before it: plan again after it.",
                )


def _require_whole(finding: Finding, planned: Iterable[Step]) -> None:
    """Let only pass what no planned step adds something to that the check judges: it would not be satisfied then."""
    after = finding.check.mutator.after if finding.check.mutator else ()
    for other in planned:
        if other.arn == finding.arn and other.change.check in after:
            raise NotPlanned(LeftOut.LATER, f"{other.id} adds what must be changed, too: plan again after it.")


def _replaced(step: Step) -> tuple[str, str, frozenset[str], object]:
    call = step.change.call
    # Some calls set one attribute, which they name.
    attribute = call.parameters.get("AttributeName")
    return step.target, f"{call.service}:{call.operation}", frozenset(call.parameters), attribute


def _chain(finding: Finding, changes: Iterable[Change]) -> Sequence[Step]:
    steps: list[Step] = []
    for number, change in enumerate(changes):
        steps.append(
            Step(
                id=f"{finding.check.id}/{finding.resource}/{number}",
                kind=finding.resource.kind,
                name=finding.resource.name,
                arn=finding.arn,
                severity=finding.check.severity,
                status=finding.status,
                reason=finding.verdict.reason,
                change=change,
                follows=tuple(step.id for step in steps[-1:]),
            )
        )
    return steps


def _warned(steps: Iterable[Step], assessment: Assessment) -> tuple[Step, ...]:
    """Return the steps of a plan; those that meet one quota of AWS say so."""
    quotas = {finding.check.id: finding.check.mutator.quota for finding in assessment.findings if finding.check.mutator}
    met: dict[tuple[str, Quota], list[Step]] = defaultdict(list)
    for step in steps:
        if (quota := quotas[step.change.check]) is not None:
            met[step.target, quota].append(step)
    risks = {
        step.id: f"{len(together)} steps of this plan change {target} so, and {quota}."
        for (target, quota), together in met.items()
        if len(together) > 1
        for step in together
    }
    return tuple(step.model_copy(update={"risk": risks.get(step.id, "")}) for step in steps)


def _contradictions(steps: Iterable[Step], assessment: Assessment) -> tuple[Contradiction, ...]:
    checks = {step.change.check for step in steps}
    return tuple(
        Contradiction(
            conflict=clash.conflict.id,
            arn=clash.resource.arn,
            sentence=clash.sentence,
            ways_out=clash.conflict.ways_out,
        )
        for clash in clashes([finding.case for finding in assessment.findings])
        if checks.intersection(clash.conflict.between)
    )


def require_within_limits(plan: Plan) -> None:
    """Let only pass a plan that changes no more than its policy allows.

    Raises:
        PlanTooLarge: It does; the sentence says how much and what to do.
    """
    limits = plan.policy.limits
    if len(plan.steps) > limits.changes:
        raise PlanTooLarge(
            f"The plan has {len(plan.steps)} changes, {limits.changes} are allowed. Plan fewer phases or a narrower "
            "profile, or raise limits.changes where it is lower than 200."
        )
    most = limits.resources(plan.resources_in_scope)
    if plan.resources_touched > most:
        raise PlanTooLarge(
            f"The plan changes {plan.resources_touched} resources, {plan.resources_in_scope} are in scope, and {most} "
            f"may be changed (limits.always, {limits.always}, or limits.percent, {limits.percent:g} %). Plan fewer "
            "phases or a narrower profile, or raise one of these."
        )
