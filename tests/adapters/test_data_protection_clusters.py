"""An Aurora cluster in moto's AWS: its members are judged by it, and mended through it."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from data_protection.adapters.snapshots import Snapshots
from data_protection.assessments import Assessment, assess
from data_protection.collection import Questions
from data_protection.resources import Kind, Place, Resource
from data_protection.verdicts import Status
from tests.support.data_protection_account import profile

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient

PLACE = Place("123456789012", "eu-central-1")
MEMBERS = [Resource(Kind.DATABASE, PLACE, name) for name in ("ledger-1", "ledger-2")]
ASKED = profile({one: {"RDS-BACKUP": {}, "RDS-ENC": {}, "RDS-PUBLIC": {}, "RDS-TLS": {}} for one in MEMBERS})


@pytest.fixture
def rds() -> "RDSClient":
    rds = boto3.client("rds", region_name=PLACE.region)
    rds.create_db_cluster_parameter_group(
        DBClusterParameterGroupName="ledger-tls", DBParameterGroupFamily="aurora-postgresql16", Description="TLS"
    )
    # moto lists only what somebody has set, and keeps what is said of it; AWS lists all and says it itself.
    off: Any = {"ParameterName": "rds.force_ssl", "ParameterValue": "0", "Source": "user", "ApplyType": "dynamic"}
    rds.modify_db_cluster_parameter_group(
        DBClusterParameterGroupName="ledger-tls",
        Parameters=[off | {"ApplyMethod": "immediate", "IsModifiable": True}],
    )
    rds.create_db_cluster(
        DBClusterIdentifier="ledger",
        Engine="aurora-postgresql",
        DBClusterParameterGroupName="ledger-tls",
        StorageEncrypted=True,
        BackupRetentionPeriod=7,
        MasterUsername="clerk",
        MasterUserPassword="not-a-secret-1",
    )
    for member in MEMBERS:
        rds.create_db_instance(
            DBInstanceIdentifier=member.name,
            DBClusterIdentifier="ledger",
            DBInstanceClass="db.r6g.large",
            Engine="aurora-postgresql",
            PubliclyAccessible=True,
        )
    return rds


def look(rds: "RDSClient") -> Assessment:
    now = datetime.now(UTC)
    tagging = boto3.client("resourcegroupstaggingapi", region_name=PLACE.region)
    clients: dict[str, Any] = {"rds": rds, "resourcegroupstaggingapi": tagging}
    return assess(Snapshots(lambda service, _: clients[service]).take(Questions(PLACE, ASKED), now), ASKED, now)


def statuses(assessment: Assessment) -> dict[tuple[str, str], Status]:
    return {(one.check.id, one.resource.name): one.status for one in assessment.findings}


def test_members_are_mended_through_their_cluster_and_pass(rds: "RDSClient") -> None:
    before = look(rds)
    assert statuses(before) == {
        (check, member.name): Status.PASS if check == "RDS-ENC" else Status.FAIL
        for member in MEMBERS
        for check in ("RDS-BACKUP", "RDS-ENC", "RDS-PUBLIC", "RDS-TLS")
    }

    for finding in before.findings:
        if finding.status is Status.FAIL and finding.check.mutator is not None:
            for change in finding.check.mutator.propose(finding.case):
                getattr(rds, change.call.operation)(**change.call.parameters)

    assert set(statuses(look(rds)).values()) == {Status.PASS}
    [cluster] = rds.describe_db_clusters()["DBClusters"]
    assert cluster["BackupRetentionPeriod"] == 30
