"""S3-INTTIER: what is not accessed moves to the archive tiers of S3 Intelligent-Tiering."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, Self

from pydantic import Field, model_validator

from data_protection.buckets import bucket_call
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.lifecycle.effects import course
from data_protection.lifecycle.rules import LARGEST, SMALL, Configuration, StorageClass
from data_protection.reads.s3 import INTELLIGENT_TIERING, LIFECYCLE
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict, worst

# https://docs.aws.amazon.com/AmazonS3/latest/API/API_Tiering.html
_LEAST_ARCHIVE: Final = 90
_LEAST_DEEP: Final = 180
_MOST_DAYS: Final = 730
_MOST_CONFIGURATIONS: Final = 1000  # of a bucket
_ID: Final = "gatehouse"


class IntelligentTiering(Requirement):
    """What is asked of Intelligent-Tiering.

    Attributes:
        prefix: Of the keys; empty for the whole bucket.
        archive_days: Without access, until objects move to the archive access tier; None for not at all.
        deep_archive_days: Without access, until they move to the deep archive access tier; None for not at all.
    """

    prefix: str = ""
    archive_days: int | None = Field(default=_LEAST_ARCHIVE, ge=_LEAST_ARCHIVE, le=_MOST_DAYS)
    deep_archive_days: int | None = Field(default=_LEAST_DEEP, ge=_LEAST_DEEP, le=_MOST_DAYS)

    @model_validator(mode="after")
    def _has_a_tier(self) -> Self:
        if not self.days:
            raise ValueError("give archive_days, deep_archive_days or both")
        if (
            None not in {self.archive_days, self.deep_archive_days}
            and self.days["DEEP_ARCHIVE_ACCESS"] <= self.days["ARCHIVE_ACCESS"]
        ):
            raise ValueError("deep_archive_days must be more than archive_days")
        return self

    @property
    def days(self) -> dict[str, int]:
        """Days without access, by access tier."""
        days = {"ARCHIVE_ACCESS": self.archive_days, "DEEP_ARCHIVE_ACCESS": self.deep_archive_days}
        return {tier: after for tier, after in days.items() if after is not None}

    def configuration(self) -> dict[str, Any]:
        """Return what makes it so, as S3's API has it."""
        whole = {
            "Id": _ID,
            "Status": "Enabled",
            "Tierings": [{"AccessTier": tier, "Days": after} for tier, after in self.days.items()],
        }
        return whole | ({"Filter": {"Prefix": self.prefix}} if self.prefix else {})


def _configurations(case: Case[IntelligentTiering]) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = case.get(INTELLIGENT_TIERING).get("IntelligentTieringConfigurationList", ())
    return found


def _prefix(configuration: Mapping[str, Any]) -> str:
    one = configuration.get("Filter", {})
    return str(one.get("And", one).get("Prefix", ""))


def _covers(configuration: Mapping[str, Any], prefix: str) -> bool:
    one = configuration.get("Filter", {})
    has_tags = "Tag" in one or bool(one.get("And", {}).get("Tags"))
    return configuration["Status"] == "Enabled" and not has_tags and prefix.startswith(_prefix(configuration))


def _sooner(case: Case[IntelligentTiering]) -> Sequence[str]:
    """Return the ids of configurations that archive some of the objects, by prefix or tag, earlier than asked."""
    wanted = case.requirement
    return [
        one["Id"]
        for one in _configurations(case)
        if one["Status"] == "Enabled"
        and not _covers(one, wanted.prefix)
        and (_prefix(one).startswith(wanted.prefix) or wanted.prefix.startswith(_prefix(one)))
        and any(after < wanted.days.get(tier, _MOST_DAYS + 1) for tier, after in _days(one).items())
    ]


def _days(configuration: Mapping[str, Any]) -> dict[str, int]:
    return {tiering["AccessTier"]: tiering["Days"] for tiering in configuration["Tierings"]}


def _validate(case: Case[IntelligentTiering]) -> Verdict:
    return worst(lambda: _of_configuration(case), lambda: _of_storage_class(case))


