import io
import time

import pytest
from rich.console import Console

from cli import demo_watch
from cli.console import THEME
from cli.demo_board import Board
from cli.demo_watch import Scene, StuckError, Watch
from cli.target import Target


class ScriptedWatch(Watch):
    """Sees one scene after the other, then the last one for ever; each look takes a second of its own clock."""

    def __init__(self, scenes: list[Scene]) -> None:
        self._target = Target("local", lambda _: None, "demo")
        self.scenes = scenes
        self.looks = 0

    def look(self) -> Scene:
        self.looks += 1
        return self.scenes[min(self.looks, len(self.scenes)) - 1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(time, "sleep", lambda _: now.__setitem__(0, now[0] + 1))


RUNNING = Scene(executions={"a": "RUNNING"}, waiting=2)
QUIET = Scene(executions={"a": "SUCCEEDED"})


def test_quiet_must_last_before_it_is_the_end(clock: None) -> None:
    watch = ScriptedWatch([QUIET, RUNNING, QUIET])
    scenes = list(watch.until_quiet())
    assert scenes[:3] == [QUIET, RUNNING, QUIET]
    assert len(scenes) == 3 + demo_watch._QUIET_SECONDS


def test_standstill_with_work_left_is_said_to_be_stuck(clock: None) -> None:
    with pytest.raises(StuckError, match=r"1 executions run and 2 messages wait.*gatehouse logs .* --cloud demo"):
        list(ScriptedWatch([RUNNING]).until_quiet())


def test_board_prints_a_line_when_a_stage_ends() -> None:
    written = io.StringIO()
    with Board(Console(file=written), "Demo", ["first", "second"]) as board, board.stage("first") as stage:
        stage.end("all is well")
    assert written.getvalue() == "Demo\nfirst: all is well (0.0 s)\n"


def test_board_says_where_a_stage_failed() -> None:
    written = io.StringIO()
    board = Board(Console(file=written), "Demo", ["first"])

    def break_half_way() -> None:
        with board, board.stage("first") as stage:
            stage.say("half way", 1, 2)
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        break_half_way()
    assert "first: failed at half way" in written.getvalue()


def test_board_shows_a_bar_for_the_running_stage_on_a_terminal() -> None:
    out = Console(file=io.StringIO(), force_terminal=True, width=100, theme=THEME)
    with Board(out, "Demo", ["first", "second"]) as board, board.stage("first") as stage:
        stage.say("1/2 objects", 1, 2)
        text = io.StringIO()
        Console(file=text, width=100, theme=THEME).print(board.picture())
    assert "━" in text.getvalue()
    assert "1/2 objects" in text.getvalue()
    assert "· second" in text.getvalue()
