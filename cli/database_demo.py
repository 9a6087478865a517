"""`gatehouse demo database-logs`: hours of the logs of 316 databases, and the proof that no line went astray."""

import json
import os
import shutil
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.console import console, fail, sentences

if TYPE_CHECKING:
    from cli.database_demo_check import Comparison
    from cli.database_demo_functions import Functions
    from cli.demo_board import Board, Running
    from local.rds.process import RdsProcess

CLOUD: Final = "demo-database-logs"
INSTANCES: Final = 316
_OUT: Final = Path("out/demo-database-logs")
_STAGES: Final = ["start", "collect", "finish", "digest", "check"]
_STEP: Final = timedelta(minutes=30)
# Instance, cluster and log files of each instance, every minute.
_NAIVE_CALLS_A_MINUTE: Final = 3 * INSTANCES
_SHOWN: Final = 10
# What a statement of the real servers has, so that portions are cut inside of lines.
_LARGE: Final = 300_000
_REAL: Final = {"postgres": ("postgres", "postgres-00"), "mariadb": ("mariadbd", "mariadb-00")}
_FAILING_OVER: Final = "aurora-postgresql-00"


@dataclass(frozen=True)
class Summary:
    """`summary.json` of the demo.

    Attributes:
        files: That the servers wrote.
        lines_written: In the servers' own files.
        lines_in_lake: In the lake's, without those that a restart took from the servers again.
        duplicates: Lines that the lake has more often than the servers.
        gaps: Lines that it does not have.
        gaps_declared: Rows of the ledger that say so.
        api_calls: To RDS.
        api_calls_naive: Of the poller that asks for each instance, its cluster and its files every minute.
        truncations_recovered: Portions that RDS cut inside of a line.
        lines_of_restarts: That restarts took from the servers after they had been collected.
    """

    instances: int
    files: int
    lines_written: int
    lines_in_lake: int
    duplicates: int
    gaps: int
    gaps_declared: int
    api_calls: int
    api_calls_naive: int
    throttled: int
    truncations_recovered: int
    restarts_found: int
    lines_of_restarts: int
    complete_files: int
    hours: float
    real_servers: list[str]
    seconds: float


def demo_database_logs(
    *,
    hours: Annotated[float, typer.Option(min=1, help="Simulated hours.")] = 3.0,
    seed: Annotated[int, typer.Option(help="The same seed makes the same fleet.")] = 1,
) -> None:
    """Collect the logs of 316 databases for some simulated hours, with all that goes wrong there, and prove the lake.

    The status is 0 only if every line that the servers wrote is in the lake exactly once.
    """
    from cli.database_demo_functions import Functions  # noqa: PLC0415 - heavy
    from cli.demo_board import Board  # noqa: PLC0415
    from local.rds.process import RdsProcess  # noqa: PLC0415
    from local.supervisor import EmbeddedCloud  # noqa: PLC0415

    shutil.rmtree(_OUT, ignore_errors=True)
    _OUT.mkdir(parents=True)
    out = console()
    with sentences(), ExitStack() as stack:
        title = f"Gatehouse demo · logs of {INSTANCES} databases · {hours:g} simulated hours · seed {seed}"
        board = stack.enter_context(Board(out, title, _STAGES))
        with board.stage("start") as stage:
            real = _real_servers(stage)
            start = datetime.now(UTC).replace(minute=10, second=0, microsecond=0) - timedelta(hours=hours + 1)
            arguments = ["--start", start.isoformat(), "--seed", str(seed), "--busy", "10", "--quiet", "0.05"]
            stage.say("servers and fleet")
            rds = stack.enter_context(RdsProcess([*arguments, "--real", *real]))
            stage.say("embedded cloud and functions")
            if left := EmbeddedCloud.find(CLOUD):
                left.stop()
            cloud = EmbeddedCloud.start(CLOUD, rds=rds.endpoint)
            stack.callback(cloud.stop)
            functions = stack.enter_context(Functions(cloud, rds, min(4, os.cpu_count() or 1)))
            stage.end(f"{INSTANCES} instances, {_named(real)} of them real; handlers run in processes of this machine")
        _collect(board, functions, rds, hours, real)
        _finish(board, functions)
        with board.stage("digest") as stage:
            functions.digest()
            stage.end(_report(cloud))
        comparison, files, declared = _check(board, cloud, rds)
        throttled = sum(rds.command("applied"))
        summary = Summary(
            instances=INSTANCES,
            files=files,
            lines_written=comparison.written,
            lines_in_lake=comparison.in_lake,
            duplicates=comparison.duplicates.total(),
            gaps=comparison.missing.total(),
            gaps_declared=declared,
            api_calls=sum(count for name, count in rds.command("calls").items() if name != "throttled"),
            api_calls_naive=round(_NAIVE_CALLS_A_MINUTE * hours * 60),
            throttled=throttled,
            truncations_recovered=round(functions.metrics["PortionsTruncated"]),
            restarts_found=round(functions.metrics["RestartsFound"]),
            lines_of_restarts=comparison.taken_by_restarts,
            complete_files=round(functions.metrics["CompleteFilesRead"]),
            hours=hours,
            real_servers=real,
            seconds=round(board.seconds, 1),
        )
    _OUT.joinpath("summary.json").write_text(json.dumps(asdict(summary), indent=2) + "\n", "utf-8")
    if bad := _wrong(comparison, functions):
        fail("\n".join(bad))
    out.print(_panel(summary))


