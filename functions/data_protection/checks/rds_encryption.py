"""RDS-ENC: what a database stores is encrypted."""

from typing import Final

from data_protection import databases
from data_protection.checks.check import Case, Check, Requirement, Severity
from data_protection.reads.rds import INSTANCES
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict


class StorageEncryption(Requirement):
    """That the storage is encrypted; there is nothing to choose."""


def _validate(case: Case[StorageEncryption]) -> Verdict:
    instance = databases.instance(case)
    encrypted = instance["StorageEncrypted"]
    observed = {"encrypted": encrypted, "key": instance.get("KmsKeyId")}
    status, said = (Status.PASS, "is") if encrypted else (Status.FAIL, "is not")
    return Verdict(status, f"Its storage {said} encrypted.", observed, {"encrypted": True})


CHECK: Final = Check(
    id="RDS-ENC",
    title="Storage is encrypted",
    why="Snapshots, replicas and backups of an instance are encrypted if it is, and open to whoever gets them if not.",
    severity=Severity.HIGH,
    kind=Kind.DATABASE,
    requirement=StorageEncryption,
    reads=(INSTANCES,),
    validate=_validate,
    cost="About 1 USD a month for the key.",
    advice="It cannot be turned on in place: copy a snapshot with a key, restore the copy, and point clients at it.",
    controls={"AWS FSBP": ("RDS.3",), "CIS AWS 5.0": ("2.2.1",)},
)
