"""AWS Backup: whether its plans select what is in scope, and backed it up."""

from typing import Any

import pytest
from pydantic import ValidationError

from data_protection.backup_selections import selects
from data_protection.changes import CannotChange
from data_protection.checks.backup_plan import Backups, Plan
from data_protection.readings import Missing, Unreadable
from data_protection.reads import backup, tagging
from data_protection.resources import Kind, Resource
from data_protection.verdicts import Status
from tests.support.data_protection_account import ACCOUNT, AUDIO, KEY_ARN, ORDERS, PLACE, Asked, ago, changes, verdict
from tests.support.data_protection_healthy import PLAN, SCOPE, SELECTION, healthy

DAILY = {
    "name": "rfc-008",
    "vault": "rfc-008",
    "role": "arn:aws:iam::123456789012:role/backup",
    "key": "alias/data",
}
TAGGED = [{"ConditionType": "STRINGEQUALS", "ConditionKey": "backup", "ConditionValue": "daily"}]


def selecting(**selection: Any) -> dict[tuple[Any, Any], Any]:
    return healthy() | {(SELECTION, backup.SELECTION): {"BackupSelection": selection}}


def backed_up(**times: str) -> dict[tuple[Any, Any], Any]:
    results = [
        {"ResourceArn": one.arn, "LastBackupTime": times[one.name]} for one in (ORDERS, AUDIO) if one.name in times
    ]
    return healthy() | {(ACCOUNT, backup.PROTECTED): {"Results": results}}


def condition(value: str, key: str = "aws:ResourceTag/backup") -> list[dict[str, str]]:
    return [{"ConditionKey": key, "ConditionValue": value}]


# What a selection selects


@pytest.mark.parametrize(
    ("selection", "tags", "expected"),
    [
        ({}, {}, True),
        ({"Resources": ["*"]}, {}, True),
        ({"Resources": [ORDERS.arn]}, {}, True),
        ({"Resources": ["arn:aws:dynamodb:*:*:table/*"]}, {}, True),
        ({"Resources": ["arn:aws:dynamodb:eu-central-1:123456789012:table/ord*"]}, {}, True),
        ({"Resources": ["arn:aws:s3:::*"]}, {}, False),
        ({"Resources": ["*"], "NotResources": ["arn:aws:dynamodb:*"]}, {}, False),
        ({"NotResources": ["arn:aws:s3:::*"]}, {}, True),
        ({"ListOfTags": TAGGED}, {"backup": "daily"}, True),
        ({"ListOfTags": TAGGED}, {"backup": "Daily"}, False),
        ({"ListOfTags": [*condition("x"), *TAGGED]}, {"backup": "daily"}, True),
        ({"Resources": ["arn:aws:s3:::*"], "ListOfTags": TAGGED}, {"backup": "daily"}, True),
        ({"Resources": [ORDERS.arn], "ListOfTags": TAGGED}, {}, True),
        ({"Resources": ["*"], "Conditions": {"StringEquals": condition("daily")}}, {}, False),
        ({"Resources": ["*"], "Conditions": {"StringEquals": condition("daily")}}, {"backup": "daily"}, True),
        ({"Conditions": {"StringLike": condition("da*")}}, {"backup": "daily"}, True),
        ({"Conditions": {"StringNotEquals": condition("never")}}, {}, True),
        ({"Conditions": {"StringNotLike": condition("da*")}}, {"backup": "daily"}, False),
        (
            {"Conditions": {"StringLike": condition("da*"), "StringEquals": condition("a", "aws:ResourceTag/team")}},
            {"backup": "daily", "team": "b"},
            False,
        ),
    ],
)
def test_selection_selects_as_aws_says(selection: Any, tags: dict[str, str], expected: bool) -> None:  # noqa: FBT001
    assert selects(selection, ORDERS.arn, tags) is expected


# The verdict


def test_resource_that_no_plan_selects_fails_and_is_named() -> None:
    found = verdict("BK-PLAN", ACCOUNT, selecting(Resources=[ORDERS.arn]), None, SCOPE)
    assert (found.status, found.observed["not_selected"]) == (Status.FAIL, [AUDIO.arn])


