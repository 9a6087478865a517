"""A plan as people read it: what it is and what became of it, its steps by wave, and what it leaves out."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.causes import spoken
from cli.left_out import meaning
from data_protection.changes import Change
from data_protection.remediation.approvals import Approval
from data_protection.remediation.outcomes import Outcome
from data_protection.remediation.plans import Plan, Step
from data_protection.remediation.policy import Policy, Window
from data_protection.remediation.steps import Progress, State
from data_protection.remediation.waves import waves
from kernel.pages.words import counted, seen

_TIME: Final = "%F %H:%M UTC"
_LABEL: Final = 11


@dataclass(frozen=True)
class Line:
    """A line of a plan.

    Attributes:
        said: What it says.
        lead: What stands before it, below which nothing of it is folded.
    """

    said: Text
    lead: Text

    @property
    def text(self) -> Text:
        """All of it, for files and pipes."""
        return Text.assemble(self.lead, self.said)

    @property
    def hanging(self) -> RenderableType:
        """All of it as a terminal shows it."""
        if not self.lead:
            return self.said
        grid = Table.grid()
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(self.lead, self.said)
        return grid


@dataclass(frozen=True)
class Told:
    """A plan with all that is known of it.

    Attributes:
        plan: It.
        outcome: What became of it.
        approval: What people are asked and have said; None where nobody is asked.
        steps: Those that were begun, by their ids.
    """

    plan: Plan
    outcome: Outcome
    approval: Approval | None
    steps: Mapping[str, Progress]


def approval_of(told: Told) -> str:
    """Return in words who must approve a plan, and who has."""
    approval, needed = told.approval, told.plan.approvers
    if approval is None:
        return f"{counted(needed, 'person')} must approve; nobody is asked yet" if needed else "not needed"
    decisions = [
        f"{'yes' if one.approves else 'no'} by {one.approver} at {one.at:{_TIME}}"
        + (f' ("{one.comment}")' if one.comment else "")
        for one in approval.decisions
    ]
    said = "; ".join(decisions) or "nobody has said anything"
    return f"{approval.needed} must approve until {approval.expires:{_TIME}}: {said}"


def lines(told: Told, now: datetime, *, every: bool) -> Iterator[Line]:
    """Yield a plan, line by line.

    Args:
        told: It.
        now: The time.
        every: Whether each finding that is left out is told of, rather than how many there are.
    """
    yield from _head(told, now)
    yield from _steps(told)
    for one in told.plan.contradictions:
        yield _line()
        yield _line((f"Conflict {one.conflict}", "warn"), f" of {one.arn}: {one.sentence} {one.ways_out}")
    yield from _left_out(told.plan, every=every)


def _head(told: Told, now: datetime) -> Iterator[Line]:
    plan = told.plan
    yield _line("Plan ", (plan.hash, "name"))
    yield _labelled("outcome", spoken(str(told.outcome)))
    yield _labelled("where", f"account {plan.account}, {plan.region}")
    phases = ", ".join(map(str, plan.phases))
    yield _labelled("what", f"phase{'s' * (len(plan.phases) > 1)} {phases} of the profile {plan.profile}")
    if plan.undoes:
        yield _labelled("undoes", f"the plan {plan.undoes}")
    yield _labelled("changes", _extent(plan))
    yield _labelled("asked by", f"{plan.requested_by} at {plan.made_at:{_TIME}}")
    yield _labelled("valid until", f"{plan.expires:{_TIME}}")
    yield _labelled("approval", approval_of(told))
    yield _labelled("limits", _limits(plan.policy))
    yield _labelled("windows", _windows(plan.policy, now))


def _extent(plan: Plan) -> str:
    of = f"{len(plan.steps)} of {counted(plan.resources_touched, 'resource')}, {plan.resources_in_scope} are in scope"
    one_way = [step.id for step in plan.one_way]
    return f"{of}; {len(one_way)} do not come back: {', '.join(one_way)}" if one_way else of


def _limits(policy: Policy) -> str:
    limits = policy.limits
    tags = ", ".join(key if value is None else f"{key}={value}" for key, value in limits.protected_tags.items())
    most = f"{limits.changes} changes, {limits.percent:g} % of the resources in scope or {limits.always}"
    return f"{most}; protected tags: {tags or 'none'}"


def _windows(policy: Policy, now: datetime) -> str:
    if not policy.windows:
        return "at any time"
    opens = policy.next_opening(now)
    state = "open now" if opens <= now else f"opens next {opens:%F %H:%M %Z}"
    return f"{'; '.join(map(_window, policy.windows))}; {state}"


def _window(window: Window) -> str:
    days = ", ".join(window.days) or "every day"
    return f"{days} from {window.opens:%H:%M} for {window.hours:g} h ({window.time_zone})"


def _steps(told: Told) -> Iterator[Line]:
    plan = told.plan
    parts = waves(plan)
    for number, wave in enumerate(parts, 1):
        ids = [step for group in wave.groups for step in group.steps]
        yield _line()
        yield _line((f"Wave {number} of {len(parts)}: {counted(len(ids), 'change')}", "name"))
        for step_id in ids:
            yield from _step(plan.step(step_id), told.steps.get(step_id))


def _step(step: Step, progress: Progress | None) -> Iterator[Line]:
    change, state = step.change, progress.state if progress else State.PLANNED
    since = f" at {progress.at:{_TIME}}" if progress else ""
    yield _line(f"{step.id}: ", (state.replace("_", " "), _style(state)), f"{since}, {step.severity}", indent=2)
    if progress and progress.note:
        yield _labelled("note", progress.note, 4)
    yield _labelled("change", f"{change.title}. Now: {step.reason}", 4)
    yield _labelled("call", str(change.call), 4)
    yield _labelled("inverse", str(change.inverse) if change.inverse else "none", 4)
    yield _labelled("class", _class(change), 4)
    for said in filter(None, (change.risk, step.risk)):
        yield _labelled("risk", said, 4)
    if change.cost:
        yield _labelled("cost", change.cost, 4)


def _class(change: Change) -> str:
    if change.undone_automatically:
        who = "undone by itself where it does not take hold"
    else:
        who = "undone by people alone" if change.inverse else "no call undoes it"
    return f"{change.reversibility}, {change.reversibility.meaning}; {who}"


def _style(state: State) -> str:
    if state.is_good:
        return "good"
    return "soft" if state is State.PLANNED else "bad" if state.is_final else "warn"


def _left_out(plan: Plan, *, every: bool) -> Iterator[Line]:
    if not plan.omissions:
        return
    yield _line()
    told = ("" if every else "; --all tells each", "soft")
    yield _line((f"Left out: {counted(len(plan.omissions), 'step' if plan.undoes else 'finding')}", "name"), told)
    for why, number in Counter(omission.why for omission in plan.omissions).most_common():
        yield _line(f"{number} {why}: {meaning(why)}", indent=2)
        if every:
            for omission in plan.omissions:
                if omission.why is why:
                    yield _line(f"{omission.check} of {omission.arn}: {omission.reason}", indent=4)


def _line(*parts: str | tuple[str, str], indent: int = 0) -> Line:
    clean = (seen(part) if isinstance(part, str) else (seen(part[0]), part[1]) for part in parts)
    return Line(Text.assemble(*clean), Text(" " * indent))


def _labelled(label: str, said: str, indent: int = 2) -> Line:
    return Line(Text(seen(said)), Text.assemble(" " * indent, (label.ljust(_LABEL), "soft"), " "))
