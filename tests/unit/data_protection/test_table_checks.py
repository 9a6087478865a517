"""Checks of tables: what they say beyond pass and fail, and what they change."""

from typing import Any

import pytest
from pydantic import ValidationError

from data_protection.changes import CannotChange, Reversibility
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Made
from data_protection.checks.dynamodb_autoscaling import Autoscaling
from data_protection.checks.dynamodb_table import Table
from data_protection.readings import Missing, Unreadable
from data_protection.reads import dynamodb, kms, scaling
from data_protection.remediation.sights import require_undoable
from data_protection.snapshot import NotRead
from data_protection.verdicts import Status
from tests.support.data_protection_account import ACCOUNT, KEY_ARN, ORDERS, ago, all_cases, changes, verdict
from tests.support.data_protection_healthy import (
    ALIAS,
    KEY,
    METADATA,
    TABLE,
    TABLE_KEYS,
    bare,
    healthy,
    policies,
    recovery,
    targets,
)

APPROVED = {"key": "alias/data"}


def table(**members: Any) -> dict[tuple[Any, Any], Any]:
    return healthy() | {(ORDERS, dynamodb.TABLE): {"Table": TABLE | members}}


def encrypted(**members: Any) -> dict[tuple[Any, Any], Any]:
    return table(SSEDescription=TABLE["SSEDescription"] | members)


def key(**members: Any) -> dict[tuple[Any, Any], Any]:
    return healthy() | {(KEY, kms.KEY): {"KeyMetadata": METADATA | members}}


def time_to_live(status: str, attribute: str | None = None) -> dict[tuple[Any, Any], Any]:
    description = {"TimeToLiveStatus": status} | ({"AttributeName": attribute} if attribute else {})
    return healthy() | {(ORDERS, dynamodb.TIME_TO_LIVE): {"TimeToLiveDescription": description}}


# Point-in-time recovery


def recovering(status: str = "ENABLED", **members: Any) -> dict[tuple[Any, Any], Any]:
    return healthy() | {(ORDERS, dynamodb.CONTINUOUS_BACKUPS): recovery(status, **members)}


@pytest.mark.parametrize(
    ("readings", "status", "said"),
    [
        (recovering(RecoveryPeriodInDays=7), Status.WARN, "7 days, 35 are asked"),
        (recovering(LatestRestorableDateTime=ago(minutes=16)), Status.WARN, "16 minutes ago"),
        (recovering(LatestRestorableDateTime=ago(minutes=15)), Status.PASS, "35 days"),
        (recovering("ENABLING"), Status.WARN, "ENABLING"),
    ],
)
def test_recovery_must_reach_back_and_keep_up(readings: Any, status: Status, said: str) -> None:
    found = verdict("DDB-PITR", ORDERS, readings)
    assert (found.status, said in found.reason) == (status, True), found.reason


@pytest.mark.parametrize(
    ("readings", "before"),
    [
        (recovering("DISABLED"), {"PointInTimeRecoveryEnabled": False}),
        (recovering(RecoveryPeriodInDays=7), {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 7}),
    ],
)
def test_recovery_is_turned_on_or_lengthened_and_comes_back(readings: Any, before: dict[str, Any]) -> None:
    [change] = changes("DDB-PITR", ORDERS, readings)
    assert change.after == {"PointInTimeRecoveryEnabled": True, "RecoveryPeriodInDays": 35}
    assert change.inverse is not None
    assert change.inverse.parameters["PointInTimeRecoverySpecification"] == before


def test_recovery_that_lags_behind_is_never_shortened() -> None:
    lagging = recovering(LatestRestorableDateTime=ago(hours=1))
    with pytest.raises(CannotChange, match="goes back 35 days"):
        changes("DDB-PITR", ORDERS, lagging, {"days": 7})


# Deletion protection and streams


def test_deletion_protection_is_turned_on_and_can_be_turned_off_again() -> None:
    [change] = changes("DDB-DELPROT", ORDERS, bare())
    assert change.call.parameters == {"TableName": "orders", "DeletionProtectionEnabled": True}
    assert change.inverse is not None
    assert change.inverse.parameters == {"TableName": "orders", "DeletionProtectionEnabled": False}


