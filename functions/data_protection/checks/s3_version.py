"""S3-VERSION: an object that is overwritten or deleted can be had back."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import Field

from data_protection.buckets import bucket_call, words
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.lifecycle import putting
from data_protection.lifecycle.effects import noncurrent_days
from data_protection.lifecycle.merging import Family
from data_protection.lifecycle.rules import Configuration, RawRule
from data_protection.lifecycle.tiers import rule_id
from data_protection.reads.s3 import LIFECYCLE, VERSIONING
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict, worst


class Versioning(Requirement):
    """What is asked of versioning.

    Attributes:
        noncurrent_days: After which noncurrent versions are deleted, in a bucket whose objects expire: without that
            nothing that expires is ever gone. None to keep them for ever.
    """

    noncurrent_days: int | None = Field(default=90, ge=1)


def _validate(case: Case[Versioning]) -> Verdict:
    return worst(lambda: _of_versions(case), lambda: _of_noncurrent(case))


def _of_versions(case: Case[Versioning]) -> Verdict:
    status = case.get(VERSIONING).get("Status", "never enabled")
    observed, expected = {"status": status}, {"status": "Enabled"}
    if status != "Enabled":
        return Verdict(Status.FAIL, f"Versioning is {status.lower()}.", observed, expected)
    return Verdict(Status.PASS, "Versioning is enabled.", observed, expected)


def _of_noncurrent(case: Case[Versioning]) -> Verdict:
    wanted = case.requirement.noncurrent_days
    expected = {"noncurrent_days": wanted}
    if wanted is None:
        return Verdict(Status.PASS, "Noncurrent versions may be kept for ever.", None, expected)
    hidden = _hidden(Configuration.parse(case.find(LIFECYCLE)))
    if hidden:
        return Verdict(
            Status.WARN,
            f"What expires by {words(hidden)} is only hidden: no rule deletes its noncurrent versions.",
            {"expirations_without_noncurrent_rule": hidden},
            expected,
        )
    return Verdict(Status.PASS, "No rule hides objects without deleting them in the end.", None, expected)


def _hidden(configuration: Configuration) -> list[str]:
    """Return the rules that expire objects whose noncurrent versions then stay for ever."""
    return [
        f"rule {rule.id!r}"
        for rule in configuration.rules
        if rule.enabled and rule.expiration is not None and noncurrent_days(configuration, rule.prefix) is None
    ]


def _propose(case: Case[Versioning]) -> Sequence[Change]:
    bucket, wanted = case.resource, case.requirement.noncurrent_days
    versioning, lifecycle = case.get(VERSIONING), case.find(LIFECYCLE)
    status = versioning.get("Status")
    changes: list[Change] = []
    # The rule comes first, so that no version is made that nothing deletes.
    if wanted is not None and noncurrent_days(Configuration.parse(lifecycle), "") is None:
        if versioning.get("MFADelete") == "Enabled":
            raise CannotChange(
                "The bucket has MFA delete, with which AWS takes no lifecycle. Turn one of them down: MFA delete, or "
                "noncurrent_days in the profile."
            )
        changes += putting.put_rules(
            bucket,
            lifecycle,
            [_rule(wanted)],
            Family.NONCURRENT,
            check="S3-VERSION",
            title=f"Delete noncurrent versions in {bucket.name} after {wanted} days",
            # A bucket that never had versions loses none.
            reversibility=Reversibility.REVERSIBLE if status is None else Reversibility.LOSES_DATA,
            risk="" if status is None else f"Noncurrent versions older than {wanted} days are deleted within a day.",
            cost="Noncurrent versions are paid like objects, until they are deleted.",
        )
    if status != "Enabled":
        changes.append(
            Change(
                check="S3-VERSION",
                title=f"Enable versioning of {bucket.name}",
                call=bucket_call(bucket, "put_bucket_versioning", VersioningConfiguration={"Status": "Enabled"}),
                # Versioning can be suspended, but a bucket never again be one without versions.
                inverse=bucket_call(bucket, "put_bucket_versioning", VersioningConfiguration={"Status": "Suspended"}),
                reversibility=Reversibility.ONE_WAY if status is None else Reversibility.SIDE_EFFECTS,
                before={"Status": status},
                after={"Status": "Enabled"},
                risk="For up to 15 minutes reads of new objects may answer 404; deleting hides objects from now on.",
                cost="Every version is paid like an object.",
            )
        )
    return changes


def _rule(days: int) -> RawRule:
    return {
        "ID": rule_id(Family.NONCURRENT, ""),
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": days},
    }


def _present(case: Case[Versioning], change: Change) -> Any:
    if change.call.operation == "put_bucket_lifecycle_configuration":
        return putting.present(case.find(LIFECYCLE), change)
    return {"Status": case.get(VERSIONING).get("Status")}


CHECK: Final = Check(
    id="S3-VERSION",
    title="Versioning is enabled",
    why="An object that was overwritten or deleted by mistake, or by somebody who should not, is still there.",
    severity=Severity.HIGH,
    kind=Kind.BUCKET,
    requirement=Versioning,
    reads=(VERSIONING, LIFECYCLE),
    validate=_validate,
    cost="Each noncurrent version is paid like an object until a rule deletes it.",
    advice="Enable it in the bucket's properties, with a lifecycle rule that deletes noncurrent versions.",
    controls={
        "AWS FSBP": ("S3.14",),
        "NIST 800-53 r5": ("AU-9(2)", "CP-10", "CP-6", "CP-6(1)", "CP-6(2)", "CP-9", "SC-5(2)", "SI-12", "SI-13(5)"),
        "NIST 800-171 r2": ("3.3.8",),
    },
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.ONE_WAY,
        operations=putting.OPERATIONS | {"s3:put_bucket_versioning"},
        actions=putting.ACTIONS | {"s3:PutBucketVersioning"},
        propose=_propose,
        present=_present,
        undoing_loses=putting.undoing_loses,
    ),
)
