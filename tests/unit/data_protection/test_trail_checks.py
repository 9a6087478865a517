"""Checks of CloudTrail: whether a trail records, delivers, and records what is in scope."""

from typing import Any

import pytest

from data_protection.changes import CannotChange
from data_protection.event_selectors import BOTH, Direction, merged, recorded, subject
from data_protection.readings import Missing, Unreadable
from data_protection.reads.cloudtrail import EVENT_SELECTORS, TRAIL_STATUS, TRAILS
from data_protection.resources import Kind, Place, Resource
from data_protection.verdicts import Status
from tests.support.data_protection_account import ACCOUNT, AUDIO, ORDERS, PLACE, ago, changes, verdict
from tests.support.data_protection_healthy import DESCRIBED, SCOPE, STATUS, TRAIL, healthy, selector

S3, DYNAMODB = "AWS::S3::Object", "AWS::DynamoDB::Table"
OTHER_ARN = "arn:aws:cloudtrail:us-east-1:123456789012:trail/other"
OTHER = Resource(Kind.TRAIL, Place(PLACE.account, "us-east-1"), OTHER_ARN)


def status(**members: Any) -> dict[tuple[Any, Any], Any]:
    return healthy() | {(TRAIL, TRAIL_STATUS): STATUS | members}


def described(*trails: dict[str, Any]) -> dict[tuple[Any, Any], Any]:
    return healthy() | {(ACCOUNT, TRAILS): {"trailList": list(trails)}}


def selecting(*advanced: dict[str, Any], basic: tuple[dict[str, Any], ...] = ()) -> dict[tuple[Any, Any], Any]:
    answer = {"AdvancedEventSelectors": list(advanced)} if advanced else {"EventSelectors": list(basic)}
    return healthy() | {(TRAIL, EVENT_SELECTORS): answer}


def with_field(made: dict[str, Any], field: str, **operators: list[str]) -> dict[str, Any]:
    return made | {"FieldSelectors": [*made["FieldSelectors"], {"Field": field, **operators}]}


def basic(type_: str, *values: str, directions: str = "All") -> dict[str, Any]:
    return {
        "ReadWriteType": directions,
        "IncludeManagementEvents": True,
        "DataResources": [{"Type": type_, "Values": list(values)}],
    }


# CT-LOGGING


@pytest.mark.parametrize(
    ("readings", "expected", "said"),
    [
        (status(IsLogging=False), Status.FAIL, "does not log"),
        (status(LatestDeliveryError="AccessDenied"), Status.WARN, "refuses what it delivers: AccessDenied"),
        (status(LatestDigestDeliveryError="NoSuchBucket"), Status.WARN, "NoSuchBucket"),
        (status(LatestDeliveryTime=None), Status.WARN, "nothing yet"),
        (status(LatestDeliveryTime=ago(hours=25)), Status.WARN, "delivered last at"),
        (described(), Status.FAIL, "No trail records"),
        (described(DESCRIBED | {"HomeRegion": "us-east-1", "IsMultiRegionTrail": False}), Status.FAIL, "No trail"),
    ],
)
def test_trail_must_log_and_deliver(readings: Any, expected: Status, said: str) -> None:
    found = verdict("CT-LOGGING", ACCOUNT, readings)
    assert (found.status, said in found.reason) == (expected, True), found.reason


def two_trails(other_status: Any) -> dict[tuple[Any, Any], Any]:
    other = DESCRIBED | {"Name": "other", "TrailARN": OTHER_ARN, "HomeRegion": "us-east-1"}
    return described(DESCRIBED, other) | {(OTHER, TRAIL_STATUS): other_status, (OTHER, EVENT_SELECTORS): {}}


def test_one_trail_that_delivers_is_enough_whatever_others_do() -> None:
    assert verdict("CT-LOGGING", ACCOUNT, two_trails({"IsLogging": False})).status is Status.PASS
    assert verdict("CT-LOGGING", ACCOUNT, two_trails(Unreadable("AccessDenied", "no"))).status is Status.PASS


ORGANIZATION = DESCRIBED | {
    "Name": "organization",
    "TrailARN": "arn:aws:cloudtrail:eu-central-1:999999999999:trail/organization",
    "IsOrganizationTrail": True,
}


def hidden(reading: Any, *own: dict[str, Any]) -> dict[tuple[Any, Any], Any]:
    """Return an account that a trail of its organization records, of which AWS says nothing but this."""
    trail = Resource(Kind.TRAIL, PLACE, str(ORGANIZATION["TrailARN"]))
    return described(*own, ORGANIZATION) | {(trail, TRAIL_STATUS): reading, (trail, EVENT_SELECTORS): reading}