@pytest.mark.parametrize("check", ["DDB-DELPROT", "DDB-STREAM", "DDB-KMS"])
def test_table_that_is_being_changed_is_left_alone(check: str) -> None:
    readings = bare()
    readings[ORDERS, dynamodb.TABLE]["Table"]["TableStatus"] = "UPDATING"
    with pytest.raises(CannotChange, match="orders is UPDATING"):
        changes(check, ORDERS, readings, APPROVED if check == "DDB-KMS" else None)


@pytest.mark.parametrize("check", ["DDB-DELPROT", "DDB-STREAM", "DDB-KMS"])
def test_verdict_on_a_table_that_is_being_changed_is_settling(check: str) -> None:
    assert verdict(check, ORDERS, table(TableStatus="UPDATING")).settling
    assert not verdict(check, ORDERS, table()).settling


def test_table_whose_first_index_is_being_filled_is_settling_though_the_second_is_missing() -> None:
    found = verdict("DDB-EXISTS", ORDERS, table(TableStatus="UPDATING", GlobalSecondaryIndexes=[]), TABLE_KEYS)
    assert (found.status, found.settling) == (Status.FAIL, True)


def test_stream_is_judged_by_its_specification_and_not_by_the_arn_that_stays() -> None:
    readings = table(StreamSpecification={"StreamEnabled": False}, LatestStreamArn="arn:aws:dynamodb:…")
    assert verdict("DDB-STREAM", ORDERS, readings).status is Status.FAIL


def test_stream_is_turned_on_where_there_is_none() -> None:
    [change] = changes("DDB-STREAM", ORDERS, bare())
    assert change.after == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert change.reversibility is Reversibility.REVERSIBLE


def test_stream_of_another_view_type_fails_and_is_not_changed_without_its_consumers() -> None:
    readings = table(StreamSpecification={"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"})
    assert verdict("DDB-STREAM", ORDERS, readings).status is Status.FAIL
    with pytest.raises(CannotChange, match="Drain the consumers"):
        changes("DDB-STREAM", ORDERS, readings)


# Encryption


@pytest.mark.parametrize(
    ("readings", "status", "said"),
    [
        (encrypted(Status="UPDATING"), Status.WARN, "UPDATING"),
        (encrypted(InaccessibleEncryptionDateTime=ago(days=2)), Status.FAIL, "archives the table"),
        (key(KeyState="PendingDeletion"), Status.FAIL, "PendingDeletion"),
        (key(KeyState="Disabled"), Status.FAIL, "Disabled"),
        (key(KeyManager="AWS"), Status.WARN, "AWS manages"),
        (key(Arn=f"{KEY_ARN}9"), Status.WARN, "another customer-managed key"),
        (healthy() | {(KEY, kms.KEY): Missing("NotFoundException")}, Status.FAIL, "kms-key/1234abcd does not exist"),
    ],
)
def test_encryption_is_judged_by_the_state_of_its_key(readings: Any, status: Status, said: str) -> None:
    found = verdict("DDB-KMS", ORDERS, readings, APPROVED)
    assert (found.status, said in found.reason) == (status, True), found.reason


def test_any_key_of_ours_does_where_none_is_named() -> None:
    assert verdict("DDB-KMS", ORDERS, healthy()).status is Status.PASS
    with pytest.raises(CannotChange, match="names no key"):
        changes("DDB-KMS", ORDERS, bare())


def test_table_gets_the_key_that_the_alias_stands_for() -> None:
    [change] = changes("DDB-KMS", ORDERS, bare(), APPROVED)
    assert change.after == {"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": KEY_ARN}
    assert change.inverse is not None
    assert change.inverse.parameters["SSESpecification"] == {"Enabled": False}
    assert change.reversibility is Reversibility.QUOTA


def test_inverse_of_a_change_of_key_names_the_earlier_key() -> None:
    readings = encrypted(KMSMasterKeyArn="arn:aws:kms:eu-central-1:123456789012:key/old")
    [change] = changes("DDB-KMS", ORDERS, readings, APPROVED)
    assert change.before["KMSMasterKeyId"].endswith("key/old")


