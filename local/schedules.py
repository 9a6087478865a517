"""Schedules of a deployment in the embedded cloud."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient


def pause(events: "EventBridgeClient") -> list[str]:
    """Disable every rule that has a schedule, and return their names.

    For whoever starts by hand what a schedule would start as well, and must not meet it at the full hour.
    """
    names = [rule["Name"] for rule in events.list_rules()["Rules"] if rule.get("ScheduleExpression")]
    for name in names:
        events.disable_rule(Name=name)
    return names
