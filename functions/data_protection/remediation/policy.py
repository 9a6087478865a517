"""Who must agree to a plan, when it may be applied, and how much of an account it may change."""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

# What loses data or cannot be undone needs people, and the last phase of the standard needs two.
MAY_BE_PREAPPROVED: Final = frozenset({1, 2})
_TWO_APPROVERS: Final = 4
_MOST_CHANGES: Final = 200
_TIME_OF_DAY: Final = re.compile(r"\d\d:\d\d(:\d\d)?")
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(_Model):
    """How much one plan may change; without limits a wrong profile changes an account.

    Attributes:
        changes: At most so many; for 200, each looked at a few times, the history of one execution has room (Step
            Functions developer guide, "Service quotas": 25,000 events).
        percent: Of the resources in scope, at most so many are changed.
        always: So many may be changed whatever part of the scope they are; without, few resources that are all as
            they were made could never be protected.
        protected_tags: What carries one of these, with any value or with the one that is given, is left alone.
    """

    changes: int = Field(default=_MOST_CHANGES, ge=1, le=_MOST_CHANGES)
    percent: float = Field(default=25, gt=0, le=100)
    always: int = Field(default=20, ge=1)
    protected_tags: dict[str, str | None] = {"gatehouse:protected": None}

    def resources(self, in_scope: int) -> int:
        """Return how many resources may be changed at most where so many are in scope."""
        return max(self.always, int(in_scope * self.percent / 100))

    def protect(self, tags: Mapping[str, str]) -> str | None:
        """Return the tag that protects a resource, or None."""
        for key, value in self.protected_tags.items():
            if key in tags and value in {None, tags[key]}:
                return key
        return None


class Window(_Model):
    """When changes may begin.

    Attributes:
        days: As `mon`; none, every day. A window that passes midnight belongs to the day on which it opens.
        opens: Local time of day.
        hours: How long it is open.
        time_zone: By the IANA database.
    """

    days: tuple[str, ...] = ()
    opens: time
    hours: float = Field(gt=0, le=24)
    time_zone: str = "UTC"

    @field_validator("days")
    @classmethod
    def _are_days(cls, days: tuple[str, ...]) -> tuple[str, ...]:
        for day in days:
            if day not in _DAYS:
                raise ValueError(f"{day!r} is no day: give {', '.join(_DAYS)}")
        return days

    @field_validator("opens", mode="before")
    @classmethod
    def _is_a_time_of_day(cls, given: object) -> object:
        # pydantic takes numbers for seconds since midnight, as 2200 for 00:36:40.
        if isinstance(given, str | int | float) and _TIME_OF_DAY.fullmatch(str(given)) is None:
            raise ValueError(f"{given!r} is not a time of day, as 22:00")
        return given

    @field_validator("time_zone")
    @classmethod
    def _is_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"{name!r} is no time zone of the IANA database") from None
        return name

    def next_opening(self, now: datetime) -> datetime:
        """Return now where the window is open, else when it opens next; an instant of the window's zone."""
        local = now.astimezone(ZoneInfo(self.time_zone))
        for ahead in range(-1, 8):
            opening = datetime.combine(local.date() + timedelta(days=ahead), self.opens, local.tzinfo)
            if self.days and _DAYS[opening.weekday()] not in self.days:
                continue
            if opening <= local < opening + timedelta(hours=self.hours):
                return now
            if opening > local:
                return opening
        raise AssertionError("unreachable: a week has every day")


def next_opening(windows: Iterable[Window], now: datetime) -> datetime:
    """Return now where a window is open or there is none, else when one opens next."""
    return min((window.next_opening(now) for window in windows), default=now)


class Policy(_Model):
    """Of remediation.

    Attributes:
        preapproved_phases: Whose plans need nobody's approval, as long as all that they change is undone by itself
            where it does not take hold.
        windows: When changes may begin; none, at any time.
        limits: How much one plan may change.
        approval_hours: How long an approval is waited for; no answer is a no.
        plan_days: How long a plan may be carried out, approved or not; with time to approve it, and for a window a week
            before each of three waves.
    """

    preapproved_phases: frozenset[int] = frozenset()
    windows: tuple[Window, ...] = ()
    limits: Limits = Limits()
    approval_hours: float = Field(default=72, gt=0, le=720)
    plan_days: float = Field(default=30, gt=0, le=60)

    @field_validator("preapproved_phases")
    @classmethod
    def _are_harmless(cls, phases: frozenset[int]) -> frozenset[int]:
        if wrong := phases - MAY_BE_PREAPPROVED:
            raise ValueError(f"phase {min(wrong)} always needs an approval; only 1 and 2 may be approved beforehand")
        return phases

    def approvers(self, phases: Collection[int], *, changes: int, lasting: int) -> int:
        """Return how many people must approve a plan.

        Args:
            phases: That it covers.
            changes: How many it has.
            lasting: How many of them are not undone by themselves where they do not take hold: nothing undoes them, or
                not what they did meanwhile.
        """
        if not changes:
            return 0
        if _TWO_APPROVERS in phases:
            return 2
        return 0 if set(phases) <= self.preapproved_phases and not lasting else 1

    def next_opening(self, now: datetime) -> datetime:
        """Return now where changes may begin, else when they may next."""
        return next_opening(self.windows, now)
