"""`gatehouse demo database-logs`: hours of the logs of 316 databases, and the proof that no line went astray."""

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.console import console, fail, sentences
from cli.database_demo_story import REAL, Story
from cli.demo_cloud import Keep, start_cloud
from kernel.pages.words import counted

if TYPE_CHECKING:
    from cli.database_demo_application import Application, FunctionClock, Progress
    from cli.database_demo_check import Comparison
    from cli.database_demo_story import Happening
    from cli.demo_board import Board, Running
    from local.rds.process import RdsProcess

CLOUD: Final = "demo-database-logs"
INSTANCES: Final = 316
_OUT: Final = Path("out/demo-database-logs")
_STAGES: Final = ["start", "deploy", "collect", "digest", "check"]
# The functions look a moment after the servers have written, so that no record is held back for its next line.
_PAUSE: Final = timedelta(minutes=1)
# Instance, cluster and log files of each instance, every minute.
_NAIVE_CALLS_A_MINUTE: Final = 3 * INSTANCES
_SHOWN: Final = 10
# What a statement of the real servers has, so that portions are cut inside of lines.
_LARGE: Final = 300_000


@dataclass(frozen=True)
class Summary:
    """`summary.json` of the demo.

    Attributes:
        files: That the servers wrote.
        lines_written: In the servers' own files.
        lines_in_lake: In the lake's, without those that a restart took from the servers again.
        duplicates: Lines that the lake has more often than the servers.
        gaps: Lines that it does not have.
        api_calls: To RDS.
        api_calls_naive: Of the poller that asks for each instance, its cluster and its files every minute.
        truncations_recovered: Portions that RDS cut inside of a line.
        gaps_declared: Rows of the ledger that tell of bytes nobody can have.
        lines_lost: That restarts took from the servers.
        lines_of_restarts: Of them, those in the lake, as they had been collected before.
        executions: Of state machines: their ARNs.
    """

    instances: int
    files: int
    lines_written: int
    lines_in_lake: int
    duplicates: int
    gaps: int
    api_calls: int
    api_calls_naive: int
    throttled: int
    truncations_recovered: int
    seconds: float
    gaps_declared: int
    lines_lost: int
    lines_of_restarts: int
    restarts_found: int
    complete_files: int
    segments: int
    executions: list[str]
    hours: float
    real_servers: list[str]


@dataclass(frozen=True)
class _Stand:
    """What the demo works with."""

    story: Story
    rds: "RdsProcess"
    clock: "FunctionClock"
    application: "Application"


@dataclass(frozen=True)
class _Proof:
    """What was found in the end."""

    comparison: "Comparison"
    truth: list[dict[str, Any]]
    gaps_declared: int


def demo_database_logs(
    *,
    hours: Annotated[float, typer.Option(min=1, help="Simulated hours.")] = 3.0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same fleet.")] = 1,
    keep: Keep = False,
) -> None:
    """Collect the logs of 316 databases for some simulated hours, with all that goes wrong there, and prove the lake.

    The status is 0 only if every line that the servers wrote is in the lake exactly once.
    """
    from cli.database_demo_application import ExecutionFailed, NothingMoves  # noqa: PLC0415 - heavy
    from cli.demo_board import Board  # noqa: PLC0415

    shutil.rmtree(_OUT, ignore_errors=True)
    _OUT.mkdir(parents=True)
    out = console()
    with sentences(ExecutionFailed, NothingMoves), ExitStack() as stack:
        title = f"Gatehouse demo · logs of {INSTANCES} databases · {hours:g} simulated hours · seed {seed}"
        board = stack.enter_context(Board(out, title, _STAGES))
        stand = _start(board, stack, hours, seed, keep=keep)
        _collect(board, stand)
        reports = _digest(board, stand)
        proof = _check(board, stand)
        summary, told = _summarise(stand, proof, board.seconds)
    _OUT.joinpath("summary.json").write_text(json.dumps(asdict(summary), indent=2) + "\n", "utf-8")
    out.print(_way(told))
    if bad := list(_wrong(proof.comparison)):
        fail("\n".join(bad))
    out.print(_panel(summary, reports, keep=keep))


# ---------------------------------------------------------------- the stages


