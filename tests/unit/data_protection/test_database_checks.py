"""Checks of RDS instances."""

from typing import Any

import pytest
from pydantic import ValidationError

from data_protection.changes import CannotChange, Reversibility
from data_protection.checks.rds_backup import AutomatedBackups
from data_protection.reads.rds import INSTANCES, PARAMETERS
from data_protection.verdicts import Status
from tests.support.data_protection_account import ACCOUNT, changes, verdict
from tests.support.data_protection_healthy import DATABASE, FORCE_SSL, GROUP, INSTANCE, healthy


def instance(**members: Any) -> dict[tuple[Any, Any], Any]:
    others = [INSTANCE | {"DBInstanceIdentifier": "another", "BackupRetentionPeriod": 1}]
    return healthy() | {(ACCOUNT, INSTANCES): {"DBInstances": [*others, INSTANCE | members]}}


def parameter(readings: dict[tuple[Any, Any], Any] | None = None, **members: Any) -> dict[tuple[Any, Any], Any]:
    return (readings or healthy()) | {(GROUP, PARAMETERS): {"Parameters": [FORCE_SSL | members]}}


def group(name: str = "orders-pg16", status: str = "in-sync") -> dict[tuple[Any, Any], Any]:
    return instance(DBParameterGroups=[{"DBParameterGroupName": name, "ParameterApplyStatus": status}])


def test_each_instance_is_judged_by_its_own_part_of_the_answer() -> None:
    assert verdict("RDS-BACKUP", DATABASE, instance()).status is Status.PASS
    assert verdict("RDS-BACKUP", DATABASE, instance(BackupRetentionPeriod=29)).status is Status.FAIL


def test_retention_that_is_on_its_way_is_settling() -> None:
    readings = instance(BackupRetentionPeriod=7, PendingModifiedValues={"BackupRetentionPeriod": 30})
    found = verdict("RDS-BACKUP", DATABASE, readings)
    assert (found.status, found.settling) == (Status.WARN, True)


@pytest.mark.parametrize(("days", "said"), [(7, "will be kept 7 days"), (0, "will be turned off and deleted")])
def test_retention_that_a_waiting_change_lowers_fails_and_is_kept(days: int, said: str) -> None:
    readings = instance(BackupRetentionPeriod=35, PendingModifiedValues={"BackupRetentionPeriod": days})
    found = verdict("RDS-BACKUP", DATABASE, readings)
    assert (found.status, found.settling) == (Status.FAIL, False)
    assert said in found.reason

    [change] = changes("RDS-BACKUP", DATABASE, readings)
    assert (change.before, change.after) == ({"BackupRetentionPeriod": days}, {"BackupRetentionPeriod": 35})


def test_retention_that_a_waiting_change_leaves_long_enough_passes() -> None:
    readings = instance(BackupRetentionPeriod=35, PendingModifiedValues={"BackupRetentionPeriod": 30})
    assert verdict("RDS-BACKUP", DATABASE, readings).status is Status.PASS


@pytest.mark.parametrize("check", ["RDS-BACKUP", "RDS-PUBLIC"])
def test_verdict_on_an_instance_that_is_being_changed_is_settling(check: str) -> None:
    assert verdict(check, DATABASE, instance(DBInstanceStatus="modifying")).settling
    assert not verdict(check, DATABASE, instance()).settling


def test_retention_is_raised_and_comes_back() -> None:
    [change] = changes("RDS-BACKUP", DATABASE, instance(BackupRetentionPeriod=7))
    assert change.call.parameters["BackupRetentionPeriod"] == 30
    assert change.inverse is not None
    assert change.inverse.parameters["BackupRetentionPeriod"] == 7
    assert change.reversibility.undone_automatically
    assert not change.risk


def test_turning_backups_on_is_said_to_interrupt() -> None:
    [change] = changes("RDS-BACKUP", DATABASE, instance(BackupRetentionPeriod=0))
    assert "takes it down" in change.risk


def test_backups_that_were_turned_on_are_not_deleted_by_an_undoing_that_nobody_decides() -> None:
    [change] = changes("RDS-BACKUP", DATABASE, instance(BackupRetentionPeriod=0))
    assert change.reversibility is Reversibility.SIDE_EFFECTS
    assert not change.reversibility.undone_automatically
    assert "deletes them all" in change.risk


PENDING = {"EngineVersion": "17.2", "DBInstanceClass": "db.r6g.large"}


@pytest.mark.parametrize(
    ("check", "members"),
    [("RDS-BACKUP", {"BackupRetentionPeriod": 7}), ("RDS-PUBLIC", {"PubliclyAccessible": True})],
)
def test_change_leaves_to_its_window_what_others_have_asked_for(check: str, members: dict[str, Any]) -> None:
    [change] = changes(check, DATABASE, instance(**members, PendingModifiedValues=PENDING))
    assert change.inverse is not None
    assert {call.parameters["ApplyImmediately"] for call in (change.call, change.inverse)} == {False}


