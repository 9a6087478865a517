"""`gatehouse assessments` lists what was assessed with which score, and fetches the report of a run."""

from collections.abc import Iterator, Mapping
from datetime import UTC
from pathlib import Path
from typing import Any, Final

import typer

from cli.console import fail, listing, sentences
from cli.executions import latest
from cli.follow import Execution, Follower
from cli.results import Most, Out, Run, fetch_report
from cli.run import Cloud, Env
from cli.target import NotDeployed, Target

_MACHINE: Final = "assess_account"
_LATEST: Final = "latest"
# Of daily runs, in which one that has a report is looked for.
_LOOKED_AT: Final = 30
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
    runs = latest(target, [_MACHINE], _LOOKED_AT)
    found = next((execution.name for execution in runs if _report(target, execution)), None)
    return found or fail(f"Nothing was assessed yet: gatehouse run {_MACHINE} {target.options}")


def _rows(target: Target, most: int) -> Iterator[tuple[str, ...]]:
    from cli.protection_runs import why  # noqa: PLC0415 - heavy

    for execution in latest(target, [_MACHINE], most):
        began = f"{execution.started_at.astimezone(UTC):%F %H:%M}"
        yield (execution.name, began, execution.how, *_figures(_report(target, execution)), why(execution))


def _figures(report: Mapping[str, Any]) -> tuple[str, ...]:
    """Return places, score, coverage and how many findings have each status; empty ones of no report."""
    if not report:
        return ("",) * (3 + len(_STATUSES))
    percent, counts = report["percent"], report["counts"]
    score = "none" if percent is None else f"{percent:g} %"
    return (str(report["places"]), score, f"{report['coverage']:g} %", *(str(counts[each]) for each in _STATUSES))


def _report(target: Target, execution: Execution) -> Mapping[str, Any]:
    """Return what a run has reported of all its places; nothing where it reported none.

    One of whose places some failed has reported the others, and fails at its end.
    """
    if execution.result is not None:
        report: Mapping[str, Any] = execution.result["report"]
        return report
    if not execution.ended:
        return {}
    results = Follower(target.client("stepfunctions"), execution.arn).results(latest_first=True)
    last = next(results, None)
    # Other steps write nothing below a prefix.
    return last if last and "prefix" in last else {}