@pytest.mark.parametrize("reading", [Missing("TrailNotFoundException"), Unreadable("AccessDenied", "no")])
def test_trail_of_the_organization_that_aws_hides_from_a_member_is_unknown_and_harms_nothing(reading: Any) -> None:
    for check in ("CT-LOGGING", "CT-DATA"):
        assert verdict(check, ACCOUNT, hidden(reading, DESCRIBED), None, SCOPE).status is Status.PASS
        assert verdict(check, ACCOUNT, hidden(reading), None, SCOPE).status is Status.UNKNOWN


def test_trail_that_was_deleted_meanwhile_records_nothing() -> None:
    gone = {(OTHER, read): Missing("TrailNotFoundException") for read in (TRAIL_STATUS, EVENT_SELECTORS)}
    readings = two_trails({}) | gone
    assert verdict("CT-DATA", ACCOUNT, readings, None, SCOPE).status is Status.PASS
    partly = readings | {(TRAIL, EVENT_SELECTORS): {"AdvancedEventSelectors": [selector(DYNAMODB)]}}
    assert verdict("CT-DATA", ACCOUNT, partly, None, SCOPE).status is Status.FAIL


def test_trail_that_is_named_is_the_one_that_counts() -> None:
    readings = two_trails({"IsLogging": False})
    assert verdict("CT-LOGGING", ACCOUNT, readings, {"trail": "other"}).status is Status.FAIL
    assert verdict("CT-LOGGING", ACCOUNT, readings, {"trail": "absent"}).status is Status.FAIL


def test_trail_that_has_delivered_nothing_yet_is_not_waited_for() -> None:
    assert not verdict("CT-LOGGING", ACCOUNT, status(LatestDeliveryTime=None)).settling


def test_trail_that_stands_is_started() -> None:
    [change] = changes("CT-LOGGING", ACCOUNT, status(IsLogging=False))
    assert (change.call.operation, change.call.parameters) == ("start_logging", {"Name": TRAIL.name})
    assert change.inverse is not None
    assert change.inverse.operation == "stop_logging"


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        (described(), "There is no trail"),
        (described(DESCRIBED | {"HomeRegion": "us-east-1"}), "home region"),
        (described(DESCRIBED | {"IsOrganizationTrail": True}), "organization"),
        (described(DESCRIBED, DESCRIBED | {"Name": "second"}), "several trails, main, second"),
        (status(LatestDeliveryError="AccessDenied"), "its bucket"),
    ],
)
def test_what_cannot_be_started_from_here_is_said(readings: Any, said: str) -> None:
    with pytest.raises(CannotChange, match=said):
        changes("CT-LOGGING", ACCOUNT, readings)


# CT-HARDEN


def test_each_weakness_of_a_trail_is_named() -> None:
    found = verdict(
        "CT-HARDEN",
        ACCOUNT,
        described(DESCRIBED | {"IsMultiRegionTrail": False, "LogFileValidationEnabled": False, "KmsKeyId": None}),
        {"log_group": True},
    )
    assert found.status is Status.FAIL
    assert found.observed["lacks"] == [
        "CloudWatchLogsLogGroupArn",
        "IsMultiRegionTrail",
        "KmsKeyId",
        "LogFileValidationEnabled",
    ]


def test_trail_that_is_only_not_encrypted_warns() -> None:
    assert verdict("CT-HARDEN", ACCOUNT, described(DESCRIBED | {"KmsKeyId": None})).status is Status.WARN


def test_hardening_changes_what_it_can_and_only_that() -> None:
    key = "arn:aws:kms:eu-central-1:123456789012:key/new"
    [change] = changes("CT-HARDEN", ACCOUNT, described(DESCRIBED | {"LogFileValidationEnabled": False}), {"key": key})
    assert change.after == {"EnableLogFileValidation": True, "KmsKeyId": key}
    assert change.before == {"EnableLogFileValidation": False, "KmsKeyId": DESCRIBED["KmsKeyId"]}


def test_hardening_that_takes_a_decision_is_left_to_people() -> None:
    with pytest.raises(CannotChange, match="takes a decision"):
        changes("CT-HARDEN", ACCOUNT, described(DESCRIBED | {"KmsKeyId": None}))


