"""When a bucket's lifecycle would delete a version for good, if nothing kept it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from data_protection.lifecycle.rules import Configuration, Rule
from data_protection.locking.versions import Version


@dataclass(frozen=True)
class Deletion:
    """The end of a version.

    Attributes:
        at: When.
        rule: Id of the rule that deletes it; may be empty.
    """

    at: datetime
    rule: str


def deletion(version: Version, configuration: Configuration, now: datetime) -> Deletion | None:
    """Return when a version of a versioned bucket is deleted, not before now; None for never.

    An expiration only hides the current version; what deletes is a rule for noncurrent ones. Rules by tag are left out,
    since listings show no tags. So are versions that a rule keeps by their number.
    """
    rules = [rule for rule in configuration.rules if rule.enabled and rule.covers(version.key, version.size)]
    since = version.noncurrent_since if version.newer else _expires(version, rules, now)
    if since is None:
        return None
    # What has just become noncurrent has no newer noncurrent version.
    kept_before = max(version.newer - 1, 0)
    ends = [
        (since + timedelta(days=rule.noncurrent_days), rule.id)
        for rule in rules
        if rule.noncurrent_days is not None and kept_before >= rule.noncurrent_kept
    ]
    if not ends:
        return None
    at, rule = min(ends)
    return Deletion(max(at, now), rule)


def _expires(version: Version, rules: list[Rule], now: datetime) -> datetime | None:
    ages = [age for rule in rules if rule.expiration is not None and (age := rule.expiration.age(now)) is not None]
    return max(version.written + timedelta(days=min(ages)), now) if ages else None
