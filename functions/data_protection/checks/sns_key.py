"""SNS-KMS: the topic of alerts is encrypted with a key that CloudWatch may use."""

import json
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final

from data_protection import keys, topics
from data_protection.changes import Call, CannotChange, Change, Reversibility
from data_protection.checks.check import Case, Check, Made, Mutator, Requirement, Severity
from data_protection.policies import Grant, grants, with_statement
from data_protection.readings import Answer
from data_protection.reads.cloudwatch import ALARMS
from data_protection.reads.kms import KEY, KEY_POLICY, itself
from data_protection.reads.sns import TOPIC
from data_protection.resources import Kind, Resource, named
from data_protection.snapshot import ResourceMissing
from data_protection.topics import CLOUDWATCH, KEY_NEEDS
from data_protection.verdicts import Status, Verdict

_MOST_BYTES: Final = (
    32 * 1024
)  # of a key policy; https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html


class TopicKey(Requirement):
    """What is asked of a topic's encryption.

    Attributes:
        key: Id, ARN or alias of the key that a topic gets that has none of ours; None where none is set.
        change_policy: Whether the policy of that key may be changed to let CloudWatch use it. Who may do that may give
            the key to anybody, so the roles that remediate have to be allowed it as well.
    """

    key: str | None = None
    change_policy: bool = False


def _key(case: Case[TopicKey], name: str) -> tuple[Resource, Answer]:
    """Return a key by the name that its policy is read by, and what AWS says of it."""
    called = named(Kind.KEY, case.resource.place, name)
    answer = case.get(KEY, called)
    return itself(called, answer), answer["KeyMetadata"]


def _validate(case: Case[TopicKey]) -> Verdict:
    name = case.get(TOPIC)["Attributes"].get("KmsMasterKeyId")
    expected = {"key": case.requirement.key or "any customer-managed key", "cloudwatch_may_use_it": Grant.YES.value}
    if not name:
        return Verdict(Status.FAIL, "It is not encrypted with a KMS key.", {"key": None}, expected)
    if name.endswith("alias/aws/sns"):
        said = "It is encrypted with the key that AWS manages, which CloudWatch cannot use: alarms are lost silently."
        return Verdict(Status.FAIL, said, {"key": name}, expected)
    return _judge_key(case, name, expected)


def _judge_key(case: Case[TopicKey], name: str, expected: dict[str, Any]) -> Verdict:
    key, metadata = _key(case, name)
    usable = grants(case.get(KEY_POLICY, key)["Policy"], CLOUDWATCH, KEY_NEEDS, case.resource.place)
    observed = {"key": name, "state": metadata["KeyState"], "cloudwatch_may_use_it": usable.value}
    if metadata["KeyState"] != "Enabled":
        return Verdict(Status.FAIL, f"Its key is {metadata['KeyState']}.", observed, expected)
    if usable is Grant.NO:
        said = "The policy of its key does not let CloudWatch use it: alarms are lost silently."
        return Verdict(Status.FAIL, said, observed, expected)
    if usable is Grant.PERHAPS:
        return Verdict(Status.WARN, "A condition decides whether CloudWatch may use its key.", observed, expected)
    if case.requirement.key is not None and _key(case, case.requirement.key)[1]["Arn"] != metadata["Arn"]:
        return Verdict(Status.WARN, "It is encrypted with another customer-managed key.", observed, expected)
    return Verdict(Status.PASS, "It is encrypted with a key that CloudWatch may use.", observed, expected)


def _propose(case: Case[TopicKey]) -> Sequence[Change]:
    present = case.get(TOPIC)["Attributes"].get("KmsMasterKeyId", "")
    wanted = case.requirement.key or (present if not present.endswith("alias/aws/sns") else "")
    if not wanted:
        raise CannotChange("The profile names no key for the topic: give one as `key`.")
    try:
        key, metadata = _key(case, wanted)
        policy = str(case.get(KEY_POLICY, key)["Policy"])
    except ResourceMissing:
        raise CannotChange(f"There is no key {wanted}: create it, or correct the profile.") from None
    if metadata["KeyState"] != "Enabled" or metadata["KeyManager"] != "CUSTOMER":
        raise CannotChange(f"The key {wanted} is {metadata['KeyState']} and managed by {metadata['KeyManager']}.")
    changes = []
    # The policy first, so that no alarm is lost between the two.
    if grants(policy, CLOUDWATCH, KEY_NEEDS, case.resource.place) is Grant.NO:
        if not case.requirement.change_policy:
            raise CannotChange(
                f"The policy of {wanted} does not let {CLOUDWATCH} use it: let it {' and '.join(KEY_NEEDS)}, or ask "
                "for change_policy in the profile."
            )
        changes.append(_permission(case, metadata["Arn"], policy))
    if not _is_used(case, present, metadata["Arn"]):
        changes.append(_encryption(case, metadata["Arn"], present))
    if not changes:
        raise CannotChange(f"A condition of the policy of {wanted} decides; people must judge it.")
    return changes


def _is_used(case: Case[TopicKey], present: str, arn: str) -> bool:
    if not present:
        return False
    try:
        return bool(_key(case, present)[1]["Arn"] == arn)
    except ResourceMissing:
        return False


