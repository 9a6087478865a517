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


class AccessRefused(DataProtectionError):
    """STS refuses the role of an account."""


class EvidenceBroken(DataProtectionError):
    """A chain of evidence is not as it was written."""


class PlanMissing(DataProtectionError):
    """There is no plan of that hash, or what is kept under it has another one."""


class StepRefused(DataProtectionError):
    """A step is not applied: the resource is not as it was planned from, or the call is not one of its mutator's."""


class ResourceLocked(DataProtectionError):
    """Another remediation works on the resource."""


class ResourceUnreadable(DataProtectionError):
    """A resource cannot be read now, so nothing is done to it; it is tried again."""


class OwnApproval(DataProtectionError):
    """Who asked for a plan may not approve it."""


class ApprovalClosed(DataProtectionError):
    """An approval was decided, or nobody decided it in time."""
