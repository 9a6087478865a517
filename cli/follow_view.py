"""An execution as people see it: a picture for a terminal, a line for everywhere else, a sentence at its end."""

import re
from datetime import datetime
from pathlib import Path
from typing import Final

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from cli.causes import is_of_input, spoken
from cli.follow import Execution, MapCounts, Step
from cli.machines import documented_input
from cli.target import Target

_BAR: Final = 34
# Choices and passes only lead from one state to the next.
_QUIET: Final = frozenset({"Choice", "Pass", "Succeed", "Fail", "Wait"})
_SPINNER: Final = Spinner("dots", style="cyan")


def picture(execution: Execution, target: Target, now: datetime) -> RenderableType:
    """Return the execution as a terminal shows it."""
    table = Table.grid(padding=(0, 1))
    table.add_column(width=1)
    table.add_column(min_width=16)
    table.add_column(min_width=_BAR)
    table.add_column(justify="right")
    for step in execution.steps:
        if step.kind not in _QUIET:
            table.add_row(
                _mark(step, execution), step.name, _detail(step, execution), Text(clock(step.seconds(now)), "soft")
            )
    head = Text.assemble(
        (target.short_name(execution.machine), "name"),
        "  ",
        (execution.name, "soft"),
        "  ",
        (f"{target.environment} · {clock(execution.took(now).total_seconds())}", "soft"),
    )
    return Group(head, table)


def line(execution: Execution, now: datetime) -> str:
    """Return the execution in one line."""
    spoken = [step for step in execution.steps if step.kind not in _QUIET]
    where = spoken[-1].name if spoken else "starting"
    text = execution.status.lower() if execution.ended else where
    if execution.units and (execution.ended or spoken[-1].kind == "Map"):
        text += f"  {_counts(execution.units)}"
    return f"{clock(execution.took(now).total_seconds())}  {text}"


def ending(execution: Execution, target: Target, runbooks: Path) -> str:
    """Return what happened, and after a failure what to do next."""
    machine = target.short_name(execution.machine)
    took = clock(execution.took(execution.stopped_at or execution.started_at).total_seconds())
    if execution.status == "SUCCEEDED":
        units = f", {_counts(execution.units)}" if execution.units else ""
        return f"{machine} {execution.name} succeeded in {took}{units}."
    step = execution.failed_in
    where = f" in {step.name}" if step else ""
    sentence = f"{machine} {execution.name} {execution.how}{where} after {took}"
    why = ": ".join(filter(None, (execution.error, spoken(execution.cause))))
    sentence += f": {why.rstrip('.')}{'' if why.endswith('?') else '.'}" if why else "."
    if is_of_input(execution.error, execution.cause) and (taken := documented_input(machine)):
        return f"{sentence}\nNext: correct the input. {machine} takes {taken}"
    advice = [_where_logs_are(_function(step) if step else machine, target)]
    if page := _runbook(execution.error, runbooks):
        advice.append(f"{page} says what to do")
    return f"{sentence}\nNext: {'; '.join(advice)}."


def _function(step: Step) -> str:
    """Return how the name of a state's function ends: PlanRun calls plan-run, the Map ProcessUnits process-unit."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", step.name).lower()
    return name.removesuffix("s") if step.kind == "Map" else name


def _where_logs_are(name: str, target: Target) -> str:
    if target.cloud:
        return f"`gatehouse logs {name}{target.cloud_option}` shows what it said"
    return f"the log groups of {target.prefix} whose names end in {name} say more"


def clock(seconds: float) -> str:
    """Return a duration as minutes and seconds, below a minute with a tenth."""
    if seconds < 60:  # noqa: PLR2004 - a minute
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _mark(step: Step, execution: Execution) -> RenderableType:
    if step.left_at is None and not execution.ended:
        return _SPINNER
    return Text("✗", "bad") if step.failed else Text("✓", "good")


def _detail(step: Step, execution: Execution) -> RenderableType:
    if step.kind != "Map" or execution.units is None:
        return ""
    units = execution.units
    row = Table.grid(padding=(0, 1))
    row.add_row(ProgressBar(total=max(units.total, 1), completed=units.done, width=_BAR), Text(_counts(units)))
    return row


def _counts(units: MapCounts) -> str:
    text = f"{units.done:,}/{units.total:,} units"
    if units.running:
        text += f", {units.running:,} running"
    if units.failed:
        text += f", {units.failed:,} failed"
    return text


def _runbook(error: str | None, runbooks: Path) -> str | None:
    """Return the runbook that speaks of this error, and does not only say which one does."""
    if not error:
        return None
    pages = (page for page in sorted(runbooks.glob("*.md")) if _speaks(page.read_text("utf-8"), error))
    found = next(pages, None)
    return f"docs/runbooks/{found.name}" if found else None


def _speaks(page: str, error: str) -> bool:
    return any(error in line and "| see [" not in line for line in page.splitlines())
