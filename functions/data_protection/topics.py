"""SNS topics as ways to reach somebody."""

from typing import Any

from data_protection.checks.check import Case
from data_protection.reads.sns import SUBSCRIPTIONS
from data_protection.resources import Resource


def confirmed(case: Case[Any], topic: Resource) -> int:
    """Return how many subscriptions of a topic somebody has confirmed; one that is pending has no ARN yet."""
    subscriptions = case.get(SUBSCRIPTIONS, topic)["Subscriptions"]
    return sum(one["SubscriptionArn"].startswith("arn:") for one in subscriptions)
