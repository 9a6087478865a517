"""RDS-BACKUP: a database can be restored to any second of the last weeks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import Field

from data_protection import databases
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.reads.rds import INSTANCES
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict


class AutomatedBackups(Requirement):
    """What is asked of an instance's automated backups.

    Attributes:
        days: That they are kept at least; AWS takes up to 35.
    """

    days: int = Field(default=30, ge=1, le=35)


def _validate(case: Case[AutomatedBackups]) -> Verdict:
    instance = databases.instance(case)
    return databases.settled(instance, _judge(instance, case.requirement.days))


def _judge(instance: Mapping[str, Any], wanted: int) -> Verdict:
    days = instance["BackupRetentionPeriod"]
    coming = instance.get("PendingModifiedValues", {}).get("BackupRetentionPeriod", days)
    observed = {"days": days, "pending": coming, "latest_restorable": instance.get("LatestRestorableTime")}
    expected = {"days": wanted}
    if days >= wanted:
        return Verdict(Status.PASS, f"Backups are kept {days} days.", observed, expected)
    if coming >= wanted:
        return Verdict(Status.WARN, f"Backups will be kept {coming} days.", observed, expected, settling=True)
    said = f"Backups are kept {days} days, {wanted} are asked." if days else "Automated backups are off."
    return Verdict(Status.FAIL, said, observed, expected)


def _propose(case: Case[AutomatedBackups]) -> Sequence[Change]:
    instance, name, days = databases.instance(case), case.resource.name, case.requirement.days
    databases.require_available(instance)
    if cluster := instance.get("DBClusterIdentifier"):
        raise CannotChange(f"{name} is of the cluster {cluster}, which keeps the backups: change it there.")
    if "AwsBackupRecoveryPointArn" in instance:
        raise CannotChange(f"AWS Backup keeps the backups of {name}: change the rule of its plan.")
    before = int(instance["BackupRetentionPeriod"])
    return [
        Change(
            check="RDS-BACKUP",
            title=f"Keep backups of {name} {days} days",
            call=databases.modification(name, BackupRetentionPeriod=days),
            inverse=databases.modification(name, BackupRetentionPeriod=before),
            reversibility=Reversibility.REVERSIBLE,
            before={"BackupRetentionPeriod": before},
            after={"BackupRetentionPeriod": days},
            # https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.BackupRetention.html
            risk="" if before else "Turning backups on takes the instance down for a moment.",
            cost="Backup storage beyond the size of the databases is about 0.095 USD a GB-month.",
            wait_seconds=1800,
        )
    ]


CHECK: Final = Check(
    id="RDS-BACKUP",
    title="Backups are kept long enough",
    why="Damage is often seen weeks later; what is older than the retention cannot be restored.",
    severity=Severity.HIGH,
    kind=Kind.DATABASE,
    requirement=AutomatedBackups,
    reads=(INSTANCES,),
    validate=_validate,
    cost="Backup storage beyond the size of the databases is about 0.095 USD a GB-month.",
    advice="Set the backup retention period; of a cluster's member, on the cluster.",
    controls={"AWS FSBP": ("RDS.11",)},
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"rds:modify_db_instance"}),
        actions=frozenset({"rds:ModifyDBInstance"}),
        propose=_propose,
    ),
)
