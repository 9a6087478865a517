"""Tiers: what a profile asks of the objects below a prefix as they age, as rules and against a lifecycle."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from data_protection.lifecycle.effects import Course, course
from data_protection.lifecycle.limits import faults
from data_protection.lifecycle.merging import Family
from data_protection.lifecycle.rules import LARGEST, SMALL, Configuration, RawRule, Rule, StorageClass


class Step(BaseModel):
    """A move to a colder storage class.

    Attributes:
        days: Age of the objects.
        storage_class: Where they move.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    days: int = Field(ge=0)
    storage_class: StorageClass

    @field_validator("storage_class")
    @classmethod
    def _is_a_target(cls, storage_class: StorageClass) -> StorageClass:
        if storage_class is StorageClass.STANDARD:
            raise ValueError("no rule can move objects to STANDARD")
        return storage_class


class Tier(BaseModel):
    """What becomes of the objects below a prefix.

    Attributes:
        prefix: Of their keys; empty for the whole bucket.
        transitions: Where they move, in any order.
        expire_days: At which age they are deleted; None for never.
        larger_than_bytes: Only what is larger moves and expires. Without it all expire, and none below 128 KB moves.
        rto_hours: How long it may take until one can be read again; None where no RTO is stated. Archives need hours.
        saves_percent: What its moves are expected to save against STANDARD; None where nothing is. Neither of the two
            makes a rule: where they cannot come true, that is told as a conflict.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: str = ""
    transitions: tuple[Step, ...] = ()
    expire_days: int | None = Field(default=None, ge=1)
    larger_than_bytes: int | None = Field(default=None, ge=0)
    rto_hours: float | None = Field(default=None, gt=0)
    saves_percent: int | None = Field(default=None, ge=1, le=100)

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if refused := faults(self.rule()):
            raise ValueError(f"AWS would refuse this tier. {' '.join(refused)}")
        return self

    @property
    def name(self) -> str:
        """What people call it."""
        return f"below {self.prefix!r}" if self.prefix else "of the bucket"

    @property
    def archives(self) -> bool:
        """Whether objects move to where they must be restored before they can be read."""
        return any(step.storage_class.is_archive for step in self.transitions)

    def rule(self) -> RawRule:
        """Return the lifecycle rule that makes it so, in AWS' JSON."""
        size = {} if self.larger_than_bytes is None else {"ObjectSizeGreaterThan": self.larger_than_bytes}
        prefix = {"Prefix": self.prefix}
        rule: dict[str, object] = {
            "ID": rule_id(Family.TIER, self.prefix),
            "Status": "Enabled",
            "Filter": {"And": prefix | size} if size and self.prefix else size or prefix,
        }
        if self.transitions:
            rule["Transitions"] = [
                {"Days": step.days, "StorageClass": step.storage_class.value}
                for step in sorted(self.transitions, key=lambda step: step.days)
            ]
        if self.expire_days is not None:
            rule["Expiration"] = {"Days": self.expire_days}
        return rule


@dataclass(frozen=True)
class Shortfall:
    """What a lifecycle lacks of a tier.

    Attributes:
        sentence: What is asked and what there is.
        is_missing: Whether nothing does what is asked; otherwise something does it in part or at another age.
    """

    sentence: str
    is_missing: bool


def rule_id(family: Family, prefix: str) -> str:
    """Return the id of our rule for a prefix: readable, unique, and of at most 255 characters."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", prefix).strip("-")[:40] or "bucket"
    return f"{family}{readable}-{hashlib.sha256(prefix.encode()).hexdigest()[:8]}"


def shortfalls(tier: Tier, configuration: Configuration, now: datetime) -> list[Shortfall]:
    """Return what a lifecycle lacks so that the objects of a tier live as asked, whatever their size.

    What rules do to some of them, below a longer prefix or by their tags, `departures` has.
    """
    small, large = (course(configuration, tier.prefix, size, now) for size in (_smallest(tier), LARGEST))
    found: list[Shortfall] = []
    for step in tier.transitions:
        found += _of_step(tier, step, small, large, configuration)
    found += _of_expiry(tier, small, large)
    return found


def departures(
    tier: Tier, configuration: Configuration, now: datetime, others: Iterable[Tier] = ()
) -> Iterator[Shortfall]:
    """Yield where some objects of a tier live otherwise than asked, though all in general live as asked.

    Rules about longer prefixes, other sizes or tags delete them earlier, or move them to where an asked move cannot
    follow. Each rule counts by itself, as of all rules the earliest expiration is carried out.

    Args:
        tier: Whose objects.
        configuration: Of the bucket.
        now: The time.
        others: Tiers of the same bucket; what is theirs is not this one's.
    """
    deeper = [other for other in others if len(other.prefix) > len(tier.prefix)]
    for rule in configuration.rules:
        if not _takes_some(rule, tier, deeper):
            continue
        ends = None if rule.expiration is None else rule.expiration.age(now)
        if ends is not None and (tier.expire_days is None or ends < tier.expire_days):
            sentence = f"{_asked_end(tier)}; rule {rule.id!r} deletes those {rule.about} after {ends}."
            yield Shortfall(sentence, is_missing=False)
        else:
            yield from _of_moves(tier, rule, configuration, now)


def _takes_some(rule: Rule, tier: Tier, deeper: Iterable[Tier]) -> bool:
    """Return whether a rule is about some of a tier's objects; not, where it is about all, or only those of another."""
    least = max(_least(tier), rule.least)
    overlaps = rule.prefix.startswith(tier.prefix) or tier.prefix.startswith(rule.prefix)
    if not rule.enabled or not overlaps or least >= rule.limit:
        return False
    if any(rule.covers(tier.prefix, size) for size in (_smallest(tier), LARGEST)):
        return False
    return not any(rule.prefix.startswith(other.prefix) and least >= _least(other) for other in deeper)


