"""What becomes of a step of a plan: the states it passes through, each kept before the next effect."""

from datetime import datetime
from enum import StrEnum

from kernel.contracts import Contract


class State(StrEnum):
    """Of a step."""

    PLANNED = "planned"
    APPLYING = "applying"  # the call may have been sent
    APPLIED = "applied"  # AWS took it
    VERIFIED = "verified"
    SATISFIED = "satisfied"  # somebody else had done it
    REFUSED = "refused"  # the resource is no more as it was planned from, or the call is not allowed
    ROLLING_BACK = "rolling_back"  # the inverse call may have been sent
    UNDONE = "undone"  # AWS took the inverse call
    ROLLED_BACK = "rolled_back"
    UNVERIFIED = "unverified"  # applied, not verified, and not rolled back: people must look

    @property
    def is_final(self) -> bool:
        """Whether nothing more will happen to the step."""
        return self not in {State.PLANNED, State.APPLYING, State.APPLIED} and not self.is_undoing

    @property
    def is_undoing(self) -> bool:
        """Whether the step is on its way back to the state before."""
        return self in {State.ROLLING_BACK, State.UNDONE}

    @property
    def is_good(self) -> bool:
        """Whether the requirement is met."""
        return self in {State.VERIFIED, State.SATISFIED}

    @property
    def needs_people(self) -> bool:
        """Whether a run that ended has left the step changed, perhaps, and neither verified nor undone."""
        return self is State.UNVERIFIED or not (self.is_final or self is State.PLANNED)


class Progress(Contract):
    """How far a step has come.

    Attributes:
        plan: Hash of the plan.
        step: Id of the step.
        state: Of it.
        at: When it came there.
        note: Why; a sentence, or empty.
        version: Raised with each change; a writer names the one it saw.
    """

    plan: str
    step: str
    state: State
    at: datetime
    note: str = ""
    version: int = 0
