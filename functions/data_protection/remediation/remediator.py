"""The work on one step of a plan: see, apply, verify, undo. Each effect is marked before the next one.

A worker may die anywhere and another one go on. What tells whether a call was made is never a mark alone, but the
resource: the mutator is asked again, and proposes the very same change where it was not made.
"""

from collections.abc import Callable, Sequence
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

# A warning with nothing left to change: an effect that only time can prove, as a first log delivered.
_TAKEN: Final = frozenset({Status.PASS, Status.WARN})
_SLACK: Final = timedelta(minutes=10)  # of a lock, for calls that come late


class Remediator:
    """Works on one step.

    Args:
        plan: Hash of the plan.
        step: Of it.
        following: The step that goes on with the same resource for the same check, if there is one.
        region: Of the plan.
        check: The step's.
        look: Reads the resource and returns the case as it is now; None where the profile asks nothing of it any more.
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
        ledger: "StepLedger",
        locks: "ResourceLocks",
        evidence: "EvidenceChain",
        now: Callable[[], datetime],
    ) -> None:
        self._plan, self._step, self._region, self._check = plan, step, region, check
        self._following = following
        self._look = look
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
        case = self._look()
        verdict, changes = self._judge(case)
        if self._is_next(changes):
            return self._make(progress, verdict, calls)
        if progress.state is State.APPLYING:
            # The call was made before the worker died: what it was to change is changed.
            note = "It was found applied after an interruption."
            self._evidence.append(Event.APPLIED, self._now(), {"call": str(self._step.change.call), "note": note})
            return self._move(progress, State.APPLIED, note)
        # Steps for several resources may change one that they share, as the policy of a bucket that all log into: then
        # the first of them leaves the others only what follows.
        has_made_way = self._following is not None and self._took_hold(verdict, changes)
        if case is not None and (verdict.status is Status.PASS or has_made_way):
            self._evidence.append(Event.VERIFIED, self._now(), _seen(verdict))
            return self._finish(progress, State.SATISFIED, "Somebody else has done it.")
        return self._refuse(progress, f"The resource is not as it was planned from: {verdict.reason}", verdict)

    def verify(self) -> Progress:
        """Look whether the change took hold; while it settles, the step stays applied.

        Raises:
            ResourceUnreadable: Nothing is known of it now.
        """
        progress = self._progress()
        if progress.state is not State.APPLIED:
            return progress
        verdict, changes = self._judge(self._look())
        if verdict.settling:
            if self._now() - progress.at <= timedelta(seconds=self._step.change.wait_seconds):
                return progress
        elif self._took_hold(verdict, changes):
            self._evidence.append(Event.VERIFIED, self._now(), _seen(verdict))
            return self._finish(progress, State.VERIFIED)
        self._evidence.append(Event.NOT_VERIFIED, self._now(), _seen(verdict))
        return self._fail(progress, verdict)

    def roll_back(self, calls: "Calls") -> Progress:
        """Undo the change; rolled back is what the mutator would change in the very same way again.

        Args:
            calls: Makes the inverse call.

        Raises:
            ResourceUnreadable: Nothing is known of it now.
        """
        progress = self._progress()
        inverse = self._step.change.inverse
        if progress.state is not State.ROLLING_BACK or inverse is None:
            return progress
        verdict, changes = self._judge(self._look())
        if self._is_next(changes):
            self._evidence.append(Event.ROLLED_BACK, self._now(), {"call": str(inverse), **_seen(verdict)})
            return self._finish(progress, State.ROLLED_BACK, progress.note)
        if self._now() - progress.at > timedelta(seconds=self._step.change.wait_seconds):
            return self._leave(progress, verdict, "The state before did not come back.")
        if not verdict.settling:
            try:
                calls.make(self._check.id, inverse, self._region)
            except StepRefused as refusal:
                return self._leave(progress, verdict, f"It cannot be undone: {refusal}")
        return progress

    def _make(self, progress: Progress, verdict: Verdict, calls: "Calls") -> Progress:
        change = self._step.change
        self._evidence.append(
            Event.SEEN, self._now(), {"before": change.before, "call": str(change.call), **_seen(verdict)}
        )
        progress = self._move(progress, State.APPLYING)
        # Who lost the lock in the meantime must not touch the resource.
        self._lock()
        try:
            request = calls.make(self._check.id, change.call, self._region)
        except StepRefused as refusal:
            return self._refuse(progress, str(refusal), verdict)
        self._evidence.append(Event.APPLIED, self._now(), {"call": str(change.call), "request_id": request})
        return self._move(progress, State.APPLIED)

    def _lock(self) -> None:
        """Keep others from what the call changes for as long as it may take to settle, and once more to undo it."""
        term = 2 * timedelta(seconds=self._step.change.wait_seconds) + _SLACK
        self._locks.take(self._step.target, self._owner, self._now(), term)

    def _leave(self, progress: Progress, verdict: Verdict, why: str) -> Progress:
        """A change that is neither verified nor undone is for people to look at."""
        call = str(self._step.change.inverse)
        self._evidence.append(Event.NOT_ROLLED_BACK, self._now(), {"call": call, "why": why, **_seen(verdict)})
        return self._finish(progress, State.UNVERIFIED, f"{progress.note} {why}")

    def _refuse(self, progress: Progress, why: str, verdict: Verdict) -> Progress:
        self._evidence.append(Event.REFUSED, self._now(), {"why": why, **_seen(verdict)})
        return self._finish(progress, State.REFUSED, why)

    def _fail(self, progress: Progress, verdict: Verdict) -> Progress:
        """A change that did not take hold is undone, where undoing brings everything back."""
        change = self._step.change
        if change.inverse is not None and change.reversibility.undone_automatically:
            return self._move(progress, State.ROLLING_BACK, f"It was not verified: {verdict.reason}")
        return self._finish(progress, State.UNVERIFIED, f"It was not verified, and is left as it is: {verdict.reason}")

    def _judge(self, case: Case[Any] | None) -> tuple[Verdict, Sequence[Change]]:
        """Return what the check says now, and what its mutator would change.

        Raises:
            ResourceUnreadable: Nothing is known now.
        """
        if case is None:
            return Verdict(Status.NOT_APPLICABLE, "The profile asks nothing of it any more."), ()
        verdict = judge(self._check, case)
        if verdict.status is Status.UNKNOWN:
            raise ResourceUnreadable(f"{self._step.arn} cannot be judged now: {verdict.reason}")
        mutator = self._check.mutator
        if mutator is None or verdict.status in {Status.PASS, Status.NOT_APPLICABLE}:
            return verdict, ()
        try:
            return verdict, mutator.propose(case)
        except (CannotChange, ResourceMissing):
            return verdict, ()
        except NotRead as unread:
            raise ResourceUnreadable(f"What {self._step.arn} would become cannot be seen now: {unread}") from None

    def _is_next(self, changes: Sequence[Change]) -> bool:
        return bool(changes) and changes[0] == self._step.change

    def _took_hold(self, verdict: Verdict, changes: Sequence[Change]) -> bool:
        """A change that another one follows need not satisfy the check yet; it must have made way for that one."""
        if self._following is None:
            return verdict.status in _TAKEN and not self._is_next(changes)
        return bool(changes) and changes[0] == self._following.change

    def _progress(self) -> Progress:
        return self._ledger.find(self._plan, self._step.id, self._now())

    def _move(self, progress: Progress, state: State, note: str = "") -> Progress:
        return self._ledger.move(progress, state, self._now(), note)

    def _finish(self, progress: Progress, state: State, note: str = "") -> Progress:
        moved = self._move(progress, state, note)
        self._locks.release(self._step.target, self._owner)
        return moved


def _seen(verdict: Verdict) -> dict[str, Any]:
    return {"status": verdict.status.value, "reason": verdict.reason, "observed": verdict.observed}
