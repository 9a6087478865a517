"""SNS topics as ways by which alarms reach somebody."""

from dataclasses import dataclass
from typing import Any, Final

from data_protection.changes import Call, CannotChange
from data_protection.checks.check import Case, Made
from data_protection.policies import Grant, grants
from data_protection.reads.cloudwatch import ALARMS
from data_protection.reads.kms import KEY, KEY_POLICY, itself
from data_protection.reads.sns import SUBSCRIPTIONS, TOPIC
from data_protection.resources import Kind, Resource, named
from data_protection.snapshot import ResourceMissing
from data_protection.times import moment

CLOUDWATCH: Final = "cloudwatch.amazonaws.com"  # which publishes alarms
KEY_NEEDS: Final = ("kms:Decrypt", "kms:GenerateDataKey")
"""What a publisher must be allowed with the key of an encrypted topic."""


def set_attribute(topic: Resource, name: str, value: str) -> Call:
    """Return the call that sets one attribute of a topic, as `Policy`."""
    parameters = {"TopicArn": topic.arn, "AttributeName": name, "AttributeValue": value}
    return Call(service="sns", operation="set_topic_attributes", parameters=parameters)


@dataclass(frozen=True)
class Reach:
    """Whom alarms reach by a topic.

    Attributes:
        confirmed: How many subscriptions somebody has confirmed.
        listed: How many there are; one that is pending reaches nobody.
        publishes: Whether the topic's policy lets CloudWatch publish.
        key: The topic's key, by the name that it was given; empty for none.
        encrypts: Whether CloudWatch may use that key; yes without one.
        key_fault: Why it may not, one sentence; empty where it may.
    """

    confirmed: int
    listed: int
    publishes: Grant
    key: str
    encrypts: Grant
    key_fault: str

    @property
    def grant(self) -> Grant:
        """Whether an alarm reaches somebody; perhaps, where a condition decides that is not judged here."""
        if not self.confirmed or Grant.NO in {self.publishes, self.encrypts}:
            return Grant.NO
        return Grant.PERHAPS if Grant.PERHAPS in {self.publishes, self.encrypts} else Grant.YES

    @property
    def barrier(self) -> str:
        """Why alarms reach nobody, one sentence; empty where they do, or may."""
        if not self.confirmed:
            return "Nobody has confirmed a subscription."
        if self.publishes is Grant.NO:
            return "Its policy does not let CloudWatch publish."
        return self.key_fault


def reach(case: Case[Any], topic: Resource) -> Reach:
    """Return whom alarms of the place reach by a topic.

    Raises:
        NotRead: Topic, subscriptions or key could not be read.
        ResourceMissing: There is no such topic.
    """
    attributes = case.get(TOPIC, topic)["Attributes"]
    subscriptions = case.get(SUBSCRIPTIONS, topic)["Subscriptions"]
    key = str(attributes.get("KmsMasterKeyId", ""))
    encrypts, key_fault = _use(case, topic, key)
    return Reach(
        # One that is pending has no ARN yet.
        confirmed=sum(one["SubscriptionArn"].startswith("arn:") for one in subscriptions),
        listed=len(subscriptions),
        publishes=grants(attributes.get("Policy"), CLOUDWATCH, ["sns:Publish"], case.resource.place),
        key=key,
        encrypts=encrypts,
        key_fault=key_fault,
    )


def _use(case: Case[Any], topic: Resource, name: str) -> tuple[Grant, str]:
    if not name:
        return Grant.YES, ""
    # https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
    if name.endswith("alias/aws/sns"):
        fault = "It is encrypted with the key that AWS manages, which CloudWatch cannot use: alarms are lost silently."
        return Grant.NO, fault
    called = named(Kind.KEY, topic.place, name)
    try:
        answer = case.get(KEY, called)
        policy = case.get(KEY_POLICY, itself(called, answer))["Policy"]
    except ResourceMissing:
        return Grant.NO, f"Its key {name} does not exist: alarms are lost silently."
    if (state := answer["KeyMetadata"]["KeyState"]) != "Enabled":
        return Grant.NO, f"Its key {name} is {state}: alarms are lost silently."
    usable = grants(policy, CLOUDWATCH, KEY_NEEDS, case.resource.place)
    if usable is Grant.NO:
        return usable, f"The policy of its key {name} does not let CloudWatch use it: alarms are lost silently."
    return usable, ""


def require_no_later_alarms(case: Case[Any], made: Made, topic: Resource) -> None:
    """Let only pass the undoing of what lets alarms through a topic where no alarm has come to notify by it since.

    Those that notified by it before reached nobody then either, and no plan makes alarms for a topic that lets none
    through yet. One that was changed since counts as one that came since: AWS does not tell what of it was changed.

    Args:
        case: By which the alarms were read.
        made: What is to be undone.
        topic: That would let no alarm through any more.

    Raises:
        CannotChange: One has.
        NotRead: The alarms are not known.
    """
    answer = case.get(ALARMS)
    for alarm in (*answer["MetricAlarms"], *answer["CompositeAlarms"]):
        notified = (
            *alarm.get("AlarmActions", ()),
            *alarm.get("OKActions", ()),
            *alarm.get("InsufficientDataActions", ()),
        )
        changed = alarm.get("AlarmConfigurationUpdatedTimestamp")
        is_later = changed is None or moment(changed) > made.planned_at
        if topic.arn in notified and is_later:
            raise CannotChange(
                f"The alarm {alarm['AlarmName']} was set since, and would reach nobody by {topic.name} any more: undo "
                "what has made it first, or have it notify by another topic."
            )
