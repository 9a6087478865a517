"""Accesses are logged, and logs arrive."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from data_protection.changes import CannotChange, Change
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Made
from data_protection.readings import Missing, NotConfigured, Unreadable
from data_protection.reads.s3 import (
    ENCRYPTION,
    LOGGING,
    OBJECT_LOCK,
    POLICY,
    RECENT_LOGS,
    access_log,
)
from data_protection.remediation.sights import require_undoable
from data_protection.resources import Kind, Resource
from data_protection.verdicts import Status
from tests.support.data_protection_buckets import (
    LOGS,
    NOW,
    PLACE,
    SITE,
    SITE_LOG,
    allow_logs,
    bare,
    case,
    changes,
    deny_http,
    encrypted,
    healthy,
    locked,
    policy,
    verdict,
)

_SIMPLE = {"TargetBucket": "logs", "TargetPrefix": "site/"}


def _logged(**differences: Any) -> dict[str, Any]:
    return {"LoggingEnabled": {**_SIMPLE, **differences}}


def _log(key: str, hours: float = 1) -> dict[str, Any]:
    return {"Contents": [{"Key": key, "LastModified": (NOW - timedelta(hours=hours)).isoformat()}]}


def test_logs_in_another_bucket_fail() -> None:
    found = verdict("S3-LOG", healthy() | {(SITE, LOGGING): _logged(TargetBucket="elsewhere")})
    assert found.status is Status.FAIL
    assert "elsewhere" in found.reason


def test_logs_of_another_prefix_warn() -> None:
    assert verdict("S3-LOG", healthy() | {(SITE, LOGGING): _logged(TargetPrefix="")}).status is Status.WARN


def test_target_itself_is_not_asked_to_log() -> None:
    found = verdict("S3-LOG", bare(), {"target": "site"})
    assert found.status is Status.NOT_APPLICABLE
    with pytest.raises(CannotChange, match="into itself"):
        changes("S3-LOG", bare(), {"target": "site"})


def test_target_that_does_not_exist_fails() -> None:
    gone = Missing("NoSuchBucket")
    found = verdict("S3-LOG", healthy() | {(LOGS, read): gone for read in (POLICY, OBJECT_LOCK, ENCRYPTION)})
    assert (found.status, found.reason) == (Status.FAIL, "MISSING: s3-bucket/logs does not exist.")


def test_locked_target_warns_and_is_not_logged_into() -> None:
    readings = healthy() | {(LOGS, OBJECT_LOCK): locked()}
    found = verdict("S3-LOG", readings)
    assert found.status is Status.WARN
    assert "Object Lock" in found.reason
    with pytest.raises(CannotChange, match="would not arrive"):
        changes("S3-LOG", bare() | {(LOGS, OBJECT_LOCK): locked()})


@pytest.mark.parametrize("algorithm", ["aws:kms", "aws:kms:dsse"])
def test_target_with_a_key_of_kms_warns_and_is_not_logged_into(algorithm: str) -> None:
    answer = encrypted(algorithm=algorithm)
    assert verdict("S3-LOG", healthy() | {(LOGS, ENCRYPTION): answer}).status is Status.WARN
    with pytest.raises(CannotChange, match="would not arrive"):
        changes("S3-LOG", bare() | {(LOGS, ENCRYPTION): answer})


@pytest.mark.parametrize(
    ("statement", "is_enough"),
    [
        (allow_logs(), True),
        (allow_logs(ArnLike={"aws:SourceArn": "arn:aws:s3:::site"}), True),
        (allow_logs(ArnLike={"AWS:SourceArn": ["arn:aws:s3:::other", "arn:aws:s3:::s*"]}), True),
        (allow_logs(ArnLike={"aws:SourceArn": "arn:aws:s3:::other"}), False),
        (allow_logs(StringEquals={"aws:SourceAccount": "999999999999"}), False),
        (allow_logs(StringNotEquals={"aws:SourceAccount": "123456789012"}), False),
        (allow_logs(StringEquals={"aws:PrincipalOrgID": "o-1"}), False),
        ({**allow_logs(), "Condition": {}}, False),  # anybody's logs
        ({**allow_logs(), "Resource": "arn:aws:s3:::logs/site/*"}, True),
        ({**allow_logs(), "Resource": ["arn:aws:s3:::logs/other/*"]}, False),
        ({**allow_logs(), "Resource": "arn:aws:s3:::logs/site/one.log"}, False),
        ({**allow_logs(), "Action": ["s3:GetObject", "S3:Put*"]}, True),
        ({**allow_logs(), "Action": "s3:GetObject"}, False),
        ({**allow_logs(), "Principal": {"Service": ["other.amazonaws.com"]}}, False),
        ({**allow_logs(), "Effect": "Deny"}, False),
    ],
)
def test_target_must_let_logs_of_this_account_in(statement: dict[str, Any], *, is_enough: bool) -> None:
    found = verdict("S3-LOG", healthy() | {(LOGS, POLICY): policy(statement)})
    assert found.status is (Status.PASS if is_enough else Status.WARN)


@pytest.mark.parametrize(
    ("newest", "is_proof"),
    [
        (_log("site/2026-11-21-11-00-00-AB"), True),
        (_log("site/2026-11-20-13-00-00-AB", 23), True),
        (_log("site/2026-11-20-11-00-00-AB", 25), False),
        (_log("site/report.csv"), False),
        ({"KeyCount": 0}, False),
    ],
)
def test_only_a_log_of_the_last_day_proves_delivery(newest: dict[str, Any], *, is_proof: bool) -> None:
    found = verdict("S3-LOG", healthy() | {(SITE_LOG, RECENT_LOGS): newest})
    assert found.status is (Status.PASS if is_proof else Status.WARN)
    assert not found.settling  # a step does not wait for hours, nor is it undone, for a log that is still to come


def test_denied_listing_of_the_target_is_unknown() -> None:
    denied = Unreadable("AccessDenied", "no")
    assert verdict("S3-LOG", healthy() | {(SITE_LOG, RECENT_LOGS): denied}).status is Status.UNKNOWN


def test_logs_below_a_prefix_that_buckets_share_prove_nothing_of_one_of_them() -> None:
    shared = {"target": "logs", "prefix": "all/"}
    log = access_log(SITE, {"TargetBucket": "logs", "TargetPrefix": "all/"})
    readings = healthy() | {
        (SITE, LOGGING): _logged(TargetPrefix="all/"),
        (log, RECENT_LOGS): _log("all/2026-11-21-11-00-00-AB"),
    }
    assert verdict("S3-LOG", readings, shared).status is Status.PASS
    for other in ({"target": "logs"}, {"target": "elsewhere", "prefix": "all/"}):
        assert verdict("S3-LOG", readings, shared, neighbour={"S3-LOG": other}).status is Status.PASS
    found = verdict("S3-LOG", readings, shared, neighbour={"S3-LOG": shared}, logs={"S3-LOG": shared})
    assert (found.status, found.observed["prefix_shared_with"]) == (Status.WARN, ["neighbour"])


def test_partitioned_keys_below_a_prefix_that_buckets_share_tell_them_apart() -> None:
    logging = {**_SIMPLE, "TargetPrefix": "all/", "TargetObjectKeyFormat": {"PartitionedPrefix": {}}}
    key = "all/123456789012/eu-central-1/site/2026/11/21/2026-11-21-00-00-00-AB"
    shared = {"target": "logs", "prefix": "all/"}
    readings = healthy() | {
        (SITE, LOGGING): {"LoggingEnabled": logging},
        (access_log(SITE, logging), RECENT_LOGS): _log(key),
    }
    assert verdict("S3-LOG", readings, shared, neighbour={"S3-LOG": shared}).status is Status.PASS


def test_partitioned_keys_are_looked_for_where_they_are() -> None:
    logging = {**_SIMPLE, "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}}
    log = access_log(SITE, logging)
    key = "site/123456789012/eu-central-1/site/2026/11/21/2026-11-21-00-00-00-AB"
    readings = healthy() | {(SITE, LOGGING): {"LoggingEnabled": logging}, (log, RECENT_LOGS): _log(key)}
    assert verdict("S3-LOG", readings).status is Status.PASS
    assert RECENT_LOGS.timed is not None
    asked = {**RECENT_LOGS.arguments(log), **RECENT_LOGS.timed(log, NOW)}
    prefix = "site/123456789012/eu-central-1/site/"
    assert (asked["Prefix"], asked["StartAfter"]) == (prefix, f"{prefix}2026/11/20/2026-11-20-12-00-00")


def test_logs_are_listed_from_a_day_ago_in_a_bucket_of_this_account() -> None:
    assert RECENT_LOGS.arguments(SITE_LOG)["ExpectedBucketOwner"] == "123456789012"
    assert RECENT_LOGS.timed is not None
    assert RECENT_LOGS.timed(SITE_LOG, NOW) == {"StartAfter": "site/2026-11-20-12-00-00"}


def test_grant_comes_first_and_keeps_what_the_policy_says() -> None:
    foreign = deny_http()
    grant, logging = changes("S3-LOG", bare() | {(LOGS, POLICY): policy(foreign)})
    assert grant.call.parameters["Bucket"] == "logs"
    statements = json.loads(grant.call.parameters["Policy"])["Statement"]
    assert statements[0] == foreign
    assert statements[1]["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert grant.inverse is not None
    assert grant.inverse.parameters["Policy"] == policy(foreign)["Policy"]
    assert logging.call.parameters["BucketLoggingStatus"] == {"LoggingEnabled": _SIMPLE}


def test_grant_of_a_target_without_policy_is_undone_by_deleting_it() -> None:
    grant = changes("S3-LOG", bare() | {(LOGS, POLICY): NotConfigured("NoSuchBucketPolicy")})[0]
    assert grant.inverse is not None
    assert grant.inverse.operation == "delete_bucket_policy"


def test_grant_is_the_same_whichever_bucket_asks_for_it_and_is_made_once() -> None:
    grant, logging = changes("S3-LOG", bare() | {(LOGS, POLICY): NotConfigured("NoSuchBucketPolicy")})
    granted = {"Policy": grant.call.parameters["Policy"]}
    assert "site" not in granted["Policy"]
    assert changes("S3-LOG", bare() | {(LOGS, POLICY): granted}) == [logging]


SHOP = Resource(Kind.BUCKET, PLACE, "shop")
OLD = {"TargetBucket": "logs", "TargetPrefix": "old/"}
ON = changes("S3-LOG", healthy() | {(SITE, LOGGING): {"LoggingEnabled": OLD}})[0]


@pytest.mark.parametrize(
    ("logging", "before", "served", "going", "said"),
    [
        ({}, [], None, [], ""),
        (_logged(), [], None, [], "shop logs into logs by now, and its logs would not arrive any more"),
        (Unreadable("AccessDenied", "no"), [], None, [], "where shop logs could not be read (AccessDenied)"),
        (_logged(), [allow_logs()], None, [], ""),
        (_logged(), [], [], [], ""),
        (_logged(), [], [ON], [ON], ""),
        (_logged(), [], [ON], [], "shop logs into logs by now"),
        ({"LoggingEnabled": OLD}, [], [ON], [], ""),
        (_logged(TargetPrefix="new/"), [], [ON], [ON], "shop logs into logs by now"),
    ],
    ids=[
        "nobody",
        "another",
        "unknown",
        "by a grant of others",
        "since before",
        "is turned off first",
        "turned on by others",
        "as before",
        "otherwise",
    ],
)
def test_grant_is_not_undone_while_others_rest_on_it(
    logging: Any, before: Any, served: list[Change] | None, going: list[Change], said: str
) -> None:
    grant = changes("S3-LOG", bare() | {(LOGS, POLICY): NotConfigured("NoSuchBucketPolicy")})[0]
    grant = grant.model_copy(update={"before": json.loads(policy(*before)["Policy"]) if before else None})
    resting = {SITE: []} if served is None else {SITE: [], SHOP: served}
    asked = {"site": {"S3-LOG": {"target": "logs"}}, "shop": {"S3-LOG": {"target": "logs"}}}
    now = case("S3-LOG", healthy() | {(SHOP, LOGGING): logging}, asked)

    if said:
        with pytest.raises(CannotChange, match=re.escape(said)):
            require_undoable(catalogue()["S3-LOG"], now, Made(grant, NOW, resting, going))
    else:
        require_undoable(catalogue()["S3-LOG"], now, Made(grant, NOW, resting, going))


def test_policy_that_would_be_too_long_is_not_put() -> None:
    long = {**deny_http(), "Resource": [f"arn:aws:s3:::logs/{number:050}" for number in range(300)]}
    with pytest.raises(CannotChange, match="20480"):
        changes("S3-LOG", bare() | {(LOGS, POLICY): policy(long)})


def test_key_format_is_kept_and_grants_by_acl_are_not() -> None:
    form = {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}
    present = _logged(TargetBucket="old", TargetObjectKeyFormat=form, TargetGrants=[{"Permission": "READ"}])
    (change,) = changes("S3-LOG", healthy() | {(SITE, LOGGING): present})
    assert change.after == {**_SIMPLE, "TargetObjectKeyFormat": form}
    assert change.inverse is not None
    assert change.inverse.parameters["BucketLoggingStatus"] == present
    assert "old" in change.risk


def test_logging_that_only_waits_for_its_first_log_is_not_changed() -> None:
    assert changes("S3-LOG", healthy() | {(SITE_LOG, RECENT_LOGS): {}}) == []
