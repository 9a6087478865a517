"""The work on one step of a plan: see, apply, verify, undo. Each effect is marked before the next one.

A worker may die anywhere and another one go on, days later, and others may change the resource at any time. What tells
whether a call was made is never a mark, but what stands where it writes, by the mutator's own reading: what the change
makes, what it replaces, or what somebody else has put there, which is left to people.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from data_protection.assessments import judge
from data_protection.changes import CannotChange, Change
from data_protection.checks.check import Case, Check
from data_protection.errors import ResourceUnreadable, StepRefused
from data_protection.remediation.evidence import Event
from data_protection.remediation.plans import Step
from data_protection.remediation.steps import Progress, State
from data_protection.snapshot import NotRead, ResourceMissing
from data_protection.verdicts import Status, Verdict

if TYPE_CHECKING:
    from data_protection.adapters.calls import Calls
    from data_protection.adapters.evidence import EvidenceChain
    from data_protection.adapters.steps import ResourceLocks, StepLedger

_SLACK: Final = timedelta(minutes=10)  # of a lock, for calls that come late
_LEFT_ALONE: Final = Verdict(
    Status.NOT_APPLICABLE, "The profile asks nothing of it any more, or an exception or a tag keeps it as it is."
)
_MET: Final = {
    State.PLANNED: "Somebody else has done it.",
    State.APPLYING: "It holds; whether by the call, during which the work was interrupted, cannot be told.",
}


@dataclass(frozen=True)
class _Sight:
    """What a look at the resource came to.

    Attributes:
        case: The resource; None where the profile asks nothing of it any more, or it is left alone.
        verdict: What the check says.
        changes: What its mutator would change.
        has_more: Whether some of that is another call like the step's; what is left otherwise, as the selection of a
            backup plan that was made, is for the next plan.
        stands: Whether that is there now which the step's change makes.
        is_back: Whether that is there now which the step's change replaces.
    """

    case: Case[Any] | None
    verdict: Verdict
    changes: Sequence[Change] = ()
    has_more: bool = False
    stands: bool = False
    is_back: bool = False

    @property
    def is_content(self) -> bool:
        """Whether the check asks for no more than what the change has made."""
        if self.verdict.status is Status.WARN:
            # An effect that only time can prove, as a first log delivered.
            return self.stands and not self.has_more
        return self.verdict.status is Status.PASS

    @property
    def content(self) -> dict[str, Any]:
        """What evidence tells of it."""
        verdict = self.verdict
        return {"status": verdict.status.value, "reason": verdict.reason, "observed": verdict.observed}


class Remediator:
    """Works on one step.

    Args:
        plan: Hash of the plan.
        step: Of it.
        following: The step that goes on with the same resource for the same check, if there is one.
        region: Of the plan.
        check: The step's.
        look: Reads the resource and returns the case as it is now; None where the profile asks nothing of it any more.
        follow: Lets the findings that are kept follow the look at which the step ended; harmless when done again.
        ledger, locks, evidence: Where the work is kept.
        now: The time.
    """

    def __init__(
        self,
        plan: str,
        step: Step,
        following: Step | None,
        region: str,
        check: Check[Any],
        *,
        look: Callable[[], Case[Any] | None],
        follow: Callable[[Case[Any]], None],
        ledger: "StepLedger",
        locks: "ResourceLocks",
        evidence: "EvidenceChain",
        now: Callable[[], datetime],
    ) -> None:
        self._plan, self._step, self._region, self._check = plan, step, region, check
        self._following = following
        self._look, self._follow = look, follow
        self._ledger, self._locks, self._evidence = ledger, locks, evidence
        self._now = now
        self._owner = f"{plan}/{step.id}"

    def apply(self, calls: "Calls") -> Progress:
        """Make the change, if the resource still is as it was planned from, and return how far the step is.

        Args:
            calls: Makes the call.

        Raises:
            ResourceLocked: Another remediation works on the resource.
            ResourceUnreadable: Nothing is known of it now.
        """
        progress = self._progress()
        if progress.state not in {State.PLANNED, State.APPLYING}:
            return progress
        self._lock()
        sight = self._see()
        if self._is_next(sight):
            return self._make(progress, sight, calls)
        if progress.state is State.APPLYING and sight.stands:
            # The call was made before the worker died, or before AWS' answer was lost.
            note = "It was found applied after an interruption."
            self._evidence.append(Event.APPLIED, self._now(), {"call": str(self._step.change.call), "note": note})
            return self._move(progress, State.APPLIED, note)
        if self._is_met(sight):
            self._evidence.append(Event.VERIFIED, self._now(), sight.content)
            return self._finish(progress, State.SATISFIED, sight, _MET[progress.state])
        if sight.verdict.settling:
            # As a table whose capacity is being changed, which takes no other change for some seconds.
            raise ResourceUnreadable(f"{self._step.arn} is being changed: {sight.verdict.reason}")
        if progress.state is State.APPLYING:
            return self._lose(progress, sight)
        return self._refuse(progress, f"The resource is not as it was planned from: {sight.verdict.reason}", sight)

    def verify(self) -> Progress:
        """Look whether the change took hold; while it settles, or does not show yet, the step stays applied.

        Raises:
            ResourceLocked: Another remediation works on the resource by now.
            ResourceUnreadable: Nothing is known of it now.
        """
        progress = self._progress()
        if progress.state is not State.APPLIED:
            return progress
        # It may have taken longer than the lock was held for.
        self._lock()
        sight = self._see()
        # Services answer before they show what they were told: RDS is `available`, as it was before, for some seconds.
        is_as_before = self._is_next(sight) or (sight.is_back and not sight.is_content)
        if sight.verdict.settling or is_as_before:
            if not self._is_late(progress):
                return progress
        elif self._took_hold(sight):
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
        """
        progress = self._progress()
        inverse = self._step.change.inverse
        if not progress.state.is_undoing or inverse is None:
            return progress
        self._lock()
        sight = self._see()
        if sight.is_back:
            self._evidence.append(Event.ROLLED_BACK, self._now(), {"before": self._step.change.before, **sight.content})
            return self._finish(progress, State.ROLLED_BACK, sight, progress.note)
        if progress.state is State.UNDONE or not sight.stands:
            return self._await(progress, sight)
        self._lock()
        try:
            request = calls.make(self._check.id, inverse, self._region)
        except StepRefused as refusal:
            return self._leave(progress, sight, f"It cannot be undone: {refusal}")
        self._evidence.append(Event.UNDONE, self._now(), {"call": str(inverse), "request_id": request})
        return self._move(progress, State.UNDONE, progress.note)

    def _make(self, progress: Progress, sight: _Sight, calls: "Calls") -> Progress:
        change = self._step.change
        self._evidence.append(
            Event.SEEN, self._now(), {"before": change.before, "call": str(change.call), **sight.content}
        )
        progress = self._move(progress, State.APPLYING)
        # Who lost the lock in the meantime must not touch the resource.
        self._lock()
        try:
            request = calls.make(self._check.id, change.call, self._region)
        except StepRefused as refusal:
            return self._refuse(progress, str(refusal), sight)
        self._evidence.append(Event.APPLIED, self._now(), {"call": str(change.call), "request_id": request})
        return self._move(progress, State.APPLIED)

    def _lock(self) -> None:
        """Keep others from what the call changes for as long as it may take to settle, and once more to undo it."""
        term = 2 * timedelta(seconds=self._step.change.wait_seconds) + _SLACK
        self._locks.take(self._step.target, self._owner, self._now(), term)

    def _await(self, progress: Progress, sight: _Sight) -> Progress:
        """Wait where the undoing, or what else is under way, may show yet; else leave what is there to people."""
        is_undone = progress.state is State.UNDONE
        if (is_undone or sight.verdict.settling) and not self._is_late(progress):
            return progress
        if is_undone:
            return self._leave(progress, sight, "The state before did not come back.")
        by_now = "others have changed by now what it made" if sight.case else "nobody asks for it any more"
        return self._leave(progress, sight, f"It is not undone: {by_now}.")

    def _leave(self, progress: Progress, sight: _Sight, why: str) -> Progress:
        """A change that is neither verified nor undone is for people to look at."""
        call = str(self._step.change.inverse)
        self._evidence.append(Event.NOT_ROLLED_BACK, self._now(), {"call": call, "why": why, **sight.content})
        return self._finish(progress, State.UNVERIFIED, sight, f"{progress.note} {why}")

    def _lose(self, progress: Progress, sight: _Sight) -> Progress:
        """What is there is neither of the step nor what it was planned from, and its call may have been made."""
        why = (
            "The work was interrupted when the call may have been made, and what is there now does not tell: "
            f"{sight.verdict.reason}"
        )
        call = str(self._step.change.call)
        self._evidence.append(Event.NOT_VERIFIED, self._now(), {"call": call, "why": why, **sight.content})
        return self._finish(progress, State.UNVERIFIED, sight, why)

    def _refuse(self, progress: Progress, why: str, sight: _Sight) -> Progress:
        self._evidence.append(Event.REFUSED, self._now(), {"why": why, **sight.content})
        return self._finish(progress, State.REFUSED, sight, why)

    def _fail(self, progress: Progress, sight: _Sight) -> Progress:
        """A change that did not take hold is undone, where undoing brings everything back."""
        change, said = self._step.change, sight.verdict.reason
        if change.inverse is not None and change.reversibility.undone_automatically:
            return self._move(progress, State.ROLLING_BACK, f"It was not verified: {said}")
        left = f"It was not verified, and is left as it is: {said}"
        return self._finish(progress, State.UNVERIFIED, sight, left)

    def _see(self) -> _Sight:
        """Look, and return what the check says now, and what its mutator would change.

        Raises:
            ResourceUnreadable: Nothing is known now.
        """
        case = self._look()
        if case is None:
            return _Sight(case, _LEFT_ALONE)
        verdict = judge(self._check, case)
        if verdict.status is Status.UNKNOWN:
            raise ResourceUnreadable(f"{self._step.arn} cannot be judged now: {verdict.reason}")
        mutator, change = self._check.mutator, self._step.change
        if mutator is None:
            return _Sight(case, verdict)
        changes: Sequence[Change] = ()
        try:
            if verdict.status not in {Status.PASS, Status.NOT_APPLICABLE}:
                with suppress(CannotChange, ResourceMissing):
                    changes = mutator.propose(case)
            present = mutator.present(case, change)
        except ResourceMissing:
            return _Sight(case, verdict, changes)
        except NotRead as unread:
            raise ResourceUnreadable(f"What is there of {self._step.arn} cannot be seen now: {unread}") from None
        return _Sight(
            case,
            verdict,
            changes,
            has_more=any(other.call.operation == change.call.operation for other in changes),
            stands=present == change.after,
            is_back=present == change.before,
        )

    def _is_next(self, sight: _Sight) -> bool:
        return bool(sight.changes) and sight.changes[0] == self._step.change

    def _is_late(self, progress: Progress) -> bool:
        """Whether what was called should show by now."""
        return self._now() - progress.at > timedelta(seconds=self._step.change.wait_seconds)

    def _took_hold(self, sight: _Sight) -> bool:
        """A change that another one follows need not satisfy the check yet; it must have made way for that one."""
        if self._following is None:
            return sight.is_content
        return bool(sight.changes) and sight.changes[0] == self._following.change

    def _is_met(self, sight: _Sight) -> bool:
        """Whether there is nothing left to do for the step.

        Steps for several resources may change one that they share, as the policy of a bucket that all log into: then
        the first of them leaves the others only what follows.
        """
        return sight.is_content or self._took_hold(sight)

    def _progress(self) -> Progress:
        return self._ledger.find(self._plan, self._step.id, self._now())

    def _move(self, progress: Progress, state: State, note: str = "") -> Progress:
        return self._ledger.move(progress, state, self._now(), note)

    def _finish(self, progress: Progress, state: State, sight: _Sight, note: str = "") -> Progress:
        if sight.case is not None:
            self._follow(sight.case)
        moved = self._move(progress, state, note)
        self._locks.release(self._step.target, self._owner)
        return moved
