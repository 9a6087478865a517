"""What a look at the resource of a step comes to: as the plan found it, as the call makes it, or neither. Pure."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from data_protection.assessments import judge
from data_protection.changes import CannotChange, Change
from data_protection.checks.check import Case, Check, Made
from data_protection.remediation.looks import unreadable
from data_protection.remediation.plans import Step
from data_protection.snapshot import NotRead, ResourceMissing
from data_protection.verdicts import Status, Verdict

_LEFT_ALONE: Final = Verdict(
    Status.NOT_APPLICABLE, "The profile asks nothing of it any more, or an exception or a tag keeps it as it is."
)


@dataclass(frozen=True)
class Sight:
    """What a look came to.

    Attributes:
        case: The resource; None where the profile asks nothing of it any more, or it is left alone.
        verdict: What the check says.
        stands: Whether that is there now which the step's change makes.
        is_back: Whether that is there now which the step's change replaces.
        is_next: Whether the very change of the step would be made now.
        is_as_before: Whether the change does not show.
        took_hold: Whether it does, and has done what the step is for.
        is_met: Whether there is nothing left to do for the step, whoever did it.
        hindrance: Why the change may not be made, a sentence; empty where it may, or where the verdict says it.
    """

    case: Case[Any] | None
    verdict: Verdict
    stands: bool = False
    is_back: bool = False
    is_next: bool = False
    is_as_before: bool = False
    took_hold: bool = False
    is_met: bool = False
    hindrance: str = ""

    @property
    def content(self) -> dict[str, Any]:
        """What evidence tells of it."""
        verdict = self.verdict
        return {"status": verdict.status.value, "reason": verdict.reason, "observed": verdict.observed}


def mending(check: Check[Any], step: Step, following: Step | None, case: Case[Any] | None) -> Sight:
    """Return what a look comes to for a step that is to satisfy its check.

    Args:
        check: The step's.
        step: It.
        following: The step that goes on with the same resource for the same check, if there is one.
        case: The resource as it is; None where it is left alone.

    Raises:
        ResourceUnreadable: Nothing is known now.
        ReadDenied: Nor will be, until somebody gives a right.
    """
    if case is None:
        return Sight(case, _LEFT_ALONE)
    verdict = _judge(check, step, case)
    proposed = _proposed(check, step, case, verdict)
    stands, is_back = _present(check, step, case, step.change)
    is_next = bool(proposed) and proposed[0] == step.change
    is_content = verdict.status is Status.PASS
    if verdict.status is Status.WARN:
        # An effect that only time can prove, as a first log delivered. What is left of other calls, as the selection of
        # a backup plan that was made, is for the next plan.
        is_content = stands and all(other.call.operation != step.change.call.operation for other in proposed)
    # A change that another one follows need not satisfy the check yet; it must have made way for that one.
    took_hold = is_content if following is None else bool(proposed) and proposed[0] == following.change
    return Sight(
        case,
        verdict,
        stands=stands,
        is_back=is_back,
        is_next=is_next,
        is_as_before=is_next or (is_back and not is_content),
        took_hold=took_hold,
        # Steps for several resources may change one that they share, as the policy of a bucket that all log into: then
        # the first of them leaves the others only what follows.
        is_met=is_content or took_hold,
    )


def undoing(check: Check[Any], step: Step, case: Case[Any] | None, made: Made) -> Sight:
    """Return what a look comes to for a step that brings back what a verified one replaced: the check may well fail.

    Args:
        check: The step's.
        step: Of a plan that undoes another one.
        case: The resource as it is; None where it is left alone.
        made: What it undoes.

    Raises:
        ResourceUnreadable: Nothing is known now.
        ReadDenied: Nor will be, until somebody gives a right.
    """
    if case is None:
        return Sight(case, _LEFT_ALONE)
    verdict = _judge(check, step, case)
    stands, is_back = _present(check, step, case, step.change.exchanged)
    hindrance = _hindrance(check, step, case, made)
    return Sight(
        case,
        verdict,
        stands=stands,
        is_back=is_back,
        is_next=is_back and not verdict.settling and not hindrance,
        is_as_before=is_back,
        took_hold=stands,
        is_met=stands,
        hindrance=hindrance,
    )


def another(step: Step, case: Case[Any]) -> str:
    """Return that a step's resource is not the one any more that its calls name, a sentence; empty where it is.

    Calls keep the ids that a name stood for when they were planned: an alias may be of another key since, and a secret
    made anew by its name. What stands there, and which tags, says nothing of the one that would be changed.
    """
    arn = case.snapshot.arn_of(case.resource)
    return "" if arn == step.arn else f"{case.resource.name} is {arn} now. The change was made to {step.arn}."


def require_undoable(check: Check[Any], case: Case[Any], made: Made) -> None:
    """Let only pass a change that can be undone now without touching anything else.

    Args:
        check: Whose change it is.
        case: The resource as it is.
        made: The change, as it was planned.

    Raises:
        CannotChange: It cannot, or what it was about does not exist any more.
        NotRead: That is not known.
    """
    try:
        if check.mutator is not None:
            check.mutator.may_undo(case, made)
    except ResourceMissing as missing:
        raise CannotChange(str(missing)) from None


def _hindrance(check: Check[Any], step: Step, case: Case[Any], made: Made) -> str:
    if stranger := another(step, case):
        return stranger
    try:
        with _read(step, case):
            require_undoable(check, case, made)
    except CannotChange as refusal:
        return str(refusal)
    return ""


def _judge(check: Check[Any], step: Step, case: Case[Any]) -> Verdict:
    verdict = judge(check, case)
    if verdict.status is Status.UNKNOWN:
        told = f"{step.arn} cannot be judged now: {verdict.reason}"
        raise unreadable(told, verdict.unread, case.snapshot.reader)
    return verdict


def _proposed(check: Check[Any], step: Step, case: Case[Any], verdict: Verdict) -> Sequence[Change]:
    if check.mutator is None or verdict.status in {Status.PASS, Status.NOT_APPLICABLE}:
        return []
    with suppress(CannotChange, ResourceMissing), _read(step, case):
        return check.mutator.propose(case)
    return []


def _present(check: Check[Any], step: Step, case: Case[Any], form: Change) -> tuple[bool, bool]:
    """Return whether that is there which a step's change makes, and which it replaces.

    Args:
        check: The step's.
        step: It.
        case: The resource as it is.
        form: The change as the mutator has proposed it, in whose form it reads what is there.
    """
    if check.mutator is None or another(step, case):
        return False, False
    with suppress(ResourceMissing), _read(step, case):
        present = check.mutator.present(case, form)
        return present == step.change.after, present == step.change.before
    return False, False


@contextmanager
def _read(step: Step, case: Case[Any]) -> Iterator[None]:
    """Let who needs what was not read try again, or be told of the right that is missing."""
    try:
        yield
    except NotRead as unread:
        told = f"What is there of {step.arn} cannot be seen now: {unread}."
        raise unreadable(told, unread, case.snapshot.reader) from None
