"""The work on one step of a plan: see, apply, verify, undo. Each effect is marked before the next one.

A worker may die anywhere and another one go on, days later, and others may change the resource at any time. What tells
whether a call was made is never a mark, but what stands where it writes, by the mutator's own reading: what the change
makes, what it replaces, or what somebody else has put there, which is left to people.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from data_protection.checks.check import Case
from data_protection.errors import DataProtectionError, ResourceLocked, ResourceUnreadable, StepRefused
from data_protection.remediation.evidence import Event
from data_protection.remediation.plans import Step
from data_protection.remediation.sights import Sight
from data_protection.remediation.steps import Progress, State
from kernel.errors import EffectConflict

if TYPE_CHECKING:
    from data_protection.adapters.calls import Calls
    from data_protection.adapters.evidence import EvidenceChain
    from data_protection.adapters.steps import ResourceLocks, StepLedger

E = TypeVar("E", bound=DataProtectionError)

_MET: Final = {
    State.PLANNED: "Somebody else has done it.",
    State.APPLYING: "It holds; whether by the call, during which the work was interrupted, cannot be told.",
}


class Remediator:
    """Works on one step.

    Args:
        run: That works on it.
        plan: Hash of the plan.
        step: Of it.
        region: Of the plan.
        look: Reads the resource, and returns what that comes to for the step. Raises ResourceUnreadable.
        follow: Lets what is kept of the resource follow the step into a state, with what was seen: before its call is
            made, and when it ends. Harmless when done again.
        ledger, locks, evidence: Where the work is kept.
        now: The time.
    """

    def __init__(
        self,
        run: str,
        plan: str,
        step: Step,
        region: str,
        *,
        look: Callable[[], Sight],
        follow: Callable[[Case[Any], State], None],
        ledger: "StepLedger",
        locks: "ResourceLocks",
        evidence: "EvidenceChain",
        now: Callable[[], datetime],
    ) -> None:
        self._plan, self._step, self._region = plan, step, region
        self._look, self._follow = look, follow
        self._ledger, self._locks, self._evidence = ledger, locks, evidence
        self._now = now
        self._work = f"{plan}/{step.id}"
        self._owner = f"{self._work} in the run {run}"

    def apply(self, calls: "Calls") -> Progress:
        """Make the change, if the resource still is as it was planned from, and return how far the step is.

        Args:
            calls: Makes the call.

        Raises:
            ResourceLocked: Another remediation works on the resource.
            ResourceUnreadable: Nothing is known of it now.
            EffectConflict: Another run with the same plan was quicker.
        """
        progress = self._progress()
        if progress.state not in {State.PLANNED, State.APPLYING}:
            return progress
        sight = self._see_alone(progress)
        if sight.is_next:
            return self._make(progress, sight, calls)
        if progress.state is State.APPLYING and sight.stands:
            # The call was made before the worker died, or before AWS' answer was lost.
            note = "It was found applied after an interruption."
            self._evidence.append(Event.APPLIED, self._now(), {"call": str(self._step.change.call), "note": note})
            return self._move(progress, State.APPLIED, note)
        if sight.is_met:
            self._evidence.append(Event.VERIFIED, self._now(), sight.content)
            return self._finish(progress, State.SATISFIED, sight, _MET[progress.state])
        if sight.verdict.settling:
            # As a table whose capacity is being changed, which takes no other change for some seconds.
            raise self._told(progress, ResourceUnreadable(f"{self._step.arn} is being changed: {sight.verdict.reason}"))
        if progress.state is State.APPLYING:
            return self._lose(progress, sight)
        said = sight.hindrance or f"The resource is not as it was planned from: {sight.verdict.reason}"
        return self._refuse(progress, said, sight)

    def verify(self) -> Progress:
        """Look whether the change took hold; while it settles, or does not show yet, the step stays applied.

        Raises:
            ResourceLocked: Another remediation works on the resource by now.
            ResourceUnreadable: Nothing is known of it now.
            EffectConflict: Another run with the same plan was quicker.
        """
        progress = self._progress()
        if progress.state is not State.APPLIED:
            return progress
        # It may have taken longer than the lock was held for.
        sight = self._see_alone(progress)
        # Services answer before they show what they were told: RDS is `available`, as it was before, for some seconds.
        if sight.verdict.settling or sight.is_as_before:
            if not self._is_late(progress):
                return progress
        elif sight.took_hold:
            self._evidence.append(Event.VERIFIED, self._now(), sight.content)
            return self._finish(progress, State.VERIFIED, sight)
        self._evidence.append(Event.NOT_VERIFIED, self._now(), sight.content)
        return self._fail(progress, sight)

    def roll_back(self, calls: "Calls") -> Progress:
        """Undo the change, if what it made is what stands there: the inverse call replaces whatever does.

        The inverse call is made once: made again while its effect does not show yet, it may be one too many for a
        quota, or undo what is not there any more.

        Args:
            calls: Makes the inverse call.

        Raises:
            ResourceLocked: Another remediation works on the resource by now.
            ResourceUnreadable: Nothing is known of it now.
            EffectConflict: Another run with the same plan was quicker.
        """
        progress = self._progress()
        inverse = self._step.change.inverse
        if not progress.state.is_undoing or inverse is None:
            return progress
        sight = self._see_alone(progress)
        if sight.is_back:
            self._evidence.append(Event.ROLLED_BACK, self._now(), {"before": self._step.change.before, **sight.content})
            return self._finish(progress, State.ROLLED_BACK, sight, progress.note)
        if progress.state is State.UNDONE or not sight.stands:
            return self._await(progress, sight)
        self._lock()
        try:
            request = calls.make(self._step.change.check, inverse, self._region)
        except StepRefused as refusal:
            return self._leave(progress, sight, f"It cannot be undone: {refusal}")
        self._evidence.append(Event.UNDONE, self._now(), {"call": str(inverse), "request_id": request})
        return self._move(progress, State.UNDONE, progress.note)

    def _make(self, progress: Progress, sight: Sight, calls: "Calls") -> Progress:
        change = self._step.change
        self._evidence.append(
            Event.SEEN, self._now(), {"before": change.before, "call": str(change.call), **sight.content}
        )
        progress = self._move(progress, State.APPLYING)
        if sight.case is not None:
            self._follow(sight.case, State.APPLYING)
        # Who lost the lock in the meantime must not touch the resource.
        self._lock()
        try:
            request = calls.make(self._step.change.check, change.call, self._region)
        except StepRefused as refusal:
            return self._refuse(progress, str(refusal), sight)
        self._evidence.append(Event.APPLIED, self._now(), {"call": str(change.call), "request_id": request})
        return self._move(progress, State.APPLIED)

    def _lock(self) -> None:
        """Keep others from what the call changes."""
        self._locks.take(self._step.target, self._owner, self._now(), self._step.term)

    def _await(self, progress: Progress, sight: Sight) -> Progress:
        """Wait where the undoing, or what else is under way, may show yet; else leave what is there to people."""
        is_undone = progress.state is State.UNDONE
        if (is_undone or sight.verdict.settling) and not self._is_late(progress):
            return progress
        if is_undone:
            return self._leave(progress, sight, "The state before did not come back.")
        by_now = "others have changed by now what it made" if sight.case else "nobody asks for it any more"
        return self._leave(progress, sight, f"It is not undone: {by_now}.")

    def _leave(self, progress: Progress, sight: Sight, why: str) -> Progress:
        """A change that is neither verified nor undone is for people to look at."""
        call = str(self._step.change.inverse)
        self._evidence.append(Event.NOT_ROLLED_BACK, self._now(), {"call": call, "why": why, **sight.content})
        return self._finish(progress, State.UNVERIFIED, sight, f"{progress.note} {why}")

    def _lose(self, progress: Progress, sight: Sight) -> Progress:
        """What is there is neither of the step nor what it was planned from, and its call may have been made."""
        why = (
            "The work was interrupted when the call may have been made, and what is there now does not tell: "
            f"{sight.verdict.reason}"
        )
        call = str(self._step.change.call)
        self._evidence.append(Event.NOT_VERIFIED, self._now(), {"call": call, "why": why, **sight.content})
        return self._finish(progress, State.UNVERIFIED, sight, why)

    def _refuse(self, progress: Progress, why: str, sight: Sight) -> Progress:
        self._evidence.append(Event.REFUSED, self._now(), {"why": why, **sight.content})
        return self._finish(progress, State.REFUSED, sight, why)

    def _fail(self, progress: Progress, sight: Sight) -> Progress:
        """A change that did not take hold is undone, where undoing brings everything back."""
        change, said = self._step.change, sight.verdict.reason
        if change.inverse is not None and change.reversibility.undone_automatically:
            return self._move(progress, State.ROLLING_BACK, f"It was not verified: {said}")
        left = f"It was not verified, and is left as it is: {said}"
        return self._finish(progress, State.UNVERIFIED, sight, left)

    def _see_alone(self, progress: Progress) -> Sight:
        """Look while nobody else may change the resource.

        Raises:
            ResourceLocked: Another remediation works on it.
            ResourceUnreadable: Nothing is known now.
            EffectConflict: Another run with the same plan has moved the step on before the lock was taken.
        """
        try:
            self._lock()
            if self._progress().version != progress.version:
                self._locks.release(self._step.target, self._owner)
                raise EffectConflict(f"Another run has moved {self._work} on in the meantime.")
            return self._look()
        except ResourceLocked as wait:
            if wait.holder.startswith(f"{self._work} "):
                raise  # another run has the same plan: the step is that one's, and so is what is kept of it
            raise self._told(progress, wait) from None
        except ResourceUnreadable as wait:
            raise self._told(progress, wait) from None

    def _told(self, progress: Progress, wait: E) -> E:
        """Return why a step waits, once who looks at the step can read it: it may wait for a quarter of an hour.

        The note of a step that is being undone says why it is, and stays.
        """
        if not progress.state.is_undoing and progress.note != str(wait):
            self._ledger.move(progress, progress.state, progress.at, str(wait))
        return wait

    def _is_late(self, progress: Progress) -> bool:
        """Whether what was called should show by now."""
        return self._now() - progress.at > timedelta(seconds=self._step.change.wait_seconds)

    def _progress(self) -> Progress:
        return self._ledger.find(self._plan, self._step.id, self._now())

    def _move(self, progress: Progress, state: State, note: str = "") -> Progress:
        return self._ledger.move(progress, state, self._now(), note)

    def _finish(self, progress: Progress, state: State, sight: Sight, note: str = "") -> Progress:
        if sight.case is not None:
            self._follow(sight.case, state)
        moved = self._move(progress, state, note)
        self._locks.release(self._step.target, self._owner)
        return moved
