"""Checks of keys and secrets: whether they are replaced in time."""

from typing import Any

import pytest
from pydantic import ValidationError

from data_protection.assessments import assess
from data_protection.changes import CannotChange, Reversibility
from data_protection.checks.kms_rotation import Rotation
from data_protection.profiles import Exception_, Profile, parse
from data_protection.readings import Unreadable
from data_protection.reads import kms, secrets
from data_protection.reads.listings import ALIASES, KEYS
from data_protection.reads.tagging import TAGS
from data_protection.resources import Kind, named
from data_protection.verdicts import Status
from tests.support.data_protection_account import ACCOUNT, KEY_ARN, NOW, PLACE, ago, changes, snapshot, verdict
from tests.support.data_protection_healthy import ALIAS, KEY, METADATA, SECRET, UNSUPPORTED, healthy

FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:rotate"


def key(rotation: dict[str, Any] | None = None, **metadata: Any) -> dict[tuple[Any, Any], Any]:
    readings = healthy() | {(ALIAS, kms.KEY): {"KeyMetadata": METADATA | metadata}}
    return readings | ({(KEY, kms.ROTATION): rotation} if rotation else {})


def asking(*rules: str) -> Profile:
    """Return a profile that asks rotation of keys: of these, each by a rule of its own."""
    told = "".join(f"  - {{kind: kms-key, select: [{one}], requires: {{KMS-ROT: {{}}}}}}\n" for one in rules)
    return parse(f"name: keys\nrules:\n{told}")


def listed(*aliases: str) -> dict[tuple[Any, Any], Any]:
    """Return an account with one key, whose aliases are these; without any, they cannot be listed."""
    names = [{"AliasName": alias, "TargetKeyId": "1234abcd"} for alias in aliases]
    readings = key() | {
        (ACCOUNT, KEYS): {"Keys": [{"KeyArn": KEY_ARN}]},
        (ACCOUNT, TAGS): {"ResourceTagMappingList": [{"ResourceARN": KEY_ARN, "Tags": [{"Key": "a", "Value": "b"}]}]},
        (ACCOUNT, ALIASES): {"Aliases": names} if names else Unreadable("AccessDenied", "no"),
    }
    seen, rotation = readings[ALIAS, kms.KEY], readings[KEY, kms.ROTATION]
    for alias in (*aliases, "1234abcd"):
        one = named(Kind.KEY, PLACE, alias)
        readings |= {(one, kms.KEY): seen, (one, kms.ROTATION): rotation}
    return readings


@pytest.mark.parametrize(
    ("aliases", "rules"),
    [
        (("alias/data", "alias/other"), ("{name: alias/data}", "{name: alias/other}")),
        (("alias/data",), ("{name: alias/data}", "{tag: {a: b}}")),
        ((), ("{name: alias/data}", "{tag: {a: b}}")),
        (("alias/data",), ("{name: alias/data}", "{name: 1234abcd}")),
    ],
)
def test_key_by_several_names_is_one_finding(aliases: tuple[str, ...], rules: tuple[str, ...]) -> None:
    assessment = assess(snapshot(listed(*aliases)), asking(*rules), NOW)

    found = [(one.arn, one.check.id) for one in assessment.findings if one.check.id == "KMS-ROT"]
    assert found == [(KEY_ARN, "KMS-ROT")]


def test_of_several_names_of_a_key_the_one_that_somebody_answers_for_counts() -> None:
    rules = asking("{name: alias/data}", "{name: alias/other}")
    answered = Exception_(
        check="KMS-ROT", kind=Kind.KEY, name="alias/other", owner="alice", reason="Rotated by hand", expires=NOW.date()
    )
    readings = listed("alias/data", "alias/other")
    for one in ("alias/data", "alias/other", "1234abcd"):
        readings[named(Kind.KEY, PLACE, one), kms.ROTATION] = {"KeyRotationEnabled": False}

    excepting = rules.model_copy(update={"exceptions": (answered,)})
    for profile, status in ((rules, Status.FAIL), (excepting, Status.EXCEPTED)):
        assessment = assess(snapshot(readings), profile, NOW)
        assert [one.status for one in assessment.findings if one.check.id == "KMS-ROT"] == [status]


