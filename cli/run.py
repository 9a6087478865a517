"""`gatehouse run` starts an execution and follows it to its end; `gatehouse follow` takes up one that runs."""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final
from uuid import uuid4

import typer
from rich.markup import escape

from cli import machines
from cli.console import Display, console, fail, sentences
from cli.notes import note
from cli.remarks import rejection, remark
from cli.target import NotDeployed, Target

_LOOK_SECONDS: Final = 0.5
_INTERRUPTED: Final = 130
_RUNBOOKS: Final = Path(__file__).resolve().parents[1] / "docs/runbooks"

Machine = Annotated[str, typer.Argument(help="A state machine by its short name, such as process_objects.")]
Env = Annotated[str, typer.Option("--env", help="local, dev or prod.")]
Cloud = Annotated[str, typer.Option("--cloud", help="Which embedded cloud, with --env local.")]
As = Annotated[str | None, typer.Option("--as", help="Act as this user of the embedded cloud, who is made if need be.")]


def register(app: typer.Typer) -> None:
    """Add the commands `run` and `follow`."""
    app.command()(run)
    app.command()(follow)


def run(
    machine: Machine,
    *,
    given: Annotated[str, typer.Option("--input", help="JSON, @file, or - for stdin.")] = "{}",
    env: Env = "local",
    cloud: Cloud = "dev",
    name: Annotated[str | None, typer.Option(help="Of the execution. Default: made of the time.")] = None,
    user: As = None,
) -> None:
    """Start a state machine and follow it to its end.

    The output goes to stdout, everything else to stderr. The status is 0 only if the execution succeeded,
    and nobody rejected its plan. Where a machine takes `requested_by` and the input has none, it is you.
    """
    document = _document(given)
    with sentences(NotDeployed):
        start(Target.of(env, cloud, user), machine, document, name)


def start(target: Target, machine: str, document: Any, name: str | None = None) -> None:
    """Start a state machine, in the name of the caller where it asks for one, and follow it to its end.

    Args:
        target: Where.
        machine: By its short name.
        document: Its input, as plain JSON.
        name: Of the execution; made of the time without.

    Raises:
        NotDeployed: There is no such machine.
        typer.Exit: The execution did not succeed, or its plan was rejected; why has been printed.
    """
    arn = target.machine_arn(machine)
    if isinstance(document, dict) and "requested_by" not in document and machines.takes(machine, "requested_by"):
        document = {**document, "requested_by": target.client("sts").get_caller_identity()["Arn"]}
    started = target.client("stepfunctions").start_execution(
        stateMachineArn=arn,
        name=name or f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid4().hex[:6]}",
        input=json.dumps(document),
    )
    _follow(target, machine, started["executionArn"])


def follow(
    machine: Machine,
    execution: Annotated[str | None, typer.Argument(help="Its name. Default: the latest.")] = None,
    env: Env = "local",
    cloud: Cloud = "dev",
) -> None:
    """Follow an execution that runs, or show one that ended."""
    with sentences(NotDeployed):
        target = Target.of(env, cloud)
        arn = target.machine_arn(machine)
        if execution is None:
            listed = target.client("stepfunctions").list_executions(stateMachineArn=arn, maxResults=1)["executions"]
            if not listed:
                fail(f"{machine} has no executions in environment '{env}': start one with `gatehouse run {machine}`.")
            execution = listed[0]["name"]
        _follow(target, machine, f"{arn.replace(':stateMachine:', ':execution:')}:{execution}")


def _follow(target: Target, machine: str, arn: str) -> None:
    from cli import follow_view  # noqa: PLC0415 - rich's widgets are slow to import
    from cli.follow import Follower  # noqa: PLC0415

    out = console()
    follower = Follower(target.client("stepfunctions"), arn)
    noted = 0
    try:
        with Display(out) as display:
            while True:
                now = datetime.now(UTC)
                seen = follower.look()
                display.show(
                    lambda: follow_view.picture(seen, target, now),  # noqa: B023 - called at once
                    follow_view.line(seen, now),
                    last=seen.ended,
                )
                if seen.ended:
                    break
                for step in seen.steps[noted:]:
                    if said := note(step, follower, target):
                        display.note(said)
                noted = len(seen.steps)
                time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        name = arn.rsplit(":", 1)[-1]
        fail(
            f"{machine} goes on without you. Follow it again: gatehouse follow {machine} {name} {target.options}",
            code=_INTERRUPTED,
        )
    rejected = rejection(seen, target)
    ended = rejected or follow_view.ending(seen, target, _RUNBOOKS)
    text = "\n".join(filter(None, (ended, remark(machine, follower, target))))
    succeeded = seen.status == "SUCCEEDED"
    if succeeded and not rejected:
        out.print(f"[good]✓[/good] {escape(text)}")
    if succeeded and seen.output:
        console(stderr=False).print_json(seen.output)
    if rejected or not succeeded:
        fail(text)


def _document(given: str) -> Any:
    """Return the input as JSON.

    Raises:
        typer.Exit: There is no such file, or it is no JSON; the sentence has been printed.
    """
    if given == "-":
        source, text = "stdin", sys.stdin.read()
    elif given.startswith("@"):
        source = given[1:]
        try:
            text = Path(source).read_text("utf-8")
        except OSError as error:
            fail(f"The input file '{source}' cannot be read: {error.strerror}.")
    else:
        source, text = "--input", given
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        fail(f"The input from {source} is not JSON: {error}. Pass a document, @file, or - for stdin.")
