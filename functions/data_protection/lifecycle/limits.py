"""What AWS takes of a lifecycle configuration, so that a plan never holds a call that it refuses.

Limits: https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from itertools import combinations, pairwise
from typing import Any, Final

from data_protection.lifecycle.rules import RawRule, StorageClass
from data_protection.times import moment

MOST_RULES: Final = 1000
_LONGEST_ID: Final = 255
_LEAST_IDLE: Final = 30  # days before and in STANDARD_IA and ONEZONE_IA
_MOST_NEWER: Final = 100  # noncurrent versions that may be kept
_LEAST_TERMS: Final = 2  # of an And
_ACTIONS: Final = (
    "Transitions",
    "Expiration",
    "NoncurrentVersionTransitions",
    "NoncurrentVersionExpiration",
    "AbortIncompleteMultipartUpload",
)


def faults(rule: RawRule) -> list[str]:
    """Return why AWS would refuse a rule, one sentence a reason; nothing for one that it takes."""
    name = rule.get("ID", "")
    found = [
        *_of_frame(rule),
        *_of_filter(rule),
        *_of_ages(rule.get("Transitions", ()), rule.get("Expiration", {}), "Days"),
        *_of_ages(
            rule.get("NoncurrentVersionTransitions", ()), rule.get("NoncurrentVersionExpiration", {}), "NoncurrentDays"
        ),
        *_of_newer(rule),
        *_of_cleaning(rule),
    ]
    return [f"Rule {name!r}: {fault}" for fault in found]


def configuration_faults(rules: Sequence[RawRule]) -> list[str]:
    """Return why AWS would refuse rules together, each of which it takes alone."""
    found = []
    if len(rules) > MOST_RULES:
        found.append(f"A bucket may have {MOST_RULES} lifecycle rules, these are {len(rules)}.")
    ids = Counter(rule["ID"] for rule in rules if "ID" in rule)
    found += [f"{count} lifecycle rules are called {name!r}." for name, count in ids.items() if count > 1]
    legacy = [rule for rule in rules if "Filter" not in rule]
    if legacy and len(legacy) < len(rules):
        # "Filter element can only be used in Lifecycle V2."
        found.append("Rules with a Filter and rules with a Prefix outside of one cannot stand in one configuration.")
    elif legacy:
        found += _overlaps(legacy)
    return found


def _overlaps(rules: Iterable[RawRule]) -> Iterable[str]:
    # "Found overlapping prefixes '...' and '...' for same action type '...'": of rules with a top-level Prefix only.
    for one, other in combinations(rules, 2):
        short, long = sorted((one["Prefix"], other["Prefix"]), key=len)
        if long.startswith(short) and (common := [action for action in _ACTIONS if action in one and action in other]):
            yield (
                f"The rules {one.get('ID', '')!r} and {other.get('ID', '')!r}, whose Prefix is outside of a Filter, "
                f"overlap for {common[0]}."
            )


def _of_frame(rule: RawRule) -> Iterable[str]:
    if len(rule.get("ID", "")) > _LONGEST_ID:
        yield f"its ID has more than {_LONGEST_ID} characters."
    if rule.get("Status") not in {"Enabled", "Disabled"}:
        yield "its Status is neither Enabled nor Disabled."
    if not any(rule.get(action) for action in _ACTIONS):
        yield "it has no action."


def _of_filter(rule: RawRule) -> Iterable[str]:
    if ("Filter" in rule) == ("Prefix" in rule):
        yield "give a Filter, or a Prefix outside of one, and not both."
    one = rule.get("Filter", {})
    if len(one) > 1:
        yield "its Filter has more than one member; join them by And."
    terms = one.get("And", one)
    tags = terms.get("Tags", ())
    if "And" in one and len(tags) + len(terms.keys() - {"Tags"}) < _LEAST_TERMS:
        yield "its And joins fewer than two terms."
    if len({tag["Key"] for tag in tags}) < len(tags):
        yield "its filter names a tag twice."
    larger, smaller = terms.get("ObjectSizeGreaterThan"), terms.get("ObjectSizeLessThan")
    if larger is not None and larger < 0:
        yield "ObjectSizeGreaterThan is negative."
    if smaller is not None and smaller <= (larger or 0):
        yield "ObjectSizeLessThan is not above ObjectSizeGreaterThan."


def _of_ages(transitions: Sequence[Mapping[str, Any]], expiration: Mapping[str, Any], unit: str) -> Iterable[str]:
    """Judge the actions on current versions (unit Days) or noncurrent ones (NoncurrentDays)."""
    classes = Counter(action["StorageClass"] for action in transitions)
    yield from (f"it moves objects to {name} more than once." for name, count in classes.items() if count > 1)
    if unknown := classes.keys() - (set(StorageClass) - {StorageClass.STANDARD}):
        yield f"no rule can move objects to {', '.join(sorted(unknown))}."
        return
    timed = [*transitions, *([expiration] if {unit, "Date"} & expiration.keys() else [])]
    if any((unit in action) == ("Date" in action) for action in timed):
        yield f"give each action either {unit} or a Date."
        return
    dated = [action for action in timed if "Date" in action]
    if any(moment(action["Date"]).time() != time.min for action in dated):
        yield "a Date must be midnight in UTC."
    if dated and len(dated) < len(timed):
        yield "dates and days cannot be mixed."
    elif not dated:
        yield from _of_days(transitions, expiration.get(unit), unit)


def _of_days(transitions: Sequence[Mapping[str, Any]], end: int | None, unit: str) -> Iterable[str]:
    steps = sorted((action[unit], StorageClass(action["StorageClass"])) for action in transitions)
    for days, to in steps:
        if days < (_LEAST_IDLE if to.is_infrequent else 0):
            yield f"it moves objects to {to} after {days} days; {_LEAST_IDLE if to.is_infrequent else 0} are the least."
        if end is not None and end <= days:
            yield f"it deletes objects after {end} days, which is not after they move to {to} at {days}."
    for (earlier, source), (later, to) in pairwise(steps):
        if not source.leads_to(to):
            yield f"no rule can move objects from {source} to {to}."
        least = _LEAST_IDLE if source.is_infrequent else 1
        if later - earlier < least:
            yield f"objects must stay in {source} for {least} days at least before they move to {to}."
    if end is not None and end < 1:
        yield f"{unit} of an expiration must be 1 or more."


def _of_newer(rule: RawRule) -> Iterable[str]:
    expiration = rule.get("NoncurrentVersionExpiration", {})
    if expiration and "NoncurrentDays" not in expiration:
        yield "its NoncurrentVersionExpiration lacks NoncurrentDays."
    for action in (*rule.get("NoncurrentVersionTransitions", ()), expiration):
        newer = action.get("NewerNoncurrentVersions")
        if newer is None:
            continue
        if not 1 <= newer <= _MOST_NEWER:
            yield f"NewerNoncurrentVersions must be 1 to {_MOST_NEWER}, not {newer}."
        if "Filter" not in rule:
            yield "NewerNoncurrentVersions needs a Filter."


def _of_cleaning(rule: RawRule) -> Iterable[str]:
    one = rule.get("Filter", {})
    has_tags = "Tag" in one or bool(one.get("And", {}).get("Tags"))
    expiration = rule.get("Expiration", {})
    if "ExpiredObjectDeleteMarker" in expiration and {"Days", "Date"} & expiration.keys():
        yield "ExpiredObjectDeleteMarker cannot stand beside Days or Date."
    if has_tags and "ExpiredObjectDeleteMarker" in expiration:
        yield "ExpiredObjectDeleteMarker cannot stand beside a filter by tags."
    if (abort := rule.get("AbortIncompleteMultipartUpload")) is not None:
        if abort["DaysAfterInitiation"] < 1:
            yield "DaysAfterInitiation must be 1 or more."
        if has_tags:
            yield "AbortIncompleteMultipartUpload cannot stand beside a filter by tags."
