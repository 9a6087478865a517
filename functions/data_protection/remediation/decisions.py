"""Approvals asked for and decided. Each effect comes before the mark that it is made."""

from datetime import datetime
from typing import TYPE_CHECKING

from data_protection.errors import ApprovalClosed, PlanExpired, PlanUnapproved
from data_protection.remediation.approvals import Approval, Decision
from data_protection.remediation.contracts import (
    ApprovalDecided,
    ApprovalRequested,
    DecideApproval,
    RequestApproval,
)
from data_protection.remediation.evidence import Event
from data_protection.remediation.plans import Plan
from data_protection.remediation.policy import Policy
from data_protection.times import stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from data_protection.adapters.approvals import ApprovalReader, ApprovalStore
    from data_protection.adapters.approvers import Announcements, WaitingMachines
    from data_protection.adapters.evidence import EvidenceChain
    from data_protection.adapters.plans import PlanReader


def approvers_needed(plan: Plan, policy: Policy) -> int:
    """Return how many people must approve a plan: as many as its own policy asks, or the profile's by now.

    Whoever takes back that a phase is approved beforehand means the plans that are there, too.
    """
    return max(plan.approvers, plan.approvers_by(policy))


def require_fresh(plan: Plan, policy: Policy, now: datetime) -> None:
    """Let a plan pass that is not too old by its own policy, nor by the profile's by now.

    Raises:
        PlanExpired: It is.
    """
    expires = min(plan.expires, plan.expires_by(policy))
    if now >= expires:
        raise PlanExpired(
            f"The plan {plan.hash} of {stamp(plan.made_at)} could be carried out until {stamp(expires)}. Plan again."
        )


def require_approval(plan: Plan, policy: Policy, approvals: "ApprovalReader", now: datetime) -> None:
    """Let a plan pass that people have approved, or that needs nobody's approval, and is not too old.

    Whoever could call the function that applies steps would else need no machine to wait for people.

    Args:
        plan: It.
        policy: The profile's by now.
        approvals: What people have said.
        now: The time.

    Raises:
        PlanExpired: It is too old.
        PlanMissing: Nobody was asked.
        PlanUnapproved: Not enough have said yes, or one has said no.
    """
    require_fresh(plan, policy, now)
    needed = approvers_needed(plan, policy)
    if needed and not approvals.find(plan.hash).approval.outcome:
        raise PlanUnapproved(f"The plan {plan.hash} is not approved; {needed} must approve it first.")


class Concluder:
    """Lets machines hear of approvals that are decided.

    Args:
        approvals: Keeps them.
        machines: Wait for them.
        evidence: Returns the chain of a plan.
    """

    def __init__(
        self,
        approvals: "ApprovalStore",
        machines: "WaitingMachines",
        evidence: "Callable[[str], EvidenceChain]",
    ) -> None:
        self._approvals, self._machines, self._evidence = approvals, machines, evidence

    def conclude(self, plan: Plan, approval: Approval, tokens: "Collection[str]", now: datetime) -> None:
        """Answer the machines that wait with these tokens, each once; where the approval is open, none."""
        if approval.outcome is None or not tokens:
            return
        event = Event.APPROVED if approval.outcome else Event.REJECTED
        decisions = [decision.model_dump(mode="json") for decision in approval.decisions]
        self._evidence(plan.hash).append(event, now, {"needed": approval.needed, "decisions": decisions})
        opens = stamp(plan.policy.next_opening(now))
        for token in tokens:
            self._machines.answer(token, {"approved": approval.outcome, "opens": opens})
            self._approvals.forget_token(plan.hash, token)


class Asker:
    """RequestApproval's work.

    Args:
        plans: Finds the plan.
        approvals: Keeps what is asked.
        announcements: Reach people.
        concluder: Answers at once, where people have decided before.
    """

    def __init__(
        self,
        plans: "PlanReader",
        approvals: "ApprovalStore",
        announcements: "Announcements",
        concluder: Concluder,
    ) -> None:
        self._plans, self._approvals = plans, approvals
        self._announcements, self._concluder = announcements, concluder

    def ask(self, asked: RequestApproval, now: datetime) -> ApprovalRequested:
        """Ask people about a plan, or go on with what they were asked.

        Raises:
            PlanMissing: The plan is not (any more) what was planned.
            OwnApproval: Who asks to carry it out has approved it.
            ApprovalClosed: Nobody decided in time.
        """
        plan = self._plans.load(asked.plan)
        seen = self._approvals.open(
            Approval(
                plan=plan.hash,
                requested_by=plan.requested_by,
                needed=asked.approvers,
                expires=plan.decided_until(now),
            )
        )
        approval = seen.taken_up(asked.requested_by)
        if approval.outcome is None and now >= approval.expires:
            raise ApprovalClosed(f"Nobody decided about the plan {plan.hash} until {approval.expires}. Plan again.")
        tokens = self._approvals.wait(seen, approval, asked.token)
        if approval.outcome is not None:
            self._concluder.conclude(plan, approval, tokens, now)
        else:
            self._announcements.announce(
                {
                    **plan.summary,
                    "approvers": approval.needed,
                    "expires": approval.expires,
                    "approve": f"gatehouse approve {plan.hash}",
                    "reject": f"gatehouse approve {plan.hash} --no",
                }
            )
        return ApprovalRequested(
            plan=plan.hash,
            needed=approval.needed,
            expires=approval.expires,
            decided=approval.outcome is not None,
        )


class Decider:
    """DecideApproval's work.

    Args:
        plans: Finds the plan.
        approvals: Keeps what is said.
        concluder: Answers the machine.
    """

    def __init__(self, plans: "PlanReader", approvals: "ApprovalStore", concluder: Concluder) -> None:
        self._plans, self._approvals, self._concluder = plans, approvals, concluder

    def decide(self, asked: DecideApproval, now: datetime) -> ApprovalDecided:
        """Take a decision in; the same one again changes nothing, but brings to its end what was left halfway.

        Raises:
            PlanMissing: Nobody asks about such a plan, or it is not (any more) what was planned.
            OwnApproval: Who asked for the plan approves it.
            ApprovalClosed: It was decided or has expired.
            EffectConflict: Somebody else decides at the same time.
        """
        said = asked.body
        kept = self._approvals.find(said.plan)
        tokens = kept.tokens
        # No machine waits for what people say of the simulation of a lock: whoever applies that looks it up.
        plan = self._plans.load(said.plan) if tokens else None
        decision = Decision(approver=asked.approver, approves=said.approves, at=now, comment=said.comment)
        decided = kept.approval.decide(decision)
        if decided != kept.approval:
            # A machine may have begun to wait since.
            tokens = self._approvals.keep(kept.approval, decided)
        if tokens:
            self._concluder.conclude(plan or self._plans.load(said.plan), decided, tokens, now)
        return ApprovalDecided(
            plan=said.plan,
            outcome={True: "approved", False: "rejected", None: "open"}[decided.outcome],
            missing=0 if decided.outcome is not None else decided.needed - len(decided.decisions),
        )
