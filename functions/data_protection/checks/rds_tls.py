"""RDS-TLS: a database takes no connection that is not encrypted."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from data_protection import databases
from data_protection.changes import Call, CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.reads.rds import INSTANCES, PARAMETERS
from data_protection.resources import Kind, Resource
from data_protection.verdicts import Status, Verdict

# By the beginning of an engine's name; others ask for TLS by other means than a parameter.
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


def _parameter(engine: str) -> str | None:
    return next((name for begin, name in _PARAMETERS.items() if engine.startswith(begin)), None)


def _group(instance: Mapping[str, Any]) -> Mapping[str, Any]:
    group: Mapping[str, Any] = instance["DBParameterGroups"][0]  # an instance has one
    return group


def _setting(case: Case[TlsRequired], instance: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    group = Resource(Kind.PARAMETER_GROUP, case.resource.place, _group(instance)["DBParameterGroupName"])
    parameters: list[Mapping[str, Any]] = case.get(PARAMETERS, group)["Parameters"]
    return next((one for one in parameters if one["ParameterName"] == name), None)


def _validate(case: Case[TlsRequired]) -> Verdict:
    instance = databases.instance(case)
    engine, group = instance["Engine"], _group(instance)
    name = _parameter(engine)
    if name is None:
        said = f"Whether {engine} asks for TLS is not in a parameter of its group: people must look."
        return Verdict(Status.UNKNOWN, said, {"engine": engine})
    setting = _setting(case, instance, name)
    value = setting.get("ParameterValue") if setting else None
    observed = {"group": group["DBParameterGroupName"], name: value, "applied": group["ParameterApplyStatus"]}
    expected = {name: "1"}
    if setting is None and engine.startswith(("mysql", "mariadb")):
        said = f"This version of {engine} has no {name}, and cannot ask all clients for TLS."
        return Verdict(Status.FAIL, said, observed, expected)
    if setting is None:
        return Verdict(Status.UNKNOWN, f"AWS names no {name} in its group.", observed, expected)
    if value not in _ON:
        return Verdict(Status.FAIL, f"{name} is {value or 'not set'}.", observed, expected)
    if group["ParameterApplyStatus"] != "in-sync":
        # `applying` ends by itself, `pending-reboot` when people restart the instance.
        is_applying = group["ParameterApplyStatus"] == "applying"
        said = f"{name} is set, and {'being applied' if is_applying else 'takes effect at the next restart'}."
        return Verdict(Status.WARN, said, observed, expected, settling=is_applying)
    return Verdict(Status.PASS, f"{name} is {value}.", observed, expected)


def _propose(case: Case[TlsRequired]) -> Sequence[Change]:
    instance = databases.instance(case)
    group, name = _group(instance)["DBParameterGroupName"], _parameter(instance["Engine"])
    setting = _setting(case, instance, name) if name else None
    if setting is None or name is None:
        raise CannotChange(f"{instance['Engine']} asks for TLS by other means than a parameter of {group}.")
    if setting.get("ParameterValue") in _ON:
        raise CannotChange(f"{name} is set in {group}: restart {case.resource.name} in a window of yours.")
    if group.startswith("default."):
        raise CannotChange(f"{group} is AWS' own and cannot be changed: give {case.resource.name} a group of yours.")
    if not setting["IsModifiable"]:
        raise CannotChange(f"{name} cannot be changed in {group}.")
    return [_change(group, setting)]


def _change(group: str, setting: Mapping[str, Any]) -> Change:
    name, earlier = setting["ParameterName"], setting.get("ParameterValue")
    method = "immediate" if setting["ApplyType"] == "dynamic" else "pending-reboot"

    def call(operation: str, **value: str) -> Call:
        parameter = {"ParameterName": name, "ApplyMethod": method, **value}
        parameters = {"DBParameterGroupName": group, "Parameters": [parameter]}
        return Call(service="rds", operation=operation, parameters=parameters)

    # A value that nobody set comes back by a reset, not by setting it.
    set_by_user = earlier is not None and setting["Source"] == "user"
    return Change(
        check="RDS-TLS",
        title=f"Require TLS by {name} in {group}",
        call=call("modify_db_parameter_group", ParameterValue="1"),
        inverse=call("modify_db_parameter_group", ParameterValue=str(earlier))
        if set_by_user
        else call("reset_db_parameter_group"),
        reversibility=Reversibility.REVERSIBLE,
        before={name: earlier},
        after={name: "1"},
        risk="Clients that connect without TLS are refused, of every instance with this group"
        + (", once it is restarted." if method == "pending-reboot" else "."),
    )


CHECK: Final = Check(
    id="RDS-TLS",
    title="Connections must be encrypted",
    why="A client that may connect without TLS sends its password and data for the network to read.",
    severity=Severity.HIGH,
    kind=Kind.DATABASE,
    requirement=TlsRequired,
    reads=(INSTANCES,),
    further=(PARAMETERS,),
    validate=_validate,
    cost="Free.",
    advice="Set rds.force_ssl (PostgreSQL, SQL Server) or require_secure_transport (MySQL, MariaDB) to 1 in its group.",
    mutator=Mutator(
        phase=3,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"rds:modify_db_parameter_group", "rds:reset_db_parameter_group"}),
        actions=frozenset({"rds:ModifyDBParameterGroup", "rds:ResetDBParameterGroup"}),
        propose=_propose,
    ),
)
