"""CT-HARDEN: the trail covers all regions, and nobody alters what it recorded unseen."""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import Field

from data_protection import trails
from data_protection.changes import Call, CannotChange, Change, Reversibility, projected
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.reads.cloudtrail import TRAILS
from data_protection.resources import Kind
from data_protection.trails import Trail
from data_protection.verdicts import Status, Verdict

# Without these events are not recorded, or can be taken away unseen; the others make a good record safer.
_GRAVE: Final = frozenset({"IsMultiRegionTrail", "LogFileValidationEnabled"})


class Hardening(Requirement):
    """What is asked of the trail's own safety.

    Attributes:
        trail: Name or ARN of the one that is meant; None for any that records the region.
        key: ARN of the key that its logs are to be encrypted with; None for any, and then none is set.
        encrypted: Whether a key is asked for at all.
        log_group: Whether its events must reach CloudWatch Logs too.
    """

    trail: str | None = None
    key: str | None = Field(default=None, pattern=r"^arn:")
    encrypted: bool = True
    log_group: bool = False


def _validate(case: Case[Hardening]) -> Verdict:
    return trails.best(trails.trails(case, case.requirement.trail), lambda trail: _judge(case, trail))


def _lacks(asked: Hardening, described: Any) -> dict[str, str]:
    """Return what a trail lacks, by the member that says so."""
    lacks = {}
    if not described.get("IsMultiRegionTrail"):
        lacks["IsMultiRegionTrail"] = "records one region only"
    if not described.get("LogFileValidationEnabled"):
        lacks["LogFileValidationEnabled"] = "writes no digests by which a changed file would show"
    if asked.encrypted and not described.get("KmsKeyId"):
        lacks["KmsKeyId"] = "is not encrypted with a KMS key"
    elif asked.key is not None and described.get("KmsKeyId") != asked.key:
        lacks["KmsKeyId"] = "is encrypted with another key"
    if asked.log_group and not described.get("CloudWatchLogsLogGroupArn"):
        lacks["CloudWatchLogsLogGroupArn"] = "does not reach CloudWatch Logs"
    return lacks


def _judge(case: Case[Hardening], trail: Trail) -> Verdict:
    lacks = _lacks(case.requirement, trail.described)
    observed = {"trail": trail.name, "lacks": sorted(lacks)}
    expected = case.requirement.model_dump()
    if lacks:
        status = Status.FAIL if _GRAVE & set(lacks) else Status.WARN
        return Verdict(status, f"The trail {trail.name} {'; it '.join(lacks.values())}.", observed, expected)
    return Verdict(Status.PASS, f"The trail {trail.name} is hardened.", observed, expected)


def _propose(case: Case[Hardening]) -> Sequence[Change]:
    trail = trails.changeable(case, case.requirement.trail)
    lacks = _lacks(case.requirement, trail.described)
    after: dict[str, Any] = {}
    before: dict[str, Any] = {}
    # The parameters of the call that differ from the members of the description.
    for member, parameter in (
        ("IsMultiRegionTrail", "IsMultiRegionTrail"),
        ("LogFileValidationEnabled", "EnableLogFileValidation"),
    ):
        if member in lacks:
            before[parameter], after[parameter] = False, True
    if "KmsKeyId" in lacks and case.requirement.key is not None:
        before["KmsKeyId"], after["KmsKeyId"] = trail.described.get("KmsKeyId", ""), case.requirement.key
    if not after:
        raise CannotChange(
            f"What {trail.name} lacks takes a decision: name the `key` in the profile, with a policy that lets "
            "cloudtrail.amazonaws.com use it, or give the trail a log group and its role."
        )

    def call(setting: dict[str, Any]) -> Call:
        return Call(service="cloudtrail", operation="update_trail", parameters={"Name": trail.resource.arn, **setting})

    return [
        Change(
            check="CT-HARDEN",
            title=f"Harden the trail {trail.name}: {', '.join(sorted(after))}",
            call=call(after),
            inverse=call(before),
            reversibility=Reversibility.REVERSIBLE,
            before=before,
            after=after,
            target=trail.resource.arn,
            risk="A key whose policy does not let CloudTrail use it is refused." if "KmsKeyId" in after else "",
            cost="Management events of all regions are free in a first trail; data events of all regions are paid."
            if "IsMultiRegionTrail" in after
            else "",
        )
    ]


def _present(case: Case[Hardening], change: Change) -> Any:
    described = trails.changed(case, change).described
    found = {
        "IsMultiRegionTrail": bool(described.get("IsMultiRegionTrail")),
        "EnableLogFileValidation": bool(described.get("LogFileValidationEnabled")),
        "KmsKeyId": described.get("KmsKeyId", ""),
    }
    return projected(found, change.after)


CHECK: Final = Check(
    id="CT-HARDEN",
    title="The trail covers all regions and shows when it was tampered with",
    why="What happens in a region that nobody uses, and logs that somebody rewrote, are how an intruder stays unseen.",
    severity=Severity.MEDIUM,
    kind=Kind.ACCOUNT,
    requirement=Hardening,
    reads=(TRAILS,),
    validate=_validate,
    cost="About 1 USD a month for the key.",
    advice="Make the trail multi-region, turn on log file validation, and give it a key and a log group.",
    controls={
        "AWS FSBP": ("CloudTrail.1", "CloudTrail.2", "CloudTrail.4", "CloudTrail.5"),
        "NIST 800-53 r5": ("AU-9", "CA-9(1)", "CM-3(6)", "SC-13", "SC-28", "SC-28(1)", "SC-7(10)", "SI-7(6)"),
    },
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"cloudtrail:update_trail"}),
        actions=frozenset({"cloudtrail:UpdateTrail", "iam:CreateServiceLinkedRole", "kms:DescribeKey"}),
        propose=_propose,
        present=_present,
    ),
)