def test_plan_without_a_selection_or_a_rule_selects_nothing() -> None:
    empty = healthy() | {(PLAN, backup.SELECTIONS): {"BackupSelectionsList": []}}
    assert verdict("BK-PLAN", ACCOUNT, empty, None, SCOPE).status is Status.FAIL
    without = healthy() | {(PLAN, backup.PLAN): {"BackupPlan": {"BackupPlanName": "daily", "Rules": []}}}
    assert verdict("BK-PLAN", ACCOUNT, without, None, SCOPE).status is Status.FAIL


def test_plan_of_the_profile_that_waits_for_its_selection_is_begun() -> None:
    empty = healthy() | {(PLAN, backup.SELECTIONS): {"BackupSelectionsList": []}}
    asked = {"plan": DAILY | {"name": "daily"}}
    assert verdict("BK-PLAN", ACCOUNT, empty, asked, SCOPE).status is Status.WARN
    [change] = changes("BK-PLAN", ACCOUNT, empty, asked, SCOPE)
    assert change.call.operation == "create_backup_selection"


def test_plan_that_was_deleted_meanwhile_is_no_reason_to_know_nothing() -> None:
    gone = healthy() | {(PLAN, backup.PLAN): Missing("ResourceNotFoundException")}
    assert verdict("BK-PLAN", ACCOUNT, gone, None, SCOPE).status is Status.FAIL


def test_selection_that_was_deleted_meanwhile_takes_no_other_with_it() -> None:
    listed = {"BackupSelectionsList": [{"SelectionId": "gone"}, {"SelectionId": "selection-1"}]}
    gone = Resource(Kind.BACKUP_SELECTION, PLACE, "plan-1/gone")
    readings = healthy() | {
        (PLAN, backup.SELECTIONS): listed,
        (gone, backup.SELECTION): Missing("ResourceNotFoundException"),
    }
    assert verdict("BK-PLAN", ACCOUNT, readings, None, SCOPE).status is Status.PASS


def test_plan_of_the_profile_that_was_deleted_meanwhile_selects_nothing() -> None:
    gone = Missing("ResourceNotFoundException")
    readings = healthy() | {(PLAN, read): gone for read in (backup.PLAN, backup.SELECTIONS)}
    found = verdict("BK-PLAN", ACCOUNT, readings, {"plan": DAILY | {"name": "daily"}}, SCOPE)
    assert (found.status, found.reason.startswith("No plan selects")) == (Status.FAIL, True), found.reason


def test_tags_are_needed_only_where_a_selection_goes_by_them() -> None:
    denied = {(ACCOUNT, tagging.TAGS): Unreadable("AccessDenied", "no")}
    assert verdict("BK-PLAN", ACCOUNT, healthy() | denied, None, SCOPE).status is Status.PASS
    assert verdict("BK-PLAN", ACCOUNT, selecting(ListOfTags=TAGGED) | denied, None, SCOPE).status is Status.UNKNOWN


def test_selection_by_tag_selects_what_carries_it() -> None:
    tags = [{"ResourceARN": one.arn, "Tags": [{"Key": "backup", "Value": "daily"}]} for one in (ORDERS, AUDIO)]
    readings = selecting(ListOfTags=TAGGED) | {(ACCOUNT, tagging.TAGS): {"ResourceTagMappingList": tags}}
    assert verdict("BK-PLAN", ACCOUNT, readings, None, SCOPE).status is Status.PASS


def test_type_that_is_not_opted_in_counts_only_where_no_arn_names_it() -> None:
    out = {(ACCOUNT, backup.OPT_IN): {"ResourceTypeOptInPreference": {"DynamoDB": True, "S3": False}}}
    found = verdict("BK-PLAN", ACCOUNT, healthy() | out, None, SCOPE)
    assert (found.status, "not opted in to S3" in found.reason) == (Status.WARN, True)
    named = selecting(Resources=["arn:aws:s3:::*", ORDERS.arn]) | out
    assert verdict("BK-PLAN", ACCOUNT, named, None, SCOPE).status is Status.PASS


