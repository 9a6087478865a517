"""Reads of CloudWatch."""

from collections.abc import Iterable
from typing import Final

from data_protection.readings import Answer, Read
from data_protection.resources import Kind, Resource, named


def _topics(resource: Resource, answer: Answer) -> Iterable[Resource]:
    alarms = (*answer["MetricAlarms"], *answer["CompositeAlarms"])
    actions = {action for alarm in alarms for action in alarm.get("AlarmActions", [])}
    topics = (action for action in sorted(actions) if action.split(":")[2:3] == ["sns"])
    return [named(Kind.TOPIC, resource.place, topic) for topic in topics]


ALARMS: Final = Read(
    name="cloudwatch.DescribeAlarms",
    kind=Kind.ACCOUNT,
    service="cloudwatch",
    operation="describe_alarms",
    # Without types AWS answers metric alarms alone, and composite ones only to a permission on all alarms.
    arguments=lambda _: {"AlarmTypes": ["MetricAlarm", "CompositeAlarm"]},
    actions=frozenset({"cloudwatch:DescribeAlarms"}),
    merge=("MetricAlarms", "CompositeAlarms"),
    leads_to=_topics,
)
