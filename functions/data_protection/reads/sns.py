"""Reads of SNS."""

from collections.abc import Iterable
from typing import Final

from data_protection.readings import Answer, Read
from data_protection.resources import Kind, Resource, named

# The code on the wire is NotFound; the name of the exception in the API's model is another one.
_MISSING: Final = frozenset({"NotFound", "NotFoundException"})


def _key(resource: Resource, answer: Answer) -> Iterable[Resource]:
    if key := answer["Attributes"].get("KmsMasterKeyId"):
        yield named(Kind.KEY, resource.place, key)


TOPIC: Final = Read(
    name="sns.GetTopicAttributes",
    kind=Kind.TOPIC,
    service="sns",
    operation="get_topic_attributes",
    arguments=lambda resource: {"TopicArn": resource.arn},
    actions=frozenset({"sns:GetTopicAttributes"}),
    missing=_MISSING,
    leads_to=_key,
)

SUBSCRIPTIONS: Final = Read(
    name="sns.ListSubscriptionsByTopic",
    kind=Kind.TOPIC,
    service="sns",
    operation="list_subscriptions_by_topic",
    arguments=lambda resource: {"TopicArn": resource.arn},
    actions=frozenset({"sns:ListSubscriptionsByTopic"}),
    missing=_MISSING,
    per_second=30,  # https://docs.aws.amazon.com/sns/latest/api/API_ListSubscriptionsByTopic.html
    merge=("Subscriptions",),
)
