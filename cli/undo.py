"""`gatehouse undo` has a plan made, and carried out, that undoes what another one has changed."""

from typing import Annotated

import typer

from cli.console import sentences
from cli.hashes import HashUnknown
from cli.plans import plan_hash
from cli.run import As, Cloud, Env, start
from cli.target import NotDeployed, Target

Plan = Annotated[str, typer.Argument(help="Hash of the plan whose changes are undone, or its first 8 digits or more.")]
Steps = Annotated[
    list[str] | None, typer.Option("--step", help="Id of a step, or of a check, to undo it alone. Repeatable.")
]
Named = Annotated[
    list[str] | None, typer.Option("--named", help="Id of a check whose undoing may lose something. Repeatable.")
]
Apply = Annotated[bool, typer.Option("--apply", help="Ask for approval and carry it out, rather than plan alone.")]


def register(app: typer.Typer) -> None:
    """Add the command `undo`."""
    app.command()(undo)


def undo(
    plan: Plan,
    *,
    step: Steps = None,
    named: Named = None,
    apply: Apply = False,
    env: Env = "local",
    cloud: Cloud = "dev",
    user: As = None,
) -> None:
    """Undo what a plan has changed; you ask for it, so that somebody else must approve it."""
    with sentences(NotDeployed, HashUnknown):
        target = Target.of(env, cloud, user)
        asked = {"undo": plan_hash(target, plan), "steps": step or [], "named": named or [], "dry_run": not apply}
        start(target, "remediate_account", asked)
