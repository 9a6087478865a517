"""What can go wrong in firewall_logs. The class names are the error names the state machines see."""


class FirewallLogsError(Exception):
    """Base of this domain's errors."""


class FeedConfigInvalid(FirewallLogsError):
    """The feed configuration does not hold."""


class FeedUnknown(FirewallLogsError):
    """No feed has this name."""


class LeaseLost(FirewallLogsError):
    """Another run holds the object by now; whatever this one still does is fenced off."""


class EffectConflict(FirewallLogsError):
    """An object of the lake exists with other content than ours: two transforms disagree under one identity."""


class SourceChanged(FirewallLogsError):
    """The raw object is no longer the version that was planned."""


class ReconciliationFailed(FirewallLogsError):
    """Two witnesses of the same rows disagree."""
