"""SNS-ALERT: what is published to the topic of alerts reaches somebody."""

import json
from collections.abc import Sequence
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from data_protection import topics
from data_protection.changes import Call, CannotChange, Change, Reversibility, projected
from data_protection.checks.check import Case, Check, Made, Mutator, Requirement, Severity
from data_protection.policies import Grant, grants, with_statement
from data_protection.readings import Missing
from data_protection.reads.cloudwatch import ALARMS
from data_protection.reads.kms import KEY, KEY_POLICY
from data_protection.reads.sns import SUBSCRIPTIONS, TOPIC
from data_protection.resources import Kind
from data_protection.topics import CLOUDWATCH
from data_protection.verdicts import Status, Verdict


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
    found = topics.reach(case, case.resource)
    observed = {
        "confirmed": found.confirmed,
        "pending": found.listed - found.confirmed,
        "cloudwatch_may_publish": found.publishes.value,
        "key": found.key or None,
        "cloudwatch_may_use_it": found.encrypts.value,
    }
    expected = {
        "confirmed": "at least 1",
        "cloudwatch_may_publish": Grant.YES.value,
        "cloudwatch_may_use_it": Grant.YES.value,
    }
    if not found.listed:
        return Verdict(Status.FAIL, "Nobody is subscribed.", observed, expected)
    if found.publishes is Grant.NO:
        return Verdict(Status.FAIL, "Its policy does not let CloudWatch publish.", observed, expected)
    if not found.confirmed:
        # Not settling: nothing comes of waiting unless somebody acts.
        said = "Nobody has confirmed a subscription yet; AWS' links are good for two days."
        return Verdict(Status.WARN, said, observed, expected)
    if found.key_fault:
        return Verdict(Status.WARN, found.key_fault, observed, expected)
    if found.grant is Grant.PERHAPS:
        return Verdict(Status.WARN, "A condition decides whether CloudWatch may publish.", observed, expected)
    return Verdict(Status.PASS, f"{found.confirmed} subscriptions are confirmed.", observed, expected)


def _propose(case: Case[Alerts]) -> Sequence[Change]:
    exists = not isinstance(case.snapshot.reading(TOPIC, case.resource), Missing)
    changes = [] if exists else [_creation(case)]
    listed = case.get(SUBSCRIPTIONS)["Subscriptions"] if exists else []
    if not listed and not case.requirement.subscribers:
        raise CannotChange(
            f"Whatever is changed, nobody would be told by {case.resource.name}: name `subscribers` in the profile, or "
            "subscribe somebody."
        )
    if exists:
        policy = case.get(TOPIC)["Attributes"].get("Policy")
        if grants(policy, CLOUDWATCH, ["sns:Publish"], case.resource.place) is Grant.NO:
            changes.append(_grant(case, policy))
    subscribed = {(one["Protocol"], one["Endpoint"]) for one in listed}
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
            "Principal": {"Service": CLOUDWATCH},
            "Action": "sns:Publish",
            "Resource": topic,
            # https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
            "Condition": {
                "ArnLike": {"aws:SourceArn": f"arn:{place.partition}:cloudwatch:{place.region}:{place.account}:alarm:*"}
            },
        },
    )
    if grants(after, CLOUDWATCH, ["sns:Publish"], place) is not Grant.YES:
        raise CannotChange(f"A statement of {topic}'s policy denies CloudWatch sns:Publish: take it out first.")

    return Change(
        check="SNS-ALERT",
        title=f"Let CloudWatch publish to {case.resource.name}",
        call=topics.set_attribute(case.resource, "Policy", after),
        inverse=topics.set_attribute(case.resource, "Policy", policy),
        reversibility=Reversibility.REVERSIBLE,
        before=_parsed(policy),
        after=json.loads(after),
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


def _parsed(policy: str | None) -> Any:
    return json.loads(policy) if policy else None


def _present(case: Case[Alerts], change: Change) -> Any:
    if isinstance(case.snapshot.reading(TOPIC, case.resource), Missing):
        return None
    attributes, after = case.get(TOPIC)["Attributes"], change.after
    if change.call.operation == "set_topic_attributes":
        return _parsed(attributes.get("Policy"))
    subscriptions = case.get(SUBSCRIPTIONS)["Subscriptions"]
    if change.call.operation == "create_topic":
        made = projected({"Name": case.resource.name, "Attributes": attributes}, after)
        # One that others subscribe to is more than what was made.
        return {**made, "Subscriptions": subscriptions} if subscriptions else made
    return next((after for one in subscriptions if projected(one, after) == after), None)


def _may_undo(case: Case[Alerts], made: Made) -> None:
    topics.require_no_later_alarms(case, made, case.resource)


CHECK: Final = Check(
    id="SNS-ALERT",
    title="Alerts reach somebody",
    why="A topic without a confirmed subscription swallows every alarm.",
    severity=Severity.HIGH,
    kind=Kind.TOPIC,
    requirement=Alerts,
    reads=(TOPIC, SUBSCRIPTIONS),
    further=(KEY, KEY_POLICY),
    validate=_validate,
    cost="E-mail is about 2 USD for 100,000 messages, the first 1,000 a month are free.",
    advice="Subscribe somebody, confirm the link, and send a test alarm. Without `subscribers` in the profile, a topic "
    "that nobody is subscribed to is neither made nor changed.",
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.SIDE_EFFECTS,
        operations=frozenset({"sns:create_topic", "sns:delete_topic", "sns:set_topic_attributes", "sns:subscribe"}),
        actions=frozenset({"sns:CreateTopic", "sns:DeleteTopic", "sns:SetTopicAttributes", "sns:Subscribe"}),
        propose=_propose,
        present=_present,
        may_undo=_may_undo,
        undoing_reads=(ALARMS,),  # which notify by the topic tells whether it, or what its policy grants, may go
    ),
)
