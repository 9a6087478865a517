"""What can go wrong in firewall_logs. The class names are the error names the state machines see."""


class FirewallLogsError(Exception):
    """Base of this domain's errors."""


class FeedConfigInvalid(FirewallLogsError):
    """The feed configuration does not hold."""


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


class EventRefused(FirewallLogsError):
    """EventBridge took a call and refused its entry."""


class PlanMissing(FirewallLogsError):
    """A step asks for the plan of a run that has none."""


class SourceUnreadable(FirewallLogsError):
    """A raw object is there but cannot be processed: no permission, archived, or too large for a function."""


class RequestTooLarge(FirewallLogsError):
    """A request names more objects than one run takes."""


class RunGivenUp(FirewallLogsError):
    """The run's failure was recorded while it was still being planned; it must not hold anything any more."""


class DayBusy(FirewallLogsError):
    """Another seal holds the day."""


class SealLost(FirewallLogsError):
    """Another seal has committed the version that this one was to become."""


class SealIncomplete(FirewallLogsError):
    """A step of a seal asks for what the step before it should have left."""
