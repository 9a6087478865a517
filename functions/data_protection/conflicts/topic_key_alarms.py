"""A topic with AWS' own key, and the alarms that publish to it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from data_protection.checks.check import Case
from data_protection.checks.sns_alerts import Alerts
from data_protection.conflicts.conflict import Conflict
from data_protection.readings import Found
from data_protection.reads.sns import TOPIC
from data_protection.resources import Resource


def _detect(cases: Sequence[Case[Any]]) -> Iterable[tuple[Resource, str]]:
    for case in cases:
        reading = case.snapshot.reading(TOPIC, case.resource)
        if not isinstance(case.requirement, Alerts) or not isinstance(reading, Found):
            continue
        if reading.answer["Attributes"].get("KmsMasterKeyId", "").endswith("alias/aws/sns"):
            said = f"{case.resource.name} is encrypted with AWS' own key, which CloudWatch cannot use: alarms are lost."
            yield case.resource, said


CONFLICT: Final = Conflict(
    id="TOPIC-KEY-ALARMS",
    title="Encryption by AWS' own key keeps alarms from the topic",
    between=("SNS-KMS", "CW-ALARMS"),
    # https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns
    ways_out="Encrypt the topic with a key of yours whose policy lets cloudwatch.amazonaws.com use it.",
    detect=_detect,
)