# CT-DATA: what selectors record


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (selector(S3), BOTH),
        (selector(S3, StartsWith=["arn:aws:s3:::audio/"]), BOTH),
        (selector(S3, StartsWith=["arn:aws:s3:::aud"]), BOTH),
        (selector(S3, StartsWith=["arn:aws:s3:::other/", "arn:aws:s3:::audio/"]), BOTH),
        (selector(S3, StartsWith=["arn:aws:s3:::audio/calls/"]), frozenset()),
        (selector(S3, Equals=["arn:aws:s3:::audio/"]), frozenset()),
        (selector(S3, EndsWith=[".wav"]), frozenset()),
        (selector(S3, NotEndsWith=[".tmp"]), frozenset()),
        (selector(S3, NotStartsWith=["arn:aws:s3:::other/"]), BOTH),
        (selector(S3, NotStartsWith=["arn:aws:s3:::audio/tmp/"]), frozenset()),
        (selector(S3, NotStartsWith=["arn:aws:s3:::"]), frozenset()),
        (selector(S3, NotEquals=["arn:aws:s3:::audio/one"]), frozenset()),
        (selector(S3, StartsWith=["arn:aws:s3:::audio/"], NotStartsWith=["arn:aws:s3:::audio/x"]), frozenset()),
        (with_field(selector(S3), "readOnly", Equals=["true"]), frozenset({Direction.READ})),
        (with_field(selector(S3), "readOnly", Equals=["false"]), frozenset({Direction.WRITE})),
        (with_field(selector(S3), "eventName", Equals=["DeleteObject"]), frozenset()),
        (with_field(selector(S3), "userIdentity.arn", NotStartsWith=["arn:aws:sts"]), frozenset()),
        (selector(DYNAMODB), frozenset()),
        ({"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}, frozenset()),
    ],
)
def test_advanced_selector_counts_only_if_it_leaves_no_object_out(made: Any, expected: frozenset[Direction]) -> None:
    assert recorded({"AdvancedEventSelectors": [made]}, subject(AUDIO)) == expected


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (selector(DYNAMODB), BOTH),
        (selector(DYNAMODB, Equals=[ORDERS.arn]), BOTH),
        (selector(DYNAMODB, Equals=[f"{ORDERS.arn}-2"]), frozenset()),
        (selector(DYNAMODB, EndsWith=["/orders"]), BOTH),
        (selector(DYNAMODB, NotEquals=[ORDERS.arn]), frozenset()),
        (selector(DYNAMODB, NotEndsWith=["/orders"]), frozenset()),
        (selector(DYNAMODB, NotStartsWith=[ORDERS.arn + "-"]), BOTH),
    ],
)
def test_advanced_selector_names_tables_by_their_whole_arn(made: Any, expected: frozenset[Direction]) -> None:
    assert recorded({"AdvancedEventSelectors": [made]}, subject(ORDERS)) == expected


@pytest.mark.parametrize(
    ("made", "of", "expected"),
    [
        (basic(S3, "arn:aws:s3"), AUDIO, BOTH),
        (basic(S3, "arn:aws:s3:::"), AUDIO, BOTH),
        (basic(S3, "arn:aws:s3:::audio/"), AUDIO, BOTH),
        (basic(S3, "arn:aws:s3:::audio/calls"), AUDIO, frozenset()),
        (basic(S3, "arn:aws:s3:::audio/", directions="ReadOnly"), AUDIO, frozenset({Direction.READ})),
        (basic(DYNAMODB, "arn:aws:dynamodb"), ORDERS, BOTH),
        (basic(DYNAMODB, ORDERS.arn, directions="WriteOnly"), ORDERS, frozenset({Direction.WRITE})),
        (basic(DYNAMODB, ORDERS.arn.removesuffix("s")), ORDERS, frozenset()),
        (basic(DYNAMODB, "arn:aws:dynamodb"), AUDIO, frozenset()),
    ],
)
def test_basic_selector_counts_by_its_values(made: Any, of: Resource, expected: frozenset[Direction]) -> None:
    assert recorded({"EventSelectors": [made]}, subject(of)) == expected


def test_two_selectors_may_share_the_directions() -> None:
    made = [basic(S3, "arn:aws:s3", directions="ReadOnly"), basic(S3, "arn:aws:s3", directions="WriteOnly")]
    assert recorded({"EventSelectors": made}, subject(AUDIO)) == BOTH


# CT-DATA: the verdict


def test_trail_that_does_not_log_records_nothing() -> None:
    assert verdict("CT-DATA", ACCOUNT, status(IsLogging=False), None, SCOPE).status is Status.FAIL


def test_trail_that_cannot_deliver_is_doubtful() -> None:
    found = verdict("CT-DATA", ACCOUNT, status(LatestDeliveryError="AccessDenied"), None, SCOPE)
    assert (found.status, "cannot deliver" in found.reason) == (Status.WARN, True)


def test_trail_that_cannot_deliver_harms_nothing_beside_one_that_can() -> None:
    readings = two_trails({"IsLogging": True, "LatestDeliveryError": "AccessDenied"})
    readings[OTHER, EVENT_SELECTORS] = readings[TRAIL, EVENT_SELECTORS]
    assert verdict("CT-DATA", ACCOUNT, readings, None, SCOPE).status is Status.PASS