def secret(**answer: Any) -> dict[tuple[Any, Any], Any]:
    return healthy() | {(SECRET, secrets.SECRET): answer}


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"KeyManager": "AWS"}, "every year"),
        ({"KeySpec": "RSA_4096"}, "RSA_4096"),
        ({"Origin": "EXTERNAL"}, "EXTERNAL"),
        (
            {"MultiRegionConfiguration": {"MultiRegionKeyType": "REPLICA", "PrimaryKey": {"Arn": "arn:primary"}}},
            "arn:primary",
        ),
    ],
)
def test_key_that_aws_does_not_rotate_for_us_is_not_judged(metadata: dict[str, Any], said: str) -> None:
    readings = key(**metadata) | {(KEY, kms.ROTATION): UNSUPPORTED}
    found = verdict("KMS-ROT", ALIAS, readings)
    assert (found.status, said in found.reason) == (Status.NOT_APPLICABLE, True), found.reason


def test_key_that_is_to_be_deleted_is_not_rotated() -> None:
    assert verdict("KMS-ROT", ALIAS, key(KeyState="PendingDeletion")).status is Status.FAIL
    with pytest.raises(CannotChange, match="PendingDeletion"):
        changes("KMS-ROT", ALIAS, key(KeyState="PendingDeletion"))


def test_rotation_that_comes_too_seldom_warns_and_its_period_is_shortened() -> None:
    readings = key({"KeyRotationEnabled": True, "RotationPeriodInDays": 700})
    assert verdict("KMS-ROT", ALIAS, readings).status is Status.WARN
    [change] = changes("KMS-ROT", ALIAS, readings)
    assert change.after == {"RotationPeriodInDays": 365}
    assert change.inverse is not None
    assert change.inverse.parameters["RotationPeriodInDays"] == 700


def test_rotation_without_a_period_is_the_yearly_one() -> None:
    readings = key({"KeyRotationEnabled": True})
    assert verdict("KMS-ROT", ALIAS, readings).status is Status.PASS
    assert verdict("KMS-ROT", ALIAS, readings, {"days": 180}).status is Status.WARN


def test_rotation_is_turned_on_by_the_keys_arn_and_can_be_turned_off() -> None:
    [change] = changes("KMS-ROT", ALIAS, key({"KeyRotationEnabled": False}))
    assert change.call.parameters == {"KeyId": METADATA["Arn"], "RotationPeriodInDays": 365}
    assert change.inverse is not None
    assert change.inverse.operation == "disable_key_rotation"


@pytest.mark.parametrize("days", [89, 2561])
def test_period_that_aws_refuses_is_refused_in_the_profile(days: int) -> None:
    with pytest.raises(ValidationError):
        Rotation(days=days)


@pytest.mark.parametrize(
    ("readings", "status", "said"),
    [
        (secret(RotationEnabled=True), Status.WARN, "never happened"),
        # On the day on which it is due it happens at any time.
        (secret(RotationEnabled=True, LastRotatedDate=ago(days=90, hours=23)), Status.PASS, "was rotated"),
        (secret(RotationEnabled=True, LastRotatedDate=ago(days=91, seconds=1)), Status.FAIL, "90 days are asked"),
        (secret(RotationEnabled=True, LastRotatedDate=ago(days=1), DeletedDate=ago(days=1)), Status.FAIL, "deleted"),
    ],
)
def test_rotation_of_a_secret_must_have_happened(readings: Any, status: Status, said: str) -> None:
    found = verdict("SEC-ROT", SECRET, readings)
    assert (found.status, said in found.reason) == (status, True), found.reason


def test_secret_is_rotated_at_once_which_does_not_come_back() -> None:
    [change] = changes("SEC-ROT", SECRET, secret(), {"function": FUNCTION, "days": 30})
    assert change.after["RotationLambdaARN"] == FUNCTION
    assert change.call.parameters["RotateImmediately"] is True
    assert change.reversibility is Reversibility.SIDE_EFFECTS


def test_secret_keeps_the_function_that_it_had() -> None:
    [change] = changes("SEC-ROT", SECRET, secret(RotationLambdaARN=FUNCTION))
    assert change.after["RotationLambdaARN"] == FUNCTION


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({}, "Nothing replaces database"),
        ({"RotationEnabled": True}, "takes people"),
        ({"OwningService": "rds"}, "takes people"),
        ({"DeletedDate": "2026-11-20T00:00:00+00:00"}, "takes people"),
    ],
)
def test_secret_that_takes_people_is_left_alone(answer: dict[str, Any], said: str) -> None:
    with pytest.raises(CannotChange, match=said):
        changes("SEC-ROT", SECRET, secret(**answer))
