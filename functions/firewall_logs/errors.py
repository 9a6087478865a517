"""What can go wrong in firewall_logs. The class names are the error names the state machines see."""


class FirewallLogsError(Exception):
    """Base of this domain's errors."""


class FeedConfigInvalid(FirewallLogsError):
    """The feed configuration does not hold."""


class RulesInvalid(FirewallLogsError):
    """The quality rules do not hold."""


class FeedUnknown(FirewallLogsError):
    """No feed has this name."""


class LeaseLost(FirewallLogsError):
    """Another run holds the object by now; whatever this one still does is fenced off."""


class CommitRefused(FirewallLogsError):
    """Objects whose witnesses agree were not committed, each for its reason; all others of the run were."""


class SourceChanged(FirewallLogsError):
    """The raw object is no longer the version that was planned."""


class FooterBroken(FirewallLogsError):
    """A raw object is no parquet, or its footer cannot be read; the message says which."""


class WorkMissing(FirewallLogsError):
    """A task on Fargate was told of work that is nowhere written down."""


class PlanMissing(FirewallLogsError):
    """A step asks for the plan of a run or seal that has none."""


class SourceUnreadable(FirewallLogsError):
    """Raw objects are there but cannot be processed: a role that refuses, or archived."""


class ListInvalid(FirewallLogsError):
    """A list of objects that a run is to process is not there, or a line of it names no object."""


class RequestTooLarge(FirewallLogsError):
    """A request names more objects than one run takes."""


class BatchDisabled(FirewallLogsError):
    """A run asks for Fargate, and the stack has none."""


class RunGivenUp(FirewallLogsError):
    """The run's failure was recorded while it was still being planned; it must not hold anything any more."""


class BackfillUnknown(FirewallLogsError):
    """There is no backfill of this name, or none that is planned."""


class BackfillStuck(FirewallLogsError):
    """The runs of a backfill cannot be started."""


class QuarantineIncomplete(FirewallLogsError):
    """The quarantine does not hold the rows that a manifest counts."""


class DayBusy(FirewallLogsError):
    """Another seal holds the day."""


class SealLost(FirewallLogsError):
    """Another seal has committed the version that this one was to become."""


class InputGone(FirewallLogsError):
    """An input of a compaction is not in the lake any more: another seal of its day has replaced it."""


class InputUnsorted(FirewallLogsError):
    """An input of a compaction does not have the order of the lake."""


class CutTooHeavy(FirewallLogsError):
    """A cut of a day, which cannot be divided any further, fits nothing that the stack has."""


class CutMismatch(FirewallLogsError):
    """The inputs have other rows of a cut than their hourly counts say."""


class ManifestMissing(FirewallLogsError):
    """The day index knows an object whose manifest is gone."""


class SealMissing(FirewallLogsError):
    """A day is said to be sealed and has no document."""


class LakeFileDamaged(FirewallLogsError):
    """A file of a sealed day is gone or holds other bytes."""


class TableBusy(FirewallLogsError):
    """The Iceberg table was changed by others at every attempt to commit."""
