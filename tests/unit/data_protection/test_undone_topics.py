"""What lets alarms through a topic and its key is not undone while others have come to rest on it."""

import json
import re
from typing import Any

import pytest

from data_protection.changes import CannotChange, Change
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Made
from data_protection.readings import Missing, Unreadable
from data_protection.reads.cloudwatch import ALARMS
from data_protection.reads.kms import KEY_POLICY
from data_protection.reads.sns import TOPIC
from data_protection.remediation.sights import require_undoable
from data_protection.resources import Kind, Resource
from data_protection.snapshot import NotRead
from tests.support.data_protection_account import ACCOUNT, KEY_ARN, NOW, PLACE, ago, all_cases, changes
from tests.support.data_protection_healthy import KEY, alarm, healthy, statement
from tests.support.data_protection_healthy import TOPIC as ALERTS

PAGER = Resource(Kind.TOPIC, PLACE, "pager")
ASKED: dict[str, Any] = {"key": "alias/data", "change_policy": True}
CLOSED = {(KEY, KEY_POLICY): {"Policy": json.dumps(statement(Principal={"AWS": "x"}, Action="kms:*", Resource="*"))}}
OPENED, ENCRYPTED = changes("SNS-KMS", ALERTS, healthy() | CLOSED | {(ALERTS, TOPIC): {"Attributes": {}}}, ASKED)
SINCE, BEFORE = ({"AlarmConfigurationUpdatedTimestamp": ago(hours=hours)} for hours in (1, 3))
PLANNED = NOW.replace(hour=NOW.hour - 2)


def alarms(*given: dict[str, Any]) -> dict[Any, Any]:
    return {(ACCOUNT, ALARMS): {"MetricAlarms": list(given), "CompositeAlarms": []}}


def has(topic: Resource, key: str) -> dict[Any, Any]:
    return {(topic, TOPIC): {"Attributes": {"KmsMasterKeyId": key} if key else {}}}


def require(made: Change, readings: Any, *, served: dict[Resource, Any], going: tuple[Change, ...] = ()) -> None:
    """Ask whether a change may be undone now that was made for the topic of alerts."""
    [case] = all_cases(healthy() | readings, {ALERTS: {"SNS-KMS": ASKED}})
    require_undoable(catalogue()["SNS-KMS"], case, Made(made, PLANNED, served, going))


@pytest.mark.parametrize(
    ("readings", "served", "going", "said"),
    [
        (has(ALERTS, ""), [ENCRYPTED], (), ""),
        (has(ALERTS, KEY_ARN), [ENCRYPTED], (ENCRYPTED,), ""),
        (has(ALERTS, KEY_ARN) | alarms(alarm("a", **SINCE)), [ENCRYPTED], (ENCRYPTED,), ""),
        (has(ALERTS, KEY_ARN), [ENCRYPTED], (), f"alerts is encrypted with {KEY_ARN} by now"),
        (has(ALERTS, "alias/data"), [ENCRYPTED], (ENCRYPTED,), f"alerts is encrypted with {KEY_ARN} by now"),
        (has(ALERTS, KEY_ARN) | alarms(alarm("a", **BEFORE)), [], (), ""),
        (has(ALERTS, KEY_ARN) | alarms(alarm("a", **SINCE)), [], (), "The alarm a was set since"),
        (has(PAGER, KEY_ARN) | has(ALERTS, ""), [], (), f"pager is encrypted with {KEY_ARN} by now"),
        (has(PAGER, "") | has(ALERTS, ""), [], (), ""),
        ({(PAGER, TOPIC): Missing("NotFound")} | has(ALERTS, ""), [], (), ""),
    ],
    ids=[
        "not used",
        "given up first",
        "given up first, with an alarm",
        "encrypted by a later plan",
        "encrypted by others since",
        "alarms of before",
        "an alarm since",
        "another topic",
        "another topic without it",
        "an alarm to no topic",
    ],
)
def test_key_stays_open_while_alarms_pass_by_it(
    readings: Any, served: list[Change], going: tuple[Change, ...], said: str
) -> None:
    readings = alarms() | readings

    if said:
        with pytest.raises(CannotChange, match=re.escape(said)):
            require(OPENED, readings, served={ALERTS: served}, going=going)
    else:
        require(OPENED, readings, served={ALERTS: served}, going=going)


def test_key_stays_open_while_it_is_not_known_whose_it_is() -> None:
    unread = Unreadable("AuthorizationError", "no")
    with pytest.raises(NotRead, match="GetTopicAttributes of sns-topic/pager"):
        require(OPENED, alarms() | has(ALERTS, "") | {(PAGER, TOPIC): unread}, served={ALERTS: ()})
    with pytest.raises(NotRead, match="DescribeAlarms"):
        require(OPENED, has(ALERTS, KEY_ARN) | {(ACCOUNT, ALARMS): unread}, served={ALERTS: ()})


@pytest.mark.parametrize(
    ("before", "when", "is_kept"),
    [
        ("", SINCE, False),
        ("alias/aws/sns", BEFORE, False),
        ("alias/aws/sns", SINCE, True),
        ("alias/data", {"AlarmConfigurationUpdatedTimestamp": None}, True),
    ],
)
def test_topic_keeps_its_key_while_alarms_rest_on_it_that_the_one_before_might_stop(
    before: str, when: dict[str, Any], *, is_kept: bool
) -> None:
    made = ENCRYPTED.model_copy(update={"before": before})
    readings = has(ALERTS, KEY_ARN) | alarms(alarm("a", **when))

    if is_kept:
        with pytest.raises(CannotChange, match="The alarm a was set since, and would reach nobody by alerts any more"):
            require(made, readings, served={ALERTS: ()})
    else:
        require(made, readings, served={ALERTS: ()})


def test_what_the_undoing_needs_to_see_is_what_some_check_reads() -> None:
    read = {one for check in catalogue().values() for one in (*check.reads, *check.further)}
    assert {one for check in catalogue().values() if check.mutator for one in check.mutator.undoing_reads} <= read