def _of_moves(tier: Tier, rule: Rule, configuration: Configuration, now: datetime) -> Iterator[Shortfall]:
    alone = Configuration((rule,), configuration.minimum)
    # At 128 KB whatever moves does; below, only by a rule about sizes or to an archive.
    size = max(_least(tier), rule.least, min(SMALL, rule.limit - 1))
    for move in course(alone, rule.prefix, size, now, rule.tags).moves:
        for step in tier.transitions:
            is_before = move.storage_class is step.storage_class and move.age < step.days
            if is_before or (move.age <= step.days and not _leads_on(move.storage_class, step.storage_class)):
                yield Shortfall(
                    f"{_asked_move(tier, step)}; rule {rule.id!r} moves those {rule.about} to {move.storage_class} "
                    f"after {move.age}.",
                    is_missing=False,
                )
                return


def _leads_on(storage_class: StorageClass, asked: StorageClass) -> bool:
    return storage_class is asked or storage_class.leads_to(asked)


def _least(tier: Tier) -> int:
    """Return the size of the smallest objects of a tier, in bytes."""
    return 0 if tier.larger_than_bytes is None else tier.larger_than_bytes + 1


def _smallest(tier: Tier) -> int:
    """Return the size of the smallest objects of a tier that move by default, in bytes."""
    return SMALL if tier.larger_than_bytes is None else _least(tier)


def _asked_move(tier: Tier, step: Step) -> str:
    return f"Objects {tier.name} are to move to {step.storage_class} after {step.days} days"


def _asked_end(tier: Tier) -> str:
    if tier.expire_days is None:
        return f"Objects {tier.name} are to be kept"
    return f"Objects {tier.name} are to be deleted after {tier.expire_days} days"


def _of_step(tier: Tier, step: Step, small: Course, large: Course, configuration: Configuration) -> Iterable[Shortfall]:
    asked = _asked_move(tier, step)
    moves = [small.reaches(step.storage_class), large.reaches(step.storage_class)]
    there = [move for move in moves if move is not None]
    if other := [move for move in there if move.age != step.days]:
        yield Shortfall(f"{asked}; rule {other[0].rule!r} moves them after {other[0].age}.", is_missing=False)
    elif len(there) == 1:
        yield Shortfall(f"{asked}; rule {there[0].rule!r} moves only those of some sizes.", is_missing=False)
    elif not there:
        is_preempted = any(
            rule.enabled and rule.covers(tier.prefix, LARGEST) and transition.storage_class is step.storage_class
            for rule in configuration.rules
            for transition in rule.transitions
        )
        what = "another rule moves or deletes them before." if is_preempted else "no enabled rule does that for all."
        yield Shortfall(f"{asked}; {what}", is_missing=not is_preempted)


def _of_expiry(tier: Tier, small: Course, large: Course) -> Iterable[Shortfall]:
    by, asked = small.expired_by or large.expired_by, _asked_end(tier)
    ages = {small.expires, large.expires}
    if ages == {tier.expire_days}:
        return
    if ages == {None}:
        yield Shortfall(f"{asked}; no enabled rule does that for all.", is_missing=True)
    elif ages == {None, tier.expire_days}:
        yield Shortfall(f"{asked}; rule {by!r} deletes only those of some sizes.", is_missing=False)
    else:
        first = min(age for age in ages if age is not None)
        yield Shortfall(f"{asked}; rule {by!r} deletes them after {first}.", is_missing=False)
