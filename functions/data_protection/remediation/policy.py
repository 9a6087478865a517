"""Who must agree to a plan, when it may be applied, and how much of an account it may change."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator

from data_protection.remediation.plans import Limits, Plan

# What loses data or cannot be undone needs people, and the last phase of the standard needs two.
_MAY_BE_PREAPPROVED: Final = frozenset({1, 2})
_TWO_APPROVERS: Final = 4
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


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


class Policy(_Model):
    """Of remediation.

    Attributes:
        preapproved_phases: Whose plans need nobody's approval, as long as all that they change comes back.
        windows: When changes may begin; none, at any time.
        limits: How much one plan may change.
        approval_hours: How long an approval is waited for; no answer is a no.
    """

    preapproved_phases: frozenset[int] = frozenset()
    windows: tuple[Window, ...] = ()
    limits: Limits = Limits()
    approval_hours: float = Field(default=72, gt=0, le=720)

    @field_validator("preapproved_phases")
    @classmethod
    def _are_harmless(cls, phases: frozenset[int]) -> frozenset[int]:
        if wrong := phases - _MAY_BE_PREAPPROVED:
            raise ValueError(f"phase {min(wrong)} always needs an approval; only 1 and 2 may be approved beforehand")
        return phases

    def approvers(self, plan: Plan) -> int:
        """Return how many people must approve a plan."""
        if not plan.steps:
            return 0
        if _TWO_APPROVERS in plan.phases:
            return 2
        return 0 if set(plan.phases) <= self.preapproved_phases and not plan.one_way else 1

    def next_opening(self, now: datetime) -> datetime:
        """Return now where changes may begin, else when they may next."""
        return min((window.next_opening(now) for window in self.windows), default=now)


def summary(plan: Plan) -> Mapping[str, object]:
    """Return what people are shown who are asked for approval: small enough for a message."""
    return {
        "plan": plan.hash,
        "account": plan.account,
        "region": plan.region,
        "phases": plan.phases,
        "requested_by": plan.requested_by,
        "changes": len(plan.steps),
        "resources": plan.resources_touched,
        "one_way": [step.id for step in plan.one_way],
    }
