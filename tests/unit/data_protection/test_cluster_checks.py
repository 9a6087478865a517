"""Checks of RDS instances that are of a cluster, by what the cluster rules: Aurora's, and RDS' own with Multi-AZ."""

from typing import Any

import pytest

from data_protection.changes import CannotChange
from data_protection.collection import Questions
from data_protection.readings import Unreadable
from data_protection.reads.rds import CLUSTER_PARAMETERS, CLUSTERS, INSTANCES, PARAMETERS
from data_protection.resources import Kind, Resource
from data_protection.verdicts import Status
from tests.support.data_protection_account import ACCOUNT, PLACE, Asked, Readings, changes, profile, taken, verdict
from tests.support.data_protection_healthy import DATABASE, FORCE_SSL, INSTANCE, healthy

MEMBER = Resource(Kind.DATABASE, PLACE, "ledger-1")
SECOND = Resource(Kind.DATABASE, PLACE, "ledger-2")
GROUP = Resource(Kind.CLUSTER_PARAMETER_GROUP, PLACE, "ledger-tls")
CLUSTER_ARN = f"arn:aws:rds:{PLACE.region}:{PLACE.account}:cluster:ledger"
CHECKS = ("RDS-BACKUP", "RDS-ENC", "RDS-PUBLIC", "RDS-TLS")
DENIED = Unreadable("AccessDenied", "not authorized")

INSTANCE_OF_IT: dict[str, Any] = INSTANCE | {
    "DBInstanceIdentifier": "ledger-1",
    "DBClusterIdentifier": "ledger",
    "Engine": "aurora-postgresql",
    "DBParameterGroups": [{"DBParameterGroupName": "default.aurora-postgresql16", "ParameterApplyStatus": "in-sync"}],
}
CLUSTER: dict[str, Any] = {
    "DBClusterIdentifier": "ledger",
    "Status": "available",
    "Engine": "aurora-postgresql",
    "StorageEncrypted": True,
    "BackupRetentionPeriod": 30,
    "DBClusterParameterGroup": "ledger-tls",
    "DBClusterMembers": [
        {"DBInstanceIdentifier": "ledger-1", "DBClusterParameterGroupStatus": "in-sync"},
        {"DBInstanceIdentifier": "ledger-2", "DBClusterParameterGroupStatus": "pending-reboot"},
    ],
}


def aurora(**cluster: Any) -> dict[tuple[Any, Any], Any]:
    return of_instance({}, **cluster)


def of_instance(instance: dict[str, Any], **cluster: Any) -> dict[tuple[Any, Any], Any]:
    second = INSTANCE_OF_IT | {"DBInstanceIdentifier": "ledger-2"}
    return healthy() | {
        (ACCOUNT, INSTANCES): {"DBInstances": [INSTANCE, INSTANCE_OF_IT | instance, second]},
        (ACCOUNT, CLUSTERS): {"DBClusters": [CLUSTER | {"DBClusterIdentifier": "another"}, CLUSTER | cluster]},
        (GROUP, CLUSTER_PARAMETERS): {"Parameters": [FORCE_SSL]},
    }


def parameter(**members: Any) -> dict[tuple[Any, Any], Any]:
    return aurora() | {(GROUP, CLUSTER_PARAMETERS): {"Parameters": [FORCE_SSL | members]}}


@pytest.mark.parametrize("check", CHECKS)
def test_member_of_a_cluster_that_has_all_that_is_asked_passes(check: str) -> None:
    found = verdict(check, MEMBER, aurora())
    assert found.status is Status.PASS, found.reason


@pytest.mark.parametrize("check", CHECKS)
def test_clusters_that_are_not_read_leave_members_unknown_and_no_other_instance(check: str) -> None:
    readings = aurora() | {(ACCOUNT, CLUSTERS): DENIED, (GROUP, CLUSTER_PARAMETERS): DENIED}
    found = verdict(check, MEMBER, readings)
    assert (found.status, "rds.DescribeDBClusters" in found.reason) == (Status.UNKNOWN, True)
    assert verdict(check, DATABASE, readings).status is Status.PASS


