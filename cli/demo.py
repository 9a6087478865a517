"""`gatehouse demo`: the whole way of a million events, on this machine, and the proof that none went astray."""

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.console import console, fail, sentences
from cli.target import LOCAL, NotDeployed, Target

if TYPE_CHECKING:
    from cli.demo_board import Board
    from cli.demo_check import Difference
    from cli.reports.build import Report
    from demo.plant import Planted

CLOUD: Final = "demo"
_OUT: Final = Path("out/demo")
_STAGES: Final = ["generate", "start", "deploy", "deliver", "process", "report", "check"]
_SHOWN_DIFFERENCES: Final = 20


def register(app: typer.Typer) -> None:
    """Add the command `demo`."""
    app.command()(demo)


@dataclass(frozen=True)
class Summary:
    """`summary.json` of the demo: computed from manifests, so each object counts once.

    Attributes:
        objects: Committed raw objects.
        truncated_objects: Of them, gzip files that end too early.
        executions: Status by name.
        seconds_processing: In which at least one unit was at work.
    """

    rows_in: int
    rows_out: int
    quarantined: int
    duplicates: int
    reconciled: bool
    objects: int
    units: int
    truncated_objects: int
    executions: dict[str, str]
    seconds_total: float
    seconds_processing: float
    rows_per_second: float


def demo(
    *,
    rows: Annotated[int, typer.Option(min=1, help="Events to generate.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same events.")] = 47,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the embedded cloud running, to look around.")] = False,
) -> None:
    """Generate raw logs, deploy Gatehouse into an embedded cloud, process everything twice delivered, and prove it.

    The status is 0 only if every number equals what was planted.
    """
    from cli.demo_board import Board  # noqa: PLC0415 - rich's widgets are slow to import
    from cli.demo_watch import StuckError  # noqa: PLC0415
    from cli.reports.evidence import RunUnknown  # noqa: PLC0415

    out = console()
    with sentences(NotDeployed, StuckError, RunUnknown), ExitStack() as stack:
        board = stack.enter_context(Board(out, f"Gatehouse demo · {rows:,} events · seed {seed}", _STAGES))
        planted = _generate(board, seed, rows)
        target = _start(board, stack, keep=keep)
        executions, report = _run(board, target, planted)
        differences = _check(board, target, planted, report)
        summary = _summarise(report, executions, board.seconds)
    _OUT.joinpath("summary.json").write_text(json.dumps(asdict(summary), indent=2) + "\n", "utf-8")
    if bad := _wrong(summary, report, differences):
        fail("\n".join(bad))
    out.print(_panel(summary, report.path, keep=keep))


# ---------------------------------------------------------------- the stages


def _generate(board: "Board", seed: int, rows: int) -> "Planted":
    from demo.generate import generate  # noqa: PLC0415 - imports polars

    shutil.rmtree(_OUT, ignore_errors=True)
    with board.stage("generate") as stage:
        planted = generate(
            _raw(), seed=seed, rows=rows, on_progress=lambda done, all_: stage.say(f"{done:,} events", done, all_)
        )
        stage.end(f"{planted.totals['rows_in']:,} rows in {len(planted.objects)} raw objects")
    return planted


def _start(board: "Board", stack: ExitStack, *, keep: bool) -> Target:
    from cli.reports.words import counted  # noqa: PLC0415 - only here
    from local.deploy import deploy  # noqa: PLC0415 - heavy
    from local.supervisor import EmbeddedCloud  # noqa: PLC0415

    with board.stage("start") as stage:
        if left := EmbeddedCloud.find(CLOUD):
            stage.note(f"the embedded cloud of an earlier demo, on port {left.state.port}, is stopped")
            left.stop()
        cloud = EmbeddedCloud.start(CLOUD, detached=keep)
        if not keep:
            stack.callback(cloud.stop)
        stage.end(f"embedded cloud at {cloud.endpoint}")
    with board.stage("deploy") as stage:
        skipped = []

        def progress(line: str) -> None:
            if line.startswith("skipped locally"):
                skipped.append(line)
                stage.note(line)
            else:
                stage.say(line)

        deployment = deploy(cloud, parameters=_parameters(), on_progress=progress)
        took = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in deployment.seconds.items())
        stage.end(f"the real template ({took}); {counted(len(skipped), 'resource')} skipped")
    return Target.of(LOCAL, CLOUD)


def _run(board: "Board", target: Target, planted: "Planted") -> tuple[dict[str, str], "Report"]:
    from cli.demo_delivery import deliver  # noqa: PLC0415 - only here
    from cli.demo_watch import Watch  # noqa: PLC0415
    from cli.reports.build import archive, build  # noqa: PLC0415

    with board.stage("deliver") as stage:
        count = len(planted.puts)
        deliver(target, planted, _raw(), lambda done: stage.say(f"{done}/{count} objects put", done, count))
        stage.end(f"{count} objects put, {2 * count} events delivered")
    with board.stage("process") as stage:
        scene = None
        for scene in Watch(target).until_quiet():
            stage.say(
                f"{_ends(scene.executions)} · {scene.units_done}/{scene.units} units · "
                f"{scene.committed.rows_out:,} in the lake, {scene.committed.quarantined:,} quarantined",
                scene.committed.rows_in,
                planted.totals["rows_in"],
            )
        executions = scene.executions if scene else {}
        stage.end(f"{len(executions)} executions: {_ends(executions)}; {scene.units_done if scene else 0} units")
    with board.stage("report") as stage:
        report = build(target, archive(target).run_ids(), _OUT)
        stage.end(str(report.path))
    return executions, report


