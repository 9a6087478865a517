"""RDS-ENC: what a database stores is encrypted."""

from typing import Final

from data_protection import databases
from data_protection.checks.check import Case, Check, Requirement, Severity
from data_protection.reads.rds import CLUSTERS, INSTANCES
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict

# AWS calls such storage not encrypted: API reference of DBCluster and DBInstance, StorageEncrypted.
_OWNED_BY_AWS: Final = "sse-rds"


class StorageEncryption(Requirement):
    """That the storage is encrypted; there is nothing to choose."""


def _validate(case: Case[StorageEncryption]) -> Verdict:
    state = databases.keeper(case).state
    encrypted = state["StorageEncrypted"]
    observed = {"encrypted": encrypted, "type": state.get("StorageEncryptionType"), "key": state.get("KmsKeyId")}
    expected = {"encrypted": True}
    if encrypted:
        return Verdict(Status.PASS, "Its storage is encrypted.", observed, expected)
    if observed["type"] == _OWNED_BY_AWS:
        said = "Its storage is encrypted with a key that AWS owns, which nobody here can withdraw."
        return Verdict(Status.WARN, said, observed, expected)
    return Verdict(Status.FAIL, "Its storage is not encrypted.", observed, expected)


CHECK: Final = Check(
    id="RDS-ENC",
    title="Storage is encrypted",
    why="Snapshots, replicas and backups of an instance are encrypted if it is, and open to whoever gets them if not.",
    severity=Severity.HIGH,
    kind=Kind.DATABASE,
    requirement=StorageEncryption,
    reads=(INSTANCES, CLUSTERS),
    validate=_validate,
    cost="About 1 USD a month for the key.",
    advice="It cannot be turned on in place: copy a snapshot with a key, restore the copy, and point clients at it.",
    controls={"AWS FSBP": ("RDS.3",), "CIS AWS 5.0": ("2.2.1",)},
)