def test_cluster_that_is_listed_no_more_leaves_its_members_unknown() -> None:
    found = verdict("RDS-ENC", MEMBER, aurora() | {(ACCOUNT, CLUSTERS): {"DBClusters": []}})
    assert (found.status, "does not hold the cluster ledger" in found.reason) == (Status.UNKNOWN, True)


def test_parameters_of_a_cluster_that_are_not_read_leave_tls_unknown() -> None:
    found = verdict("RDS-TLS", MEMBER, aurora() | {(GROUP, CLUSTER_PARAMETERS): DENIED})
    assert (found.status, "rds.DescribeDBClusterParameters" in found.reason) == (Status.UNKNOWN, True)


def test_groups_are_read_once_a_cluster_and_never_those_of_its_members() -> None:
    asked = profile({one: {"RDS-TLS": {}} for one in (DATABASE, MEMBER, SECOND)})
    snapshot = taken(Questions(PLACE, asked), aurora())
    groups = [(one.name, read) for one, read in snapshot.readings if one.kind is not Kind.ACCOUNT]
    assert sorted(groups) == [
        ("ledger-tls", CLUSTER_PARAMETERS.name),
        ("orders-pg16", PARAMETERS.name),
    ]


@pytest.mark.parametrize(
    ("readings", "status", "said"),
    [
        (parameter(ParameterValue="0"), Status.FAIL, "is 0"),
        (parameter(ParameterValue="1", Source="system"), Status.PASS, "is 1"),
        (parameter(ParameterName="log_connections"), Status.UNKNOWN, "names no rds.force_ssl in ledger-tls"),
    ],
)
def test_tls_is_asked_by_the_group_of_the_cluster(readings: Readings, status: Status, said: str) -> None:
    found = verdict("RDS-TLS", MEMBER, readings)
    assert (found.status, said in found.reason) == (status, True), found.reason


@pytest.mark.parametrize("engine", ["aurora-mysql", "mysql"])
def test_tls_of_clusters_with_mysql_is_asked_by_the_group_of_the_cluster(engine: str) -> None:
    readings = of_instance({"Engine": engine}) | {
        (GROUP, CLUSTER_PARAMETERS): {
            "Parameters": [FORCE_SSL | {"ParameterName": "require_secure_transport", "ParameterValue": "OFF"}]
        }
    }
    found = verdict("RDS-TLS", MEMBER, readings)
    assert (found.status, "require_secure_transport is OFF" in found.reason) == (Status.FAIL, True)


def test_parameter_of_a_cluster_is_in_force_in_each_member_by_itself() -> None:
    assert verdict("RDS-TLS", MEMBER, aurora()).status is Status.PASS
    found = verdict("RDS-TLS", SECOND, aurora())
    assert (found.status, "next restart" in found.reason) == (Status.WARN, True)


@pytest.mark.parametrize(
    ("source", "inverse"),
    [("user", "modify_db_cluster_parameter_group"), ("system", "reset_db_cluster_parameter_group")],
)
def test_tls_is_set_in_the_group_of_the_cluster_and_comes_back(source: str, inverse: str) -> None:
    also: Asked = {SECOND: {"RDS-TLS": {}}}
    [change] = changes("RDS-TLS", MEMBER, parameter(ParameterValue="0", Source=source), None, also)
    assert change.call.operation == "modify_db_cluster_parameter_group"
    assert change.call.parameters["DBClusterParameterGroupName"] == "ledger-tls"
    assert change.inverse is not None
    assert change.inverse.operation == inverse
    assert change.target == f"arn:aws:rds:{PLACE.region}:{PLACE.account}:cluster-pg:ledger-tls"