def _of_configuration(case: Case[IntelligentTiering]) -> Verdict:
    wanted = case.requirement
    covering = [one for one in _configurations(case) if _covers(one, wanted.prefix)]
    expected = {"prefix": wanted.prefix, "days": wanted.days}
    if any(_days(one) == wanted.days for one in covering):
        if sooner := _sooner(case):
            said = f"{sooner[0]} archives some of the objects, by their prefix or a tag, earlier than asked."
            return Verdict(Status.WARN, said, {"sooner": sooner}, expected)
        return Verdict(Status.PASS, "Objects that are not accessed move as asked.", {"days": wanted.days}, expected)
    if covering:
        observed = {"id": covering[0]["Id"], "days": _days(covering[0])}
        return Verdict(Status.WARN, f"{observed['id']} moves objects after other days.", observed, expected)
    if case.get(INTELLIGENT_TIERING).get("IsTruncated"):
        reason = (
            "The bucket has more configurations of Intelligent-Tiering than one answer holds, and the first are others."
        )
        return Verdict(Status.UNKNOWN, reason, None, expected)
    return Verdict(Status.FAIL, "No enabled configuration of Intelligent-Tiering covers it.", None, expected)


def _of_storage_class(case: Case[IntelligentTiering]) -> Verdict:
    configuration, prefix = Configuration.parse(case.find(LIFECYCLE)), case.requirement.prefix
    moved = [
        course(configuration, prefix, size, case.now).reaches(StorageClass.INTELLIGENT_TIERING) is not None
        for size in (SMALL, LARGEST)
    ]
    if all(moved):
        return Verdict(Status.PASS, "A lifecycle rule moves objects to INTELLIGENT_TIERING.")
    what = "moves objects of all sizes" if any(moved) else "moves objects"
    return Verdict(
        Status.WARN,
        f"No lifecycle rule {what} to INTELLIGENT_TIERING: only what is put there as such is tiered. Ask for the "
        "move as a tier of S3-LIFECYCLE.",
    )


def _propose(case: Case[IntelligentTiering]) -> Sequence[Change]:
    bucket, wanted = case.resource, case.requirement
    present = _configurations(case)
    covering = [one for one in present if _covers(one, wanted.prefix)]
    if any(_days(one) == wanted.days for one in covering):
        if sooner := _sooner(case):
            raise CannotChange(
                f"{sooner[0]} of {bucket.name} is not ours, and archives some objects earlier than asked."
            )
        return []
    if foreign := [one["Id"] for one in covering if one["Id"] != _ID]:
        raise CannotChange(f"{foreign[0]} of {bucket.name}, which is not ours, moves these objects after other days.")
    ours = _ours(case)
    if ours is None and len(present) >= _MOST_CONFIGURATIONS:
        raise CannotChange(f"{bucket.name} has {len(present)} configurations already, which is all that AWS takes.")
    after = wanted.configuration()
    put = "put_bucket_intelligent_tiering_configuration"
    return [
        Change(
            check="S3-INTTIER",
            title=f"Move objects in {bucket.name} that are not accessed to the archive tiers",
            call=bucket_call(bucket, put, Id=_ID, IntelligentTieringConfiguration=after),
            inverse=bucket_call(bucket, "delete_bucket_intelligent_tiering_configuration", Id=_ID)
            if ours is None
            else bucket_call(bucket, put, Id=_ID, IntelligentTieringConfiguration=ours),
            # No configuration brings objects back that were archived, nothing but a restore of each.
            reversibility=Reversibility.LOSES_DATA,
            before=ours,
            after=after,
            risk="Objects that were archived stay so, and must be restored before they can be read, which takes hours.",
            cost="Monitoring is paid by the object; archive tiers cost less than a fifth of the first.",
        )
    ]


def _present(case: Case[IntelligentTiering], _: Change) -> Any:
    return _ours(case)


def _ours(case: Case[IntelligentTiering]) -> Mapping[str, Any] | None:
    return next((one for one in _configurations(case) if one["Id"] == _ID), None)


CHECK: Final = Check(
    id="S3-INTTIER",
    title="Intelligent-Tiering archives what is not accessed",
    why="Where nobody knows when data is read again, S3 moves what is not, and back when it is.",
    severity=Severity.LOW,
    kind=Kind.BUCKET,
    requirement=IntelligentTiering,
    reads=(INTELLIGENT_TIERING, LIFECYCLE),
    validate=_validate,
    cost="About 2.50 USD a month for a million objects that are watched; archive tiers cost a fraction of the first.",
    advice="Archive what is not accessed in the bucket's properties, and move objects there by a lifecycle rule.",
    mutator=Mutator(
        phase=2,
        reversibility=Reversibility.LOSES_DATA,
        operations=frozenset(
            {
                "s3:put_bucket_intelligent_tiering_configuration",
                "s3:delete_bucket_intelligent_tiering_configuration",
            }
        ),
        actions=frozenset({"s3:PutIntelligentTieringConfiguration"}),
        propose=_propose,
        present=_present,
        undoing_loses=lambda change: (
            "Objects are archived again as the configuration before said." if change.before else ""
        ),
    ),
)
