"""What happens in the demo of data protection.

Assessed, fixed by phases, disturbed and repaired; one change undone as people ask, made again, rolled back and mended.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cli.protection_demo_application import Unexpected
from cli.protection_demo_people import APPROVES, ASKS, MEDDLES
from kernel.pages.words import counted

if TYPE_CHECKING:
    from cli.demo_board import Running
    from cli.protection_demo_application import Application, Carried, Looked
    from cli.protection_demo_people import Person
    from demo.protection_account import Account
    from demo.protection_world import Meddler, World

KEYS: Final = (
    "score_before",
    "score_after_phase1",
    "score_after_phase3",
    "score_after_phase4",
    "checks",
    "unknown",
    "changes_applied",
    "changes_verified",
    "rolled_back",
    "foreign_rules_kept",
    "drift_detect_s",
    "drift_fix_s",
    "api_calls_assess",
    "seconds",
)
# Checks whose changes do not come back, by the phase in which they are asked for.
_NAMED: Final[Mapping[int, tuple[str, ...]]] = {1: ("S3-VERSION",), 2: ("S3-LIFECYCLE",), 4: ("S3-LOCK",)}
# A plan leaves out what only follows from its changes, as the protection of tables that it creates.
_PASSES: Final = 4
_HEAR_SECONDS: Final = 240.0
_TABLE: Final = "conversations"
_BUCKET: Final = "transcripts"
_WHOLE: Final = 100.0
_SHOWN: Final = 3


@dataclass
class Stand:
    """What the steps work with.

    Attributes:
        application: data_protection as it is deployed.
        account: What is assessed, as it was built.
        world: What happens beside.
        meddler: Does what the standard forbids.
        people: Users of the account, by name.
        report: Where the latest report is written.
        summary: What the steps measured, by the keys of `summary.json`.
        looks: Assessments, the latest last.
        plans: That were carried out, as documents, the latest last.
        encrypted: By what the bucket was encrypted, one change of which is undone, before any plan; empty before that.
        undone: What was undone as people asked, and is as it was before; empty before that.
    """

    application: "Application"
    account: "Account"
    world: "World"
    meddler: "Meddler"
    people: "Mapping[str, Person]"
    report: Path
    summary: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(KEYS))
    looks: "list[Looked]" = field(default_factory=list)
    plans: list[Mapping[str, Any]] = field(default_factory=list)
    encrypted: str = ""
    undone: str = ""

    def count(self, carried: "Carried") -> None:
        """Add what became of a plan that mends to the summary, which tells of no other plans."""
        for key, number in (
            ("changes_applied", carried.applied),
            ("changes_verified", carried.counts.get("verified", 0)),
            ("rolled_back", carried.counts.get("rolled_back", 0)),
        ):
            self.summary[key] = (self.summary[key] or 0) + number


@dataclass(frozen=True)
class Step:
    """A part of the demo.

    Attributes:
        name: Of the stage on the board.
        run: Does it, and returns what it did in a sentence.
    """

    name: str
    run: "Callable[[Stand, Running], str]"


def assess(stand: Stand, stage: "Running") -> str:
    """Run assess_account and write its report."""
    stage.say("assess_account")
    looked = stand.application.assess()
    stand.looks.append(looked)
    stand.report.write_bytes(looked.page)
    stand.summary["checks"], stand.summary["unknown"] = looked.checks, looked.unknown
    stand.summary["api_calls_assess"] = looked.calls
    if len(stand.looks) == 1:
        stand.summary["score_before"] = looked.percent
    return (
        f"{looked.percent:g} % of {counted(looked.checks, 'check')} hold, {looked.coverage:g} % could be seen, by "
        f"{counted(looked.calls, 'call')} in {looked.seconds:.1f} s"
    )


def first_phase(stand: Stand, stage: "Running") -> str:
    """Fix phase 1, and assess."""
    done = _mend(stand, stage, [1])
    said = assess(stand, stage)
    stand.summary["score_after_phase1"] = stand.looks[-1].percent
    return f"{done}; {said}"


def second_phase(stand: Stand, stage: "Running") -> str:
    """Fix phase 2."""
    stand.encrypted = stand.meddler.algorithm(_BUCKET)
    return _mend(stand, stage, [2])


def third_phase(stand: Stand, stage: "Running") -> str:
    """Fix phase 3, then what the phases before ask of the tables that it has made; and assess."""
    done = [_mend(stand, stage, [3]), _mend(stand, stage, [1, 2, 3])]
    said = assess(stand, stage)
    stand.summary["score_after_phase3"] = stand.looks[-1].percent
    return f"{', then '.join(done)}; {said}"


def fourth_phase(stand: Stand, stage: "Running") -> str:
    """Fix phase 4, which takes two approvals, and assess."""
    done = _mend(stand, stage, [4])
    said = assess(stand, stage)
    stand.summary["score_after_phase4"] = stand.looks[-1].percent
    return f"{done}; {said}"


def drift(stand: Stand, stage: "Running") -> str:
    """Let somebody turn recovery off, and wait until it was found and fixed by the event alone."""
    stand.application.listen()
    stage.say(f"{MEDDLES} turns recovery of {_TABLE} off")
    began = time.monotonic()
    stand.meddler.stop_recovery(_TABLE)

    def about(detail: Mapping[str, Any]) -> bool:
        found = detail.get("drift", detail)
        return (found["check"], found["name"]) == ("DDB-PITR", _TABLE)

    found = stand.application.hear("DriftFound", about, _HEAR_SECONDS)
    stand.summary["drift_detect_s"] = round(time.monotonic() - began, 1)
    who = stand.people[MEDDLES].arn
    if (found["by"], found["call"]) != (who, "UpdateContinuousBackups"):
        raise Unexpected(f"{who} turned recovery off, but {found['by'] or 'nobody'} by {found['call']!r} is told.")
    stage.say(f"found after {stand.summary['drift_detect_s']:g} s; being fixed")
    fixed = stand.application.hear("DriftFixed", about, _HEAR_SECONDS)
    stand.summary["drift_fix_s"] = round(time.monotonic() - began, 1)
    if fixed["by"] != "gatehouse" or not stand.meddler.has_recovery(_TABLE):
        raise Unexpected(f"Recovery of {_TABLE} is said to be on by {fixed['by']!r}, and is not as it must be.")
    return (
        f"{MEDDLES} turned recovery of {_TABLE} off: known after {stand.summary['drift_detect_s']:g} s, on again, "
        f"verified and told after {stand.summary['drift_fix_s']:g} s"
    )


def undo(stand: Stand, stage: "Running") -> str:
    """Have the encryption of a bucket undone, of all that a plan has changed, and see that it is as it was before."""
    plan, step = next(
        (plan["plan"], step)
        for plan in stand.plans
        for step in plan["steps"]
        if step["change"]["check"] == "S3-KMS" and step["name"].startswith(f"{_BUCKET}-")
    )
    stage.say("dry run of the undoing")
    planned = stand.application.plan_undoing(stand.people[ASKS], plan, [step["id"]])
    _show(stage, planned, f"undoes one change of {plan[:12]}")
    carried = _carry_out(stand, stage, planned)
    if not carried.good or dict(carried.counts) != {"verified": 1}:
        raise Unexpected(f"The undoing {planned['plan']} ended as {dict(carried.counts)}: {' '.join(carried.wrong)}")
    if (left := stand.meddler.algorithm(_BUCKET)) != stand.encrypted:
        raise Unexpected(
            f"{_BUCKET} was encrypted by {stand.encrypted} before the plan {plan}; undone, it is by {left}."
        )
    stand.undone = f"the encryption of {_BUCKET}, by a plan of its own, approved: {left} again"
    return f"one change of the plan {plan[:12]} was undone by a plan of its own: {_BUCKET} is encrypted by {left} again"


def roll_back(stand: Stand, stage: "Running") -> str:
    """Have a bucket encrypted again with a key that somebody disables, see that rolled back, so that people can write.

    At last all of it is mended.
    """
    weak = stand.meddler.algorithm(_BUCKET)
    planned = _plan(stand, stage, [2])
    if len(planned["steps"]) != 1:
        raise Unexpected(f"One change was to be planned after one was undone, not {len(planned['steps'])}.")
    with stand.meddler.withholding(_BUCKET):
        carried = _carry_out(stand, stage, planned)
    stand.count(carried)
    if carried.good or dict(carried.counts) != {"rolled_back": 1}:
        raise Unexpected(f"A change that did not take hold ended as {dict(carried.counts)}.")
    if (left := stand.meddler.algorithm(_BUCKET)) != weak:
        raise Unexpected(f"{_BUCKET} was encrypted by {weak}; rolled back, it is by {left}.")
    mended = _mend(stand, stage, [2])
    said = assess(stand, stage)
    if (percent := stand.looks[-1].percent) != _WHOLE:
        raise Unexpected(f"After all was mended {percent:g} % hold. The report is {stand.report}.")
    return f"a change whose key was disabled was rolled back; then {mended}; {said}"


STEPS: Final = (
    Step("assess", assess),
    Step("phase 1", first_phase),
    Step("phase 2", second_phase),
    Step("phase 3", third_phase),
    Step("phase 4", fourth_phase),
    Step("drift", drift),
    Step("undo", undo),
    Step("roll back", roll_back),
)


def _mend(stand: Stand, stage: "Running", phases: Sequence[int]) -> str:
    """Plan, have approved and carry out until nothing is left to plan, and return that in words.

    Raises:
        Unexpected: A step did not end good, or there is always something left.
    """
    changes, plans = 0, 0
    for _ in range(_PASSES):
        planned = _plan(stand, stage, phases)
        if not planned["steps"]:
            return f"{counted(changes, 'change')} by {counted(plans, 'plan')}"
        carried = _carry_out(stand, stage, planned)
        stand.count(carried)
        stand.plans.append(planned)
        if not carried.good:
            raise Unexpected(f"The plan {planned['plan']} ended as {dict(carried.counts)}: {' '.join(carried.wrong)}")
        changes, plans = changes + len(planned["steps"]), plans + 1
        stand.world.pass_by()
    raise Unexpected(f"After {_PASSES} plans of phase {_phases(phases)} there is still something to change.")


def _plan(stand: Stand, stage: "Running", phases: Sequence[int]) -> dict[str, Any]:
    """Make a plan and show it."""
    stage.say(f"dry run of phase {_phases(phases)}")
    named = [check for phase in phases for check in _NAMED.get(phase, ())]
    planned = stand.application.plan(stand.people[ASKS], phases, named)
    if planned["steps"]:
        _show(stage, planned, f"of phase {_phases(phases)}")
    return planned


def _show(stage: "Running", planned: Mapping[str, Any], what: str) -> None:
    steps = [step["change"] for step in planned["steps"]]
    changes, approvers = counted(len(steps), "change"), counted(planned["approvers"], "approver")
    stage.note(f"  plan {planned['plan'][:12]} {what}: {changes}, {approvers}")
    for check, number in Counter(change["check"] for change in steps).most_common(_SHOWN):
        change = next(change for change in steps if change["check"] == check)
        inverse = change["inverse"]["operation"] if change["inverse"] else "none"
        said = f"{change['title']} (class {change['reversibility']}, inverse: {inverse})"
        stage.note(f"    {check}, {number} in all: {said}")


def _carry_out(stand: Stand, stage: "Running", planned: Mapping[str, Any]) -> "Carried":
    """Have a plan approved by others than who asked, and carried out."""
    total = len(planned["steps"])
    stage.say("approval")
    approve = [stand.people[name] for name in APPROVES[: planned["approvers"]]]
    return stand.application.carry_out(
        planned["plan"],
        stand.people[ASKS],
        approve,
        lambda begun: stage.say(f"change {begun} of {total}", begun, total),
    )


def _phases(phases: Sequence[int]) -> str:
    return ", ".join(map(str, phases))
