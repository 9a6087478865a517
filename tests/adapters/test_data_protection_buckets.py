"""Buckets of an emulated account are read, corrected by the very calls of the plan, and read again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from data_protection.adapters.snapshots import Snapshots
from data_protection.assessments import assess, cases
from data_protection.changes import Call
from data_protection.collection import Questions
from data_protection.profiles import Profile
from data_protection.resources import Kind, Place, Resource
from data_protection.snapshot import Snapshot
from data_protection.verdicts import Status
from tests.support.data_protection_buckets import TIER
from tests.support.data_protection_moto import say_where_buckets_are

say_where_buckets_are()

_PLACE = Place("123456789012", "eu-central-1")
_LOGS = "access-logs"  # a bucket called logs is taken for CloudWatch Logs by the emulator
_FOREIGN = {"ID": "privacy", "Status": "Enabled", "Filter": {"Prefix": "mail/"}, "Expiration": {"Days": 90}}


@pytest.fixture
def clients() -> dict[str, Any]:
    made: dict[str, Any] = {
        name: boto3.client(name, region_name=_PLACE.region) for name in ("s3", "s3control", "kms", "dynamodb")
    }
    here = {"LocationConstraint": _PLACE.region}
    for bucket in ("site", _LOGS):
        made["s3"].create_bucket(Bucket=bucket, CreateBucketConfiguration=here)
    made["s3"].put_bucket_lifecycle_configuration(Bucket="site", LifecycleConfiguration={"Rules": [_FOREIGN]})
    return made


def _profile(requires: Mapping[str, Any]) -> Profile:
    rule = {"kind": Kind.BUCKET, "select": [{"name": "site"}], "requires": requires}
    return Profile.model_validate({"name": "test", "rules": [rule]})


def _look(clients: dict[str, Any], profile: Profile, now: datetime) -> Snapshot:
    return Snapshots(lambda service, _: clients[service], threads=2).take(Questions(_PLACE, profile), now)


def _statuses(snapshot: Snapshot, profile: Profile, now: datetime) -> dict[str, Status]:
    return {finding.check.id: finding.verdict.status for finding in assess(snapshot, profile, now).findings}


def _apply(clients: dict[str, Any], call: Call) -> None:
    getattr(clients[call.service], call.operation)(**call.parameters)


def _correct(clients: dict[str, Any], profile: Profile, check: str, now: datetime) -> list[Call]:
    """Apply what a check proposes, and return what undoes it, in that order."""
    snapshot = _look(clients, profile, now)
    one, case = next(found for found in cases(snapshot, profile, now) if found[0].id == check)
    assert one.mutator is not None
    undo: list[Call] = []
    changes = one.mutator.propose(case)
    assert [one.mutator.present(case, change) for change in changes] == [change.before for change in changes]
    for change in changes:
        _apply(clients, change.call)
        if change.inverse is not None:
            undo.insert(0, change.inverse)
    changed = replace(case, snapshot=_look(clients, profile, now))
    assert [one.mutator.present(changed, change) for change in changes] == [change.after for change in changes]
    return undo


def test_buckets_become_what_is_asked_by_the_calls_that_are_proposed(clients: dict[str, Any]) -> None:
    key = clients["kms"].create_key()["KeyMetadata"]["Arn"]
    now = datetime.now(UTC)
    profile = _profile(
        {
            "S3-BPA": {},
            "S3-KMS": {"key": key},
            "S3-LIFECYCLE": {"tiers": [TIER]},
            "S3-LOG": {"target": _LOGS},
            "S3-TLS": {},
            "S3-VERSION": {},
            "S3-LOCK": {"days": 1},
        }
    )
    before = _statuses(_look(clients, profile, now), profile, now)
    assert set(before.values()) == {Status.FAIL}
    for check in sorted(before, key=lambda check: check == "S3-LOCK"):  # which needs versions
        _correct(clients, profile, check, now)
    after = _statuses(_look(clients, profile, now), profile, now)
    assert after == dict.fromkeys(before, Status.PASS)
    rules = clients["s3"].get_bucket_lifecycle_configuration(Bucket="site")["Rules"]
    assert rules[0] == _FOREIGN


@pytest.mark.parametrize("check", ["S3-BPA", "S3-LIFECYCLE", "S3-LOG", "S3-TLS"])
def test_inverse_calls_bring_back_what_was_there(clients: dict[str, Any], check: str) -> None:
    now = datetime.now(UTC)
    requirement = {"S3-LIFECYCLE": {"tiers": [TIER]}, "S3-LOG": {"target": _LOGS}}.get(check, {})
    profile = _profile({check: requirement})
    before = _look(clients, profile, now)
    undo = _correct(clients, profile, check, now)
    assert _look(clients, profile, now).readings != before.readings
    for call in undo:
        _apply(clients, call)
    assert _readings(_look(clients, profile, now)) == _readings(before)


def _readings(snapshot: Snapshot) -> dict[Any, Any]:
    return {one: getattr(reading, "answer", reading) for one, reading in snapshot.readings.items()}


def test_log_of_more_than_a_day_ago_proves_nothing(clients: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    profile = _profile({"S3-LOG": {"target": _LOGS}})
    _correct(clients, profile, "S3-LOG", now)
    for later, status in ((timedelta(), Status.PASS), (timedelta(hours=25), Status.WARN)):
        then = now + later
        assert _statuses(_look(clients, profile, then), profile, then) == {"S3-LOG": status}


def test_denied_target_leaves_only_logging_unknown(clients: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    profile = _profile({"S3-LOG": {"target": _LOGS}, "S3-BPA": {}, "S3-TLS": {}, "S3-VERSION": {}})
    _correct(clients, profile, "S3-LOG", now)
    control = _statuses(_look(clients, profile, now), profile, now)

    def deny(params: dict[str, Any], **_: Any) -> None:
        if _LOGS in params["url"]:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetBucketPolicy")

    clients["s3"].meta.events.register("before-call.s3.GetBucketPolicy", deny)
    found = _statuses(_look(clients, profile, now), profile, now)
    assert found == {**control, "S3-LOG": Status.UNKNOWN}


def test_each_call_is_made_once_and_the_target_is_read_before_anything_logs_there(clients: dict[str, Any]) -> None:
    now, made = datetime.now(UTC), []
    clients["s3"].meta.events.register(
        "before-call.s3", lambda model, params, **_: made.append((model.name, params["url"]))
    )
    profile = _profile({"S3-LOG": {"target": _LOGS}, "S3-TLS": {}, "S3-LOCK": {"days": 1}, "S3-VERSION": {}})
    snapshot = _look(clients, profile, now)
    assert len(made) == len(set(made)) == 9
    target = Resource(Kind.BUCKET, _PLACE, _LOGS)
    assert {name for resource, name in snapshot.readings if resource == target} == {
        "s3.GetBucketPolicy",
        "s3.GetBucketEncryption",
        "s3.GetObjectLockConfiguration",
    }
