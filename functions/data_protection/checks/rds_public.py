"""RDS-PUBLIC: a database has no address in the internet."""

from collections.abc import Sequence
from typing import Any, Final

from data_protection import databases
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.databases import Database
from data_protection.reads.rds import CLUSTERS, INSTANCES
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict, worst

# Of a Multi-AZ cluster, and of an Aurora cluster without a network of its own: API reference of DBCluster.
_OF_CLUSTERS: Final = ("PubliclyAccessible", "InternetAccessGatewayEnabled")


class NoPublicAccess(Requirement):
    """That the instance has no public address; there is nothing to choose."""


def _validate(case: Case[NoPublicAccess]) -> Verdict:
    own = databases.instance(case)
    return own.settled(worst(lambda: _judge(own), lambda: _judge_cluster(case, own)))


def _judge(own: Database) -> Verdict:
    public = own.state["PubliclyAccessible"]
    status, said = (Status.FAIL, "It has a public address.") if public else (Status.PASS, "It has no public address.")
    return Verdict(status, said, {"public": public}, {"public": False})


def _judge_cluster(case: Case[NoPublicAccess], own: Database) -> Verdict:
    ruling = databases.cluster(case, own)
    # AWS leaves out what a cluster cannot have.
    if ruling is None or not any(ruling.state.get(member) for member in _OF_CLUSTERS):
        return Verdict(Status.PASS, "No cluster gives it a public address.")
    observed = {member: ruling.state.get(member) for member in _OF_CLUSTERS}
    said = f"Its cluster {ruling.resource.name} can be reached from the internet."
    return Verdict(Status.FAIL, said, observed, {"public": False})


def _propose(case: Case[NoPublicAccess]) -> Sequence[Change]:
    own = databases.instance(case)
    own.require_available()
    name, group = own.resource.name, own.state.get("DBClusterIdentifier")
    if not own.state["PubliclyAccessible"] or (group and not own.state["Engine"].startswith("aurora")):
        raise CannotChange(
            f"The cluster {group}, of which {name} is, was made with public access, which no call takes away: restore "
            "a snapshot into a private cluster."
        )
    return [
        own.change(
            "RDS-PUBLIC",
            f"Take the public address from {name}",
            "PubliclyAccessible",
            value=False,
            risk="Clients outside the network lose the database.",
            wait_seconds=900,
        )
    ]


def _present(case: Case[NoPublicAccess], _: Change) -> Any:
    return databases.instance(case).present("PubliclyAccessible")


CHECK: Final = Check(
    id="RDS-PUBLIC",
    title="No public access",
    why="A database with a public address is one security group rule and one password away from everybody.",
    severity=Severity.CRITICAL,
    kind=Kind.DATABASE,
    requirement=NoPublicAccess,
    reads=(INSTANCES, CLUSTERS),
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
        present=_present,
    ),
)
