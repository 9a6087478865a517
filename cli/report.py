"""`gatehouse report` writes the report of finished runs."""

from pathlib import Path
from typing import Annotated

import typer

from cli.console import console, fail, sentences
from cli.run import Cloud, Env
from cli.target import NotDeployed, Target


def register(app: typer.Typer) -> None:
    """Add the command `report`."""
    app.command()(report)


def report(
    runs: Annotated[
        list[str] | None, typer.Argument(help="Names or ARNs of executions. Default: all runs there are.")
    ] = None,
    env: Env = "local",
    cloud: Cloud = "dev",
    out: Annotated[Path, typer.Option(help="Folder for report.html.")] = Path("out/report"),
) -> None:
    """Write the report of finished runs: one HTML file that says whether the lake is proven complete.

    The status is 0 if it is.
    """
    # DuckDB and the drawing take a second to import; --help and --version should not.
    from cli.reports.build import archive, build  # noqa: PLC0415
    from cli.reports.evidence import RunUnknown  # noqa: PLC0415

    with sentences(NotDeployed, RunUnknown):
        target = Target.of(env, cloud)
        names = [name.rsplit(":", 1)[-1] for name in runs] if runs else archive(target).run_ids()
        if not names:
            fail(f"Environment '{env}' has no runs yet: start one with `gatehouse run process_objects`.")
        made = build(target, names, out)
    verdict = made.verdict
    colour, mark = ("good", "✓") if verdict.complete else ("bad", "✗")
    console().print(f"[{colour}]{mark}[/{colour}] [name]{verdict.headline}[/name] {verdict.reason}")
    console(stderr=False).print(str(made.path))
    if not verdict.complete:
        raise typer.Exit(1)
