"""`gatehouse assessments` lists what was assessed with which score, and fetches the report of a run."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from cli.console import console, fail, listing, sentences
from cli.estate import estate_of, places_of
from cli.run import Cloud, Env
from cli.target import NotDeployed, Target

if TYPE_CHECKING:
    from datetime import datetime

    from data_protection.reports.report import PastScore

_LATEST: Final = "latest"
_AT_ONCE: Final = 8
_STATUSES: Final = ("pass", "fail", "warn", "unknown", "excepted")
_COLUMNS: Final = ("run", "began", "places", "score", "coverage", *_STATUSES)

Run = Annotated[str | None, typer.Argument(help="Name of the run whose report is fetched, or `latest`.")]
Out = Annotated[Path, typer.Option(help="Folder; a report goes into one below it, named by its run.")]
Most = Annotated[int, typer.Option(min=1, help="How many are listed, the latest first.")]


def register(app: typer.Typer) -> None:
    """Add the command `assessments`."""
    app.command()(assessments)


def assessments(
    run: Run = None, *, out: Out = Path("out/assessments"), most: Most = 20, env: Env = "local", cloud: Cloud = "dev"
) -> None:
    """List the latest runs of assess_account with their scores; or fetch the report of one, and say where it is."""
    from data_protection.errors import EstateInvalid  # noqa: PLC0415 - heavy

    with sentences(NotDeployed, EstateInvalid):
        target = Target.of(env, cloud)
        if run is None:
            listing(_COLUMNS, _rows(target, most))
            return
        if run == _LATEST:
            run = _latest(target)
        page = _fetch(target, run, out)
    console().print(f"[good]✓[/good] The report of {run} is fetched; open its page in a browser.")
    console(stderr=False).print(str(page))


def _latest(target: Target) -> str:
    runs = _runs(target, 1)
    if not runs:
        fail(f"Nothing was assessed yet: gatehouse run assess_account {target.options}")
    return runs[0][0].run


def _fetch(target: Target, run: str, out: Path) -> Path:
    """Write the files of a report, and return the path of its page."""
    from data_protection.adapters.reports import files_of  # noqa: PLC0415 - heavy

    files = files_of(target.client("s3"), target.output("LakeBucketName"), run)
    if not files:
        fail(f"There is no report of a run {run}: `gatehouse assessments {target.options}` lists those there are.")
    folder = out / run
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder / "index.html"


def _rows(target: Target, most: int) -> list[tuple[str, ...]]:
    from data_protection.assessments import score  # noqa: PLC0415 - heavy
    from data_protection.verdicts import Status  # noqa: PLC0415

    rows = []
    for places in _runs(target, most):
        counts = sum((Counter(place.counts) for place in places), Counter())
        whole = score(counts.elements())
        percent = "none" if whole.percent is None else f"{whole.percent:g} %"
        found = [str(whole.counts[Status(status)]) for status in _STATUSES]
        began = f"{places[0].time:%F %H:%M}"
        rows.append((places[0].run, began, str(len(places)), percent, f"{whole.coverage:g} %", *found))
    return rows


def _runs(target: Target, most: int) -> "list[list[PastScore]]":
    """Return the scores of the latest runs, a list of those of its places each."""
    from data_protection.adapters.reports import scores  # noqa: PLC0415 - heavy

    dynamodb, table = target.client("dynamodb"), target.output("ProtectionFindingsTableName")
    places = places_of(estate_of(target), target)
    # What is among the latest of all is among the latest of its place.
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        found = [
            one for of_place in pool.map(lambda place: scores(dynamodb, table, place, most), places) for one in of_place
        ]
    runs: dict[tuple[datetime, str], list[PastScore]] = {}
    for one in found:
        runs.setdefault((one.time, one.run), []).append(one)
    return [runs[key] for key in sorted(runs, reverse=True)[:most]]