# ---------------------------------------------------------------- the stages


def _real_servers(stage: "Running") -> list[str]:
    found = []
    for engine, (program, _) in _REAL.items():
        if shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"):
            found.append(engine)
        else:
            stage.note(f"{program} is not installed: the logs of {engine} are generated ones")
    return found


def _collect(board: "Board", functions: "Functions", rds: "RdsProcess", hours: float, real: list[str]) -> None:
    steps = max(1, round(timedelta(hours=hours) / _STEP))
    with board.stage("collect") as stage:
        for step in range(steps):
            told = _happen(rds, step, steps, real)
            now = datetime.fromisoformat(rds.command("advance", seconds=_STEP.total_seconds()))
            if told:
                stage.note(f"{now:%H:%M}  {told}")
            _pass(stage, functions, f"{now:%H:%M}", step, steps)
        stage.end(
            f"{functions.metrics['FilesQueued']:,.0f} tasks, {functions.metrics['SegmentsStored']:,.0f} segments, "
            f"{functions.metrics['BytesStored'] / 1e6:,.1f} MB"
        )


def _happen(rds: "RdsProcess", step: int, steps: int, real: list[str]) -> str:
    """Let the real servers work, and let something go wrong; return what, in a sentence."""
    for engine in real:
        rds.command("work", instance=_REAL[engine][1], seed=step + 1, transactions=40, clients=5, large=_LARGE)
    if step == 1:
        rule = {"effect": "throttle", "probability": 0.02, "times": None}
        rds.command("script", rules=[rule], seed=1)
        return "RDS throttles one call in fifty from now on"
    if step == steps // 2:
        rds.command("failover", identifier=_FAILING_OVER)
        for engine in real:
            rds.command("failover", identifier=_REAL[engine][1])
        return f"{_FAILING_OVER} fails over{', and so do the real servers' if real else ''}: ends of files are lost"
    return ""


def _pass(stage: "Running", functions: "Functions", clock: str, done: int, steps: int) -> int:
    stage.say(f"{clock}  looking at the fleet", done, steps)
    queued = int(functions.discover()["queued"])
    functions.work(
        lambda collected, parsed: stage.say(
            f"{clock}  {collected} of {queued} files collected, {parsed} segments parsed", done, steps
        )
    )
    return queued


