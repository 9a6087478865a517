"""What a profile selects by pattern or tag and cannot be listed is unknown: it neither passes nor vanishes."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from data_protection.assessments import Assessment, assess
from data_protection.changes import CannotChange
from data_protection.collection import Questions
from data_protection.contracts import FindingRow
from data_protection.drift.drifts import compare
from data_protection.findings import Standing, rows
from data_protection.profiles import Profile
from data_protection.readings import NotConfigured, Read, Unreadable
from data_protection.reads import dynamodb, listings, s3, sns, tagging
from data_protection.resources import Kind, Resource
from data_protection.snapshot import NotRead
from data_protection.verdicts import Status
from tests.support.data_protection_account import ACCOUNT, NOW, ORDERS, PLACE, Readings, taken
from tests.support.data_protection_healthy import TABLE_ANSWER, TOPIC, healthy

DENIED = Unreadable("AccessDenied", "no")
SINCE = NOW - timedelta(days=2)
BILLS = Resource(Kind.TABLE, PLACE, "bills")
PII = {"tag": {"data": "pii"}}


def profile(*rules: Mapping[str, Any]) -> Profile:
    return Profile.model_validate({"name": "test", "rules": rules})


def tables(*select: Mapping[str, Any], **requires: Any) -> dict[str, Any]:
    asked = {check.replace("_", "-"): asked for check, asked in requires.items()}
    return {"kind": "dynamodb-table", "select": select, "requires": asked or {"DDB-DELPROT": {}}}


def account(**denied: Read) -> Readings:
    tagged = [{"ResourceARN": ORDERS.arn, "Tags": [{"Key": "data", "Value": "pii"}]}]
    answers = healthy() | {
        (ACCOUNT, listings.TABLES): {"TableNames": ["orders"]},
        (ACCOUNT, listings.BUCKETS): {"Buckets": []},
        (ACCOUNT, tagging.TAGS): {"ResourceTagMappingList": tagged},
    }
    return answers | {(ACCOUNT, read): DENIED for read in denied.values()}


def look(asked: Profile, answers: Readings) -> Assessment:
    return assess(taken(Questions(PLACE, asked), answers), asked, NOW)


def told(found: Assessment, *known: tuple[str, Resource, Status]) -> dict[tuple[str, str], FindingRow]:
    standings = {(check, one.arn): Standing(status, SINCE, status) for check, one, status in known}
    return {(row.check, row.arn): row for row in rows(found, run="r", profile="p", standings=standings)}


@pytest.mark.parametrize(
    ("select", "read"),
    [(PII, tagging.TAGS), (PII, listings.TABLES), ({"pattern": "ord*"}, listings.TABLES)],
    ids=["tags", "tables by tag", "tables by pattern"],
)
def test_what_could_not_be_listed_is_not_compliant_and_stays_known(select: Mapping[str, Any], read: Read) -> None:
    found = look(profile(tables(select)), account(denied=read))
    kept = told(found, ("DDB-DELPROT", ORDERS, Status.PASS))

    assert not found.score.compliant
    assert kept["SCOPE-LISTED", ACCOUNT.arn].status is Status.UNKNOWN
    assert read.name in kept["SCOPE-LISTED", ACCOUNT.arn].reason
    row = kept["DDB-DELPROT", ORDERS.arn]
    assert (row.name, row.kind, row.status, row.before) == ("orders", Kind.TABLE, Status.UNKNOWN, Status.PASS)


def test_tags_need_not_be_read_where_nothing_is_selected_by_tag() -> None:
    found = look(profile(tables({"pattern": "ord*"})), account(denied=tagging.TAGS))

    assert found.score.compliant


def test_what_was_listed_and_is_gone_is_gone_whatever_else_cannot_be_listed() -> None:
    topics = {"kind": "sns-topic", "select": [{"pattern": "alerts*"}], "requires": {"SNS-ALERT": {}}}
    found = look(profile(tables({"pattern": "ord*"}), topics), account(denied=listings.TOPICS))
    kept = told(found, ("DDB-DELPROT", BILLS, Status.PASS), ("SNS-ALERT", TOPIC, Status.FAIL))

    assert ("DDB-DELPROT", BILLS.arn) not in kept
    assert kept["SNS-ALERT", TOPIC.arn].status is Status.UNKNOWN


def test_a_look_at_some_says_nothing_of_what_it_did_not_look_at() -> None:
    asked, only = profile(tables({"pattern": "ord*"})), [("SCOPE-LISTED", ACCOUNT)]
    snapshot = taken(Questions(PLACE, asked, only), account(denied=listings.TABLES))
    found = assess(snapshot, asked, NOW, only)

    assert [*told(found, ("DDB-DELPROT", ORDERS, Status.PASS))] == [("SCOPE-LISTED", ACCOUNT.arn)]


def test_what_is_asked_by_tag_too_is_unknown_without_tags() -> None:
    asked = profile(
        tables({"name": "orders"}, DDB_PITR={"days": 7}, DDB_DELPROT={}), tables(PII, DDB_PITR={"days": 35})
    )
    recovery: Any = healthy()[ORDERS, dynamodb.CONTINUOUS_BACKUPS]
    recovery["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]["RecoveryPeriodInDays"] = 7
    answers = {**account(), (ORDERS, dynamodb.CONTINUOUS_BACKUPS): recovery}

    def statuses(found: Assessment) -> dict[str, Status]:
        return {one.check.id: one.status for one in found.findings if one.resource == ORDERS}

    assert statuses(look(asked, answers)) == {"DDB-DELPROT": Status.PASS, "DDB-PITR": Status.WARN}
    without = look(asked, {**answers, (ACCOUNT, tagging.TAGS): DENIED})
    assert statuses(without) == {"DDB-DELPROT": Status.PASS, "DDB-PITR": Status.UNKNOWN}


@pytest.mark.parametrize("check", ["CT-DATA", "BK-PLAN"])
def test_what_is_about_all_in_scope_does_not_pass_with_less_of_it(check: str) -> None:
    asked = profile(tables({"pattern": "ord*"}), {"kind": "account", "requires": {check: {}}})

    def status(answers: Readings) -> Status:
        return next(one.status for one in look(asked, answers).findings if one.check.id == check)

    assert status(account()) is Status.PASS
    assert status(account(denied=listings.TABLES)) is Status.UNKNOWN


def test_bucket_is_not_locked_where_those_that_log_into_it_cannot_be_listed() -> None:
    logs = Resource(Kind.BUCKET, PLACE, "logs")
    asked = profile(
        {"kind": "s3-bucket", "select": [{"name": "logs"}], "requires": {"S3-LOCK": {"days": 30}}},
        {"kind": "s3-bucket", "select": [{"pattern": "data-*"}], "requires": {"S3-LOG": {"target": "logs"}}},
    )
    never = NotConfigured("ObjectLockConfigurationNotFoundError")
    answers = {
        **account(),
        (ACCOUNT, listings.BUCKETS): {"Buckets": [{"Name": "data-1"}]},
        (logs, s3.OBJECT_LOCK): never,
        (logs, s3.VERSIONING): {"Status": "Enabled"},
        (logs, s3.LOGGING): {},
        (Resource(Kind.BUCKET, PLACE, "data-1"), s3.LOGGING): {},
    }

    def lock(answers: Readings) -> Any:
        return next(one for one in look(asked, answers).findings if one.check.id == "S3-LOCK")

    assert lock(answers).status is Status.NOT_APPLICABLE
    unlisted = lock({**answers, (ACCOUNT, listings.BUCKETS): DENIED})
    assert unlisted.status is Status.UNKNOWN
    with pytest.raises((NotRead, CannotChange)):
        unlisted.check.mutator.propose(unlisted.case)


def test_drift_stays_open_while_its_resource_cannot_be_listed() -> None:
    asked, unprotected = profile(tables({"pattern": "ord*"})), {"Table": {**TABLE_ANSWER["Table"]}}
    unprotected["Table"]["DeletionProtectionEnabled"] = False
    drifted = look(asked, {**account(), (ORDERS, dynamodb.TABLE): unprotected})
    pair = "DDB-DELPROT", ORDERS.arn

    def compared(found: Assessment, opened: Any) -> Any:
        return compare(
            PLACE,
            found.findings,
            standings={pair: Standing(Status.PASS, SINCE, Status.PASS)},
            opened=opened,
            cause=lambda _check, _resource: None,
            whole=True,
            unseen=found.unseen,
            look="sweep-1",
            now=NOW,
        )

    [drift] = compared(drifted, {}).found
    unlisted = look(asked, account(denied=listings.TABLES))
    assert compared(unlisted, {pair: drift}).closed == []
    gone = look(asked, {**account(), (ACCOUNT, listings.TABLES): {"TableNames": []}})
    assert [end.drift for end in compared(gone, {pair: drift}).closed] == [drift]


@pytest.mark.parametrize("select", [{"name": "alerts"}, {"name": TOPIC.arn}], ids=["name", "ARN"])
def test_topic_that_is_named_and_tagged_is_one_resource(select: Mapping[str, Any]) -> None:
    mapping = {"ResourceARN": TOPIC.arn, "Tags": [{"Key": "data", "Value": "pii"}]}
    answers: Readings = {
        **account(),
        (ACCOUNT, listings.TOPICS): {"Topics": [{"TopicArn": TOPIC.arn}]},
        (ACCOUNT, tagging.TAGS): {"ResourceTagMappingList": [mapping]},
        (TOPIC, sns.SUBSCRIPTIONS): {"Subscriptions": []},
    }
    asked = Profile.model_validate(
        {
            "name": "test",
            "rules": [
                {"kind": "sns-topic", "select": [select], "requires": {"SNS-ALERT": {}}},
                {"kind": "sns-topic", "select": [PII], "requires": {"SNS-ALERT": {}, "SNS-KMS": {"key": "alias/data"}}},
            ],
            "exceptions": [
                {
                    "check": "SNS-ALERT",
                    "kind": "sns-topic",
                    "name": TOPIC.arn,
                    "owner": "team-a",
                    "reason": "Nobody is on call yet.",
                    "expires": NOW.date(),
                }
            ],
        }
    )

    found = [(one.check.id, one.resource.name, one.status) for one in look(asked, answers).findings]

    assert found == [
        ("SCOPE-LISTED", PLACE.account, Status.PASS),
        ("SNS-ALERT", "alerts", Status.EXCEPTED),
        ("SNS-KMS", "alerts", Status.PASS),
    ]


def test_key_that_is_named_by_id_or_arn_and_listed_is_one_resource() -> None:
    key = Resource(Kind.KEY, PLACE, "1234abcd")
    answers = {**account(), (ACCOUNT, listings.KEYS): {"Keys": [{"KeyArn": key.arn}]}}
    select = [{"name": "1234abcd"}, {"name": key.arn}, PII]
    asked = profile({"kind": "kms-key", "select": select, "requires": {"KMS-ROT": {}}})

    assert [one.resource for one in look(asked, answers).findings if one.check.id == "KMS-ROT"] == [key]


def test_resource_that_goes_by_two_names_is_one_row_and_the_graver() -> None:
    asked = profile(tables({"name": "orders"}))
    passed, unread = look(asked, account()), look(asked, {})

    for findings in ([*passed.findings, *unread.findings], [*unread.findings, *passed.findings]):
        [row] = told(Assessment(passed.snapshot, findings)).values()
        assert row.status is Status.UNKNOWN


def test_secret_keeps_its_arn_whose_end_is_not_of_its_name() -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:database-AbCdEf"
    secrets = {"kind": "secretsmanager-secret", "select": [{"name": arn}], "requires": {"SEC-ROT": {}}}

    assert [one.name for one in profile(secrets).expected(PLACE)] == [arn]
