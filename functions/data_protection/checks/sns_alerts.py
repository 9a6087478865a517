"""SNS-ALERT: what is published to the topic of alerts reaches somebody."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from data_protection import topics
from data_protection.changes import Call, CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Mutator, Requirement, Severity
from data_protection.policies import Grant, grants, with_statement
from data_protection.readings import Missing
from data_protection.reads.sns import SUBSCRIPTIONS, TOPIC
from data_protection.resources import Kind
from data_protection.verdicts import Status, Verdict

_CLOUDWATCH: Final = "cloudwatch.amazonaws.com"


class Subscriber(BaseModel):
    """Who is to be told: an endpoint, and the protocol by which it is reached."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    protocol: Literal["email", "email-json", "sms", "https", "sqs", "lambda"] = "email"
    endpoint: str = Field(min_length=3)


class Alerts(Requirement):
    """What is asked of a topic of alerts.

    Attributes:
        key: Id, ARN or alias of the key that a new topic is encrypted with; None for none.
        subscribers: Who is to be subscribed.
    """

    key: str | None = None
    subscribers: tuple[Subscriber, ...] = ()


def _validate(case: Case[Alerts]) -> Verdict:
    attributes = case.get(TOPIC)["Attributes"]
    confirmed, listed = topics.confirmed(case, case.resource), len(case.get(SUBSCRIPTIONS)["Subscriptions"])
    publishes = grants(attributes.get("Policy"), _CLOUDWATCH, ["sns:Publish"], case.resource.place)
    observed = {
        "confirmed": confirmed,
        "pending": listed - confirmed,
        "cloudwatch_may_publish": publishes.value,
        "key": attributes.get("KmsMasterKeyId"),
    }
    expected = {"confirmed": "at least 1", "cloudwatch_may_publish": Grant.YES.value}
    if not listed:
        return Verdict(Status.FAIL, "Nobody is subscribed.", observed, expected)
    if publishes is Grant.NO:
        return Verdict(Status.FAIL, "Its policy does not let CloudWatch publish.", observed, expected)
    if not confirmed:
        # Not settling: nothing comes of waiting unless somebody acts.
        said = "Nobody has confirmed a subscription yet; AWS' links are good for two days."
        return Verdict(Status.WARN, said, observed, expected)
    if weak := _weakness(publishes, str(attributes.get("KmsMasterKeyId", ""))):
        return Verdict(Status.WARN, weak, observed, expected)
    return Verdict(Status.PASS, f"{confirmed} subscriptions are confirmed.", observed, expected)


def _weakness(publishes: Grant, key: str) -> str:
    if key.endswith("alias/aws/sns"):
        return "It is encrypted with the key that AWS manages, which CloudWatch cannot use: alarms are lost silently."
    return "A condition decides whether CloudWatch may publish." if publishes is Grant.PERHAPS else ""


def _propose(case: Case[Alerts]) -> Sequence[Change]:
    exists = not isinstance(case.snapshot.reading(TOPIC, case.resource), Missing)
    changes = [] if exists else [_creation(case)]
    subscribed: set[tuple[str, str]] = set()
    if exists:
        policy = case.get(TOPIC)["Attributes"].get("Policy")
        if grants(policy, _CLOUDWATCH, ["sns:Publish"], case.resource.place) is Grant.NO:
            changes.append(_grant(case, policy))
        subscribed = {(one["Protocol"], one["Endpoint"]) for one in case.get(SUBSCRIPTIONS)["Subscriptions"]}
    changes += [
        _subscription(case.resource.arn, one)
        for one in case.requirement.subscribers
        if (one.protocol, one.endpoint) not in subscribed
    ]
    if not changes:
        raise CannotChange(
            f"{case.resource.name} takes people: confirm a subscription, name `subscribers` in the profile, or give it "
            "a key of yours by SNS-KMS."
        )
    return changes


def _creation(case: Case[Alerts]) -> Change:
    if case.resource.name.startswith("arn:"):
        raise CannotChange(f"{case.resource.name} would be of another account or region, and is not made here.")
    parameters: dict[str, Any] = {"Name": case.resource.name}
    if case.requirement.key is not None:
        parameters["Attributes"] = {"KmsMasterKeyId": case.requirement.key}
    return Change(
        check="SNS-ALERT",
        title=f"Create the topic {case.resource.name}",
        call=Call(service="sns", operation="create_topic", parameters=parameters),
        inverse=Call(service="sns", operation="delete_topic", parameters={"TopicArn": case.resource.arn}),
        reversibility=Reversibility.REVERSIBLE,
        before=None,
        after=parameters,
    )


def _grant(case: Case[Alerts], policy: str) -> Change:
    place, topic = case.resource.place, case.resource.arn
    after = with_statement(
        policy,
        {
            "Sid": "GatehouseAlarms",
            "Effect": "Allow",
            "Principal": {"Service": _CLOUDWATCH},
            "Action": "sns:Publish",
            "Resource": topic,
            # https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
            "Condition": {
                "ArnLike": {"aws:SourceArn": f"arn:{place.partition}:cloudwatch:{place.region}:{place.account}:alarm:*"}
            },
        },
    )
    if grants(after, _CLOUDWATCH, ["sns:Publish"], place) is not Grant.YES:
        raise CannotChange(f"A statement of {topic}'s policy denies CloudWatch sns:Publish: take it out first.")

    def call(document: str) -> Call:
        parameters = {"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": document}
        return Call(service="sns", operation="set_topic_attributes", parameters=parameters)

    return Change(
        check="SNS-ALERT",
        title=f"Let CloudWatch publish to {case.resource.name}",
        call=call(after),
        inverse=call(policy),
        reversibility=Reversibility.REVERSIBLE,
        before=policy,
        after=after,
    )


def _subscription(topic: str, subscriber: Subscriber) -> Change:
    parameters = {"TopicArn": topic, "Protocol": subscriber.protocol, "Endpoint": subscriber.endpoint}
    return Change(
        check="SNS-ALERT",
        title=f"Subscribe {subscriber.endpoint} by {subscriber.protocol}",
        call=Call(service="sns", operation="subscribe", parameters=parameters),
        # A subscription has an ARN only once somebody has confirmed it, and one that nobody confirms goes by itself.
        inverse=None,
        reversibility=Reversibility.SIDE_EFFECTS,
        before=None,
        after=parameters,
        risk="The subscriber gets a message and must confirm it within two days.",
    )


CHECK: Final = Check(
    id="SNS-ALERT",
    title="Alerts reach somebody",
    why="A topic without a confirmed subscription swallows every alarm.",
    severity=Severity.HIGH,
    kind=Kind.TOPIC,
    requirement=Alerts,
    reads=(TOPIC, SUBSCRIPTIONS),
    validate=_validate,
    cost="E-mail is about 2 USD for 100,000 messages, the first 1,000 a month are free.",
    advice="Subscribe somebody, confirm the link, and send a test alarm.",
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.SIDE_EFFECTS,
        operations=frozenset({"sns:create_topic", "sns:delete_topic", "sns:set_topic_attributes", "sns:subscribe"}),
        actions=frozenset({"sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:Subscribe"}),
        propose=_propose,
    ),
)