def _finish(board: "Board", functions: "Functions") -> None:
    """Collect what was held back: the servers stand still for a while, so that no record goes on."""
    with board.stage("finish") as stage:
        functions.ahead = timedelta(minutes=5)
        for number in range(1, 5):
            if not _pass(stage, functions, "a moment later", number, 4):
                break
        stage.end("nothing is left to collect")


def _report(cloud: Any) -> str:
    from cli.database_demo_functions import LAKE  # noqa: PLC0415

    s3 = cloud.client("s3")
    found = s3.list_objects_v2(Bucket=LAKE, Prefix="database_logs/digests/date=").get("Contents", [])
    pages = [entry["Key"] for entry in found if entry["Key"].endswith(".html")]
    for key in pages:
        name = f"digest-{key.split('date=')[1].split('/')[0]}.html"
        _OUT.joinpath(name).write_bytes(s3.get_object(Bucket=LAKE, Key=key)["Body"].read())
    return ", ".join(str(path) for path in sorted(_OUT.glob("digest-*.html"))) or "no statement was slow"


def _check(board: "Board", cloud: Any, rds: "RdsProcess") -> tuple["Comparison", int, int]:
    from cli.database_demo_check import compare, lines_written, records_of_lake  # noqa: PLC0415
    from cli.database_demo_functions import LAKE, TRACKING  # noqa: PLC0415

    with board.stage("check") as stage:
        stage.say("counting the servers' own files")
        truth = rds.command("truth", folder=str((_OUT / "servers").resolve()))
        stage.say("counting the lake's own files")
        records = records_of_lake(cloud.client("s3"), LAKE, _OUT / "lake")
        comparison = compare(lines_written(truth), records)
        gaps = cloud.client("dynamodb").scan(
            TableName=TRACKING,
            FilterExpression="begins_with(#item, :gap)",
            ExpressionAttributeNames={"#item": "item"},
            ExpressionAttributeValues={":gap": {"S": "gap#"}},
        )["Count"]
        same = not comparison.missing and not comparison.duplicates
        stage.end("every line is in the lake once" if same else "lines differ")
    return comparison, sum(1 for file in truth if file["size"]), gaps


# ---------------------------------------------------------------- the result


def _wrong(comparison: "Comparison", functions: "Functions") -> list[str]:
    """Return what speaks against success, a sentence each."""
    from cli.database_demo_check import first_differences  # noqa: PLC0415

    differences = list(first_differences(comparison))
    if not differences:
        return [] if comparison.written else ["The servers wrote nothing: there is nothing to prove."]
    shown = [f"  {each}" for each in differences[:_SHOWN]]
    return [f"The lake differs in {len(differences)} instances:", *shown, *functions.warnings[-3:]]


def _named(real: list[str]) -> str:
    return " and ".join(real) or "none"


def _panel(summary: Summary) -> object:
    from rich.panel import Panel  # noqa: PLC0415 - slow to import
    from rich.table import Table  # noqa: PLC0415

    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="name")
    table.add_column()
    table.add_row(f"{summary.lines_written:,}", f"lines were written to {summary.files:,} files")
    table.add_row(f"{summary.lines_in_lake:,}", "are in the lake, once")
    table.add_row(
        f"{summary.lines_of_restarts:,}", "more were taken from the servers by restarts, and are kept as such"
    )
    table.add_row(f"{summary.truncations_recovered:,}", "portions were cut inside of a line, and read again")
    table.add_row(f"{summary.throttled:,}", "calls were throttled")
    table.add_row(f"{summary.api_calls:,}", f"calls to RDS; polling each minute takes {summary.api_calls_naive:,}")
    table.add_row("", "")
    table.add_row("Digest", ", ".join(str(path) for path in sorted(_OUT.glob("digest-*.html"))) or "none")
    title = f"[good]✓ Every line is in the lake exactly once[/good] [soft]in {summary.seconds:.0f} s[/soft]"
    return Panel(table, title=title, title_align="left", border_style="green", padding=(1, 2), expand=False)