def test_encryption_is_that_of_the_cluster() -> None:
    assert verdict("RDS-ENC", MEMBER, of_instance({"StorageEncrypted": True}, StorageEncrypted=False)).status is (
        Status.FAIL
    )


def test_storage_that_is_encrypted_with_a_key_of_aws_is_met_but_weak() -> None:
    found = verdict("RDS-ENC", MEMBER, aurora(StorageEncrypted=False, StorageEncryptionType="sse-rds"))
    assert (found.status, "AWS owns" in found.reason) == (Status.WARN, True)


def test_backups_are_those_of_the_cluster() -> None:
    found = verdict("RDS-BACKUP", MEMBER, of_instance({"BackupRetentionPeriod": 35}, BackupRetentionPeriod=1))
    assert found.status is Status.FAIL


def test_backups_of_a_cluster_that_is_changed_are_settling() -> None:
    found = verdict("RDS-BACKUP", MEMBER, aurora(Status="modifying", BackupRetentionPeriod=1))
    assert found.settling


def test_backups_are_kept_longer_by_the_cluster_and_come_back() -> None:
    [change] = changes("RDS-BACKUP", MEMBER, aurora(BackupRetentionPeriod=7))
    assert change.call.operation == "modify_db_cluster"
    assert change.call.parameters == {
        "DBClusterIdentifier": "ledger",
        "ApplyImmediately": True,
        "BackupRetentionPeriod": 30,
    }
    assert change.inverse is not None
    assert change.inverse.parameters["BackupRetentionPeriod"] == 7
    assert change.target == CLUSTER_ARN


def test_members_of_a_cluster_ask_for_the_same_change_of_it() -> None:
    readings = aurora(BackupRetentionPeriod=7, PendingModifiedValues={"EngineVersion": "17.2"})
    assert changes("RDS-BACKUP", MEMBER, readings) == changes("RDS-BACKUP", SECOND, readings)


@pytest.mark.parametrize(
    ("cluster", "said"),
    [
        ({"Status": "failing-over"}, "ledger is failing-over"),
        ({"AwsBackupRecoveryPointArn": "arn:aws:backup"}, "AWS Backup keeps the backups of ledger"),
    ],
)
def test_retention_of_a_cluster_that_aws_would_not_change_is_refused(cluster: dict[str, Any], said: str) -> None:
    with pytest.raises(CannotChange, match=said):
        changes("RDS-BACKUP", MEMBER, aurora(BackupRetentionPeriod=7, **cluster))


def test_member_of_aurora_has_a_public_address_of_its_own_which_is_taken_away() -> None:
    readings = of_instance({"PubliclyAccessible": True})
    assert verdict("RDS-PUBLIC", MEMBER, readings).status is Status.FAIL
    assert verdict("RDS-PUBLIC", SECOND, readings).status is Status.PASS
    [change] = changes("RDS-PUBLIC", MEMBER, readings)
    assert change.call.operation == "modify_db_instance"
    assert change.call.parameters["DBInstanceIdentifier"] == "ledger-1"


@pytest.mark.parametrize(
    ("instance", "cluster"),
    [
        ({"Engine": "mysql", "PubliclyAccessible": True}, {"PubliclyAccessible": True}),
        ({}, {"InternetAccessGatewayEnabled": True}),
    ],
    ids=["multi-az cluster", "internet access gateway"],
)
def test_public_access_of_a_cluster_fails_and_is_left_to_people(instance: Any, cluster: Any) -> None:
    readings = of_instance(instance, **cluster)
    assert verdict("RDS-PUBLIC", MEMBER, readings).status is Status.FAIL
    with pytest.raises(CannotChange, match="no call takes away"):
        changes("RDS-PUBLIC", MEMBER, readings)


def test_public_address_is_seen_where_clusters_are_not_read() -> None:
    readings = of_instance({"PubliclyAccessible": True}) | {(ACCOUNT, CLUSTERS): DENIED}
    assert verdict("RDS-PUBLIC", MEMBER, readings).status is Status.FAIL
