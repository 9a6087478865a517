"""RDS-PUBLIC: a database has no address in the internet."""

from collections.abc import Sequence
from typing import Final

from data_protection import databases
from data_protection.changes import Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.reads.rds import INSTANCES
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict


class NoPublicAccess(Requirement):
    """That the instance has no public address; there is nothing to choose."""


def _validate(case: Case[NoPublicAccess]) -> Verdict:
    instance = databases.instance(case)
    public = instance["PubliclyAccessible"]
    status, said = (Status.FAIL, "It has a public address.") if public else (Status.PASS, "It has no public address.")
    return databases.settled(instance, Verdict(status, said, {"public": public}, {"public": False}))


def _propose(case: Case[NoPublicAccess]) -> Sequence[Change]:
    databases.require_available(databases.instance(case))
    name = case.resource.name
    return [
        Change(
            check="RDS-PUBLIC",
            title=f"Take the public address from {name}",
            call=databases.modification(name, PubliclyAccessible=False),
            inverse=databases.modification(name, PubliclyAccessible=True),
            reversibility=Reversibility.REVERSIBLE,
            before={"PubliclyAccessible": True},
            after={"PubliclyAccessible": False},
            risk="Clients outside the network lose the database.",
            wait_seconds=900,
        )
    ]


CHECK: Final = Check(
    id="RDS-PUBLIC",
    title="No public access",
    why="A database with a public address is one security group rule and one password away from everybody.",
    severity=Severity.CRITICAL,
    kind=Kind.DATABASE,
    requirement=NoPublicAccess,
    reads=(INSTANCES,),
    validate=_validate,
    cost="Free.",
    advice="Take the public address away, and reach the database through the network or a session of Systems Manager.",
    controls={"AWS FSBP": ("RDS.2",), "CIS AWS 5.0": ("2.2.3",)},
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"rds:modify_db_instance"}),
        actions=frozenset({"rds:ModifyDBInstance"}),
        propose=_propose,
    ),
)
