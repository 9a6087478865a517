"""What a profile selects: by names, patterns and tags as AWS really has them, and never everything by a slip."""

import json
from collections.abc import Mapping
from typing import Any, TypeAlias

import pytest

from data_protection.assessments import assess
from data_protection.collection import Questions
from data_protection.errors import ProfileInvalid
from data_protection.inventory import Inventory
from data_protection.profiles import Profile, parse
from data_protection.readings import Found, Read, Unreadable
from data_protection.reads import iam, listings, tagging
from data_protection.resources import Kind, Resource
from data_protection.verdicts import Status, Verdict
from tests.support.data_protection_account import ACCOUNT, NOW, PLACE, Readings, taken

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
KEY_ARN = f"arn:aws:kms:eu-central-1:123456789012:key/{KEY_ID}"
ANY = {
    Kind.BUCKET: "S3-BPA",
    Kind.TABLE: "DDB-PITR",
    Kind.TOPIC: "SNS-KMS",
    Kind.KEY: "KMS-ROT",
    Kind.SECRET: "SEC-ROT",
    Kind.ROLE: "IAM-LEAST",
}

Answers: TypeAlias = dict[tuple[Resource, Read], Any]


def profile(*rules: tuple[Kind, Mapping[str, Any]]) -> Profile:
    """Return the profile that asks one check of what each selector selects."""
    return parse(
        json.dumps(
            {
                "name": "test",
                "rules": [{"kind": kind, "select": [select], "requires": {ANY[kind]: {}}} for kind, select in rules],
            }
        )
    )


def tagged(*arns: str, **tags: str) -> dict[str, Any]:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": listed} for arn in arns]}


