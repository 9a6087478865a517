"""People who are asked for approvals, and the machine that waits for what they say."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final, cast

from botocore.exceptions import ClientError

from kernel import aws

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient

# The machine was answered before, or waits no more.
_OVER: Final = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
_SUBJECT: Final = "Gatehouse: a remediation waits for approval"


class Announcements:
    """Tells people, by the topic where alarms go, that a plan waits for them."""

    IAM: ClassVar = frozenset({"sns:Publish", "kms:Decrypt", "kms:GenerateDataKey"})

    def __init__(self, sns: "SNSClient", topic: str) -> None:
        self._sns = sns
        self._topic = topic

    @classmethod
    def by(cls, topic: str) -> "Announcements":
        """Return announcements by a topic, in whatever region that is."""
        return cls(cast("SNSClient", aws.client(aws.session(), "sns", topic.split(":")[3])), topic)

    def announce(self, summary: Mapping[str, object]) -> None:
        """Say what is asked."""
        self._sns.publish(TopicArn=self._topic, Subject=_SUBJECT, Message=json.dumps(summary, indent=1, default=str))


class WaitingMachines:
    """Answers machines that wait with a task token."""

    IAM: ClassVar = frozenset({"states:SendTaskSuccess"})

    def __init__(self, states: "SFNClient") -> None:
        self._states = states

    def answer(self, token: str, output: Mapping[str, object]) -> None:
        """Let the machine go on; one that was answered before, or waits no more, is none to answer."""
        try:
            self._states.send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            if error.response["Error"]["Code"] not in _OVER:
                raise
