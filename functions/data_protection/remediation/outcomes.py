"""What became of a plan, as far as its evidence, its approval and its steps tell. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from data_protection.remediation.approvals import Approval
from data_protection.remediation.evidence import Event, Record
from data_protection.remediation.plans import Plan
from data_protection.remediation.steps import Progress, State
from data_protection.times import stamp


class Fate(StrEnum):
    """Of a plan."""

    NOTHING = "nothing to change"
    PLANNED = "planned only"
    WAITING = "waiting for approval"
    WINDOW = "waiting for its window"
    WORKING = "being carried out"
    STOPPED = "stopped"  # its run ended before the plan did
    DONE = "done"
    FAILED = "not carried out"
    REJECTED = "rejected"
    EXPIRED = "expired"


@dataclass(frozen=True)
class Outcome:
    """What became of a plan.

    Attributes:
        fate: In a word.
        detail: In a clause; may be empty.
    """

    fate: Fate
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.fate}: {self.detail}" if self.detail else str(self.fate)


def outcome(
    plan: Plan,
    *,
    chain: Sequence[Record],
    approval: Approval | None,
    steps: Iterable[Progress],
    is_running: Callable[[str], bool],
    now: datetime,
) -> Outcome:
    """Return what became of a plan.

    Args:
        plan: It.
        chain: Of the plan as a whole, in order.
        approval: What people are asked and have said; None where nobody is asked.
        steps: How far those are that were begun.
        is_running: Whether an execution of the name still runs.
        now: The time.
    """
    if not plan.steps:
        return Outcome(Fate.NOTHING)
    if (refusal := _refusal(approval, now)) is not None:
        return refusal
    begun = [step for step in steps if step.state is not State.PLANNED]
    run = _last_run(chain)
    if run is None:
        return _only_planned(plan, now)
    if run.end is not None:
        failures = "; ".join(run.end.content["failures"])
        done = "; ".join([_counts(plan, begun), *_taken_back(chain)])
        return Outcome(Fate.DONE, done) if begun else Outcome(Fate.FAILED, failures)
    if not is_running(run.name):
        return Outcome(Fate.STOPPED, f"the run {run.name} ended before it; {_counts(plan, begun)}")
    return _under_way(plan, approval, begun, now)


def _refusal(approval: Approval | None, now: datetime) -> Outcome | None:
    """Return that people have said no, or nothing in time; None where they have not."""
    if approval is None or approval.outcome:
        return None
    if approval.outcome is False:
        said_no = [decision.approver for decision in approval.decisions if not decision.approves]
        return Outcome(Fate.REJECTED, f"by {', '.join(said_no)}")
    if now < approval.expires:
        return None
    return Outcome(Fate.EXPIRED, f"nobody decided until {stamp(approval.expires)}")


def _under_way(plan: Plan, approval: Approval | None, begun: Sequence[Progress], now: datetime) -> Outcome:
    if approval is not None and approval.outcome is None:
        said = f"{len(approval.decisions)} of {approval.needed}, until {stamp(approval.expires)}"
        return Outcome(Fate.WAITING, said)
    if not begun and (opens := plan.policy.next_opening(now)) > now:
        return Outcome(Fate.WINDOW, f"it opens {stamp(opens)}")
    return Outcome(Fate.WORKING, _counts(plan, begun))


@dataclass(frozen=True)
class _Run:
    """A run that was to carry a plan out.

    Attributes:
        name: Of its execution.
        end: The record of how it ended; None while it has none.
    """

    name: str
    end: Record | None = None


def _last_run(chain: Sequence[Record]) -> _Run | None:
    run = None
    for record in chain:
        if record.event is Event.PLANNED and not record.content["dry_run"]:
            run = _Run(record.content["run"])
        elif record.event is Event.FINISHED and run is not None and record.content["run"] == run.name:
            run = _Run(run.name, record)
    return run


def _taken_back(chain: Sequence[Record]) -> Iterator[str]:
    """Yield which plans have undone how much of it."""
    for record in chain:
        if record.event is Event.TAKEN_BACK:
            yield f"{len(record.content['heads'])} undone by the plan {record.content['by']}"


def _only_planned(plan: Plan, now: datetime) -> Outcome:
    if now >= plan.expires:
        return Outcome(Fate.EXPIRED, f"it could be carried out until {stamp(plan.expires)}")
    return Outcome(Fate.PLANNED)


def _counts(plan: Plan, begun: Sequence[Progress]) -> str:
    counts = Counter(step.state for step in begun)
    said = [f"{counts[state]} {state.replace('_', ' ')}" for state in State if counts[state]]
    waiting = len(plan.steps) - len(begun)
    return ", ".join([*said, *([f"{waiting} not begun"] if waiting else [])])
