"""The fix of one drift: a plan of just that change, applied and verified as any other plan's steps are."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from data_protection.assessments import assess, cases
from data_protection.changes import Reversibility
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Case
from data_protection.collection import Questions
from data_protection.drift.attempts import Attempt, freeze, of_the_hour
from data_protection.drift.drifts import OURS, Drift
from data_protection.drift.touches import Cause
from data_protection.drift.watcher import Look
from data_protection.errors import FixUnfinished
from data_protection.profiles import Profile
from data_protection.remediation.evidence import Event, verify_chain
from data_protection.remediation.plans import Plan, Step, make_plan
from data_protection.remediation.remediator import Remediator
from data_protection.remediation.sights import Sight, mending
from data_protection.remediation.steps import State

if TYPE_CHECKING:
    from data_protection.adapters.attempts import AttemptStore
    from data_protection.adapters.calls import Calls
    from data_protection.adapters.drifts import DriftStore
    from data_protection.adapters.evidence import EvidenceChain
    from data_protection.adapters.snapshots import Snapshots
    from data_protection.adapters.steps import ResourceLocks, StepLedger
    from kernel.bus import Bus

_POLL_SECONDS: Final = 5
_REMEMBERED: Final = timedelta(days=1)  # how long an attempt that was not brought to its end is gone on with


class Result(StrEnum):
    """Of a fix."""

    FIXED = "fixed"
    FAILED = "failed"  # applied or refused, and not met
    LEFT = "left"  # nothing may be, or needs to be, changed without asking
    FROZEN = "frozen"  # as it was before, and is
    NEWLY_FROZEN = "newly_frozen"


@dataclass(frozen=True)
class Fix:
    """What became of a fix.

    Attributes:
        result: In a word.
        reason: In a sentence.
        plan: Hash of the plan that was worked on; empty for none.
    """

    result: Result
    reason: str
    plan: str = ""


def look_after(fix: Fix, drift: Drift, now: datetime) -> Look:
    """Return the look by which all know what came of a fix: its own calls are not heard of by events."""
    ours = Cause(by=OURS, call="", event="", at=now, plan=fix.plan) if fix.result is Result.FIXED else None
    return Look(f"fix-{drift.id}", drift.place.place, [(drift.check, drift.resource)], lambda _check, _resource: ours)


class _Left(Exception):
    """Why nothing is changed."""


class Fixer:
    """Fixes drift in one account.

    Args:
        profile: That says what is asked, and what may be fixed.
        profile_name: By which it is known.
        snapshots: Takes snapshots, with the account's clients.
        calls: Makes calls that change resources; None where the account is not to be changed in the check's phase.
        drifts: Knows which drifts are open.
        attempts, ledger, locks: Where the work is kept.
        bus: Where others are told that a resource is frozen.
        chain: Returns the chain of evidence of a step of a plan, or of the plan as a whole.
        now: The time.
        pause: Waits for seconds.
        remaining: How many seconds may still be waited.
    """

    def __init__(
        self,
        profile: Profile,
        profile_name: str,
        *,
        snapshots: "Snapshots",
        calls: "Calls | None",
        drifts: "DriftStore",
        attempts: "AttemptStore",
        ledger: "StepLedger",
        locks: "ResourceLocks",
        bus: "Bus",
        chain: "Callable[[Plan, Step | None], EvidenceChain]",
        now: Callable[[], datetime],
        pause: Callable[[float], None],
        remaining: Callable[[], float],
    ) -> None:
        self._profile, self._name = profile, profile_name
        self._snapshots, self._calls = snapshots, calls
        self._drifts, self._attempts, self._ledger, self._locks = drifts, attempts, ledger, locks
        self._bus, self._chain = bus, chain
        self._now, self._pause, self._remaining = now, pause, remaining

    def fix(self, drift: Drift) -> Fix:
        """Fix a drift, or go on with the attempt that another worker did not end.

        Raises:
            ResourceLocked: Another remediation works on the resource.
            ResourceUnreadable: Nothing is known of it now.
            FixUnfinished: Its change has not settled; asked again, the attempt goes on.
            EvidenceBroken: A chain of the attempt is not as it was written.
        """
        now = self._now()
        tried = self._attempts.since(drift, now - _REMEMBERED)
        attempt = next((one for one in tried if one.drift.id == drift.id and one.outcome is None), None)
        try:
            if attempt is None:
                if (stopped := self._standstill(drift)) is not None:
                    return stopped
                plan = self._plan(drift, now)
                if (stopped := self._patience(drift, tried, now)) is not None:
                    return stopped
                attempt = Attempt(drift=drift, plan=plan, began=now)
                self._chain(plan, None).append(Event.PLANNED, now, attempt.model_dump(mode="json"))
                self._attempts.keep(attempt)
            state = self._work(attempt, self._allowed(drift))
        except _Left as left:
            return Fix(Result.LEFT, str(left))
        if not state.is_final:
            raise FixUnfinished(f"The change of {drift.arn} for {drift.check} has not settled; it is looked at again.")
        self._anchor(attempt.plan, state)
        self._attempts.keep(attempt.model_copy(update={"outcome": state}))
        return Fix(Result.FIXED if state.is_good else Result.FAILED, f"Its change ended {state}.", attempt.plan.hash)

    def _allowed(self, drift: Drift) -> "Calls":
        if drift.check not in self._profile.drift.fix:
            raise _Left(f"The profile {self._name} does not have {drift.check} fixed without asking.")
        if self._calls is None:
            raise _Left(f"The estate names no role that may change {drift.place.place} for {drift.check}.")
        return self._calls

    def _plan(self, drift: Drift, now: datetime) -> Plan:
        self._allowed(drift)
        only, mutator = [(drift.check, drift.resource)], catalogue()[drift.check].mutator
        snapshot = self._snapshots.take(Questions(drift.place.place, self._profile, only), now)
        plan = make_plan(
            assess(snapshot, self._profile, now, only),
            profile=self._name,
            phases=[mutator.phase] if mutator is not None else [],
            named=frozenset(),
            policy=self._profile.remediation,
            requested_by=f"drift {drift.id}",
        )
        for omission in plan.omissions:
            raise _Left(omission.reason)
        if not plan.steps:
            raise _Left("It is as it was before.")
        for step in plan.steps:
            if step.change.reversibility is not Reversibility.REVERSIBLE or not step.change.comes_back:
                raise _Left(f"{step.change.title} is of class {step.change.reversibility}, which people must approve.")
        return plan

    def _standstill(self, drift: Drift) -> Fix | None:
        """Return why nothing is changed for a drift by now; None where it may be."""
        if not self._drifts.is_open(drift):
            # A message outlives its drift, which people may have answered for, mended, or brought about by an undoing.
            return Fix(Result.LEFT, f"The drift of {drift.arn} for {drift.check} is not open any more.")
        frozen = self._attempts.frozen(drift)
        if frozen is not None and self._now() < frozen.until:
            return Fix(Result.FROZEN, f"Nothing is fixed on {drift.arn} until {frozen.until.isoformat()}.")
        return None

    def _patience(self, drift: Drift, tried: list[Attempt], now: datetime) -> Fix | None:
        """Return that a drift has come too often, and freeze its resource; None where it has not."""
        policy, recent = self._profile.drift, of_the_hour(tried, now)
        if len(recent) < policy.fixes_an_hour:
            return None
        made = freeze(drift, recent, now + timedelta(hours=policy.freeze_hours))
        # Told before it is kept: told twice does no harm, and not at all would leave the fight to itself.
        self._bus.publish("DriftFrozen", made)
        self._attempts.freeze(made)
        return Fix(Result.NEWLY_FROZEN, f"{drift.arn} was fixed {len(recent)} times within an hour.")

    def _work(self, attempt: Attempt, calls: "Calls") -> State:
        """Work on the steps of an attempt's plan, and return the state in which the last one was left."""
        state = State.PLANNED
        for step in attempt.plan.steps:
            remediator = self._remediator(attempt, step)
            state = remediator.apply(calls).state
            while not state.is_final and self._remaining() > _POLL_SECONDS:
                state = (remediator.roll_back(calls) if state.is_undoing else remediator.verify()).state
                if not state.is_final:
                    self._pause(_POLL_SECONDS)
            if not state.is_good:
                break
        return state

    def _anchor(self, plan: Plan, state: State) -> None:
        """Write the record that closes an attempt: without it, whoever deletes a step's whole chain would go unseen."""
        chains = {step.id: self._chain(plan, step).records() for step in plan.steps}
        heads = {step: verify_chain(records) for step, records in chains.items() if records}
        whole = self._chain(plan, None)
        verify_chain(whole.records())
        whole.append(Event.FINISHED, self._now(), {"state": state, "heads": heads})

    def _remediator(self, attempt: Attempt, step: Step) -> Remediator:
        plan = attempt.plan
        return Remediator(
            attempt.drift.id,
            plan.hash,
            step,
            plan.region,
            look=lambda: self._see(attempt, step),
            follow=lambda _case, _state: None,  # the look after the fix tells of it, to all who want to know
            ledger=self._ledger,
            locks=self._locks,
            evidence=self._chain(plan, step),
            now=self._now,
        )

    def _see(self, attempt: Attempt, step: Step) -> Sight:
        """Look, while the resource is locked: who undoes something has closed its drift before the lock is free."""
        drift = attempt.drift
        sight = mending(catalogue()[drift.check], step, attempt.plan.following(step), self._case(drift))
        stopped = self._standstill(drift) if sight.is_next else None
        return sight if stopped is None else replace(sight, is_next=False, hindrance=stopped.reason)

    def _case(self, drift: Drift) -> Case[Any] | None:
        only, now = [(drift.check, drift.resource)], self._now()
        snapshot = self._snapshots.take(Questions(drift.place.place, self._profile, only), now)
        return next(
            (case for check, case in cases(snapshot, self._profile, now) if (check.id, case.resource) in only), None
        )
