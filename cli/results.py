"""`gatehouse results` lists what runs of data_protection came to, and fetches the report of one."""

from collections.abc import Iterable
from datetime import UTC
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from cli.console import console, fail, listing, sentences
from cli.executions import latest, named
from cli.run import Cloud, Env
from cli.target import NotDeployed, Target

_COLUMNS: Final = ("run", "machine", "began", "came to")

Run = Annotated[str | None, typer.Argument(help="Name of the run whose report is fetched.")]
Out = Annotated[Path, typer.Option(help="Folder; a report goes into one below it, named by its run.")]
Most = Annotated[int, typer.Option(min=1, help="How many are listed, the latest first.")]


def register(app: typer.Typer) -> None:
    """Add the command `results`."""
    app.command()(results)


def results(
    run: Run = None, *, out: Out = Path("out/results"), most: Most = 20, env: Env = "local", cloud: Cloud = "dev"
) -> None:
    """List assessments, forecasts, drills, locks and creations of the last 90 days; or fetch the report of one."""
    with sentences(NotDeployed):
        target = Target.of(env, cloud)
        if run is None:
            listing(_COLUMNS, _rows(target, most))
        else:
            from cli.protection_runs import KINDS  # noqa: PLC0415 - heavy

            fetch_report(target, KINDS, run, out)


def _rows(target: Target, most: int) -> list[tuple[str, ...]]:
    from cli.protection_runs import KINDS, came_to  # noqa: PLC0415 - heavy

    rows: list[tuple[str, ...]] = []
    for execution in latest(target, list(KINDS), most):
        machine = target.short_name(execution.machine)
        began = f"{execution.started_at.astimezone(UTC):%F %H:%M}"
        rows.append((execution.name, machine, began, came_to(machine, execution)))
    return rows


def fetch_report(target: Target, machines: Iterable[str], run: str, out: Path) -> None:
    """Fetch the report of a run of one of these machines, and print what it came to and what to open.

    Machines name their runs each by itself: where several have a report of a run of this name, all are fetched, into a
    folder of each machine.

    Raises:
        NotDeployed: One of the machines is not.
        typer.Exit: There is no such run, or it has no report; why has been printed.
    """
    from cli.protection_runs import came_to, fetch, files  # noqa: PLC0415 - heavy

    runs = {machine: named(target, target.machine_arn(machine), run) for machine in machines}
    found = {machine: execution for machine, execution in runs.items() if execution is not None}
    if not found:
        fail(_unknown(target, run))
    kept = {machine: keys for machine, execution in found.items() if (keys := files(target, execution))}
    if not kept:
        none = (f"The run {run} of {each} has kept no report: {came_to(each, found[each])}." for each in found)
        fail("\n".join(none))
    for machine, keys in kept.items():
        page = fetch(target, keys, out / run / machine if len(kept) > 1 else out / run)
        told = escape(f"The report of {run} of {machine} is fetched. {came_to(machine, found[machine])}.")
        console().print(f"[good]✓[/good] {told}")
        console(stderr=False).print(str(page))


def _unknown(target: Target, run: str) -> str:
    """Return the sentence that there is no such run, and where reports are that Step Functions knows no run of."""
    return (
        f"There is no run {run} of the last 90 days: `gatehouse results {target.options}` lists them. Reports of older "
        f"ones are below s3://{target.output('LakeBucketName')}/data_protection/, in folders run={run}; those of locks "
        f"in locking/simulation=<hash>/ and locking/lock=<hash>/reports/{run}/."
    )
