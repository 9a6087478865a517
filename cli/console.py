"""How the command line speaks: live on a terminal, plain lines elsewhere, and errors as sentences."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NoReturn, Self

import typer
from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.theme import Theme

from kernel.pages.words import seen
from local.errors import LocalCloudError

# Where nobody watches, a line now and then is enough, and none that says what the last one said.
PLAIN_SECONDS: Final = 2.0
_FRAMES_PER_SECOND: Final = 8
_GAP: Final = 2  # between columns

THEME: Final = Theme(
    {
        "good": "green",
        "bad": "red",
        "warn": "yellow",
        "soft": "bright_black",
        "name": "bold",
        "bar.complete": "cyan",
        "bar.finished": "green",
        "bar.pulse": "cyan",
    }
)


def console(*, stderr: bool = True) -> Console:
    """Return a console; progress and remarks go to stderr, so that stdout carries results alone."""
    stream = sys.stderr if stderr else sys.stdout
    # Wrapped lines are for eyes; whoever reads a file or a pipe wants each as one.
    return Console(file=stream, theme=THEME, highlight=False, soft_wrap=not stream.isatty())


def fail(sentence: str, *, code: int = 1) -> NoReturn:
    """Say why the command ends, and end it."""
    console().print(f"[bad]✗[/bad] {_plain(sentence)}")
    raise typer.Exit(code)


def listing(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows on stdout: lines of fields with tabs between them, names first, where nobody looks.

    On a terminal they are a table; where that is too wide for it, each is a block, so that no field is cut.
    """
    out = console(stderr=False)
    # Names and comments are others' texts: none may end a line, or tell the terminal something.
    rows = [[seen(" ".join(field.split())) for field in row] for row in rows]
    if not out.is_terminal:
        for row in (columns, *rows):
            typer.echo("\t".join(row))
        return
    widths = [max(cell_len(row[at]) for row in (columns, *rows)) for at in range(len(columns))]
    if sum(widths) + _GAP * (len(columns) - 1) <= out.width:
        table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False)
        for name in columns:
            table.add_column(name, no_wrap=True)
        for row in rows:
            table.add_row(*map(escape, row))
        out.print(table)
        return
    for number, row in enumerate(rows):
        if number:
            out.print()
        block = Table.grid(padding=(0, _GAP, 0, 0))
        block.add_column(style="soft", no_wrap=True)
        block.add_column(overflow="fold")
        for name, field in zip(columns, row, strict=True):
            if field:
                block.add_row(name, escape(field))
        out.print(block)


@contextmanager
def sentences(*expected: type[Exception]) -> Iterator[None]:
    """Turn errors that a person can do something about into a sentence and exit status 1; let others through.

    Args:
        expected: Exceptions of the caller whose text is such a sentence, besides those of AWS and the local cloud.
    """
    # botocore takes a fifth of a second to import, which `gatehouse --help` should not pay.
    from botocore.exceptions import (  # noqa: PLC0415
        BotoCoreError,
        ClientError,
        CredentialRetrievalError,
        NoCredentialsError,
        PartialCredentialsError,
        ProfileNotFound,
        SSOError,
        TokenRetrievalError,
    )

    try:
        yield
    except expected as error:
        fail(str(error))
    except LocalCloudError as error:
        fail(str(error))
    except NoCredentialsError:
        fail("No AWS credentials were found: run `aws sso login` or set AWS_PROFILE; `--env local` needs none.")
    except (CredentialRetrievalError, PartialCredentialsError, ProfileNotFound, SSOError, TokenRetrievalError) as error:
        fail(f"Your AWS credentials cannot be used: {error} Run `aws sso login` or set AWS_PROFILE.")
    except ClientError as error:
        refused = error.response.get("Error", {})
        fail(f"AWS refused {error.operation_name}: {refused.get('Code')}: {refused.get('Message')}")
    except BotoCoreError as error:
        fail(f"AWS cannot be reached: {error}. Is the embedded cloud up (`gatehouse status`), the region right?")


class Display:
    """Shows something that changes: redrawn in place on a terminal, else as lines.

    Args:
        out: Where to.
        clock: Seconds; only their differences matter.
    """

    def __init__(self, out: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._live: Live | None = None
        self._last_line = ""
        self._last_at = float("-inf")

    def __enter__(self) -> Self:
        if self._out.is_terminal:
            self._live = Live(console=self._out, refresh_per_second=_FRAMES_PER_SECOND, transient=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, picture: Callable[[], RenderableType], line: str, *, last: bool = False) -> None:
        """Show the present state.

        Args:
            picture: Makes the picture; called on a terminal only.
            line: The same in one line.
            last: Whether this is the final state, which is never held back.
        """
        if self._live:
            self._live.update(picture(), refresh=last)
            return
        now = self._clock()
        if line != self._last_line and (last or now - self._last_at >= PLAIN_SECONDS):
            self._out.print(_plain(line))
            self._last_line, self._last_at = line, now

    def note(self, line: str) -> None:
        """Print a line that stays, above the picture where there is one."""
        self._out.print(_plain(line))


def _plain(text: str) -> str:
    # Names and causes may hold square brackets, which rich takes for markup.
    return escape(text)
