"""DDB-KMS: a table is encrypted with a key of ours, and the key lives."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from data_protection import keys, tables
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Quota, Requirement, Severity
from data_protection.readings import Answer
from data_protection.reads.dynamodb import TABLE
from data_protection.reads.kms import KEY
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict


class TableKey(Requirement):
    """What is asked of a table's encryption.

    Attributes:
        key: Id, ARN or alias of the approved key; None for any customer-managed one, and then nothing is changed.
    """

    key: str | None = None


def encryption(table: Answer) -> Mapping[str, Any] | None:
    """Return how a table is encrypted by KMS, or None where its key is AWS' own, of which AWS says nothing."""
    description: Mapping[str, Any] = table.get("SSEDescription", {})
    return description if description.get("SSEType") == "KMS" and description["Status"] != "DISABLED" else None


def _validate(case: Case[TableKey]) -> Verdict:
    table = case.get(TABLE)["Table"]
    return tables.settled(table, _judge(case, encryption(table)))


def _judge(case: Case[TableKey], found: Mapping[str, Any] | None) -> Verdict:
    wanted = case.requirement.key
    expected = {"key": wanted or "any customer-managed key", "state": "Enabled"}
    if found is None:
        return Verdict(Status.FAIL, "It is encrypted with a key that AWS owns.", {"key": None}, expected)
    observed = {"key": found["KMSMasterKeyArn"], "status": found["Status"]}
    if since := found.get("InaccessibleEncryptionDateTime"):
        reason = f"DynamoDB has not reached its key since {since}, and archives the table after seven days."
        return Verdict(Status.FAIL, reason, observed, expected)
    if found["Status"] != "ENABLED":
        return Verdict(Status.WARN, f"Its encryption is {found['Status']}.", observed, expected, settling=True)
    return _judge_key(case, observed, expected)


def _judge_key(case: Case[TableKey], observed: dict[str, Any], expected: dict[str, Any]) -> Verdict:
    key = keys.metadata(case, observed["key"])
    observed = observed | {"state": key["KeyState"], "manager": key["KeyManager"]}
    if key["KeyState"] != "Enabled":
        return Verdict(Status.FAIL, f"Its key is {key['KeyState']}.", observed, expected)
    if key["KeyManager"] != "CUSTOMER":
        return Verdict(Status.WARN, "It is encrypted with the key that AWS manages.", observed, expected)
    wanted = case.requirement.key
    if wanted is not None and keys.metadata(case, wanted)["Arn"] != key["Arn"]:
        return Verdict(Status.WARN, "It is encrypted with another customer-managed key.", observed, expected)
    return Verdict(Status.PASS, "It is encrypted with an approved key.", observed, expected)


def _propose(case: Case[TableKey]) -> Sequence[Change]:
    table, name = case.get(TABLE)["Table"], case.resource.name
    tables.require_active(table)
    key = keys.usable_key(case, case.requirement.key, "a table")
    found = encryption(table)
    if found is not None and "InaccessibleEncryptionDateTime" in found:
        raise CannotChange(f"{name} cannot be read with its present key: enable {found['KMSMasterKeyArn']} first.")
    before = sse_specification(table)
    after = _specification(key)
    return [
        Change(
            check="DDB-KMS",
            title=f"Encrypt {name} with {key}",
            call=tables.update(name, SSESpecification=after),
            inverse=tables.update(name, SSESpecification=before),
            reversibility=Reversibility.QUOTA,
            before=before,
            after=after,
            risk="Who reads the table without rights on the key is locked out; a key can be changed 4 times in 24 h.",
            cost="About 1 USD a month for the key, and 0.03 USD for 10,000 requests to it.",
            wait_seconds=900,
        )
    ]


# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html; a fifth comes after six
# hours. AWS' error: https://github.com/crossplane-contrib/provider-aws/issues/1440
_QUOTA: Final = Quota("changes of a table's key", most=4, hours=24, refusal="LimitExceededException")


def _specification(key: str) -> dict[str, Any]:
    return {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key}


def _present(case: Case[TableKey], _: Change) -> Any:
    return sse_specification(case.get(TABLE)["Table"])


def sse_specification(table: Answer) -> dict[str, Any]:
    """Return how a table is encrypted, in the form in which that is set."""
    found = encryption(table)
    return {"Enabled": False} if found is None else _specification(found["KMSMasterKeyArn"])


CHECK: Final = Check(
    id="DDB-KMS",
    title="Encrypted with an approved customer-managed key",
    why="Only a key of ours can be withdrawn, audited and bound to who may use it.",
    severity=Severity.HIGH,
    kind=Kind.TABLE,
    requirement=TableKey,
    reads=(TABLE,),
    further=(KEY,),
    names=lambda place, asked: keys.asked_key(place, asked.key),
    validate=_validate,
    cost="About 1 USD a month for the key, and 0.03 USD for 10,000 requests to it.",
    advice="Name the key in the profile, give the table's readers rights on it, then change the encryption.",
    controls={
        "AWS Config": ("DYNAMODB_TABLE_ENCRYPTED_KMS",),
        "AWS Control Tower": ("CT.DYNAMODB.PR.2",),
        "NIST 800-53 r5": ("SC-28(1)",),
    },
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.QUOTA,
        operations=frozenset({"dynamodb:update_table"}),
        actions=frozenset({"dynamodb:UpdateTable", "kms:DescribeKey", "kms:CreateGrant", "kms:Decrypt"}),
        propose=_propose,
        present=_present,
        quota=_QUOTA,
    ),
)
