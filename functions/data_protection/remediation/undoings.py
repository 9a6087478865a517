"""Plans that undo the steps of another one: what took hold, in the reverse order, by the inverse calls. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from data_protection import resources
from data_protection.assessments import Assessment, Finding
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Made
from data_protection.errors import EvidenceBroken, PlanMissing, PlanUndone, UndoRefused
from data_protection.remediation.audits import audit
from data_protection.remediation.evidence import Event, Record, verify_chain
from data_protection.remediation.plans import (
    LeftOut,
    NotPlanned,
    Omission,
    Plan,
    Step,
    require_unprotected,
    require_within_limits,
)
from data_protection.remediation.policy import Policy
from data_protection.remediation.sights import another, require_undoable
from data_protection.resources import Place, Resource
from data_protection.snapshot import NotRead, ResourceMissing
from data_protection.verdicts import Status

Chains = Mapping[str, Sequence[Record]]


def judged(first: Plan, place: Place) -> list[tuple[str, Resource]]:
    """Return what a plan was about: ids of checks, each with its resource."""
    return list(dict.fromkeys((step.change.check, _resource(step, place)) for step in first.steps))


def made_by(first: Plan, step: Step, place: Place, going: Iterable[Step] = ()) -> Made:
    """Return what a step of a plan has made, with whom its call served: as the members of a cluster, its backups.

    Args:
        first: The plan that is undone.
        step: Of it, or the one that undoes that.
        place: Of both.
        going: The steps that are undone before, where they are not undone yet.
    """
    theirs = first.step(step.id)
    return Made(
        change=theirs.change,
        planned_at=first.made_at,
        served={
            _resource(one, place): tuple(other.change for other in first.steps if one.id in other.follows)
            for one in first.alike(theirs)
        },
        going=tuple(first.step(one.id).change for one in going),
    )


def make_undoing(
    first: Plan,
    chains: Chains,
    assessment: Assessment,
    *,
    wanted: Collection[str],
    named: frozenset[str],
    profile: str,
    policy: Policy,
    requested_by: str,
) -> Plan:
    """Return the plan that undoes what another one did.

    Its steps have the ids of those that they undo, and their changes with before and after exchanged.

    Args:
        first: The plan that is undone.
        chains: Its evidence, by the step that it is kept for, empty for the plan as a whole.
        assessment: Of what it was about, as it is now.
        wanted: Ids of steps, or of checks, that are to be undone; empty for all.
        named: Ids of checks of which also those changes are undone whose undoing loses something.
        profile: By which the account is judged now.
        policy: Of that profile.
        requested_by: Who asks.

    Raises:
        UndoRefused: It undoes another plan itself.
        PlanMissing: It has no step that is wanted.
        EvidenceBroken: Its evidence is not as it was written.
        PlanTooLarge: More would be changed than the limits allow.
    """
    if first.undoes:
        phases = ", ".join(map(str, first.phases))
        raise UndoRefused(
            f"The plan {first.hash} undoes the plan {first.undoes}. To have again what that one changed, plan phase "
            f"{phases} again."
        )
    if unknown := [one for one in wanted if not any(one in _names(step) for step in first.steps)]:
        raise PlanMissing(f"The plan {first.hash} has no step {', '.join(unknown)}. `gatehouse plans` shows its steps.")
    if breaks := audit(first.hash, chains).breaks:
        raise EvidenceBroken(f"What the plan {first.hash} changed is not known: {' '.join(breaks)}")
    undoer = _Undoer(first, chains, assessment, policy=policy, wanted=wanted, named=named)
    for step in reversed(first.steps):
        undoer.take(step)
    plan = Plan(
        account=first.account,
        region=first.region,
        profile=profile,
        policy=policy,
        phases=first.phases,
        made_at=assessment.snapshot.taken_at,
        requested_by=requested_by,
        resources_in_scope=first.resources_in_scope,
        steps=tuple(undoer.steps),
        omissions=tuple(undoer.omissions),
        contradictions=(),
        undoes=first.hash,
    )
    require_within_limits(plan)
    return plan


def require_undoing(step: Step, first: Plan, records: Sequence[Record], by: str) -> None:
    """Let only pass a step that brings back what another plan has changed.

    No mutator proposes its call again, so that whoever can write into the lake could make a plan of any.

    Args:
        step: Of a plan that undoes another one.
        first: That other one.
        records: The evidence of its step of the same id.
        by: Hash of the plan that the step is of.

    Raises:
        PlanMissing: That plan declares another call, or did not change anything, or not so, or something else.
        PlanUndone: Another plan has undone that one since: what is there now is of others.
        EvidenceBroken: Its evidence is not as it was written.
    """
    theirs = first.step(step.id)
    told = {name: getattr(step.change, name) for name in ("title", "reversibility", "risk", "cost")}
    is_declared = theirs.change.exchanged.model_copy(update=told) == step.change
    is_there = (theirs.kind, theirs.name, theirs.arn) == (step.kind, step.name, step.arn)
    verify_chain(records)
    events = [record.event for record in records]
    if events[-1:] == [Event.TAKEN_BACK] and (undoer := records[-1].content["by"]) != by:
        raise PlanUndone(f"The plan {undoer} has undone {step.id} of the plan {first.hash}. Nothing is left to undo.")
    is_held = Event.APPLIED in events and events[-1] in {Event.VERIFIED, Event.TAKEN_BACK}
    if not (is_declared and is_there and is_held):
        raise PlanMissing(f"{step.id} does not undo what the plan {first.hash} has changed. Plan the undoing again.")


def _resource(step: Step, place: Place) -> Resource:
    return resources.named(step.kind, place, step.name)


def _names(step: Step) -> set[str]:
    return {step.id, step.change.check}


class _Undoer:
    """Takes the steps of a plan from the last one to the first."""

    def __init__(
        self,
        first: Plan,
        chains: Chains,
        assessment: Assessment,
        *,
        policy: Policy,
        wanted: Collection[str],
        named: frozenset[str],
    ) -> None:
        self._first, self._chains, self._policy = first, chains, policy
        self._wanted, self._named = wanted, named
        self._place = assessment.snapshot.place
        self._findings = {(finding.check.id, finding.resource): finding for finding in assessment.findings}
        self._staying: list[Step] = []
        self.steps: list[Step] = []
        self.omissions: list[Omission] = []

    def take(self, step: Step) -> None:
        """Undo a step, or say why it is left out."""
        try:
            self._require_spare(step)
            self._require_held(step)
            self.steps.append(self._undoing(step))
        except NotPlanned as reason:
            self.omissions.append(
                Omission(check=step.change.check, arn=step.arn, why=reason.why, reason=f"{step.id}: {reason}")
            )
            if self._stays(step, reason.why):
                self._staying.append(step)

    def _stays(self, step: Step, why: LeftOut) -> bool:
        """Whether what a step is for may be there, be it by others, once all is undone."""
        events = self._events(step)
        if not events or events[-1] in {Event.REFUSED, Event.ROLLED_BACK, Event.TAKEN_BACK}:
            return False
        if why is not LeftOut.NOT_VERIFIED or Event.APPLIED in events:
            return True
        # What the very same call of another step has satisfied goes with that one.
        return not any(Event.APPLIED in self._events(other) for other in self._first.alike(step))

    def _require_spare(self, step: Step) -> None:
        """Let only pass what is asked for, and what no step rests on that stays."""
        if self._wanted and _names(step).isdisjoint(self._wanted):
            raise NotPlanned(LeftOut.NOT_ASKED, "It was not asked for.")
        if needed := self._resting(self._staying, step):
            raise NotPlanned(LeftOut.NEEDED, f"{', '.join(needed)} stays, and rests on it.")

    def _resting(self, others: Iterable[Step], step: Step) -> tuple[str, ...]:
        """Return the ids of steps that go on where a step ends, and of those that rest on the very same call."""
        alike = {one.id for one in self._first.alike(step)}
        return tuple(one.id for one in others if one.id in alike - {step.id} or not alike.isdisjoint(one.follows))

    def _events(self, step: Step) -> list[Event]:
        return [record.event for record in self._chains.get(step.id, ())]

    def _require_held(self, step: Step) -> None:
        """Let only pass what the plan has changed itself, by evidence, and nobody has undone since."""
        records = self._chains.get(step.id, ())
        if records and records[-1].event is Event.TAKEN_BACK:
            raise NotPlanned(LeftOut.UNDONE, f"The plan {records[-1].content['by']} has undone it.")
        events = self._events(step)
        if events[-1:] != [Event.VERIFIED] or Event.APPLIED not in events:
            said = events[-1].value if events else "nothing"
            raise NotPlanned(LeftOut.NOT_VERIFIED, f"Its evidence says {said}, and not that its call took hold.")

    def _undoing(self, step: Step) -> Step:
        finding = self._findings.get((step.change.check, _resource(step, self._place)))
        if finding is None:
            raise NotPlanned(
                LeftOut.UNKNOWN,
                f"The profile asks {step.change.check} of it no more, so that nobody reads how it is. Ask for it, with "
                "an exception, until it is undone.",
            )
        change = self._change(step)
        self._require_as_left(step, finding)
        return step.model_copy(
            update={
                "status": finding.status,
                "reason": finding.verdict.reason,
                "change": change,
                "follows": self._resting((self._first.step(one.id) for one in self.steps), step),
                "risk": "",
            }
        )

    def _change(self, step: Step) -> Change:
        mutator = catalogue()[step.change.check].mutator
        change = step.change
        if change.inverse is None or change.reversibility is Reversibility.ONE_WAY or mutator is None:
            raise NotPlanned(LeftOut.NO_INVERSE, f"No call brings back what was: class {change.reversibility}.")
        loses = mutator.undoing_loses(change)
        if loses and self._named.isdisjoint(_names(step)) and _names(step).isdisjoint(self._wanted):
            raise NotPlanned(LeftOut.NOT_NAMED, f"{loses} Ask for {change.check} by name.")
        # Whatever happened while it was unprotected stays, so that no policy approves it beforehand.
        grade = Reversibility.LOSES_DATA if loses else Reversibility.SIDE_EFFECTS
        risk = f"What the check asks does not hold any more. {loses}".strip()
        told = {"title": f"Undo: {change.title}", "reversibility": grade, "risk": risk, "cost": ""}
        return change.exchanged.model_copy(update=told)

    def _require_as_left(self, step: Step, finding: Finding) -> None:
        """Let only pass what is known, what no tag protects, and what is as the plan has left it."""
        snapshot, limits = finding.case.snapshot, self._policy.limits
        if finding.verdict.status is Status.UNKNOWN:
            raise NotPlanned(LeftOut.UNKNOWN, finding.verdict.reason)
        if stranger := another(step, finding.case):
            raise NotPlanned(LeftOut.CHANGED, stranger)
        require_unprotected("It", snapshot.tags_of(finding.resource), limits)
        if step.change.target:
            require_unprotected(step.change.target, snapshot.inventory.tags_by_arn(step.change.target), limits)
        mutator = finding.check.mutator
        try:
            made = made_by(self._first, step, self._place, self.steps)
            require_undoable(finding.check, finding.case, made)
            is_as_left = mutator is not None and mutator.present(finding.case, step.change) == step.change.after
        except CannotChange as refusal:
            raise NotPlanned(LeftOut.REFUSED, str(refusal)) from None
        except NotRead as unread:
            raise NotPlanned(LeftOut.UNKNOWN, str(unread)) from None
        except ResourceMissing as missing:
            raise NotPlanned(LeftOut.CHANGED, str(missing)) from None
        if not is_as_left:
            raise NotPlanned(LeftOut.CHANGED, f"It is not as the plan left it: {finding.verdict.reason}")
