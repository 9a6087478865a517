"""S3-LOCK: for a time, nobody can delete or overwrite what was written."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, Self

from pydantic import Field, model_validator

from data_protection.access_logs import asked_sources, require_no_logs
from data_protection.buckets import bucket_call
from data_protection.changes import CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.reads.s3 import LOGGING, OBJECT_LOCK, VERSIONING
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict

_YEAR: Final = 365  # days, as S3 counts them
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html
_MOST_YEARS: Final = 100


class Mode(StrEnum):
    """Of retention."""

    GOVERNANCE = "GOVERNANCE"  # who may bypass it can still delete
    COMPLIANCE = "COMPLIANCE"  # nobody can delete, not even the account's root


class ObjectLock(Requirement):
    """What is asked of Object Lock: for how long what is written stays by default.

    Attributes:
        mode: Of the default retention; COMPLIANCE satisfies GOVERNANCE too.
        days: Of it; give days or years.
        years: Of it.
    """

    mode: Mode = Mode.GOVERNANCE
    days: int | None = Field(default=None, ge=1, le=_MOST_YEARS * _YEAR)
    years: int | None = Field(default=None, ge=1, le=_MOST_YEARS)

    @model_validator(mode="after")
    def _has_one_period(self) -> Self:
        if (self.days is None) == (self.years is None):
            raise ValueError("give the default retention in days or in years")
        return self

    @property
    def period(self) -> dict[str, int]:
        """The period, as S3's API has it."""
        return {"Days": self.days} if self.days is not None else {"Years": self.years or 0}


def retention_days(period: Mapping[str, Any]) -> int:
    """Return the days of a period in S3's API, by days or years; 0 for none."""
    return int(period.get("Days") or 0) or _YEAR * int(period.get("Years") or 0)


def _validate(case: Case[ObjectLock]) -> Verdict:
    wanted = case.requirement
    if receiving := asked_sources(case):
        return Verdict(
            Status.NOT_APPLICABLE,
            f"It is to receive the access logs of {receiving[0].name}, which do not arrive in a locked bucket.",
        )
    expected = {"mode": wanted.mode, **wanted.period}
    lock = case.get(OBJECT_LOCK).get("ObjectLockConfiguration", {})
    if lock.get("ObjectLockEnabled") != "Enabled":
        return Verdict(Status.FAIL, "Object Lock is not enabled.", {"enabled": False}, expected)
    default = lock.get("Rule", {}).get("DefaultRetention", {})
    # A default event hold may stand beside the period or instead of it, and is no period.
    days = retention_days(default)
    if not days:
        reason = "Object Lock is enabled, but new objects are not retained by default."
        return Verdict(Status.WARN, reason, {"enabled": True, **default}, expected)
    observed = {"mode": default["Mode"], "days": days}
    if days < retention_days(wanted.period):
        reason = f"New objects are retained for {days} days; {retention_days(wanted.period)} are asked."
        return Verdict(Status.WARN, reason, observed, expected)
    if wanted.mode is Mode.COMPLIANCE and default["Mode"] != Mode.COMPLIANCE:
        return Verdict(Status.WARN, f"Retention is in {default['Mode']} mode, COMPLIANCE is asked.", observed, expected)
    return Verdict(
        Status.PASS, f"New objects are retained for {days} days in {default['Mode']} mode.", observed, expected
    )


def _propose(case: Case[ObjectLock]) -> Sequence[Change]:
    """Propose what can be loosened again: for how long a bucket was governed, no snapshot of it tells."""
    default = case.get(OBJECT_LOCK).get("ObjectLockConfiguration", {}).get("Rule", {}).get("DefaultRetention", {})
    if case.requirement.mode is Mode.COMPLIANCE and default.get("Mode") != Mode.COMPLIANCE:
        raise CannotChange(
            f"COMPLIANCE mode can never be taken back. Ask for GOVERNANCE of {case.resource.name} first; from there "
            "only lock_objects goes on to COMPLIANCE, which knows for how long bucket and objects were in that mode."
        )
    return retain(case)


