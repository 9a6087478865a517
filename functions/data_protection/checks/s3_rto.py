"""S3-RTO: what a bucket loses or archives can be read again within the hours that are allowed."""

from collections.abc import Iterator
from typing import Final

from pydantic import Field

from data_protection.checks.check import Case, Check, Requirement, Severity
from data_protection.lifecycle.effects import moves_of_some, noncurrent_moves_of_some
from data_protection.lifecycle.restores import hours
from data_protection.lifecycle.rules import Configuration, StorageClass
from data_protection.reads.s3 import INTELLIGENT_TIERING, LIFECYCLE, VERSIONING
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict, worst

# The archive tiers of Intelligent-Tiering are restored as these classes are:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/intelligent-tiering-managing.html
_RESTORED_AS: Final = {
    "ARCHIVE_ACCESS": StorageClass.GLACIER,
    "DEEP_ARCHIVE_ACCESS": StorageClass.DEEP_ARCHIVE,
}


class ReadableAgain(Requirement):
    """What is asked of reading again what was archived, overwritten or deleted.

    Attributes:
        hours: Within which an object can be read.
        versions: Whether overwritten and deleted objects must come back: S3 has no recovery to a point in time.
    """

    hours: float = Field(default=1, gt=0)
    versions: bool = True


def _validate(case: Case[ReadableAgain]) -> Verdict:
    return worst(lambda: _by_lifecycle(case), lambda: _by_tiering(case), lambda: _by_versions(case))


def _by_lifecycle(case: Case[ReadableAgain]) -> Verdict:
    answer = case.find(LIFECYCLE)
    slow = list(_slow(Configuration.parse(answer), case))
    if slow:
        return _verdict(case, Status.FAIL, " ".join(slow), slow)
    return _verdict(case, Status.PASS, "No rule moves objects to where they must be restored first.", None)


def _slow(configuration: Configuration, case: Case[ReadableAgain]) -> Iterator[str]:
    allowed = case.requirement.hours
    for what, moves in (
        ("Objects", moves_of_some(configuration, case.now)),
        ("Noncurrent versions", noncurrent_moves_of_some(configuration)),
    ):
        for rule, move in moves:
            needed = hours(move.storage_class)
            if needed > allowed:
                which = f"{what} {rule.about}".strip()
                yield (
                    f"{which} are in {move.storage_class} from {move.age} days on, and take up to {needed} h to "
                    f"restore, of {allowed:g} h that are allowed."
                )


def _by_tiering(case: Case[ReadableAgain]) -> Verdict:
    answer, allowed = case.get(INTELLIGENT_TIERING), case.requirement.hours
    for one in answer.get("IntelligentTieringConfigurationList", ()):
        for tiering in one["Tierings"] if one["Status"] == "Enabled" else ():
            needed = hours(_RESTORED_AS[tiering["AccessTier"]])
            if needed > allowed:
                reason = (
                    f"Intelligent-Tiering {one['Id']!r} archives what is not read for {tiering['Days']} days, and it "
                    f"takes up to {needed} h to restore, of {allowed:g} h that are allowed."
                )
                return _verdict(case, Status.FAIL, reason, one)
    if answer.get("IsTruncated"):
        reason = "The bucket has more configurations of Intelligent-Tiering than one answer holds; any may archive."
        return _verdict(case, Status.UNKNOWN, reason, None)
    return _verdict(case, Status.PASS, "Intelligent-Tiering archives nothing.", None)


def _by_versions(case: Case[ReadableAgain]) -> Verdict:
    status = case.get(VERSIONING).get("Status")
    if case.requirement.versions and status != "Enabled":
        reason = "The bucket keeps no versions: what is overwritten or deleted does not come back at all."
        return _verdict(case, Status.FAIL, reason, {"versioning": status})
    return _verdict(case, Status.PASS, "Everything that is there answers at once.", {"versioning": status})


def _verdict(case: Case[ReadableAgain], status: Status, reason: str, observed: object) -> Verdict:
    return Verdict(status, reason, observed, case.requirement.model_dump(mode="json"))


CHECK: Final = Check(
    id="S3-RTO",
    title="Objects can be read again in time",
    why="An archive answers after hours, whatever the recovery plan says, and without versions nothing brings back "
    "what was overwritten.",
    severity=Severity.MEDIUM,
    kind=Kind.BUCKET,
    requirement=ReadableAgain,
    reads=(LIFECYCLE, INTELLIGENT_TIERING, VERSIONING),
    validate=_validate,
    cost="GLACIER_IR answers at once and costs about a tenth more than GLACIER to keep, and more to read.",
    advice="Move objects to GLACIER_IR in place of archives, or have somebody sign for the hours that archives take by "
    "an exception.",
)