def _start(board: "Board", stack: ExitStack, hours: float, seed: int, *, keep: bool) -> _Stand:
    from cli.database_demo_application import Application, FunctionClock, parameters  # noqa: PLC0415 - heavy
    from local.deploy import deploy  # noqa: PLC0415
    from local.rds.process import RdsProcess  # noqa: PLC0415
    from local.schedules import pause  # noqa: PLC0415

    with board.stage("start") as stage:
        start = datetime.now(UTC).replace(minute=10, second=0, microsecond=0) - timedelta(hours=hours + 1)
        story = Story(start, hours, _real_servers(stage))
        arguments = ["--start", start.isoformat(), "--seed", str(seed), "--busy", "10", "--quiet", "0.05"]
        rds = stack.enter_context(RdsProcess([*arguments, "--real", *story.real]))
        stage.say("embedded cloud")
        clock = FunctionClock(_OUT / "clock")
        cloud = start_cloud(stage, stack, CLOUD, keep=keep, rds=rds.endpoint, clock=clock.path)
        stage.end("the embedded cloud; the fleet comes up meanwhile")
    with board.stage("deploy") as stage:
        deployment = deploy(
            cloud, parameters=parameters(), on_progress=lambda line: stage.say(line) if line.endswith("…") else None
        )
        pause(cloud.client("events"))
        application = Application(cloud, deployment.outputs)
        application.prepare()
        stage.say("servers and fleet")
        rds.await_fleet()
        rds.command("script", rules=story.script(), seed=seed)
        rds.command("cloud", endpoint=cloud.endpoint)
        took = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in deployment.seconds.items())
        skipped = counted(len(deployment.skipped), "resource")
        stage.end(
            f"the real template ({took}); {skipped} skipped; {INSTANCES} instances, "
            f"{' and '.join(story.real) or 'none'} of them real"
        )
    return _Stand(story, rds, clock, application)


def _real_servers(stage: "Running") -> list[str]:
    from local.rds.servers.engines import SERVERS, installed  # noqa: PLC0415 - heavy

    found = installed()
    for engine in (name for name in SERVERS if name not in found):
        stage.note(f"{engine} is not installed: its logs are made up, as those of the other instances")
    return found


def _collect(board: "Board", stand: _Stand) -> None:
    steps = list(stand.story.steps())
    with board.stage("collect") as stage:
        files = 0
        for number, (at, parts) in enumerate(steps):
            stage.say(f"{at:%H:%M}  time goes by", 100 * number, 100 * len(steps))
            _go_by(stand, parts, number)
            if at == stand.story.looks[-1]:
                _end(stand, at)
            stand.clock.set(at + _PAUSE)
            queued = 0
            for progress in stand.application.collect():
                queued = progress.queued or 0
                stage.say(
                    f"{at:%H:%M}  {_at_work(progress)}", 100 * number + progress.percent_collected, 100 * len(steps)
                )
            stage.note(f"  {at:%H:%M}  {counted(queued, 'file')} had something new, and were collected")
            files += queued
        done = counted(len(stand.application.executions), "execution")
        stage.end(f"{counted(files, 'file')} collected and parsed after {done} of discover_logs, all succeeded")


def _go_by(stand: _Stand, parts: list[timedelta], number: int) -> None:
    """Let time go by, before each part of which but the first clients work with the real servers."""
    for part, span in enumerate(parts):
        for engine in stand.story.real if part else ():
            seed = len(parts) * number + part
            stand.rds.command("work", instance=REAL[engine], seed=seed, transactions=40, clients=5, large=_LARGE)
        stand.rds.command("advance", seconds=span.total_seconds())


def _end(stand: _Stand, at: datetime) -> None:
    """Shut the real servers down, for they would write whenever they like, and go on to a time."""
    for engine in stand.story.real:
        stand.rds.command("stop", instance=REAL[engine])
    left = at - datetime.fromisoformat(stand.rds.command("now"))
    stand.rds.command("advance", seconds=left.total_seconds())


def _at_work(progress: "Progress") -> str:
    looked = "discovery runs" if progress.queued is None else "fleet discovered"
    return f"{looked} · {progress.tasks:,} files to collect · {progress.segments:,} segments to parse"


def _digest(board: "Board", stand: _Stand) -> list[Path]:
    """Let the digest be made, and return its reports, the latest last."""
    with board.stage("digest") as stage:
        stage.say("slow queries of the fleet")
        reports = []
        for day, page in stand.application.digest(stand.story.looks[-1]).items():
            path = _OUT / f"digest-{day}.html"
            path.write_bytes(page)
            reports.append(path)
        stage.end(
            f"an execution of digest_queries succeeded: {', '.join(map(str, reports)) or 'no statement was slow'}"
        )
    return reports


def _check(board: "Board", stand: _Stand) -> _Proof:
    from cli.database_demo_check import compare, lines_written, records_of_lake  # noqa: PLC0415 - heavy

    with board.stage("check") as stage:
        stage.say("counting the servers' own files")
        truth = stand.rds.command("truth", folder=str((_OUT / "servers").resolve()))
        stage.say("counting the lake's own files")
        s3 = stand.application.cloud.client("s3")
        records = records_of_lake(s3, stand.application.outputs["LakeBucketName"], _OUT / "lake")
        comparison = compare(lines_written(truth), records)
        same = not comparison.missing and not comparison.duplicates
        stage.end("every line is in the lake once" if same else "lines differ")
    return _Proof(comparison, truth, stand.application.gaps())


