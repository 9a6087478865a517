"""Conflicts of the standard about tables, alarms, trails, topics and its own arithmetic."""

from typing import Any

import pytest

from data_protection.assessments import cases
from data_protection.conflicts.catalogue import catalogue
from data_protection.readings import NotConfigured, Unreadable
from data_protection.reads import cloudtrail, dynamodb, s3, sns
from data_protection.resources import Kind, Resource
from tests.support.data_protection_account import (
    ACCOUNT,
    AUDIO,
    NOW,
    ORDERS,
    PLACE,
    Asked,
    all_cases,
    profile,
    snapshot,
)
from tests.support.data_protection_healthy import STATUS, TABLE, TABLE_KEYS, TOPIC, TRAIL, healthy

MINE = (
    "CHECK-COUNT",
    "DRIFT-TRAIL",
    "LOCK-MIGRATION",
    "PHASE-ONE-RISK",
    "SCALING-ALARMS",
    "SCALING-ON-DEMAND",
    "TOPIC-KEY-ALARMS",
)
SCALED: Asked = {ORDERS: {"DDB-SCALE": {}}}
ALERTED: Asked = {TOPIC: {"SNS-ALERT": {}}}
LOCKED: Asked = {AUDIO: {"S3-LOCK": {"days": 30}}}
FOLLOWED: Asked = {ORDERS: {"DDB-STREAM": {}, "DDB-KMS": {}}}


def detected(conflict: str, asked: Asked, *readings: dict[Any, Any]) -> list[tuple[Resource, str]]:
    whole = healthy()
    for some in readings:
        whole |= some
    return list(catalogue()[conflict].detect(all_cases(whole, asked)))


def table(**members: Any) -> dict[Any, Any]:
    return {(ORDERS, dynamodb.TABLE): {"Table": TABLE | members}}


@pytest.mark.parametrize("conflict", MINE)
def test_nothing_in_scope_is_no_conflict(conflict: str) -> None:
    assert list(catalogue()[conflict].detect([])) == []


@pytest.mark.parametrize("conflict", MINE)
def test_what_could_not_be_read_is_no_conflict(conflict: str) -> None:
    unread = {one: Unreadable("AccessDenied", "no") for one in healthy()}
    asked = {**SCALED, **ALERTED, **LOCKED, ACCOUNT: {"CT-LOGGING": {}}}
    found = detected(conflict, asked, unread)
    assert [resource for resource, _ in found if resource != ACCOUNT] == []


def test_autoscaling_of_a_table_that_is_paid_by_request() -> None:
    on_demand = table(BillingModeSummary={"BillingMode": "PAY_PER_REQUEST"})
    assert [resource for resource, _ in detected("SCALING-ON-DEMAND", SCALED, on_demand)] == [ORDERS]
    assert detected("SCALING-ON-DEMAND", SCALED) == []


def test_autoscaling_of_a_table_that_is_to_be_made_for_payment_by_request() -> None:
    asked = {ORDERS: {"DDB-SCALE": {}, "DDB-EXISTS": TABLE_KEYS | {"units": None}}}
    assert [resource for resource, _ in detected("SCALING-ON-DEMAND", asked)] == [ORDERS]


def test_alarms_of_autoscaling_are_as_many_as_are_asked() -> None:
    tables: Asked = {Resource(Kind.TABLE, PLACE, name): {"DDB-SCALE": {}} for name in ("a", "b")}
    [(resource, said)] = detected("SCALING-ALARMS", {**tables, ACCOUNT: {"CW-ALARMS": {}}})
    assert (resource, "16 alarms for itself" in said) == (ACCOUNT, True)
    assert detected("SCALING-ALARMS", {**tables, ACCOUNT: {"CW-ALARMS": {"least": 17}}}) == []


def test_changes_of_phase_one_that_break_readers() -> None:
    streaming = table(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    assert ["consumers stop" in said for _, said in detected("PHASE-ONE-RISK", FOLLOWED, streaming)] == [True]
    unkeyed = table(SSEDescription={})
    assert ["locked out" in said for _, said in detected("PHASE-ONE-RISK", FOLLOWED, unkeyed)] == [True]
    assert detected("PHASE-ONE-RISK", FOLLOWED) == []
    assert detected("PHASE-ONE-RISK", FOLLOWED, table(SSEDescription={}, ItemCount=0)) == []


def test_drift_is_seen_by_a_trail_that_nobody_asks_for() -> None:
    assert [resource for resource, _ in detected("DRIFT-TRAIL", SCALED)] == [ACCOUNT]
    assert detected("DRIFT-TRAIL", {**SCALED, ACCOUNT: {"CT-LOGGING": {}}}) == []


def test_drift_is_not_seen_by_a_trail_that_stands() -> None:
    asked = {**SCALED, ACCOUNT: {"CT-LOGGING": {}}}
    stopped = {(TRAIL, cloudtrail.TRAIL_STATUS): STATUS | {"IsLogging": False}}
    assert [resource for resource, _ in detected("DRIFT-TRAIL", asked, stopped)] == [TRAIL]


def test_topic_with_aws_own_key_loses_alarms() -> None:
    own = {(TOPIC, sns.TOPIC): {"Attributes": {"KmsMasterKeyId": "alias/aws/sns"}}}
    assert [resource for resource, _ in detected("TOPIC-KEY-ALARMS", ALERTED, own)] == [TOPIC]
    assert detected("TOPIC-KEY-ALARMS", ALERTED) == []


def test_bucket_without_lock_needs_no_migration() -> None:
    unlocked = {(AUDIO, s3.OBJECT_LOCK): NotConfigured("ObjectLockConfigurationNotFoundError")}
    assert [resource for resource, _ in detected("LOCK-MIGRATION", LOCKED, unlocked)] == [AUDIO]
    locked = {(AUDIO, s3.OBJECT_LOCK): {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}}
    assert detected("LOCK-MIGRATION", LOCKED, locked) == []


@pytest.mark.parametrize(("named", "said"), [(36, ["asks 2 here"]), (2, []), (None, [])])
def test_profile_of_another_number_of_checks_than_its_standard_names_says_so(
    named: int | None, said: list[str]
) -> None:
    asking = profile({ORDERS: {"DDB-SCALE": {}, "DDB-TTL": {}}}).model_copy(update={"standard_checks": named})
    found = catalogue()["CHECK-COUNT"].detect([case for _, case in cases(snapshot(healthy()), asking, NOW)])
    assert [(resource, *[one for one in said if one in told]) for resource, told in found] == [
        (ACCOUNT, one) for one in said
    ]