@pytest.mark.parametrize(
    "readings", [backed_up(orders=ago(hours=9)), backed_up(orders=ago(hours=9), audio=ago(hours=37))]
)
def test_plan_that_has_not_backed_up_lately_warns(readings: Any) -> None:
    found = verdict("BK-PLAN", ACCOUNT, readings, None, SCOPE)
    assert (found.status, found.observed["late"]) == (Status.WARN, [AUDIO.arn])


def test_only_the_kinds_and_names_that_are_asked_are_looked_at() -> None:
    readings = selecting(Resources=[ORDERS.arn])
    assert verdict("BK-PLAN", ACCOUNT, readings, {"kinds": ["dynamodb-table"]}, SCOPE).status is Status.PASS
    assert verdict("BK-PLAN", ACCOUNT, readings, {"leave_out": ["audio"]}, SCOPE).status is Status.PASS


# The fix


def test_vault_and_plan_are_made_first() -> None:
    readings = healthy() | {(ACCOUNT, backup.PLANS): {"BackupPlansList": []}}
    vault, plan = changes("BK-PLAN", ACCOUNT, readings, {"plan": DAILY}, SCOPE)
    assert vault.call.parameters == {"BackupVaultName": "rfc-008", "EncryptionKeyArn": KEY_ARN}
    [rule] = plan.call.parameters["BackupPlan"]["Rules"]
    assert (rule["TargetBackupVaultName"], rule["Lifecycle"]) == ("rfc-008", {"DeleteAfterDays": 35})


def test_vault_that_is_there_is_used() -> None:
    readings = healthy() | {(ACCOUNT, backup.PLANS): {"BackupPlansList": []}}
    proposed = changes("BK-PLAN", ACCOUNT, readings, {"plan": DAILY | {"vault": "Default"}}, SCOPE)
    assert [change.call.operation for change in proposed] == ["create_backup_plan"]


def test_plan_that_is_there_gets_a_selection_of_what_is_not_selected() -> None:
    asked = {"plan": DAILY | {"name": "daily"}}
    [change] = changes("BK-PLAN", ACCOUNT, selecting(Resources=[ORDERS.arn]), asked, SCOPE)
    assert change.call.parameters["BackupPlanId"] == "plan-1"
    assert change.call.parameters["BackupSelection"]["Resources"] == [AUDIO.arn]


def test_selection_is_not_guessed_while_one_cannot_be_read() -> None:
    readings = healthy() | {(SELECTION, backup.SELECTION): Unreadable("AccessDenied", "no")}
    with pytest.raises(Exception, match="AccessDenied"):
        changes("BK-PLAN", ACCOUNT, readings, {"plan": DAILY}, SCOPE)


@pytest.mark.parametrize(
    ("asked", "said"), [({}, "describes no backup plan"), ({"plan": DAILY}, "select everything in scope")]
)
def test_nothing_is_made_where_it_would_not_help(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(CannotChange, match=said):
        changes("BK-PLAN", ACCOUNT, healthy(), asked, SCOPE)


def test_more_arns_than_a_selection_takes_are_refused() -> None:
    scope: Asked = {Resource(Kind.TABLE, PLACE, f"table-{number}"): {"DDB-DELPROT": {}} for number in range(501)}
    with pytest.raises(CannotChange, match="select by tag"):
        changes("BK-PLAN", ACCOUNT, selecting(Resources=["x"]), {"plan": DAILY | {"name": "daily"}}, scope)


def test_lifecycle_that_aws_refuses_is_refused_in_the_profile() -> None:
    with pytest.raises(ValidationError, match="delete after 120 days or later"):
        Plan.model_validate(DAILY | {"cold_after_days": 30, "delete_after_days": 119})
    assert Plan.model_validate(DAILY | {"cold_after_days": 30, "delete_after_days": 120}).cold_after_days == 30


def test_kind_that_is_not_looked_at_cannot_be_asked() -> None:
    with pytest.raises(ValidationError, match="rds-instance cannot be asked"):
        Backups(kinds=(Kind.DATABASE,))