# ---------------------------------------------------------------- the result


def _summarise(stand: _Stand, proof: _Proof, seconds: float) -> tuple[Summary, "list[Happening]"]:
    from cli.database_demo_story import happened, lines_lost  # noqa: PLC0415

    metrics, applied = stand.application.metrics(), stand.rds.command("applied")
    truncated = round(metrics["PortionsTruncated"])
    summary = Summary(
        instances=INSTANCES,
        files=sum(1 for file in proof.truth if file["size"]),
        lines_written=proof.comparison.written,
        lines_in_lake=proof.comparison.in_lake,
        duplicates=proof.comparison.duplicates.total(),
        gaps=proof.comparison.missing.total(),
        api_calls=sum(count for name, count in stand.rds.command("calls").items() if name != "throttled"),
        api_calls_naive=round(_NAIVE_CALLS_A_MINUTE * stand.story.hours * 60),
        throttled=sum(count for _, count in stand.story.throttled(applied)),
        truncations_recovered=truncated,
        seconds=round(seconds, 1),
        gaps_declared=proof.gaps_declared,
        lines_lost=lines_lost(proof.truth),
        lines_of_restarts=proof.comparison.taken_by_restarts,
        restarts_found=round(metrics["RestartsFound"]),
        complete_files=round(metrics["CompleteFilesRead"]),
        segments=round(metrics["SegmentsStored"]),
        executions=stand.application.executions,
        hours=stand.story.hours,
        real_servers=list(stand.story.real),
    )
    return summary, happened(stand.story, proof.truth, applied, truncated)


def _wrong(comparison: "Comparison") -> Iterator[str]:
    """Yield what speaks against success, a sentence each."""
    from cli.database_demo_check import first_differences  # noqa: PLC0415

    differences = list(first_differences(comparison))
    if differences:
        yield f"The lake is not proven: it differs from the servers' files in {len(differences)} instances."
        yield from (f"  {each}" for each in differences[:_SHOWN])
        yield f"The servers' files are below {_OUT / 'servers'}, the lake's below {_OUT / 'lake'}."
    elif not comparison.written:
        yield "The servers wrote nothing: there is nothing to prove."


def _way(told: "list[Happening]") -> object:
    from rich.table import Table  # noqa: PLC0415 - slow to import

    table = Table(title="On the way", title_justify="left", box=None, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="soft")
    table.add_column()
    for each in told:
        table.add_row(each.when, each.what)
    return table


def _panel(summary: Summary, reports: list[Path], *, keep: bool) -> object:
    from rich.panel import Panel  # noqa: PLC0415 - slow to import
    from rich.table import Table  # noqa: PLC0415

    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="name")
    table.add_column()
    table.add_row(f"{summary.lines_written:,}", f"lines are in {summary.files:,} files of {summary.instances} servers")
    table.add_row(f"{summary.lines_in_lake:,}", "are in the lake, once")
    if summary.lines_lost:
        table.add_row(
            f"{summary.lines_lost:,}",
            f"more were lost at restarts; {summary.lines_of_restarts:,} had been collected before, and are kept",
        )
    table.add_row(f"{summary.truncations_recovered:,}", "portions were cut inside of a line, and read again")
    table.add_row(f"{summary.throttled:,}", "calls were throttled")
    table.add_row(f"{summary.api_calls:,}", f"calls to RDS; polling each minute takes {summary.api_calls_naive:,}")
    table.add_row(
        f"{summary.segments:,}",
        f"segments were stored and parsed; {counted(len(summary.executions), 'execution')} of state machines",
    )
    table.add_row("", "")
    for path in reports:
        table.add_row("Digest", f"[link=file://{path.resolve()}]{path}[/link]")
    table.add_row("Summary", str(_OUT / "summary.json"))
    table.add_row("Next", _next(keep=keep))
    title = f"[good]✓ Every line is in the lake exactly once[/good] [soft]in {summary.seconds:.0f} s[/soft]"
    return Panel(table, title=title, title_align="left", border_style="green", padding=(1, 2), expand=False)


def _next(*, keep: bool) -> str:
    if not keep:
        return 'make demo-database-logs ARGS="--keep" leaves the lake there, to look around'
    asked = "'SELECT instance_id, count(*) FROM postgres GROUP BY ALL'"
    commands = {"status": "", "query": asked, "down": ""}
    return "\n".join(f"gatehouse {name} --cloud {CLOUD} {rest}".rstrip() for name, rest in commands.items())