def test_trail_that_records_its_own_bucket_loops() -> None:
    found = verdict("CT-DATA", ACCOUNT, selecting(selector(S3), selector(DYNAMODB)), None, SCOPE)
    assert (found.status, "own deliveries" in found.reason) == (Status.WARN, True)


def test_bucket_of_the_trail_need_not_be_on_record() -> None:
    own = Resource(Kind.BUCKET, PLACE, "trail-logs")
    assert verdict("CT-DATA", ACCOUNT, healthy(), None, {**SCOPE, own: {"S3-BPA": {}}}).status is Status.PASS


def test_what_is_not_on_record_is_named_with_its_directions() -> None:
    readings = selecting(with_field(selector(S3), "readOnly", Equals=["false"]), selector(DYNAMODB))
    found = verdict("CT-DATA", ACCOUNT, readings, None, SCOPE)
    assert found.status is Status.FAIL
    assert found.observed["not_recorded"] == {AUDIO.arn: [Direction.READ]}
    assert verdict("CT-DATA", ACCOUNT, readings, {"directions": ["write"]}, SCOPE).status is not Status.FAIL


def test_gap_that_an_unreadable_trail_may_fill_is_unknown() -> None:
    readings = two_trails({"IsLogging": True}) | {
        (TRAIL, EVENT_SELECTORS): {"AdvancedEventSelectors": [selector(DYNAMODB)]},
        (OTHER, EVENT_SELECTORS): Unreadable("AccessDenied", "no"),
    }
    assert verdict("CT-DATA", ACCOUNT, readings, None, SCOPE).status is Status.UNKNOWN


# CT-DATA: the fix


def test_selectors_that_are_there_stay_and_ours_come_beside_them() -> None:
    own = selector(DYNAMODB, Equals=["arn:aws:dynamodb:eu-central-1:123456789012:table/foreign"])
    [change] = changes("CT-DATA", ACCOUNT, selecting(own), None, SCOPE)
    made = change.after["AdvancedEventSelectors"]
    assert made[0] == own
    assert [one["Name"] for one in made[1:]] == [f"Gatehouse: {DYNAMODB}", f"Gatehouse: {S3}"]
    assert change.inverse is not None
    assert change.inverse.parameters["AdvancedEventSelectors"] == [own]


def test_basic_selectors_become_advanced_ones_that_mean_the_same() -> None:
    before = basic(S3, "arn:aws:s3:::calls/", directions="WriteOnly") | {
        "ExcludeManagementEventSources": ["kms.amazonaws.com"]
    }
    [change] = changes("CT-DATA", ACCOUNT, selecting(basic=(before,)), None, SCOPE)
    management, data, *_ = change.after["AdvancedEventSelectors"]
    assert management["FieldSelectors"] == [
        {"Field": "eventCategory", "Equals": ["Management"]},
        {"Field": "readOnly", "Equals": ["false"]},
        {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]},
    ]
    calls = subject(Resource(Kind.BUCKET, PLACE, "calls"))
    assert recorded({"AdvancedEventSelectors": [data]}, calls) == frozenset({Direction.WRITE})
    assert change.inverse is not None
    assert change.inverse.parameters["EventSelectors"] == [before]


def test_trail_without_selectors_keeps_its_management_events() -> None:
    [change] = changes("CT-DATA", ACCOUNT, selecting(), None, SCOPE)
    assert change.after["AdvancedEventSelectors"][0]["FieldSelectors"] == [
        {"Field": "eventCategory", "Equals": ["Management"]}
    ]


def test_merging_satisfies_the_check_and_merging_again_changes_nothing() -> None:
    wanted = [subject(AUDIO), subject(ORDERS)]
    once = merged({"EventSelectors": [basic(S3, "arn:aws:s3:::calls/")]}, wanted, BOTH)
    assert all(recorded({"AdvancedEventSelectors": once}, one) == BOTH for one in wanted)
    assert merged({"AdvancedEventSelectors": once}, wanted, BOTH) == once


def test_more_values_than_a_trail_takes_are_refused() -> None:
    wanted = [subject(Resource(Kind.BUCKET, PLACE, f"bucket-{number}")) for number in range(500)]
    with pytest.raises(CannotChange, match="AWS takes 500"):
        merged({}, wanted, BOTH)


@pytest.mark.parametrize(
    ("readings", "said"),
    [
        (status(IsLogging=False), "CT-LOGGING comes first"),
        (selecting(selector(S3), selector(DYNAMODB)), "records everything in scope"),
        (described(DESCRIBED | {"HomeRegion": "us-east-1"}), "home region"),
    ],
)
def test_selectors_are_changed_only_where_that_helps(readings: Any, said: str) -> None:
    with pytest.raises(CannotChange, match=said):
        changes("CT-DATA", ACCOUNT, readings, None, SCOPE)