@pytest.mark.parametrize(
    "answer",
    [
        {"KeyMetadata": METADATA | {"KeyState": "Disabled"}},
        {"KeyMetadata": METADATA | {"KeyManager": "AWS"}},
        {"KeyMetadata": METADATA | {"KeySpec": "RSA_2048"}},
        Missing("NotFoundException"),
    ],
)
def test_key_that_cannot_encrypt_a_table_is_refused_before_the_call(answer: Any) -> None:
    with pytest.raises(CannotChange, match="key alias/data"):
        changes("DDB-KMS", ORDERS, bare() | {(ALIAS, kms.KEY): answer}, APPROVED)


def test_table_whose_key_is_out_of_reach_is_not_given_another() -> None:
    with pytest.raises(CannotChange, match="enable arn:aws:kms"):
        changes("DDB-KMS", ORDERS, encrypted(InaccessibleEncryptionDateTime=ago(days=2)), APPROVED)


# Time to live


@pytest.mark.parametrize(
    ("readings", "attribute", "status"),
    [
        (time_to_live("ENABLED", "gone_at"), "gone_at", Status.PASS),
        (time_to_live("ENABLED", "gone_at"), "expires", Status.FAIL),
        (time_to_live("DISABLED"), "expires", Status.FAIL),
        (time_to_live("ENABLING", "expires"), "expires", Status.WARN),
        (time_to_live("DISABLING", "expires"), None, Status.WARN),
    ],
)
def test_time_to_live_is_of_the_attribute_that_is_asked(readings: Any, attribute: str | None, status: Status) -> None:
    assert verdict("DDB-TTL", ORDERS, readings, {"attribute": attribute}).status is status


def test_turning_expiry_on_is_declared_as_losing_data() -> None:
    [change] = changes("DDB-TTL", ORDERS, time_to_live("DISABLED"), {"attribute": "expires"})
    assert change.call.parameters["TimeToLiveSpecification"] == {"Enabled": True, "AttributeName": "expires"}
    assert change.reversibility is Reversibility.LOSES_DATA


def test_turning_expiry_off_loses_nothing() -> None:
    [change] = changes("DDB-TTL", ORDERS, time_to_live("ENABLED", "gone_at"))
    assert change.call.parameters["TimeToLiveSpecification"] == {"Enabled": False, "AttributeName": "gone_at"}
    assert change.reversibility is Reversibility.QUOTA


@pytest.mark.parametrize("readings", [time_to_live("ENABLED", "gone_at"), time_to_live("DISABLING", "gone_at")])
def test_second_change_of_expiry_within_the_hour_is_not_tried(readings: Any) -> None:
    with pytest.raises(CannotChange, match="hour"):
        changes("DDB-TTL", ORDERS, readings, {"attribute": "expires"})


# Autoscaling


def scaled(found: list[dict[str, Any]], by: list[dict[str, Any]]) -> dict[tuple[Any, Any], Any]:
    return healthy() | {
        (ACCOUNT, scaling.TARGETS): {"ScalableTargets": found},
        (ACCOUNT, scaling.POLICIES): {"ScalingPolicies": by},
    }


def test_table_that_is_paid_by_request_has_nothing_to_scale() -> None:
    readings = table(BillingModeSummary={"BillingMode": "PAY_PER_REQUEST"})
    assert verdict("DDB-SCALE", ORDERS, readings).status is Status.NOT_APPLICABLE
    with pytest.raises(CannotChange, match="paid by request"):
        changes("DDB-SCALE", ORDERS, readings)


OF_TABLE = {"ResourceId": "table/orders", "ScalableDimension": "dynamodb:table:ReadCapacityUnits"}
OURS = OF_TABLE | {"PolicyName": "gatehouse-table-orders-Read"}


@pytest.mark.parametrize(
    ("by", "actions", "others"),
    [
        ([], [], ""),
        ([OURS], [], ""),
        ([OURS, OF_TABLE | {"PolicyName": "theirs"}], [], "theirs"),
        ([OURS], [OF_TABLE | {"ScheduledActionName": "black-friday"}], "black-friday"),
        ([OURS], [OF_TABLE | {"ScheduledActionName": "another", "ResourceId": "table/clicks"}], ""),
    ],
)
def test_target_is_not_given_up_with_what_others_have_made_of_it(by: Any, actions: Any, others: str) -> None:
    made, *_ = changes("DDB-SCALE", ORDERS, scaled([], []))
    assert made.inverse is not None
    assert made.inverse.operation == "deregister_scalable_target"
    readings = scaled(targets(), by) | {(ACCOUNT, scaling.SCHEDULED): {"ScheduledActions": actions}}
    [case] = all_cases(readings, {ORDERS: {"DDB-SCALE": {}}})

    if others:
        with pytest.raises(CannotChange, match=f"{others} of the read capacity of table/orders would be deleted with"):
            require_undoable(catalogue()["DDB-SCALE"], case, Made(made, case.now, {}))
    else:
        require_undoable(catalogue()["DDB-SCALE"], case, Made(made, case.now, {}))