@pytest.mark.parametrize(
    ("check", "members"),
    [("RDS-BACKUP", {"BackupRetentionPeriod": 7}), ("RDS-PUBLIC", {"PubliclyAccessible": True})],
)
def test_change_is_made_at_once_where_nothing_of_others_waits(check: str, members: dict[str, Any]) -> None:
    [change] = changes(check, DATABASE, instance(**members))
    assert change.inverse is not None
    # What is undone later may meet what others have asked for by then.
    assert [call.parameters["ApplyImmediately"] for call in (change.call, change.inverse)] == [True, False]


@pytest.mark.parametrize("check", ["RDS-BACKUP", "RDS-ENC", "RDS-PUBLIC", "RDS-TLS"])
def test_instance_of_a_cluster_without_a_name_stands_alone(check: str) -> None:
    assert verdict(check, DATABASE, instance(DBClusterIdentifier="")).status is Status.PASS


def test_backups_are_turned_on_at_once() -> None:
    readings = instance(BackupRetentionPeriod=0, PendingModifiedValues={"BackupRetentionPeriod": 7})
    [change] = changes("RDS-BACKUP", DATABASE, readings)
    assert change.call.parameters["ApplyImmediately"] is True


def test_backups_are_not_turned_on_at_once_where_that_would_bring_about_what_others_have_asked_for() -> None:
    with pytest.raises(CannotChange, match="DBInstanceClass, EngineVersion of orders would be changed at once"):
        changes("RDS-BACKUP", DATABASE, instance(BackupRetentionPeriod=0, PendingModifiedValues=PENDING))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"AwsBackupRecoveryPointArn": "arn:aws:backup"}, "AWS Backup keeps"),
        ({"DBInstanceStatus": "modifying"}, "orders is modifying"),
    ],
)
def test_retention_that_aws_would_not_change_is_refused(members: dict[str, Any], said: str) -> None:
    with pytest.raises(CannotChange, match=said):
        changes("RDS-BACKUP", DATABASE, instance(BackupRetentionPeriod=7, **members))


def test_retention_that_aws_refuses_is_refused_in_the_profile() -> None:
    with pytest.raises(ValidationError):
        AutomatedBackups(days=36)


def test_public_address_is_taken_away_and_comes_back() -> None:
    [change] = changes("RDS-PUBLIC", DATABASE, instance(PubliclyAccessible=True))
    assert change.call.parameters["PubliclyAccessible"] is False
    assert change.inverse is not None
    assert change.inverse.parameters["PubliclyAccessible"] is True


MYSQL = {"ParameterName": "require_secure_transport"}


@pytest.mark.parametrize(
    ("readings", "status", "said"),
    [
        (parameter(ParameterValue="0"), Status.FAIL, "is 0"),
        (parameter(ParameterValue=None), Status.FAIL, "not set"),
        (group(status="pending-reboot"), Status.WARN, "restart"),
        (parameter(instance(Engine="mysql"), **MYSQL, ParameterValue="ON"), Status.PASS, "ON"),
        (instance(Engine="mysql"), Status.FAIL, "cannot ask"),
        (instance(Engine="oracle-ee"), Status.UNKNOWN, "people must look"),
        (parameter(ParameterName="log_connections"), Status.UNKNOWN, "names no rds.force_ssl"),
    ],
)
def test_tls_is_asked_by_the_parameter_of_the_engine(readings: Any, status: Status, said: str) -> None:
    found = verdict("RDS-TLS", DATABASE, readings)
    assert (found.status, said in found.reason) == (status, True), found.reason


@pytest.mark.parametrize(("kind", "method"), [("dynamic", "immediate"), ("static", "pending-reboot")])
def test_parameter_is_set_as_its_kind_allows(kind: str, method: str) -> None:
    [change] = changes("RDS-TLS", DATABASE, parameter(ParameterValue="0", ApplyType=kind))
    [made] = change.call.parameters["Parameters"]
    assert (made["ParameterValue"], made["ApplyMethod"]) == ("1", method)


@pytest.mark.parametrize(
    ("source", "operation"), [("user", "modify_db_parameter_group"), ("system", "reset_db_parameter_group")]
)
def test_parameter_that_nobody_had_set_comes_back_by_a_reset(source: str, operation: str) -> None:
    [change] = changes("RDS-TLS", DATABASE, parameter(ParameterValue="0", Source=source))
    assert change.inverse is not None
    assert change.inverse.operation == operation


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        (parameter(ParameterValue="0", IsModifiable=False), "cannot be changed"),
        (group(status="pending-reboot"), "restart orders"),
        (instance(Engine="oracle-ee"), "other means"),
    ],
)
def test_parameter_that_cannot_be_set_is_refused(readings: Any, said: str) -> None:
    with pytest.raises(CannotChange, match=said):
        changes("RDS-TLS", DATABASE, readings)


def test_group_that_is_aws_own_is_not_changed() -> None:
    default = type(GROUP)(GROUP.kind, GROUP.place, "default.postgres16")
    readings = group("default.postgres16") | {
        (default, PARAMETERS): {"Parameters": [FORCE_SSL | {"ParameterValue": "0"}]}
    }
    with pytest.raises(CannotChange, match="AWS' own"):
        changes("RDS-TLS", DATABASE, readings)