def retain(case: Case[ObjectLock]) -> Sequence[Change]:
    """Return the change to what is asked, whatever the mode; whoever makes it has asked whether the mode may be.

    Raises:
        CannotChange: The bucket is to receive access logs, or has no versions.
    """
    bucket, wanted = case.resource, case.requirement
    require_no_logs(case, "which do not arrive in a locked bucket")
    if case.get(VERSIONING).get("Status") != "Enabled":
        raise CannotChange(
            f"Object Lock needs versioning: satisfy S3-VERSION for {bucket.name} first, then plan again."
        )
    lock = _lock(case)
    default = lock.get("Rule", {}).get("DefaultRetention", {})
    mode, days = default.get("Mode"), retention_days(default)
    # What is stronger than asked is never weakened, nor is a default event hold dropped.
    period = wanted.period if days < retention_days(wanted.period) else {"Days": days}
    strictest = Mode.COMPLIANCE if mode == Mode.COMPLIANCE else wanted.mode
    hold = {name: value for name, value in default.items() if name not in {"Mode", "Days", "Years"}}
    after = {
        "ObjectLockEnabled": "Enabled",
        "Rule": {"DefaultRetention": {**hold, "Mode": strictest.value, **period}},
    }
    is_locked = lock.get("ObjectLockEnabled") == "Enabled"
    for_good = not is_locked or strictest is Mode.COMPLIANCE
    return [
        Change(
            check="S3-LOCK",
            title=f"Retain new objects in {bucket.name} for {retention_days(period)} days in {strictest} mode",
            call=bucket_call(bucket, "put_object_lock_configuration", ObjectLockConfiguration=after),
            inverse=bucket_call(bucket, "put_object_lock_configuration", ObjectLockConfiguration=lock)
            if is_locked
            else None,
            reversibility=Reversibility.ONE_WAY if for_good else Reversibility.SIDE_EFFECTS,
            before=lock or None,
            after=after,
            risk=_risk(strictest, is_locked=is_locked),
            cost="Versions that cannot be deleted are paid until their retention ends.",
        )
    ]


def _without_zeros(lock: Mapping[str, Any]) -> dict[str, Any]:
    """Return a lock configuration as S3 takes it: an emulator answers with both Days and Years, one of them zero."""
    if "DefaultRetention" not in lock.get("Rule", {}):
        return dict(lock)
    default = {name: value for name, value in lock["Rule"]["DefaultRetention"].items() if value != 0}
    return {**lock, "Rule": {**lock["Rule"], "DefaultRetention": default}}


def _risk(mode: Mode, *, is_locked: bool) -> str:
    first = "" if is_locked else "Object Lock can never be turned off, nor versioning suspended. "
    who = "nobody" if mode is Mode.COMPLIANCE else "nobody without s3:BypassGovernanceRetention"
    return f"{first}New objects can be deleted by {who} before their time; present ones are as before."


def _present(case: Case[ObjectLock], _: Change) -> Any:
    return _lock(case) or None


def _lock(case: Case[ObjectLock]) -> dict[str, Any]:
    return _without_zeros(case.get(OBJECT_LOCK).get("ObjectLockConfiguration", {}))


CHECK: Final = Check(
    id="S3-LOCK",
    title="Object Lock retains new objects",
    why="Neither a mistake nor an intruder with an administrator's rights can delete what was written.",
    severity=Severity.MEDIUM,
    kind=Kind.BUCKET,
    requirement=ObjectLock,
    reads=(OBJECT_LOCK, VERSIONING, LOGGING),
    others=(LOGGING,),  # where they log tells whether this one receives logs
    validate=_validate,
    cost="Every version is paid until its retention ends, however often an object is overwritten.",
    advice="Decide mode and period with those who answer for erasure, then enable it in the bucket's properties.",
    controls={"AWS FSBP": ("S3.15",), "NIST 800-53 r5": ("CP-6(2)",), "PCI DSS 4.0.1": ("10.5.1",)},
    mutator=Mutator(
        phase=4,
        reversibility=Reversibility.ONE_WAY,
        operations=frozenset({"s3:put_object_lock_configuration"}),
        actions=frozenset({"s3:PutBucketObjectLockConfiguration"}),
        propose=_propose,
        present=_present,
    ),
)
