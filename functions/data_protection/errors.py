"""What can go wrong in data protection; the names are the error names that state machines see."""


class DataProtectionError(Exception):
    """Any error of this domain."""


class ProfileInvalid(DataProtectionError):
    """A profile cannot be used; the sentence says where and why."""


class PlanTooLarge(DataProtectionError):
    """A plan would change more than its limits allow."""


class EstateInvalid(DataProtectionError):
    """The list of accounts cannot be used; the sentence says where and why."""


class ProfileMissing(DataProtectionError):
    """There is no profile of that name."""


class ForecastInvalid(DataProtectionError):
    """A forecast cannot be made of what was asked; the sentence says what to give instead."""


class DrillRefused(DataProtectionError):
    """A table is not drilled, or nothing is deleted; the sentence says why."""


class AccessRefused(DataProtectionError):
    """STS refuses the role of an account."""


class EvidenceBroken(DataProtectionError):
    """A chain of evidence is not as it was written."""


class PlanMissing(DataProtectionError):
    """There is no plan of that hash, or what is kept under it has another one."""


class PlanExpired(DataProtectionError):
    """A plan is too old to be carried out."""


class PlanUndone(DataProtectionError):
    """A plan was undone, and is not carried out again."""


class UndoRefused(DataProtectionError):
    """A plan cannot be undone; the sentence says why, and what to do instead."""


class StepRefused(DataProtectionError):
    """A step is not applied: the resource is not as it was planned from, or the call is not one of its mutator's."""


class ResourceLocked(DataProtectionError):
    """Another remediation works on the resource.

    Attributes:
        holder: Who.
    """

    def __init__(self, message: str, holder: str) -> None:
        super().__init__(message)
        self.holder = holder


class ResourceUnreadable(DataProtectionError):
    """A resource cannot be read now, so nothing is done to it; it is tried again."""


class ReadDenied(ResourceUnreadable):
    """A resource cannot be read for want of a right, which somebody must give; the sentence says whose and which."""


class PlanUnapproved(DataProtectionError):
    """A plan is to be applied that people have not approved."""


class OwnApproval(DataProtectionError):
    """Who asked for a plan may not approve it."""


class ApprovalClosed(DataProtectionError):
    """An approval was decided, or nobody decided it in time."""


class BucketMissing(DataProtectionError):
    """There is no bucket of that name in the account."""


class LockRefused(DataProtectionError):
    """A bucket must not be locked so, or not yet."""


class LockStale(DataProtectionError):
    """What was simulated is not what is there any more."""


class LockNotApproved(DataProtectionError):
    """Nobody, or not enough people, approved the simulation."""


class LockIncomplete(DataProtectionError):
    """The counts of a lock do not add up to its listing."""


class VersionGone(DataProtectionError):
    """A version was deleted since it was listed."""


class VersionRefused(DataProtectionError):
    """S3 refuses a call about one version; the sentence says why."""


class FixUnfinished(DataProtectionError):
    """A change that fixes drift was made and has not settled; it is gone on with."""


class CreationInvalid(DataProtectionError):
    """A request for resources cannot be used; the sentence says where and why."""


class CreationMissing(DataProtectionError):
    """There is no request of that name, or none was planned by the run."""


class CreationRefused(DataProtectionError):
    """A resource is not made: something of others is in the way, what it needs is not there, or AWS refuses it."""


class CreationStalled(DataProtectionError):
    """A resource that is being made does not become what it shall be."""


class CreationDelayed(DataProtectionError):
    """AWS does not take a call now: what it is about is being changed, or is there already."""
