"""A backfill as people see it: its plan as a table, its progress as a bar or a line."""

from typing import Final

from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cli.follow_view import clock
from firewall_logs.backfills.contracts import BackfillPlan, Progress

_BAR: Final = 40
_GIB: Final = 1 << 30
_SHOWN_USD: Final = 0.00005


def plan_table(plan: BackfillPlan) -> Table:
    """Return what is to be done and what it will take."""
    found, estimate = plan.planning, plan.estimate
    table = Table(title=f"backfill {plan.backfill_id}", show_header=False, title_justify="left")
    table.add_column(style="soft")
    table.add_column(justify="right")
    rows = [
        ("objects in the range", f"{found.listed:,}"),
        ("of them in the lake already", f"{found.done:,}"),
        ("to be processed", f"{estimate.objects:,} ({estimate.bytes / _GIB:,.2f} GiB)"),
        ("rows, about", f"{estimate.rows:,}"),
        ("by", estimate.rows_from),
        ("waves, a run each", f"{len(found.waves):,}"),
        *((f"units on {engine}, about", f"{units:,}") for engine, units in estimate.units.items()),
        ("time, about", clock(estimate.seconds)),
        ("cost, about", f"{estimate.usd:,.4f} USD"),
        *((f"  {name}", f"{usd:,.4f} USD") for name, usd in estimate.usd_by_component.items() if usd >= _SHOWN_USD),
    ]
    for label, value in rows:
        table.add_row(label, value)
    if found.ignored:
        table.add_row("lines of the list without an object", f"{found.ignored:,}")
    return table


def line(plan: BackfillPlan | None, progress: Progress | None, listed: int = 0) -> str:
    """Return the state of a backfill in one line."""
    if plan is None:
        return f"planning  {listed:,} objects listed"
    if progress is None:
        return f"planned  {plan.estimate.objects:,} objects in {len(plan.planning.waves)} waves"
    done = sum(wave.done for wave in progress.waves)
    return (
        f"{_STATUS.get(progress.status, progress.status)}  wave {done} of {len(progress.waves)}  "
        f"{_objects_done(plan, progress):,} of {plan.estimate.objects:,} objects  {progress.usd:.4f} USD"
    )


def picture(plan: BackfillPlan | None, progress: Progress | None, listed: int) -> RenderableType:
    """Return the state of a backfill as a terminal shows it."""
    done = _objects_done(plan, progress) if plan and progress else 0
    total = plan.estimate.objects if plan else None
    bar = ProgressBar(total=total or None, completed=done, width=_BAR, pulse=plan is None)
    return Group(Text(line(plan, progress, listed)), bar)


_STATUS: Final = {
    "run": "running",
    "wait": "waiting",
    "handed_over": "going on in another execution",
    "stopped": "stopped by its cost",
    "left": "ended with objects left",
}


def _objects_done(plan: BackfillPlan, progress: Progress) -> int:
    """Count objects of waves that are done, and of others those that are not left."""
    planned = plan.planning.waves
    return sum(planned[wave.wave].objects - wave.left for wave in progress.waves if wave.done or wave.attempt)
