"""`gatehouse evidence` shows what was seen and done for a plan, and says whether any of it was changed since."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from cli.console import console, fail, sentences
from cli.hashes import HashUnknown, whole
from cli.run import Cloud, Env
from cli.target import NotDeployed, Target
from kernel.pages.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from data_protection.remediation.evidence import Record

Plan = Annotated[
    str,
    typer.Argument(help="Hash of the plan, of the simulation of a lock, or of a fix of drift; or its first 8 digits."),
]


def register(app: typer.Typer) -> None:
    """Add the command `evidence`."""
    app.command()(evidence)


def evidence(plan: Plan, *, env: Env = "local", cloud: Cloud = "dev") -> None:
    """Show the evidence of a plan and verify its chains; ends with 1 where a record was changed, left out or put in."""
    from data_protection.adapters.evidence import chains_of, plans_with_evidence  # noqa: PLC0415 - heavy
    from data_protection.errors import EvidenceBroken  # noqa: PLC0415
    from data_protection.remediation.audits import audit  # noqa: PLC0415

    with sentences(NotDeployed, HashUnknown, EvidenceBroken):
        target = Target.of(env, cloud)
        s3, bucket = target.client("s3"), target.output("EvidenceBucketName")
        plan = whole(plan, lambda digits: plans_with_evidence(s3, bucket, digits), "evidence of a plan")
        chains = chains_of(s3, bucket, plan)
    if not chains:
        fail(f"There is no evidence of a plan {plan}.")
    _show(chains)
    found = audit(plan, chains)
    for step in found.open:
        typer.echo(f"No end of a run names the last record of {step} yet.")
    if found.breaks:
        fail("\n  ".join(("The evidence is not as it was written.", *found.breaks)))
    told = f"{counted(sum(map(len, chains.values())), 'record')} in {counted(len(chains), 'chain')}"
    console().print(f"[good]✓[/good] {told}, all as they were written. The head of the plan is {found.head}.")


def _show(chains: "Mapping[str, Sequence[Record]]") -> None:
    for step, records in chains.items():
        typer.echo(step or "The plan as a whole")
        for record in records:
            typer.echo(f"  {record.number} {record.at:%F %T} {record.event} by {record.principal}, {record.hash}")
            typer.echo(f"    {json.dumps(record.content, sort_keys=True, ensure_ascii=False)}")
