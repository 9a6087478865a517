import io
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from cli import follow_view
from cli.console import Display
from cli.follow import Execution, Follower
from cli.target import Target
from tests.unit.cli.scripted_machine import ARN, BEGIN, Scene, ScriptedMachine

PLANNED = [("ExecutionStarted", ""), ("TaskStateEntered", "PlanRun"), ("TaskStateExited", "PlanRun")]
MAPPING = [*PLANNED, ("MapStateEntered", "ProcessUnits")]
DONE = [
    *MAPPING,
    ("MapStateExited", "ProcessUnits"),
    ("TaskStateEntered", "CommitRun"),
    ("TaskStateExited", "CommitRun"),
    ("ExecutionSucceeded", ""),
]
FAILED = [
    *MAPPING,
    ("MapRunFailed", ""),
    ("MapStateExited", "ProcessUnits"),
    ("TaskStateEntered", "RecordFailure"),
    ("TaskStateExited", "RecordFailure"),
    ("FailStateEntered", "RunFailed"),
    ("ExecutionFailed", ""),
]


@pytest.fixture
def target() -> Target:
    return Target("local", lambda _: None, "dev")


def follower(*scenes: Scene) -> tuple[Follower, ScriptedMachine]:
    machine = ScriptedMachine(list(scenes))
    return Follower(cast("Any", machine), ARN), machine


def look_to_the_end(*scenes: Scene) -> Execution:
    looking, _ = follower(*scenes)
    for _ in scenes:
        looking.look()
    return looking.execution


def test_states_appear_as_they_are_entered_and_left() -> None:
    looking, _ = follower(Scene(PLANNED[:2]), Scene(MAPPING, {"total": 8, "pending": 8}))
    (plan,) = looking.look().steps
    assert (plan.name, plan.kind, plan.left_at) == ("PlanRun", "Task", None)
    plan, units = looking.look().steps
    assert plan.seconds(BEGIN) == 1.0
    assert (units.name, units.left_at) == ("ProcessUnits", None)


def test_each_look_reads_only_what_is_new_in_the_history() -> None:
    looking, machine = follower(Scene(DONE[:6]), Scene(DONE))
    looking.look()
    assert machine.asked_pages == 2
    looking.look()
    assert machine.asked_pages == 3
    assert [step.name for step in looking.execution.steps] == ["PlanRun", "ProcessUnits", "CommitRun"]


def test_items_that_timed_out_or_were_stopped_count_as_failed() -> None:
    seen = look_to_the_end(Scene(MAPPING, {"total": 9, "succeeded": 4, "failed": 1, "timedOut": 2, "aborted": 1}))
    assert seen.units is not None
    assert (seen.units.failed, seen.units.done) == (4, 8)


def test_line_tells_state_and_units(target: Target) -> None:
    seen = look_to_the_end(Scene(MAPPING, {"total": 8, "succeeded": 3, "running": 4, "pending": 1}))
    assert follow_view.line(seen, BEGIN + timedelta(seconds=75)) == "1:15  ProcessUnits  3/8 units, 4 running"


def test_picture_draws_a_bar_for_units_and_leaves_choices_out(target: Target) -> None:
    events = [*PLANNED, ("ChoiceStateEntered", "HasUnits"), ("ChoiceStateExited", "HasUnits"), MAPPING[-1]]
    seen = look_to_the_end(Scene(events, {"total": 8, "succeeded": 3, "running": 1}))
    out = Console(file=io.StringIO(), width=120, record=True)
    out.print(follow_view.picture(seen, target, BEGIN + timedelta(seconds=9)))
    text = out.export_text()
    assert "process_objects" in text
    assert "3/8 units, 1 running" in text
    assert "━" in text
    assert "HasUnits" not in text


def test_success_is_said_in_one_sentence(target: Target, tmp_path: Path) -> None:
    seen = look_to_the_end(Scene(DONE, {"total": 8, "succeeded": 8}, "SUCCEEDED", output="{}"))
    assert follow_view.ending(seen, target, tmp_path) == "process_objects run-1 succeeded in 8.0 s, 8/8 units."


def test_failure_names_the_state_the_cause_and_the_next_step(target: Target, tmp_path: Path) -> None:
    (tmp_path / "units-failed.md").write_text("# When LeaseLost shows up\n")
    cause = '{"errorMessage": "Another run holds the object.", "errorType": "LeaseLost"}'
    seen = look_to_the_end(Scene(FAILED, {"total": 8, "succeeded": 7, "failed": 1}, "FAILED", None, "LeaseLost", cause))
    said = follow_view.ending(seen, target, tmp_path)
    assert said.startswith("process_objects run-1 failed in ProcessUnits after 10.0 s: LeaseLost: Another run holds")
    assert "`gatehouse logs process-unit` shows" in said
    assert "docs/runbooks/units-failed.md" in said


def test_runbook_that_only_refers_to_another_is_not_the_one_that_is_named(target: Target, tmp_path: Path) -> None:
    (tmp_path / "dead-letters.md").write_text("| `LeaseLost` | see [units-failed](units-failed.md) |\n")
    (tmp_path / "units-failed.md").write_text("| `LeaseLost` | wait |\n")
    cause = '{"errorMessage": "There is no lease x; did you mean y?", "errorType": "LeaseLost"}'
    seen = look_to_the_end(Scene(FAILED, {"total": 8, "succeeded": 7, "failed": 1}, "FAILED", None, "LeaseLost", cause))
    said = follow_view.ending(seen, target, tmp_path)
    assert "did you mean y?\nNext: " in said
    assert "docs/runbooks/units-failed.md" in said
    assert "dead-letters" not in said


def test_plain_output_speaks_at_most_every_two_seconds_and_only_on_change() -> None:
    now = 0.0
    written = io.StringIO()
    with Display(Console(file=written), clock=lambda: now) as display:
        for second, line in enumerate(("a", "b", "b", "b", "c", "d")):
            now = float(second)
            display.show(lambda: "", line)
        display.show(lambda: "", "end", last=True)
    assert written.getvalue().split() == ["a", "b", "c", "end"]


def test_brackets_in_a_name_are_printed_as_they_are() -> None:
    written = io.StringIO()
    with Display(Console(file=written)) as display:
        display.show(lambda: "", "key [red]2026[/red]", last=True)
    assert written.getvalue() == "key [red]2026[/red]\n"