def test_target_is_not_given_up_where_what_goes_with_it_cannot_be_read() -> None:
    made, *_ = changes("DDB-SCALE", ORDERS, scaled([], []))
    unread = {(ACCOUNT, scaling.SCHEDULED): Unreadable("AccessDeniedException", "no")}
    [case] = all_cases(healthy() | unread, {ORDERS: {"DDB-SCALE": {}}})
    with pytest.raises(NotRead, match="DescribeScheduledActions"):
        require_undoable(catalogue()["DDB-SCALE"], case, Made(made, case.now, {}))


@pytest.mark.parametrize("left_out", range(4))
def test_single_capacity_of_an_index_without_scaling_fails(left_out: int) -> None:
    found = [one for number, one in enumerate(targets()) if number != left_out]
    assert verdict("DDB-SCALE", ORDERS, scaled(found, policies())).status is Status.FAIL
    by = [one for number, one in enumerate(policies()) if number != left_out]
    assert verdict("DDB-SCALE", ORDERS, scaled(targets(), by)).status is Status.FAIL


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        (scaled(targets(), policies(50)), "at 50 %"),
        (scaled([one | {"MaxCapacity": 5} for one in targets()], policies()), "cannot leave 5 units"),
        (
            scaled([one | {"SuspendedState": {"DynamicScalingOutSuspended": True}} for one in targets()], policies()),
            "suspended",
        ),
    ],
)
def test_scaling_that_does_not_do_what_is_asked_warns(readings: Any, said: str) -> None:
    found = verdict("DDB-SCALE", ORDERS, readings)
    assert (found.status, said in found.reason) == (Status.WARN, True), found.reason


def test_each_capacity_gets_a_target_and_then_a_policy() -> None:
    proposed = changes("DDB-SCALE", ORDERS, scaled([], []))
    assert [change.call.operation for change in proposed] == ["register_scalable_target", "put_scaling_policy"] * 4
    assert [change.inverse.operation for change in proposed if change.inverse] == [
        "deregister_scalable_target",
        "delete_scaling_policy",
    ] * 4
    assert {change.call.parameters["ScalableDimension"] for change in proposed} == {
        f"dynamodb:{scales}:{direction}CapacityUnits"
        for scales in ("table", "index")
        for direction in ("Read", "Write")
    }


def test_new_target_never_takes_capacity_away() -> None:
    first, *_ = changes("DDB-SCALE", ORDERS, scaled([], []), {"minimum": 1, "maximum": 4})
    assert first.after == {"MinCapacity": 1, "MaxCapacity": 10}


@pytest.mark.parametrize(("fixed", "after"), [(50, (50, 1000)), (2000, (5, 2000))])
def test_range_of_a_target_that_cannot_move_is_widened_upwards(fixed: int, after: tuple[int, int]) -> None:
    found = [one | {"MinCapacity": fixed, "MaxCapacity": fixed} for one in targets()]
    first, *_ = changes("DDB-SCALE", ORDERS, scaled(found, policies()))
    assert (first.after["MinCapacity"], first.after["MaxCapacity"]) == after


def test_policy_of_another_value_is_changed_and_keeps_its_cooldown() -> None:
    proposed = changes("DDB-SCALE", ORDERS, scaled(targets(), policies(50)))
    assert len(proposed) == 4
    assert proposed[0].call.parameters["PolicyName"] == "policy-0"
    assert proposed[0].after["ScaleInCooldown"] == 60
    assert (proposed[0].before["TargetValue"], proposed[0].after["TargetValue"]) == (50, 70)


def test_suspended_scaling_is_resumed_and_its_range_widened() -> None:
    suspended = {"DynamicScalingOutSuspended": True, "DynamicScalingInSuspended": True}
    found = [one | {"SuspendedState": suspended} for one in targets()]
    first, *_ = changes("DDB-SCALE", ORDERS, scaled(found, policies()))
    assert first.after["SuspendedState"] == {"DynamicScalingOutSuspended": False, "DynamicScalingInSuspended": True}
    assert first.inverse is not None
    assert first.inverse.parameters["SuspendedState"] == suspended


