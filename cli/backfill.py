"""`gatehouse backfill` plans, starts, watches, pauses and resumes backfills."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final
from uuid import uuid4

import typer

from cli.causes import spoken
from cli.console import Display, console, fail, sentences
from cli.run import Cloud, Env
from cli.target import NotDeployed, Target

if TYPE_CHECKING:
    from firewall_logs.adapters.backfills import Backfills

MACHINE: Final = "backfill"
_LOOK_SECONDS: Final = 1.0
_INTERRUPTED: Final = 130

Feed = Annotated[str | None, typer.Option(help="Name of a feed.")]
Start = Annotated[str | None, typer.Option("--from", help="First day of arrival, as 2026-06-01.")]
End = Annotated[str | None, typer.Option("--to", help="Last day of arrival, itself included.")]
Prefix = Annotated[str | None, typer.Option(help="Narrows the feed.")]
ListKey = Annotated[str | None, typer.Option("--list-key", help="Of a list of objects in the runs bucket.")]
MaxUsd = Annotated[float | None, typer.Option("--max-usd", help="Stop before it costs more, from its beginning on.")]
MaxConcurrency = Annotated[int | None, typer.Option("--max-concurrency", help="Units at once.")]
Engine = Annotated[str | None, typer.Option(help="auto, lambda or batch.")]
Name = Annotated[str | None, typer.Option(help="Of the backfill. Default: made of the time.")]
Id = Annotated[str, typer.Argument(help="Name of the backfill.")]

commands = typer.Typer(help="Bring a feed, a range of days or a list into the lake.", no_args_is_help=True)


class Unknown(LookupError):
    """There is no such backfill, or nothing of it to show."""


def register(app: typer.Typer) -> None:
    """Add the command `backfill`."""
    app.add_typer(commands, name=MACHINE)


def _beginning(*, dry_run: bool) -> Callable[..., None]:
    """Return a command that begins a backfill: `plan` and `start` differ in how it ends, and in nothing else."""

    def begin(
        *,
        feed: Feed = None,
        start: Start = None,
        end: End = None,
        prefix: Prefix = None,
        list_key: ListKey = None,
        max_usd: MaxUsd = None,
        max_concurrency: MaxConcurrency = None,
        engine: Engine = None,
        name: Name = None,
        env: Env = "local",
        cloud: Cloud = "dev",
    ) -> None:
        given = {"feed": feed, "from": start, "to": end, "prefix": prefix, "list_key": list_key, "max_usd": max_usd}
        _begin(given | {"max_concurrency": max_concurrency, "engine": engine, "dry_run": dry_run}, name, env, cloud)

    return begin


_SHOW = "Show what is left to do and what it will take; nothing is processed. `resume` carries the plan out."
commands.command("plan", help=_SHOW)(_beginning(dry_run=True))
commands.command("start", help="Plan a backfill, carry it out, and follow it to its end.")(_beginning(dry_run=False))


@commands.command()
def resume(
    backfill_id: Id,
    *,
    max_usd: MaxUsd = None,
    max_concurrency: MaxConcurrency = None,
    engine: Engine = None,
    env: Env = "local",
    cloud: Cloud = "dev",
) -> None:
    """Go on with a backfill that was planned, paused, stopped or killed, and follow it to its end."""
    given = {"resume": backfill_id, "max_usd": max_usd, "max_concurrency": max_concurrency, "engine": engine}
    _begin(given, f"{backfill_id[:52]}-{uuid4().hex[:6]}", env, cloud)


@commands.command()
def pause(backfill_id: Id, env: Env = "local", cloud: Cloud = "dev") -> None:
    """Let a backfill end once its present wave is done; `resume` goes on."""
    with sentences(NotDeployed, Unknown):
        backfills = _backfills(Target.of(env, cloud))
        order = backfills.order(backfill_id)
        if order is None:
            raise Unknown(f"Backfill {backfill_id} does not run in environment '{env}': there is nothing to pause.")
        backfills.ask_to_pause(backfill_id, order.execution)
    console().print(f"[good]✓[/good] {backfill_id} ends once its present wave is done.")


@commands.command()
def status(backfill_id: Id, env: Env = "local", cloud: Cloud = "dev") -> None:
    """Show what a backfill plans, and how far it is."""
    from cli import backfill_view  # noqa: PLC0415 - rich's widgets are slow to import

    with sentences(NotDeployed, Unknown):
        backfills = _backfills(Target.of(env, cloud))
        made, progress = backfills.plan(backfill_id), backfills.progress(backfill_id)
        if made is None:
            listed = backfills.planning(backfill_id).listed
            raise Unknown(
                f"Backfill {backfill_id} has no plan in environment '{env}' yet ({listed:,} objects are listed)."
            )
    out = console(stderr=False)
    out.print(backfill_view.plan_table(made))
    out.print(backfill_view.line(made, progress), markup=False)


def _begin(given: dict[str, Any], name: str | None, env: str, cloud: str) -> None:
    with sentences(NotDeployed, Unknown):
        target = Target.of(env, cloud)
        execution = name or f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid4().hex[:6]}"
        started = target.client("stepfunctions").start_execution(
            stateMachineArn=target.machine_arn(MACHINE),
            name=execution,
            input=json.dumps({key: value for key, value in given.items() if value is not None}),
        )
        _follow(target, started["executionArn"], given.get("resume") or execution)


def _follow(target: Target, arn: str, backfill_id: str) -> None:
    from cli import backfill_view  # noqa: PLC0415 - rich's widgets are slow to import

    backfills, sfn = _backfills(target), target.client("stepfunctions")
    made = progress = None
    machine = arn.rpartition(":")[0]
    try:
        with Display(console()) as display:
            while True:
                said = sfn.describe_execution(executionArn=arn)
                if successor := _successor(said):
                    arn = f"{machine}:{successor}"
                    continue
                ended = said["status"] != "RUNNING"
                made = made or backfills.plan(backfill_id)
                listed = 0 if made else backfills.planning(backfill_id).listed
                progress = backfills.progress(backfill_id) if made else None
                text = backfill_view.line(made, progress, listed)
                display.show(lambda: backfill_view.picture(made, progress, listed), text, last=ended)  # noqa: B023
                if ended:
                    break
                time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        fail(
            f"Backfill {backfill_id} goes on without you. Look at it: gatehouse backfill status {backfill_id} "
            f"{target.options}; let it end: gatehouse backfill pause {backfill_id} {target.options}",
            code=_INTERRUPTED,
        )
    _tell(target, said, backfill_id)


def _successor(said: Any) -> str | None:
    """Return the name of the execution that goes on in place of one that ended."""
    if said["status"] != "SUCCEEDED":
        return None
    output = json.loads(said["output"])
    return output["execution"] if output.get("next") == "handed_over" else None


def _tell(target: Target, said: Any, backfill_id: str) -> None:
    """Say how an execution ended: a plan as a table on stdout, everything else as a sentence."""
    from cli import backfill_view  # noqa: PLC0415 - rich's widgets are slow to import

    if said["status"] != "SUCCEEDED":
        why = ": ".join(filter(None, (said.get("error"), spoken(said.get("cause")))))
        fail(
            f"Backfill {backfill_id} ended {said['status']}. {why}\nNext: once the cause is mended, `gatehouse "
            f"backfill resume {backfill_id} {target.options}`; docs/runbooks/firewall_logs-backfills-failed.md says "
            "what to do."
        )
    result = json.loads(said["output"])
    if result.get("dry_run"):
        made = _backfills(target).plan(backfill_id)
        if made is not None:
            console(stderr=False).print(backfill_view.plan_table(made))
        console().print(f"Carry it out: gatehouse backfill resume {backfill_id} {target.options}", markup=False)
        return
    if result["next"] == "complete":
        console().print(f"[good]✓[/good] Backfill {backfill_id} is complete, for about {result['usd']:.4f} USD.")
        return
    console().print(f"[warn]![/warn] Backfill {backfill_id} is {result['next']}: {result['told']}.")
    console().print(f"Go on: gatehouse backfill resume {backfill_id} {target.options}", markup=False)


def _backfills(target: Target) -> "Backfills":
    from firewall_logs.adapters.backfills import Backfills  # noqa: PLC0415 - heavy

    return Backfills(target.client("s3"), target.output("RunsBucketName"))
