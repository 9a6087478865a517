"""RDS-TLS: a database takes no connection that is not encrypted."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from data_protection import databases
from data_protection.changes import Call, CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Made, Mutator, Requirement, Severity
from data_protection.databases import Database
from data_protection.reads.rds import CLUSTER_PARAMETERS, CLUSTERS, INSTANCES, PARAMETERS
from data_protection.resources import Kind, Resource
from data_protection.verdicts import Status, Verdict

# By the beginning of an engine's name, after Aurora's; others ask for TLS by other means than a parameter.
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html
_PARAMETERS: Final = {
    "postgres": "rds.force_ssl",
    "sqlserver": "rds.force_ssl",
    "mysql": "require_secure_transport",
    "mariadb": "require_secure_transport",
}
_ON: Final = frozenset({"1", "ON", "on", "true"})


class TlsRequired(Requirement):
    """That connections must be encrypted; there is nothing to choose."""


@dataclass(frozen=True)
class _Group:
    """The parameter group that rules an instance: its cluster's, or its own.

    Attributes:
        resource: Which.
        applied: How far its parameters are in force in the instance.
    """

    resource: Resource
    applied: str

    @property
    def name(self) -> str:
        return self.resource.name

    def setting(self, case: Case[TlsRequired], name: str) -> Mapping[str, Any] | None:
        read = CLUSTER_PARAMETERS if self._is_of_cluster else PARAMETERS
        parameters: list[Mapping[str, Any]] = case.get(read, self.resource)["Parameters"]
        return next((one for one in parameters if one["ParameterName"] == name), None)

    def served(self, case: Case[TlsRequired]) -> Sequence[Resource]:
        """Return in what its parameters are in force: instances, and clusters that have none, as serverless ones."""
        place = case.resource.place
        if not self._is_of_cluster:
            return [
                Resource(Kind.DATABASE, place, one["DBInstanceIdentifier"])
                for one in case.get(INSTANCES)["DBInstances"]
                if self.name in {group["DBParameterGroupName"] for group in one["DBParameterGroups"]}
            ]
        return [
            one
            for cluster in case.get(CLUSTERS)["DBClusters"]
            if cluster["DBClusterParameterGroup"] == self.name
            for one in databases.members(place, cluster)
            or [Resource(Kind.CLUSTER, place, cluster["DBClusterIdentifier"])]
        ]

    def call(self, verb: str, parameter: Mapping[str, str]) -> Call:
        kind, what = ("cluster_", "Cluster") if self._is_of_cluster else ("", "")
        parameters = {f"DB{what}ParameterGroupName": self.name, "Parameters": [parameter]}
        return Call(service="rds", operation=f"{verb}_db_{kind}parameter_group", parameters=parameters)

    @property
    def _is_of_cluster(self) -> bool:
        return self.resource.kind is Kind.CLUSTER_PARAMETER_GROUP


def _parameter(engine: str) -> str | None:
    name = engine.removeprefix("aurora-")
    return next((parameter for begin, parameter in _PARAMETERS.items() if name.startswith(begin)), None)


def _group(case: Case[TlsRequired], own: Database) -> _Group:
    ruling, place = databases.cluster(case, own), case.resource.place
    if ruling is None:
        group = own.state["DBParameterGroups"][0]  # an instance has one
        named = Resource(Kind.PARAMETER_GROUP, place, group["DBParameterGroupName"])
        return _Group(named, group["ParameterApplyStatus"])
    members = {one["DBInstanceIdentifier"]: one for one in ruling.state["DBClusterMembers"]}
    named = Resource(Kind.CLUSTER_PARAMETER_GROUP, place, ruling.state["DBClusterParameterGroup"])
    return _Group(named, members[own.resource.name]["DBClusterParameterGroupStatus"])


def _validate(case: Case[TlsRequired]) -> Verdict:
    own = databases.instance(case)
    engine = own.state["Engine"]
    name = _parameter(engine)
    if name is None:
        said = f"Whether {engine} asks for TLS is not in a parameter of its group: people must look."
        return Verdict(Status.UNKNOWN, said, {"engine": engine})
    group = _group(case, own)
    setting = group.setting(case, name)
    value = setting.get("ParameterValue") if setting else None
    observed = {"group": group.name, name: value, "applied": group.applied}
    expected = {name: "1"}
    if setting is None and engine.startswith(("mysql", "mariadb")):
        said = f"This version of {engine} has no {name}, and cannot ask all clients for TLS."
        return Verdict(Status.FAIL, said, observed, expected)
    if setting is None:
        return Verdict(Status.UNKNOWN, f"AWS names no {name} in {group.name}.", observed, expected)
    if value not in _ON:
        return Verdict(Status.FAIL, f"{name} is {value or 'not set'}.", observed, expected)
    if group.applied != "in-sync":
        # `applying` ends by itself, `pending-reboot` when people restart the instance.
        is_applying = group.applied == "applying"
        said = f"{name} is set, and {'being applied' if is_applying else 'takes effect at the next restart'}."
        return Verdict(Status.WARN, said, observed, expected, settling=is_applying)
    return Verdict(Status.PASS, f"{name} is {value}.", observed, expected)


def _propose(case: Case[TlsRequired]) -> Sequence[Change]:
    own = databases.instance(case)
    engine, group = own.state["Engine"], _group(case, own)
    name = _parameter(engine)
    setting = group.setting(case, name) if name else None
    if setting is None or name is None:
        raise CannotChange(f"{engine} asks for TLS by other means than a parameter of {group.name}.")
    if setting.get("ParameterValue") in _ON:
        raise CannotChange(f"{name} is set in {group.name}: restart {own.resource.name} in a window of yours.")
    if group.name.startswith("default."):
        raise CannotChange(
            f"{group.name} is AWS' own and cannot be changed: give {own.resource.name} a group of yours."
        )
    if not setting["IsModifiable"]:
        raise CannotChange(f"{name} cannot be changed in {group.name}.")
    served = sorted(group.served(case))
    databases.require_spared_by_none(case, "RDS-TLS", group.name, served)
    for one in served:
        if one != case.resource and "RDS-TLS" not in case.scope.needs.get(one, {}):
            raise CannotChange(
                f"{group.name} is shared by {one.name}, of which the profile does not ask for TLS: ask for it there, "
                f"or give {own.resource.name} another group."
            )
    return [_change(group, setting, served)]


def _change(group: _Group, setting: Mapping[str, Any], served: Iterable[Resource]) -> Change:
    name, earlier = setting["ParameterName"], setting.get("ParameterValue")
    method = "immediate" if setting["ApplyType"] == "dynamic" else "pending-reboot"
    parameter = {"ParameterName": name, "ApplyMethod": method}
    # A value that nobody set comes back by a reset, not by setting it.
    set_by_user = earlier is not None and setting["Source"] == "user"
    return Change(
        check="RDS-TLS",
        title=f"Require TLS by {name} in {group.name}",
        call=group.call("modify", parameter | {"ParameterValue": "1"}),
        inverse=group.call("modify", parameter | {"ParameterValue": str(earlier)})
        if set_by_user
        else group.call("reset", parameter),
        reversibility=Reversibility.REVERSIBLE,
        before={name: earlier},
        after={name: "1"},
        # Who approves the change approves it for these; with another one it is another change.
        risk=f"Clients of {', '.join(one.name for one in served)} that connect without TLS are refused"
        + (", once it is restarted." if method == "pending-reboot" else "."),
        target=group.resource.arn,
        serves=tuple(one.name for one in served),
    )


def _may_undo(case: Case[TlsRequired], made: Made) -> None:
    group = _group(case, databases.instance(case))
    if group.resource.arn != made.change.target:
        raise CannotChange(
            f"{case.resource.name} has {group.resource.arn} by now, and {made.change.target} was changed: see who has "
            "that one, and bring it back by hand."
        )
    served = sorted(group.served(case))
    databases.require_protected_is_none(case, group.name, served)
    if later := [one.name for one in served if one != case.resource and one.name not in made.change.serves]:
        raise CannotChange(
            f"{group.name} is shared by {', '.join(later)} by now, of which the plan that changed it did not tell: "
            "part them from it first, or bring it back by hand."
        )


def _present(case: Case[TlsRequired], change: Change) -> Any:
    group = _group(case, databases.instance(case))
    if group.resource.arn != change.target:
        return {"group": group.resource.arn}
    ((name, _),) = change.after.items()
    setting = group.setting(case, name) or {}
    return {name: setting.get("ParameterValue")}


CHECK: Final = Check(
    id="RDS-TLS",
    title="Connections must be encrypted",
    why="A client that may connect without TLS sends its password and data for the network to read.",
    severity=Severity.HIGH,
    kind=Kind.DATABASE,
    requirement=TlsRequired,
    reads=(INSTANCES, CLUSTERS),
    further=(PARAMETERS, CLUSTER_PARAMETERS),
    validate=_validate,
    cost="Free.",
    advice="Set rds.force_ssl (PostgreSQL, SQL Server) or require_secure_transport (MySQL, MariaDB) to 1 in its "
    "parameter group; of a member of a cluster, as of Aurora, in the cluster's. It holds for all databases with "
    "the group.",
    mutator=Mutator(
        phase=3,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset(
            {
                "rds:modify_db_parameter_group",
                "rds:reset_db_parameter_group",
                "rds:modify_db_cluster_parameter_group",
                "rds:reset_db_cluster_parameter_group",
            }
        ),
        actions=frozenset(
            {
                "rds:ModifyDBParameterGroup",
                "rds:ResetDBParameterGroup",
                "rds:ModifyDBClusterParameterGroup",
                "rds:ResetDBClusterParameterGroup",
            }
        ),
        propose=_propose,
        present=_present,
        may_undo=_may_undo,
    ),
)
