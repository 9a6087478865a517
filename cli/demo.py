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
from cli.database_demo import demo_database_logs
from cli.demo_cloud import Keep, start_cloud
from cli.protection_demo import demo_data_protection
from cli.target import LOCAL, NotDeployed, Target
from kernel.pages.words import counted

if TYPE_CHECKING:
    from cli.demo_board import Board, Running
    from cli.demo_check import Difference
    from cli.demo_days import Days
    from cli.demo_watch import Scene, Watch
    from cli.reports.build import Report
    from demo.plant import Planted

CLOUD: Final = "demo"
_OUT: Final = Path("out/demo")
_STAGES: Final = ["generate", "start", "deploy", "deliver", "process", "backfill", "seal", "late", "report", "check"]
_SHOWN_DIFFERENCES: Final = 20


def register(app: typer.Typer) -> None:
    """Add the command `demo`, and those of other domains below it."""
    demos = typer.Typer(invoke_without_command=True)
    demos.callback()(demo)
    demos.command("database-logs")(demo_database_logs)
    demos.command("data-protection")(demo_data_protection)
    app.add_typer(demos, name="demo")


@dataclass(frozen=True)
class Summary:
    """`summary.json` of the demo: computed from manifests, so each object counts once.

    Attributes:
        objects: Committed raw objects.
        truncated_objects: Of them, gzip files that end too early.
        executions: Status by name.
        seconds_processing: In which at least one unit was at work.
        swept: Objects that no event announced.
        reopened: Sealed days that got further rows.
        backfill_objects: Of the archive, through tasks like Fargate's.
        quality: The worst verdict of each rule.
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
    swept: int
    days_sealed: int
    reopened: int
    backfill_objects: int
    usd_per_million_rows: float | None
    quality: dict[str, str]


@dataclass(frozen=True)
class _Played:
    """What the stages came to."""

    executions: dict[str, str]
    backfill_objects: int
    days: "Days"


def demo(
    context: typer.Context,
    *,
    rows: Annotated[int, typer.Option(min=1, help="Events to generate.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same events.")] = 47,
    keep: Keep = False,
) -> None:
    """Generate raw logs, deploy Gatehouse into an embedded cloud, process everything twice delivered, and prove it.

    The status is 0 only if every number equals what was planted.
    """
    if context.invoked_subcommand is not None:
        return
    from cli.demo_board import Board  # noqa: PLC0415 - rich's widgets are slow to import
    from cli.demo_days import ExecutionFailed  # noqa: PLC0415
    from cli.demo_watch import StuckError  # noqa: PLC0415
    from cli.reports.evidence import RunUnknown  # noqa: PLC0415

    out = console()
    with sentences(NotDeployed, StuckError, RunUnknown, ExecutionFailed), ExitStack() as stack:
        board = stack.enter_context(Board(out, f"Gatehouse demo · {rows:,} events · seed {seed}", _STAGES))
        planted = _generate(board, seed, rows)
        target = _start(board, stack, keep=keep)
        played = _run(board, target, planted)
        report = _report(board, target)
        differences = _check(board, target, planted, report, played.days)
        summary = _summarise(report, played, board.seconds)
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
    from local.deploy import deploy  # noqa: PLC0415 - heavy
    from local.schedules import pause  # noqa: PLC0415

    with board.stage("start") as stage:
        cloud = start_cloud(stage, stack, CLOUD, keep=keep)
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
        pause(cloud.client("events"))
        took = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in deployment.seconds.items())
        stage.end(f"the real template ({took}); {counted(len(skipped), 'resource')} skipped")
    return Target.of(LOCAL, CLOUD)


def _run(board: "Board", target: Target, planted: "Planted") -> _Played:
    from cli.demo_cast import Cast  # noqa: PLC0415 - only here
    from cli.demo_days import sealed_days  # noqa: PLC0415
    from cli.demo_delivery import deliver, deliver_silently  # noqa: PLC0415
    from cli.demo_watch import Watch  # noqa: PLC0415

    cast = Cast.of(planted)
    silent = [put for put in planted.puts if cast.is_silent(put)]
    late = [put for put in planted.puts if cast.is_late(put)]
    loud = [put for put in planted.puts if put not in silent and put not in late]
    watch = Watch(target)
    with board.stage("deliver") as stage:
        deliver_silently(target, silent, _raw())
        deliver(target, loud, _raw(), lambda done: stage.say(f"{done}/{len(loud)} objects put", done, len(loud)))
        stage.end(f"{len(loud)} objects put, {2 * len(loud)} events delivered; {len(silent)} put that nobody heard of")
    with board.stage("process") as stage:
        scene = _watch(stage, watch, planted)
        stage.end(f"{len(scene.executions)} executions: {_ends(scene.executions)}; {scene.units_done} units")
    with board.stage("backfill") as stage:
        objects = _backfill(stage, target, cast.archive)
    with board.stage("seal") as stage:
        days = _seal(stage, target)
    with board.stage("late") as stage:
        deliver(target, late, _raw(), lambda _: stage.say("an object comes after the seal of its day"))
        scene = _watch(stage, watch, planted)
        days.reopened, _ = _reseal(stage, target)
        days.sealed = sealed_days(target)
        stage.end(f"{counted(days.reopened, 'day')} reopened by an object that came late, and sealed again")
    return _Played(scene.executions, objects, days)


def _watch(stage: "Running", watch: "Watch", planted: "Planted") -> "Scene":
    from cli.demo_watch import Scene  # noqa: PLC0415 - only here

    scene = Scene()
    for scene in watch.until_quiet():
        stage.say(
            f"{_ends(scene.executions)} · {scene.units_done}/{scene.units} units · "
            f"{scene.committed.rows_out:,} in the lake, {scene.committed.quarantined:,} quarantined",
            scene.committed.rows_in,
            planted.totals["rows_in"],
        )
    return scene


def _backfill(stage: "Running", target: Target, prefix: str) -> int:
    from cli.demo_days import backfill  # noqa: PLC0415 - only here

    feed = prefix.split("/")[1]
    planned = backfill(target, feed, prefix, stage.say)
    objects = int(planned["estimate"]["objects"])
    stage.end(f"{objects} objects of {prefix} planned, and brought in by tasks like Fargate's")
    return objects


def _seal(stage: "Running", target: Target) -> "Days":
    from cli.demo_days import Days, seal, states  # noqa: PLC0415 - only here

    open_days = [day.event_date for day in states(target)]
    days = Days(swept=seal(target, open_days, stage.say))
    stage.end(f"{len(open_days)} days sealed; {counted(days.swept, 'object')} found that no event had announced")
    return days


def _reseal(stage: "Running", target: Target) -> tuple[int, int]:
    from cli.demo_days import seal, states  # noqa: PLC0415 - only here

    reopened = [day.event_date for day in states(target) if day.status == "REOPENED"]
    return len(reopened), seal(target, reopened, stage.say)


def _report(board: "Board", target: Target) -> "Report":
    from cli.reports.build import archive, build  # noqa: PLC0415 - imports DuckDB

    with board.stage("report") as stage:
        report = build(target, archive(target).run_ids(), _OUT)
        stage.end(str(report.path))
    return report


def _ends(executions: dict[str, str]) -> str:
    """Return how many executions are in which state, the running ones first."""
    counts = Counter(executions.values())
    order = sorted(counts, key=lambda status: (status != "RUNNING", status != "SUCCEEDED", status))
    return ", ".join(f"{counts[status]} {status.lower().replace('_', ' ')}" for status in order) or "none running"


def _check(board: "Board", target: Target, planted: "Planted", report: "Report", days: "Days") -> "list[Difference]":
    from cli.demo_check import compare, count_lake  # noqa: PLC0415 - imports DuckDB
    from cli.reports.days import lake_files  # noqa: PLC0415

    with board.stage("check") as stage:
        stage.say("counting the lake's own files")
        manifests = list(report.evidence.manifests.values())
        lake = count_lake(target.client("s3"), target.output("LakeBucketName"), lake_files(manifests, days.sealed))
        differences = compare(planted, report.evidence, lake)
        stage.end(f"{len(differences):,} differences" if differences else "every number is as planted")
    return differences


# ---------------------------------------------------------------- the result


def _summarise(report: "Report", played: _Played, seconds: float) -> Summary:
    from cli.reports.timeline import busy_window, unit_spans  # noqa: PLC0415

    account = report.verdict.account
    manifests = report.evidence.manifests.values()
    usd = sum(run.summary.usd for run in report.evidence.runs if run.summary)
    busy = busy_window(unit_spans(report.evidence.receipts)).total_seconds()
    return Summary(
        rows_in=account.rows_in,
        rows_out=account.rows_out,
        quarantined=account.quarantined,
        duplicates=account.duplicates,
        reconciled=report.verdict.complete,
        objects=len(manifests),
        units=sum(run.plan.units + run.plan.batch_units for run in report.evidence.runs),
        truncated_objects=sum(manifest.object_defect == "gzip_truncated" for manifest in manifests),
        executions=played.executions,
        seconds_total=round(seconds, 1),
        seconds_processing=round(busy, 2),
        rows_per_second=round(account.rows_in / busy, 1) if busy else 0.0,
        swept=played.days.swept,
        days_sealed=len(played.days.sealed),
        reopened=played.days.reopened,
        backfill_objects=played.backfill_objects,
        usd_per_million_rows=round(usd / account.rows_in * 1e6, 4) if account.rows_in else None,
        quality=dict(played.days.quality),
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
    table.add_row(f"{summary.rows_in:,}", f"rows came in, in {summary.objects} objects, most of them announced twice")
    table.add_row(f"{summary.rows_out:,}", "are in the lake, once")
    table.add_row(f"{summary.quarantined:,}", "are quarantined, each with its reason")
    table.add_row(f"{summary.duplicates:,}", "were duplicates")
    table.add_row(f"{summary.days_sealed}", f"days are sealed, {summary.reopened} of them again after a late object")
    table.add_row(f"{summary.swept}", "of the objects no event had announced: the sweep found it")
    table.add_row(f"{summary.backfill_objects}", "objects were backfilled through tasks like Fargate's")
    if summary.usd_per_million_rows is not None:
        table.add_row(f"${summary.usd_per_million_rows:.3f}", "would a million rows have cost on AWS, by estimate")
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
    return {
        "FirewallLogsMaxConcurrency": str(units),
        "FirewallLogsBatchingSeconds": "1",
        "FirewallLogsBatch": "enabled",
        "FirewallLogsBatchMaxConcurrency": str(units),
        "FirewallLogsSealGraceSeconds": "0",
    }


def _raw() -> Path:
    return _OUT / "raw"