def test_range_without_room_is_refused_in_the_profile() -> None:
    with pytest.raises(ValidationError, match="nothing to scale"):
        Autoscaling(minimum=5, maximum=5)


# Existence


def test_missing_table_is_made_in_one_call_with_all_that_protects_it() -> None:
    readings = healthy() | {(ORDERS, dynamodb.TABLE): Missing("ResourceNotFoundException")}
    needs = {ORDERS: {"DDB-DELPROT": {}, "DDB-STREAM": {}, "DDB-KMS": APPROVED}}
    [change] = changes("DDB-EXISTS", ORDERS, readings, TABLE_KEYS, needs)
    made = change.call.parameters
    assert change.call.operation == "create_table"
    assert made["DeletionProtectionEnabled"] is True
    assert made["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert made["SSESpecification"]["KMSMasterKeyId"] == KEY_ARN
    assert [index["IndexName"] for index in made["GlobalSecondaryIndexes"]] == ["by-day"]
    assert made["AttributeDefinitions"] == [
        {"AttributeName": "day", "AttributeType": "S"},
        {"AttributeName": "id", "AttributeType": "S"},
    ]


def test_missing_table_gets_nothing_that_nobody_asks() -> None:
    readings = healthy() | {(ORDERS, dynamodb.TABLE): Missing("ResourceNotFoundException")}
    [change] = changes("DDB-EXISTS", ORDERS, readings, {"keys": {"partition": {"name": "id"}}, "units": None})
    assert change.call.parameters == {
        "TableName": "orders",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "DeletionProtectionEnabled": False,
        "BillingMode": "PAY_PER_REQUEST",
    }


def test_missing_index_is_added_with_the_tables_capacity() -> None:
    [change] = changes("DDB-EXISTS", ORDERS, table(GlobalSecondaryIndexes=[]), TABLE_KEYS | {"units": None})
    [update] = change.call.parameters["GlobalSecondaryIndexUpdates"]
    assert update["Create"]["ProvisionedThroughput"] == {"ReadCapacityUnits": 10, "WriteCapacityUnits": 10}


def test_missing_index_of_a_table_that_is_paid_by_request_has_no_capacity() -> None:
    readings = table(GlobalSecondaryIndexes=[], BillingModeSummary={"BillingMode": "PAY_PER_REQUEST"})
    [change] = changes("DDB-EXISTS", ORDERS, readings, TABLE_KEYS)
    assert "ProvisionedThroughput" not in change.after


@pytest.mark.parametrize(
    "keys",
    [{"partition": {"name": "order_id"}}, {"partition": {"name": "id", "type": "N"}}],
)
def test_table_with_other_keys_fails_and_cannot_be_changed(keys: dict[str, Any]) -> None:
    assert verdict("DDB-EXISTS", ORDERS, healthy(), {"keys": keys}).status is Status.FAIL
    with pytest.raises(CannotChange, match="Keys cannot be changed"):
        changes("DDB-EXISTS", ORDERS, healthy(), {"keys": keys})


def test_index_that_is_being_filled_is_settling() -> None:
    index = TABLE["GlobalSecondaryIndexes"][0] | {"IndexStatus": "CREATING"}
    found = verdict("DDB-EXISTS", ORDERS, table(GlobalSecondaryIndexes=[index]), TABLE_KEYS)
    assert (found.status, found.settling) == (Status.WARN, True)


def test_attribute_of_two_types_is_refused_in_the_profile() -> None:
    with pytest.raises(ValidationError, match="one type"):
        Table.model_validate(
            {
                "keys": {"partition": {"name": "id"}},
                "indexes": [{"name": "by-id", "partition": {"name": "id", "type": "N"}}],
            }
        )


def test_index_whose_name_speaks_of_keys_is_created_where_it_is_missing() -> None:
    asked = TABLE_KEYS | {"indexes": [{"name": "by-keys", "partition": {"name": "day"}}]}
    [change] = changes("DDB-EXISTS", ORDERS, table(), asked)
    assert change.title == "Create the index by-keys of orders"