def account(tags: Any = None, **listed: Any) -> Answers:
    """Return an account with something of each kind, and what is tagged."""
    answers: dict[Any, Any] = {
        listings.TABLES: {"TableNames": ["orders", "users"]},
        listings.BUCKETS: {"Buckets": [{"Name": "audio", "BucketRegion": "eu-central-1"}]},
        listings.TOPICS: {"Topics": [{"TopicArn": "arn:aws:sns:eu-central-1:123456789012:alerts-prod"}]},
        listings.KEYS: {"Keys": [{"KeyId": KEY_ID, "KeyArn": KEY_ARN}]},
        listings.ALIASES: {
            "Aliases": [{"AliasName": "alias/aws/s3"}, {"AliasName": "alias/app-data", "TargetKeyId": KEY_ID}]
        },
        listings.SECRETS: {
            "SecretList": [{"Name": "db", "ARN": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf"}]
        },
        iam.AUTHORIZATION: {
            "RoleDetailList": [
                {
                    "RoleName": "worker",
                    "Arn": "arn:aws:iam::123456789012:role/service/worker",
                    "Tags": [{"Key": "data", "Value": "pii"}],
                }
            ],
            "Policies": [],
        },
        tagging.TAGS: tagged() if tags is None else tags,
    }
    return {(ACCOUNT, read): answer for read, answer in answers.items()} | {
        (ACCOUNT, getattr(listings, name)): answer for name, answer in listed.items()
    }


def scope(asked: Profile, answers: Readings) -> list[str]:
    """Return what is in scope beside the account, by name."""
    readings = {(of, read.name): Found(one) if isinstance(one, Mapping) else one for (of, read), one in answers.items()}
    found = asked.scope(Inventory(PLACE, readings))
    return [resource.name for resource in found if resource.kind is not Kind.ACCOUNT]


def listed(asked: Profile, answers: Readings) -> Verdict:
    """Return what SCOPE-LISTED says."""
    findings = assess(taken(Questions(PLACE, asked), answers), asked, NOW).findings
    return next(one.verdict for one in findings if one.check.id == "SCOPE-LISTED")


@pytest.mark.parametrize(
    "pattern", ["*", "**?*", "[a-z]*", "[a-z0-9]*", "[!-.]*", "[]a-z]*", "[a-c][a-c][a-c]*", "a?b*", "*-*-*"]
)
def test_pattern_that_could_match_everything_is_refused(pattern: str) -> None:
    with pytest.raises(ProfileInvalid, match="matches too much"):
        profile((Kind.BUCKET, {"pattern": pattern}))


@pytest.mark.parametrize(("pattern", "name"), [("aud*", "audio"), ("[a-b]udi?", "audio"), ("a[xy", "a[xy")])
def test_pattern_with_three_literal_characters_selects_by_name(pattern: str, name: str) -> None:
    found = {"Buckets": [{"Name": one, "BucketRegion": "eu-central-1"} for one in (name, "other")]}
    assert scope(profile((Kind.BUCKET, {"pattern": pattern})), account(BUCKETS=found)) == [name]


def test_pattern_of_arns_is_refused_as_names_are_compared() -> None:
    with pytest.raises(ProfileInvalid, match="is of ARNs"):
        profile((Kind.TOPIC, {"pattern": "arn:aws:sns:*:alerts-*"}))


@pytest.mark.parametrize("kind", [Kind.TOPIC, Kind.KEY])
def test_what_every_arn_begins_with_selects_nothing(kind: Kind) -> None:
    assert scope(profile((kind, {"pattern": "arn*"})), account()) == []


def test_topics_are_selected_by_their_names() -> None:
    assert scope(profile((Kind.TOPIC, {"pattern": "alerts-*"})), account()) == ["alerts-prod"]


@pytest.mark.parametrize("pattern", ["alias/app-*", "1234abcd-*"])
def test_keys_are_selected_by_their_aliases_and_ids(pattern: str) -> None:
    assert scope(profile((Kind.KEY, {"pattern": pattern})), account()) == [KEY_ID]


def test_key_that_is_named_by_its_alias_and_selected_by_its_tag_is_in_scope_once() -> None:
    asked = profile((Kind.KEY, {"name": "alias/app-data"}), (Kind.KEY, {"tag": {"data": "pii"}}))
    assert scope(asked, account(tagged(KEY_ARN, data="pii"))) == ["alias/app-data"]


@pytest.mark.parametrize("name", ["alerts-prod", "arn:aws:sns:eu-central-1:123456789012:alerts-prod"])
def test_topic_that_is_named_and_selected_by_its_tag_is_in_scope_once(name: str) -> None:
    asked = profile((Kind.TOPIC, {"name": name}), (Kind.TOPIC, {"tag": {"data": "pii"}}))
    answers = account(tagged("arn:aws:sns:eu-central-1:123456789012:alerts-prod", data="pii"))
    assert scope(asked, answers) == ["alerts-prod"]


def test_role_is_selected_by_the_tags_that_iam_tells() -> None:
    assert scope(profile((Kind.ROLE, {"tag": {"data": "pii"}})), account()) == ["worker"]
    assert scope(profile((Kind.ROLE, {"tag": {"data": "public"}})), account()) == []


def test_secret_is_selected_by_its_tag_whatever_its_arn_ends_with() -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:db-AbCdEf"
    assert scope(profile((Kind.SECRET, {"tag": {"data": "pii"}})), account(tagged(arn, data="pii"))) == ["db"]


@pytest.mark.parametrize(
    ("kind", "select"),
    [
        (Kind.TABLE, {"pattern": "order*"}),
        (Kind.TOPIC, {"pattern": "alerts-*"}),
        (Kind.KEY, {"pattern": "alias/app-*"}),
        (Kind.ROLE, {"tag": {"data": "pii"}}),
    ],
)
def test_selector_that_selects_something_passes(kind: Kind, select: Mapping[str, Any]) -> None:
    assert listed(profile((kind, select)), account()).status is Status.PASS


@pytest.mark.parametrize(
    ("kind", "select", "said"),
    [
        (Kind.TABLE, {"pattern": "oder*"}, "dynamodb-table by the pattern oder*"),
        (Kind.KEY, {"pattern": "alias/aws/*"}, "kms-key by the pattern alias/aws/*"),
        (Kind.SECRET, {"tag": {"data": "pii"}}, "secretsmanager-secret by the tag data=pii"),
    ],
)
def test_selector_that_selects_nothing_is_told_of(kind: Kind, select: Mapping[str, Any], said: str) -> None:
    found = listed(profile((kind, select), (Kind.TABLE, {"pattern": "order*"})), account())
    assert found.status is Status.WARN
    assert found.observed == {"selects_nothing": [said]}
    assert said in found.reason


@pytest.mark.parametrize("read", [listings.TABLES, tagging.TAGS], ids=str)
def test_selector_is_not_said_to_select_nothing_where_that_is_not_known(read: Any) -> None:
    asked = profile((Kind.TABLE, {"tag": {"data": "pii"}}))
    denied = account() | {(ACCOUNT, read): Unreadable("AccessDenied", "no")}
    assert listed(asked, denied).status is Status.UNKNOWN


def test_name_in_the_profile_may_be_an_arn() -> None:
    asked = profile((Kind.KEY, {"name": KEY_ARN}))
    assert asked.expected(PLACE) == {Resource(Kind.KEY, PLACE, KEY_ID)}
