"""Approvals: bound to the hash of one plan, given by people who asked neither for it nor to carry it out. Pure."""

from datetime import datetime

from data_protection.errors import ApprovalClosed, OwnApproval
from kernel.contracts import Contract


class Decision(Contract):
    """What one person said.

    Attributes:
        approver: Who, as AWS names the caller.
        approves: Yes or no; one no ends it.
        at: When.
        comment: Why; may be empty.
    """

    approver: str
    approves: bool
    at: datetime
    comment: str = ""


class Approval(Contract):
    """What is asked of people about one plan.

    Attributes:
        plan: Hash of it.
        requested_by: Who asked for the plan.
        carried_out_by: Who has asked to carry it out since; empty for nobody else.
        needed: How many must approve.
        expires: Until when; no answer is a no.
        decisions: That were made.
    """

    plan: str
    requested_by: str
    needed: int
    expires: datetime
    carried_out_by: tuple[str, ...] = ()
    decisions: tuple[Decision, ...] = ()

    @property
    def outcome(self) -> bool | None:
        """Whether the plan is approved; None while it is open."""
        if any(not decision.approves for decision in self.decisions):
            return False
        return True if len(self.decisions) >= self.needed else None

    def taken_up(self, who: str) -> "Approval":
        """Return the approval of a plan that somebody asks to carry out: who does so cannot have approved it.

        Raises:
            OwnApproval: Somebody has.
        """
        if any(decision.approver == who and decision.approves for decision in self.decisions):
            raise OwnApproval(f"{who} has approved the plan {self.plan}; somebody else must ask to carry it out.")
        if who in {self.requested_by, *self.carried_out_by}:
            return self
        return self.model_copy(update={"carried_out_by": (*self.carried_out_by, who)})

    def decide(self, decision: Decision) -> "Approval":
        """Return the approval with one more decision; the same decision again changes nothing.

        Raises:
            OwnApproval: Who asked for the plan, or to carry it out, approves it.
            ApprovalClosed: It was decided or has expired.
        """
        mine = [made for made in self.decisions if made.approver == decision.approver]
        if mine and mine[0].approves == decision.approves:
            return self
        if self.outcome is not None:
            raise ApprovalClosed(f"The plan {self.plan} is {'approved' if self.outcome else 'rejected'} already.")
        if decision.at >= self.expires:
            raise ApprovalClosed(f"The approval of the plan {self.plan} expired at {self.expires}. Plan again.")
        if decision.approves and decision.approver in {self.requested_by, *self.carried_out_by}:
            raise OwnApproval(f"{decision.approver} asked for the plan {self.plan}; somebody else must approve it.")
        others = tuple(made for made in self.decisions if made.approver != decision.approver)
        return self.model_copy(update={"decisions": (*others, decision)})
