"""`gatehouse demo data-protection`: an account in the standard's starting state, brought to all that it asks.

The demo is a row of steps: each says what it did in one sentence, and adds what it measured to the summary.
"""

import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cli.console import console, fail, sentences
from cli.demo_cloud import Keep, start_cloud
from kernel.pages.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cli.demo_board import Board
    from cli.protection_demo_story import Stand

CLOUD: Final = "demo-data-protection"
_WHOLE: Final = 100.0
_OUT: Final = Path("out/demo-data-protection")
_REPORT: Final = _OUT / "report.html"


def demo_data_protection(*, keep: Keep = False) -> None:
    """Bring an account from the standard's starting state, 8 % of which holds, to all of it, and write the report.

    The status is 0 only if everything went as it must, everything could be seen, and nothing of others was changed.
    """
    from cli.demo_board import Board  # noqa: PLC0415 - rich's widgets are slow to import
    from cli.protection_demo_application import ExecutionFailed, Unexpected  # noqa: PLC0415 - heavy
    from cli.protection_demo_story import STEPS  # noqa: PLC0415

    shutil.rmtree(_OUT, ignore_errors=True)
    _OUT.mkdir(parents=True)
    out = console()
    with sentences(ExecutionFailed, Unexpected), ExitStack() as stack:
        title = "Gatehouse demo · an account protected by the standard"
        board = stack.enter_context(Board(out, title, ["start", "account", *(step.name for step in STEPS)]))
        stand = _start(board, stack, keep=keep)
        # Also of a demo that fails: what was measured until then says where to look.
        stack.callback(_write, stand.summary)
        foreign, contents = stand.account.foreign(), stand.account.contents()
        for step in STEPS:
            with board.stage(step.name) as stage:
                stage.end(step.run(stand, stage))
        stand.summary["foreign_rules_kept"] = stand.account.foreign() == foreign
        if (now := stand.account.contents()) != contents:
            raise Unexpected(f"Tables and buckets had {contents} items and objects, and have {now}.")
        stand.summary["seconds"] = round(board.seconds, 1)
    if bad := wrong(stand.summary):
        fail("\n".join(bad))
    out.print(_panel(stand, keep=keep))


def _write(summary: "Mapping[str, object]") -> None:
    _OUT.joinpath("summary.json").write_text(json.dumps(summary, indent=2) + "\n", "utf-8")


def wrong(summary: "Mapping[str, float | None]") -> list[str]:
    """Return what speaks against success, a sentence each."""
    if missing := [key for key, value in summary.items() if value is None]:
        return [f"{', '.join(missing)} was not measured."]
    measured = {key: value for key, value in summary.items() if value is not None}
    scores = [measured[f"score_{when}"] for when in ("before", "after_phase1", "after_phase3", "after_phase4")]
    applied, verified, undone = (measured[key] for key in ("changes_applied", "changes_verified", "rolled_back"))
    bad = {
        f"Each phase must raise the score, and it went {', '.join(f'{score:g} %' for score in scores)}.": (
            sorted(set(scores)) != scores
        ),
        f"After phase 4 {scores[-1]:g} % hold, which must be all.": scores[-1] != _WHOLE,
        f"{measured['unknown']} checks could not be judged: the report says which calls were not answered.": (
            measured["unknown"]
        ),
        f"Of {applied} changes {verified} were verified.": verified + undone != applied,
        f"One change was to be rolled back, not {undone}.": undone != 1,
        "Rules, notifications or statements of others are not what they were.": not measured["foreign_rules_kept"],
    }
    return [sentence for sentence, is_so in bad.items() if is_so]


def _start(board: "Board", stack: ExitStack, *, keep: bool) -> "Stand":
    from cli.protection_demo_application import Application, parameters  # noqa: PLC0415 - heavy
    from cli.protection_demo_people import MEDDLES, people  # noqa: PLC0415
    from cli.protection_demo_story import Stand  # noqa: PLC0415
    from demo.protection_account import Account  # noqa: PLC0415
    from demo.protection_world import Meddler, World  # noqa: PLC0415
    from local.deploy import deploy  # noqa: PLC0415
    from local.endpoints import ACCOUNT  # noqa: PLC0415
    from local.schedules import pause  # noqa: PLC0415

    with board.stage("start") as stage:
        stage.say("embedded cloud")
        cloud = start_cloud(stage, stack, CLOUD, keep=keep)
        deployment = deploy(
            cloud, parameters=parameters(), on_progress=lambda line: stage.say(line) if line.endswith("…") else None
        )
        pause(cloud.client("events"))
        took = ", ".join(f"{step} {seconds:.0f} s" for step, seconds in deployment.seconds.items())
        stage.end(f"the real template ({took}) in the embedded cloud")
    with board.stage("account") as stage:
        stage.say("tables, buckets and what guards them")
        account = Account(cloud.client, ACCOUNT, cloud.state.region)
        account.build()
        world = World(cloud.client, ACCOUNT, cloud.state.region)
        application = Application(cloud, deployment.outputs)
        application.decide(world.profile)
        who = people(cloud)
        things = sum(account.contents().values())
        stage.end(f"three of six tables, four buckets, {counted(things, 'item')} and objects in them")
    return Stand(application, account, world, Meddler(who[MEDDLES].client, ACCOUNT), who, _REPORT)


def _panel(stand: "Stand", *, keep: bool) -> object:
    from rich.panel import Panel  # noqa: PLC0415 - slow to import
    from rich.table import Table  # noqa: PLC0415

    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="name")
    table.add_column()
    summary = stand.summary
    for name, key in (
        ("Before", "score_before"),
        ("Phase 1", "score_after_phase1"),
        ("Phase 3", "score_after_phase3"),
        ("Phase 4", "score_after_phase4"),
    ):
        table.add_row(name, f"{summary[key]:g} % of {counted(stand.looks[-1].checks, 'check')} hold")
    table.add_row(
        "Changes",
        f"{summary['changes_applied']} made, {summary['changes_verified']} verified, "
        f"{summary['rolled_back']} rolled back",
    )
    table.add_row("Undone", stand.undone)
    table.add_row("Drift", f"found after {summary['drift_detect_s']:g} s, fixed after {summary['drift_fix_s']:g} s")
    table.add_row("Report", f"[link=file://{_REPORT.resolve()}]{_REPORT}[/link]")
    table.add_row("Summary", str(_OUT / "summary.json"))
    table.add_row(
        "Next",
        f"gatehouse plans --cloud {CLOUD}\ngatehouse down --cloud {CLOUD}"
        if keep
        else 'make demo-data-protection ARGS="--keep" leaves the account there, to look around',
    )
    title = f"[good]✓ Everything the standard asks holds[/good] [soft]in {stand.summary['seconds']:.0f} s[/soft]"
    return Panel(table, title=title, title_align="left", border_style="green", padding=(1, 2), expand=False)
