"""`gatehouse assessments` lists what was assessed with which score, and fetches the report of a run."""

from collections.abc import Iterator, Mapping
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import typer

from cli.console import fail, listing, sentences
from cli.executions import backwards, latest
from cli.follow import Execution, Follower
from cli.results import Most, Out, Run, fetch_report
from cli.run import Cloud, Env
from cli.target import NotDeployed, Target
from kernel.pages.words import counted

_MACHINE: Final = "assess_account"
_LATEST: Final = "latest"
_STATUSES: Final = ("pass", "fail", "warn", "unknown", "excepted")
_COLUMNS: Final = ("run", "began", "ended", "places", "score", "coverage", *_STATUSES, "why")


def register(app: typer.Typer) -> None:
    """Add the command `assessments`."""
    app.command()(assessments)


def assessments(
    run: Run = None, *, out: Out = Path("out/assessments"), most: Most = 20, env: Env = "local", cloud: Cloud = "dev"
) -> None:
    """List runs of assess_account of the last 90 days with their scores; or fetch the report of one, or of `latest`."""
    with sentences(NotDeployed):
        target = Target.of(env, cloud)
        if run is None:
            listing(_COLUMNS, list(_rows(target, most)))
        else:
            fetch_report(target, [_MACHINE], _latest(target) if run == _LATEST else run, out)


def _latest(target: Target) -> str:
    """Return the name of the latest run that has a report."""
    looked_at = 0
    for execution in backwards(target, _MACHINE):
        if _report(target, execution):
            return execution.name
        looked_at += 1
    if not looked_at:
        return fail(f"Nothing was assessed in 90 days: gatehouse run {_MACHINE} {target.options}")
    runs = counted(looked_at, "run")
    return fail(f"{runs} of {_MACHINE} in 90 days, and no report: `gatehouse assessments {target.options}` says why.")


def _rows(target: Target, most: int) -> Iterator[tuple[str, ...]]:
    from cli.protection_runs import why  # noqa: PLC0415 - heavy

    for execution in latest(target, [_MACHINE], most):
        began = f"{execution.started_at.astimezone(UTC):%F %H:%M}"
        figures = _figures(_report(target, execution))
        yield (execution.name, began, execution.how, *figures, why(_MACHINE, execution))


def _figures(report: Mapping[str, Any]) -> tuple[str, ...]:
    """Return places, score, coverage and how many findings have each status; empty ones of what a report lacks."""
    counts = report.get("counts", {})
    coverage = f"{report['coverage']:g} %" if "coverage" in report else ""
    return (str(report.get("places", "")), _score(report), coverage, *(str(counts.get(each, "")) for each in _STATUSES))


def _score(report: Mapping[str, Any]) -> str:
    if "percent" not in report:
        return ""
    return "none" if report["percent"] is None else f"{report['percent']:g} %"


def _report(target: Target, execution: Execution) -> Mapping[str, Any]:
    """Return what a run has reported of all its places; nothing where it reported none.

    One of whose places some failed has reported the others, and fails at its end.
    """
    if execution.result is not None:
        # Of another release, a run may have succeeded without one.
        report: Mapping[str, Any] = execution.result.get("report", {})
        return report
    if not execution.ended:
        return {}
    results = Follower(target.client("stepfunctions"), execution.arn).results(latest_first=True)
    last = next(results, None)
    # Other steps write nothing below a prefix.
    return last if last and "prefix" in last else {}