def _permission(case: Case[TopicKey], key: str, policy: str) -> Change:
    after = with_statement(
        policy,
        {
            "Sid": "GatehouseAlarms",
            "Effect": "Allow",
            "Principal": {"Service": CLOUDWATCH},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            # As AWS documents it, without a condition that the call for a topic might not satisfy:
            # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
            "Resource": "*",
        },
    )
    if grants(after, CLOUDWATCH, KEY_NEEDS, case.resource.place) is not Grant.YES:
        raise CannotChange(f"A statement of {key}'s policy denies CloudWatch the key: take it out first.")
    if len(after.encode()) > _MOST_BYTES:
        raise CannotChange(f"The policy of {key} would be longer than the 32 KB that AWS takes.")

    def call(document: str) -> Call:
        parameters = {"KeyId": key, "PolicyName": "default", "Policy": document}
        return Call(service="kms", operation="put_key_policy", parameters=parameters)

    return Change(
        check="SNS-KMS",
        title=f"Let CloudWatch use the key {key}",
        call=call(after),
        inverse=call(policy),
        reversibility=Reversibility.REVERSIBLE,
        before=json.loads(policy),
        after=json.loads(after),
        target=key,
    )


def _encryption(case: Case[TopicKey], key: str, present: str) -> Change:
    return Change(
        check="SNS-KMS",
        title=f"Encrypt {case.resource.name} with {key}",
        call=topics.set_attribute(case.resource, "KmsMasterKeyId", key),
        inverse=topics.set_attribute(case.resource, "KmsMasterKeyId", present),
        reversibility=Reversibility.REVERSIBLE,
        before=present,
        after=key,
        risk="Whoever else publishes to the topic needs kms:Decrypt and kms:GenerateDataKey on the key.",
        cost="About 1 USD a month for the key, and 0.03 USD for 10,000 requests to it.",
    )


def _present(case: Case[TopicKey], change: Change) -> Any:
    topic_key = case.get(TOPIC)["Attributes"].get("KmsMasterKeyId", "")
    if change.call.operation == "set_topic_attributes":
        return topic_key
    changed = change.call.parameters["KeyId"]
    named_now = _named_now(case)
    if changed not in named_now:  # an alias, the profile or the topic names another key by now
        return {"KeyId": sorted(named_now)}
    return json.loads(case.get(KEY_POLICY, named(Kind.KEY, case.resource.place, changed))["Policy"])


def _named_now(case: Case[TopicKey]) -> set[str]:
    """Return the ARNs of the keys that the profile and the topic name: of these and no others the policy is read."""
    found = set()
    for name in (case.requirement.key, case.get(TOPIC)["Attributes"].get("KmsMasterKeyId")):
        with suppress(ResourceMissing):
            found |= {_key(case, name)[1]["Arn"]} if name else set()
    return found


def _may_undo(case: Case[TopicKey], made: Made) -> None:
    if made.change.call.operation == "set_topic_attributes":
        # Without a key all alarms pass; whether they do with the key before is not known.
        if made.change.before:
            topics.require_no_later_alarms(case, made, case.resource)
        return
    changed = made.change.call.parameters["KeyId"]
    if changed not in (present := _named_now(case)):
        raise CannotChange(
            f"The profile and {case.resource.name} name {' and '.join(sorted(present)) or 'no key'} by now, and the "
            f"policy of {changed} was changed: bring that back by hand."
        )
    for topic, name in _encrypted(case, changed):
        if not made.leaves(topic, name):
            raise CannotChange(
                f"{topic.name} is encrypted with {changed} by now, and alarms would reach nobody by it any more: give "
                "it another key first."
            )
        if all(name != one.after for one in made.served[topic]):  # it keeps the key
            topics.require_no_later_alarms(case, made, topic)


def _encrypted(case: Case[TopicKey], key: str) -> Iterable[tuple[Resource, str]]:
    """Yield the topics that a key encrypts, of those in scope and those that alarms notify by, each with its name.

    Args:
        case: By which they were read.
        key: ARN.
    """
    for topic in case.snapshot.resources(Kind.TOPIC):
        with suppress(ResourceMissing):
            name = case.get(TOPIC, topic)["Attributes"].get("KmsMasterKeyId", "")
            if _is_used(case, name, key):
                yield topic, name


CHECK: Final = Check(
    id="SNS-KMS",
    title="The topic's key is ours, and CloudWatch may use it",
    why="Alarms tell of weaknesses; and with AWS' own key, or one that CloudWatch may not use, they never arrive.",
    severity=Severity.MEDIUM,
    kind=Kind.TOPIC,
    requirement=TopicKey,
    reads=(TOPIC,),
    further=(KEY, KEY_POLICY),
    names=lambda place, asked: keys.asked_key(place, asked.key),
    validate=_validate,
    cost="About 1 USD a month for the key, and 0.03 USD for 10,000 requests to it.",
    advice="Encrypt the topic with a key whose policy allows cloudwatch.amazonaws.com kms:Decrypt and GenerateDataKey.",
    controls={"AWS FSBP": ("SNS.1",)},
    mutator=Mutator(
        phase=1,
        reversibility=Reversibility.REVERSIBLE,
        operations=frozenset({"sns:set_topic_attributes", "kms:put_key_policy"}),
        actions=frozenset({"sns:SetTopicAttributes", "kms:PutKeyPolicy", "kms:DescribeKey"}),
        propose=_propose,
        present=_present,
        may_undo=_may_undo,
        undoing_reads=(ALARMS, TOPIC),  # who rests on what the key's policy grants
    ),
)
