"""The stages of the demo as people see them: a list that fills on a terminal, a line each elsewhere."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal, Self

from rich.console import Console, Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from cli.console import Display
from cli.follow_view import clock

_BAR: Final = 20


@dataclass
class Stage:
    """One stage.

    Attributes:
        detail: What it is at, or what it came to.
        done: How much of `total` is done.
        total: None where nobody knows how much there is.
    """

    name: str
    state: Literal["waiting", "running", "done", "failed"] = "waiting"
    detail: str = ""
    done: int = 0
    total: int | None = None
    began_at: float = 0.0
    seconds: float = 0.0


class Board:
    """Shows stages, of which one runs at a time."""

    def __init__(self, out: Console, title: str, names: list[str]) -> None:
        self._title = title
        self._stages = {name: Stage(name) for name in names}
        self._display = Display(out)
        self._spinner = Spinner("dots", style="cyan")
        self._began_at = time.monotonic()

    def __enter__(self) -> Self:
        self._display.__enter__()
        self._show(self._title, last=True)
        return self

    def __exit__(self, *error: object) -> None:
        self._display.__exit__(*error)

    @contextmanager
    def stage(self, name: str) -> Iterator["Running"]:
        """Run a stage: it is done when the block ends, failed when it raises."""
        stage = self._stages[name]
        stage.state, stage.began_at = "running", time.monotonic()
        try:
            yield Running(self, stage)
        except BaseException:
            stage.state = "failed"
            raise
        else:
            stage.state = "done"
        finally:
            stage.seconds = time.monotonic() - stage.began_at
            failed = "failed at " if stage.state == "failed" else ""
            self._show(f"{stage.name}: {failed}{stage.detail} ({clock(stage.seconds)})", last=True)

    @property
    def seconds(self) -> float:
        """Since the board was made."""
        return time.monotonic() - self._began_at

    def note(self, line: str) -> None:
        """Print a line that stays."""
        self._display.note(line)

    def refresh(self, stage: Stage) -> None:
        """Show that a stage has moved."""
        self._show(f"{stage.name}: {stage.detail}")

    def _show(self, line: str, *, last: bool = False) -> None:
        self._display.show(self.picture, line, last=last)

    def picture(self) -> RenderableType:
        """Return the stages as a terminal shows them."""
        table = Table.grid(padding=(0, 1))
        table.add_column(width=1)
        table.add_column(min_width=9)
        table.add_column()
        table.add_column(justify="right", style="soft")
        for stage in self._stages.values():
            table.add_row(self._mark(stage), Text(stage.name, self._style(stage)), self._body(stage), self._time(stage))
        return Group(Text(self._title, "name"), table)

    def _mark(self, stage: Stage) -> RenderableType:
        marks = {"waiting": Text("·", "soft"), "done": Text("✓", "good"), "failed": Text("✗", "bad")}
        return self._spinner if stage.state == "running" else marks[stage.state]

    @staticmethod
    def _style(stage: Stage) -> str:
        return "soft" if stage.state == "waiting" else ""

    @staticmethod
    def _body(stage: Stage) -> RenderableType:
        if stage.state != "running" or not stage.total:
            return Text(stage.detail)
        row = Table.grid(padding=(0, 1))
        row.add_row(ProgressBar(total=stage.total, completed=stage.done, width=_BAR), Text(stage.detail))
        return row

    @staticmethod
    def _time(stage: Stage) -> str:
        if stage.state == "running":
            return clock(time.monotonic() - stage.began_at)
        return clock(stage.seconds) if stage.state != "waiting" else ""


class Running:
    """A stage that runs, for whoever does its work."""

    def __init__(self, board: Board, stage: Stage) -> None:
        self._board = board
        self._stage = stage

    def say(self, detail: str, done: int = 0, total: int | None = None) -> None:
        """Tell how far it is."""
        self._stage.detail, self._stage.done, self._stage.total = detail, done, total
        self._board.refresh(self._stage)

    def end(self, detail: str) -> None:
        """Tell what it came to; shown when the stage ends."""
        self._stage.detail = detail

    def note(self, line: str) -> None:
        """Print a line that stays."""
        self._board.note(line)
