"""Tiers: what a profile asks of the objects below a prefix as they age, as rules and against a lifecycle."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from data_protection.lifecycle.effects import Course, course
from data_protection.lifecycle.limits import faults
from data_protection.lifecycle.merging import Family
from data_protection.lifecycle.rules import SMALL, Configuration, RawRule, StorageClass

_LARGEST: Final = 5 * 1024**4  # bytes, of an object


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
        rto_hours: How long it may take until one can be read again. Archives need hours: to say so here is the way to
            have them in spite of a shorter RTO elsewhere.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prefix: str = ""
    transitions: tuple[Step, ...] = ()
    expire_days: int | None = Field(default=None, ge=1)
    larger_than_bytes: int | None = Field(default=None, ge=0)
    rto_hours: float = Field(default=1, gt=0)

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if refused := faults(self.rule()):
            raise ValueError(f"AWS would refuse this tier. {' '.join(refused)}")
        return self

    @property
    def name(self) -> str:
        """What people call it."""
        return f"below {self.prefix!r}" if self.prefix else "of the bucket"

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
    """Return what a lifecycle lacks so that every object of a tier lives as asked."""
    smallest = SMALL if tier.larger_than_bytes is None else tier.larger_than_bytes + 1
    small, large = (course(configuration, tier.prefix, size, now) for size in (smallest, _LARGEST))
    found: list[Shortfall] = []
    for step in tier.transitions:
        found += _of_step(tier, step, small, large, configuration)
    found += _of_expiry(tier, small, large)
    return found


def _of_step(tier: Tier, step: Step, small: Course, large: Course, configuration: Configuration) -> Iterable[Shortfall]:
    asked = f"Objects {tier.name} are to move to {step.storage_class} after {step.days} days"
    moves = [small.reaches(step.storage_class), large.reaches(step.storage_class)]
    there = [move for move in moves if move is not None]
    if other := [move for move in there if move.age != step.days]:
        yield Shortfall(f"{asked}; rule {other[0].rule!r} moves them after {other[0].age}.", is_missing=False)
    elif len(there) == 1:
        yield Shortfall(f"{asked}; rule {there[0].rule!r} moves only those of some sizes.", is_missing=False)
    elif not there:
        is_preempted = any(
            rule.enabled and rule.covers(tier.prefix, _LARGEST) and transition.storage_class is step.storage_class
            for rule in configuration.rules
            for transition in rule.transitions
        )
        what = "another rule moves or deletes them before." if is_preempted else "no enabled rule does that for all."
        yield Shortfall(f"{asked}; {what}", is_missing=not is_preempted)


def _of_expiry(tier: Tier, small: Course, large: Course) -> Iterable[Shortfall]:
    by = small.expired_by or large.expired_by
    asked = f"Objects {tier.name} are to be deleted after {tier.expire_days} days"
    if tier.expire_days is None:
        asked = f"Objects {tier.name} are to be kept"
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
