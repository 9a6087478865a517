"""`gatehouse query` asks the lake in SQL, with no more than this machine."""

import shutil
import sys
import tempfile
from datetime import datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Final

import typer

from cli.console import Display, console, fail, sentences
from cli.run import Cloud, Env
from cli.target import NotDeployed, Target

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from cli.query_engine import Answer, Engine, Question
    from cli.query_files import DayRange, LakeFiles, Wanted
    from firewall_logs.days.view import DayView

# A seal may replace files between looking them up and fetching them; after that they stand still for a day.
_ATTEMPTS: Final = 3
_SHOWN: Final = 200


class Format(StrEnum):
    """How an answer is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


def register(app: typer.Typer) -> None:
    """Add the command `query`."""
    app.command()(query)


def query(
    sql: Annotated[str, typer.Argument(help="SELECT over events, hourly, mysql_slow, postgres ...; - for stdin.")],
    *,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day.")] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last day.")] = None,
    day: Annotated[datetime | None, typer.Option("--day", formats=["%Y-%m-%d"], help="One day.")] = None,
    form: Annotated[Format, typer.Option("--format", help="table shows the first rows; the others write all.")] = (
        Format.TABLE
    ),
    out: Annotated[Path | None, typer.Option(help="File to write to. Default: stdout.")] = None,
    env: Env = "local",
    cloud: Cloud = "dev",
    cache_gb: Annotated[float, typer.Option(help="What the files that are kept may take on this machine.")] = 10.0,
) -> None:
    """Ask the lake in DuckDB's SQL.

    Files of the days that are asked for are fetched once and kept. A day that is sealed is read from its newest
    version; what came since, and days that are not sealed, from the files of committed objects. Without days all are
    read. Dates are UTC: object_date of quarantine, event_date of all else.
    """
    from cli.query_cache import FileDamaged, TooMuch  # noqa: PLC0415 - heavy
    from cli.query_engine import Engine, QueryRefused  # noqa: PLC0415 - heavy
    from cli.query_files import FileGone, NoSuchDay  # noqa: PLC0415 - heavy
    from firewall_logs.errors import ManifestMissing  # noqa: PLC0415 - heavy

    days = _range(first, last, day)
    _refuse_forms_without_place(form, out)
    text = sys.stdin.read() if sql == "-" else sql
    expected = (NotDeployed, NoSuchDay, FileGone, ManifestMissing, TooMuch, FileDamaged, QueryRefused)
    with sentences(*expected), Engine() as engine:
        question = engine.read(text)
        _attach(engine, question.tables, Target.of(env, cloud), days, cache_gb)
        _write(engine, question, form, out)


def _range(first: datetime | None, last: datetime | None, day: datetime | None) -> "DayRange":
    from cli.query_files import DayRange  # noqa: PLC0415 - heavy

    if day and (first or last):
        fail("--day is one day: give it alone, or --from and --to.")
    if first and last and first > last:
        fail(f"--from {first.date()} is after --to {last.date()}.")
    if day:
        return DayRange(day.date(), day.date())
    return DayRange(first and first.date(), last and last.date())


def _refuse_forms_without_place(form: Format, out: Path | None) -> None:
    if form is Format.TABLE and out:
        fail("A table is for eyes: with --out give --format csv, json or parquet.")
    if form is Format.PARQUET and not out and sys.stdout.isatty():
        fail("Parquet is nothing for a terminal: give --out, or send stdout to a file.")


def _attach(engine: "Engine", tables: list[str], target: Target, days: "DayRange", cache_gb: float) -> None:
    from cli.query_cache import FileCache  # noqa: PLC0415 - heavy
    from cli.query_files import FileGone, LakeFiles  # noqa: PLC0415 - heavy
    from local.paths import STATE  # noqa: PLC0415 - beside the others

    files = LakeFiles(target)
    cache = FileCache(STATE / "query", int(cache_gb * 1e9))
    for attempt in range(1, _ATTEMPTS + 1):
        wanted = list(_wanted(files, tables, days))
        try:
            with Display(console()) as display:
                paths = cache.provide(files, wanted, lambda there, total: _progress(display, there, total))
            break
        except FileGone:
            if attempt == _ATTEMPTS:
                raise
    for table in tables:
        engine.attach(table, paths.get(table, []))


def _wanted(files: "LakeFiles", tables: list[str], days: "DayRange") -> "Iterator[Wanted]":
    from cli.query_tables import DATABASE_LOGS  # noqa: PLC0415 - heavy

    of_days = [table for table in tables if table in {"events", "hourly"}]
    if of_days:
        views = files.days(days)
        console().print(f"[soft]{_told(views)}[/soft]")
        for table in of_days:
            yield from files.of_days(table, views)
    if "quarantine" in tables:
        yield from files.quarantine(days)
    if "quality" in tables:
        yield from files.quality(days)
    for table in tables:
        if table in DATABASE_LOGS:
            yield from files.database_logs(table, days)


def _told(views: list["DayView"]) -> str:
    """Say on what the answer rests."""
    sealed = [view for view in views if view.sealed]
    late = sum(len(view.loose) for view in sealed)
    parts = [f"{len(sealed)} sealed"] + ([f"with {late} late objects besides"] if late else [])
    parts += [f"{len(views) - len(sealed)} not sealed yet"] if len(sealed) < len(views) else []
    return f"{views[0].event_date} to {views[-1].event_date}: {len(views)} days, {', '.join(parts)}"


def _progress(display: Display, there: int, total: int) -> None:
    from rich.progress_bar import ProgressBar  # noqa: PLC0415 - slow to import

    line = f"{there / 1e6:,.1f} of {total / 1e6:,.1f} MB on this machine"
    display.show(lambda: ProgressBar(total=max(total, 1), completed=there, width=60), line, last=there == total)


def _write(engine: "Engine", question: "Question", form: Format, out: Path | None) -> None:
    if form is Format.PARQUET:
        with tempfile.TemporaryDirectory(prefix="gatehouse-query-") as folder:
            path = Path(folder, "answer.parquet")
            engine.write_parquet(question, path)
            if out:
                shutil.move(path, out)
            else:
                sys.stdout.buffer.write(path.read_bytes())
        return
    answer = engine.ask(question)
    if form is Format.TABLE:
        _show(answer)
    elif out:
        with out.open("w", encoding="utf-8", newline="") as stream:
            _write_rows(answer, form, stream)
    else:
        _write_rows(answer, form, sys.stdout)


def _write_rows(answer: "Answer", form: Format, stream: IO[str]) -> None:
    if form is Format.CSV:
        answer.write_csv(stream)
    else:
        answer.write_json(stream)


def _show(answer: "Answer") -> None:
    table = _table(answer.columns, list(islice(answer.rows, _SHOWN)))
    console(stderr=False).print(table)
    if next(answer.rows, None) is not None:
        console().print(f"[warn]These are the first {_SHOWN} rows; --format csv writes all.[/warn]")


def _table(columns: list[str], rows: list[tuple[Any, ...]]) -> "Table":
    from rich.markup import escape  # noqa: PLC0415 - slow to import
    from rich.table import Table  # noqa: PLC0415

    numbers = {place for place in range(len(columns)) if any(isinstance(row[place], int | float) for row in rows)}
    table = Table(header_style="bold", border_style="soft")
    for place, column in enumerate(columns):
        table.add_column(escape(column), justify="right" if place in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*("[soft]-[/soft]" if value is None else escape(str(value)) for value in row))
    return table