def _ends(executions: dict[str, str]) -> str:
    """Return how many executions are in which state, the running ones first."""
    counts = Counter(executions.values())
    order = sorted(counts, key=lambda status: (status != "RUNNING", status != "SUCCEEDED", status))
    return ", ".join(f"{counts[status]} {status.lower().replace('_', ' ')}" for status in order) or "none running"


def _check(board: "Board", target: Target, planted: "Planted", report: "Report") -> "list[Difference]":
    from cli.demo_check import compare, count_lake  # noqa: PLC0415 - imports DuckDB

    with board.stage("check") as stage:
        stage.say("counting the lake's own files")
        manifests = report.evidence.manifests.values()
        lake = count_lake(target.client("s3"), target.output("LakeBucketName"), manifests)
        differences = compare(planted, report.evidence, lake)
        stage.end(f"{len(differences):,} differences" if differences else "every number is as planted")
    return differences


# ---------------------------------------------------------------- the result


def _summarise(report: "Report", executions: dict[str, str], seconds: float) -> Summary:
    from cli.reports.timeline import busy_window, unit_spans  # noqa: PLC0415

    account = report.verdict.account
    manifests = report.evidence.manifests.values()
    busy = busy_window(unit_spans(report.evidence.receipts)).total_seconds()
    return Summary(
        rows_in=account.rows_in,
        rows_out=account.rows_out,
        quarantined=account.quarantined,
        duplicates=account.duplicates,
        reconciled=report.verdict.complete,
        objects=len(manifests),
        units=sum(run.plan.units for run in report.evidence.runs),
        truncated_objects=sum(manifest.object_defect == "gzip_truncated" for manifest in manifests),
        executions=executions,
        seconds_total=round(seconds, 1),
        seconds_processing=round(busy, 2),
        rows_per_second=round(account.rows_in / busy, 1) if busy else 0.0,
    )


def _wrong(summary: Summary, report: "Report", differences: "list[Difference]") -> list[str]:
    """Return everything that speaks against success, a sentence each."""
    return list(_complaints(summary, report, differences))


def _complaints(summary: Summary, report: "Report", differences: "list[Difference]") -> Iterator[str]:
    failed = [name for name, status in summary.executions.items() if status != "SUCCEEDED"]
    if failed:
        yield f"{len(failed)} executions did not succeed. `gatehouse demo --keep` leaves them to look at."
        records = [run.failure for run in report.evidence.runs if run.failure]
        yield from (f"  {each.run_id} in {each.state}: {each.error}: {each.cause}" for each in records[:1])
    if not summary.executions:
        yield "No execution was started: the events of the new objects reached nobody."
    if not summary.reconciled:
        yield f"The lake is not proven complete: {_OUT / 'report.html'} says why."
    if differences:
        yield f"{len(differences):,} numbers are not what was planted:"
        yield from (f"  {each}" for each in differences[:_SHOWN_DIFFERENCES])
        if len(differences) > _SHOWN_DIFFERENCES:
            yield f"  and {len(differences) - _SHOWN_DIFFERENCES:,} more"


def _panel(summary: Summary, page: Path, *, keep: bool) -> "object":
    from rich.panel import Panel  # noqa: PLC0415 - slow to import
    from rich.table import Table  # noqa: PLC0415

    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="name")
    table.add_column()
    table.add_row(f"{summary.rows_in:,}", f"rows came in, in {summary.objects} objects, each announced twice")
    table.add_row(f"{summary.rows_out:,}", "are in the lake, once")
    table.add_row(f"{summary.quarantined:,}", "are quarantined, each with its reason")
    table.add_row(f"{summary.duplicates:,}", "were duplicates")
    table.add_row(f"{summary.rows_per_second:,.0f}", f"rows a second in {summary.units} units of work")
    next_ = (
        f'gatehouse status --cloud {CLOUD}\ngatehouse run process_objects --cloud {CLOUD} --input \'{{"feed": "47"}}\''
        if keep
        else "gatehouse demo --keep leaves the cloud running\ngatehouse up starts one for daily work"
    )
    table.add_row("", "")
    table.add_row("Report", f"[link=file://{page.resolve()}]{page}[/link]")
    table.add_row("Next", next_)
    title = f"[good]✓ The lake is proven complete[/good] [soft]in {summary.seconds_total:.0f} s[/soft]"
    return Panel(table, title=title, title_align="left", border_style="green", padding=(1, 2), expand=False)


def _parameters() -> dict[str, str]:
    # As many units at once as there are processors: more would only wait for each other. New objects are gathered
    # for a minute on AWS; nobody wants to watch that.
    units = min(40, os.cpu_count() or 1)
    return {"FirewallLogsMaxConcurrency": str(units), "FirewallLogsBatchingSeconds": "1"}


def _raw() -> Path:
    return _OUT / "raw"
