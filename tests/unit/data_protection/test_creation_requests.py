"""Requests: what AWS would refuse, though an emulator takes it, is refused with a sentence before the first call."""

import json
from importlib import resources
from typing import Any

import pytest

from data_protection.checks.check import Requirement
from data_protection.creation.recipes import RECIPES
from data_protection.creation.requests import Request, Wish, parse_request, wishes
from data_protection.errors import CreationInvalid
from data_protection.profiles import parse
from data_protection.resources import Kind, Place
from tests.support.data_protection_creating import DATABASE

PLACE = Place("123456789012", "eu-central-1")
BOUNDARY = "arn:aws:iam::123456789012:policy/bounds"
KEY = {"name": "alias/data"}
BUCKET = {"name": "audio-1", "key": "alias/data"}
TABLE = {"name": "orders", "key": "alias/data", "keys": {"partition": {"name": "id"}}}
SECRET = {"name": "partner", "key": "alias/data", "unrotated": "The partner sets it."}
READS = {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::audio-1/*"]}
ROLE = {"name": "worker", "runs": "lambda", "statements": [READS]}
CLUSTER = {
    "name": "ledger",
    "engine": "aurora-mysql",
    "version": "8.0.mysql_aurora.3.08.0",
    "instance_class": "db.r7g.large",
    "username": "owner",
    "key": "alias/data",
    "subnet_group": "private",
    "security_groups": ["sg-12345678"],
}


def parsed(**given: Any) -> Request:
    return parse_request(json.dumps({"name": "shop", **given}), PLACE, BOUNDARY)


def shipped() -> list[Wish]:
    """Return what the shipped requests ask for."""
    folder = resources.files("data_protection.creation.requests_shipped")
    texts = [(folder / f"{name}.yaml").read_text() for name in ("rfc-008", "rfc-008-workload")]
    return [wish for text in texts for wish in wishes(parse_request(text, PLACE, BOUNDARY), PLACE)]


def test_everything_that_is_right_is_taken() -> None:
    some = {"keys": [KEY], "buckets": [BUCKET], "tables": [TABLE], "secrets": [SECRET]}
    assert len(parsed(**some, roles=[ROLE], databases=[DATABASE], clusters=[CLUSTER]).all) == 7


def test_an_instance_and_one_of_a_cluster_cannot_have_one_name() -> None:
    with pytest.raises(CreationInvalid, match="asks twice for rds-instance ledger-2"):
        parsed(databases=[{**DATABASE, "name": "ledger-2"}], clusters=[CLUSTER])


@pytest.mark.parametrize(
    ("kind", "wanted", "sentence"),
    [
        ("keys", {"name": "data"}, "is not of the form"),
        ("keys", {"name": "alias/aws/data"}, "begins as the aliases of AWS' own keys do"),
        ("keys", {**KEY, "rotate_days": 60}, "is not one of 90 to"),
        ("keys", {**KEY, "services": ["cloudwatch"]}, "'cloudwatch' is no service of AWS"),
        ("buckets", {**BUCKET, "name": "Audio"}, "'Audio' is no name for a bucket"),
        ("buckets", {**BUCKET, "name": "a.b.c"}, "'a.b.c' is no name for a bucket"),
        ("buckets", {**BUCKET, "name": "ab"}, "'ab' is no name for a bucket"),
        ("buckets", {**BUCKET, "name": "xn--audio"}, "begins or ends as S3 reserves it"),
        ("buckets", {**BUCKET, "name": "audio--x-s3"}, "begins or ends as S3 reserves it"),
        ("buckets", {"name": "audio-1"}, "name the key that encrypts audio-1"),
        ("buckets", {**BUCKET, "receives_logs": True}, "access logs arrive in audio-1 only without key"),
        ("buckets", {**BUCKET, "lock": {"mode": "COMPLIANCE", "days": 1}}, "COMPLIANCE mode can never be taken back"),
        ("buckets", {**BUCKET, "lock": {"days": 1, "years": 1}}, "give the default retention in days or in years"),
        ("buckets", {**BUCKET, "access_logs": {"target": "audio-1"}}, "audio-1 cannot log into itself"),
        ("buckets", {**BUCKET, "tiers": [{"transitions": [{"days": 5, "storage_class": "STANDARD_IA"}]}]}, "30"),
        ("tables", {**TABLE, "name": "or"}, "is not of the form"),
        ("tables", {**TABLE, "recovery_days": 40}, "to 35"),
        ("tables", {**TABLE, "units": None, "scale": {}}, "orders is paid by request"),
        ("tables", {**TABLE, "scale": None}, "orders has a capacity that nothing scales"),
        ("tables", {**TABLE, "units": 2}, "orders begins with 2 units, outside of 5 to 1000"),
        ("tables", {**TABLE, "scale": {"minimum": 9, "maximum": 9}}, "leaves nothing to scale"),
        (
            "tables",
            {**TABLE, "keys": {"partition": {"name": "id"}, "sort": {"name": "id"}}},
            "id cannot be both partition and sort key",
        ),
        (
            "tables",
            {**TABLE, "indexes": [{"name": "by-id", "partition": {"name": "id", "type": "N"}}]},
            "an attribute has one type",
        ),
        (
            "tables",
            {**TABLE, "indexes": [{"name": "by-day", "partition": {"name": "day"}}] * 2},
            "orders has two indexes called by-day",
        ),
        (
            "tables",
            {**TABLE, "indexes": [{"name": f"by-{n}", "partition": {"name": "day"}} for n in range(100, 121)]},
            "20 or less long",
        ),
        ("secrets", {**SECRET, "name": "partner-abc123"}, "ends in a hyphen and six characters"),
        ("secrets", {"name": "partner", "key": "alias/data"}, "say what rotates partner"),
        ("secrets", {**SECRET, "rotate": {"function": "arn:aws:lambda:f"}}, "say what rotates partner"),
        ("secrets", {"name": "partner", "key": "alias/data", "rotate": {}}, "name the function that rotates partner"),
        ("secrets", {**SECRET, "length": 8}, "is not one of 20 to"),
        ("secrets", {**SECRET, "exclude": "0123456789"}, "leave some"),
        ("roles", {**ROLE, "runs": "human"}, "one of ec2, ecs, lambda"),
        ("roles", {**ROLE, "statements": [{**READS, "actions": ["s3:*"]}]}, "'s3:\\*' is no action of a service"),
        ("roles", {**ROLE, "statements": [{**READS, "actions": ["*"]}]}, "'\\*' is no action of a service"),
        ("roles", {**ROLE, "statements": [{**READS, "actions": ["s3:Get*"]}]}, "say why it is wide"),
        ("roles", {**ROLE, "statements": [{**READS, "resources": ["*"]}]}, "say why it is wide"),
        ("roles", {**ROLE, "statements": [{**READS, "resources": ["arn:aws:s3:::*"]}]}, "say why it is wide"),
        ("roles", {**ROLE, "statements": [{**READS, "reason": "It must."}]}, "takes no reason"),
        ("roles", {**ROLE, "statements": [{**READS, "resources": ["audio-1"]}]}, "'audio-1' is no ARN"),
        (
            "roles",
            {**ROLE, "statements": [{**READS, "resources": [f"arn:aws:s3:::{n}/{'x' * 90}" for n in range(110)]}]},
            "characters, IAM takes 10240",
        ),
        ("databases", {**DATABASE, "name": "Orders"}, "'Orders' is no name for a database"),
        ("databases", {**DATABASE, "name": "or--ders"}, "'or--ders' is no name for a database"),
        ("databases", {**DATABASE, "username": "postgres"}, "'postgres' is no master user"),
        ("databases", {**DATABASE, "backup_days": 7}, "is not one of 30 to"),
        ("databases", {**DATABASE, "engine": "mysql", "version": "5.7"}, "mysql 5.7 cannot ask all clients for TLS"),
        ("databases", {**DATABASE, "security_groups": ["default"]}, "'default' is no id of a security group"),
        ("databases", {**DATABASE, "gigabytes": 5}, "is not one of 20 to"),
        ("databases", {**DATABASE, "password": "given"}, "is unknown"),
        ("clusters", {**CLUSTER, "name": "l" * 61}, "60 or less long"),
        ("clusters", {**CLUSTER, "version": "5.7.mysql_aurora.2.12.0"}, "cannot ask all clients for TLS; give 8.0 or"),
        ("clusters", {**CLUSTER, "version": "8.0"}, "is no version of aurora-mysql"),
        ("clusters", {**CLUSTER, "engine": "aurora-postgresql"}, "is no version of aurora-postgresql"),
        ("clusters", {**CLUSTER, "engine": "mysql"}, "one of aurora-postgresql, aurora-mysql"),
        ("clusters", {**CLUSTER, "instances": 0}, "is not one of 1 to"),
        ("clusters", {**CLUSTER, "backup_days": 7}, "is not one of 30 to"),
    ],
)
def test_what_aws_would_refuse_is_refused_with_a_sentence(kind: str, wanted: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CreationInvalid, match=sentence):
        parsed(**{kind: [wanted]})


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "it asks for nothing"),
        ({"keys": [KEY, KEY]}, "it asks twice for kms-key alias/data"),
        ({"keys": [KEY], "tags": {"aws:x": "1"}}, "'aws:x' is no key of a tag"),
        ({"keys": [KEY], "tags": {"gatehouse:creating": "1"}}, "'gatehouse:creating' is no key of a tag"),
        ({"keys": [KEY], "tags": {"team": "a?b"}}, "is no value of the tag team"),
        ({"keys": [KEY], "bukets": []}, "is unknown"),
        (
            {"buckets": [{**BUCKET, "access_logs": {"target": "logs-1"}}, {**BUCKET, "name": "logs-1"}]},
            "audio-1 logs into logs-1, which the request does not say receives_logs of",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused_with_a_sentence(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(CreationInvalid, match=sentence):
        parsed(**given)


def test_what_is_no_yaml_is_refused_with_a_sentence() -> None:
    with pytest.raises(CreationInvalid, match="The request is no YAML"):
        parse_request("name: [", PLACE, BOUNDARY)
    with pytest.raises(CreationInvalid, match="no YAML: name on line 2 stands on line 1 already: leave one"):
        parse_request("name: shop\nname: shop-2", PLACE, BOUNDARY)


def test_roles_are_made_within_the_boundary_of_the_deployment_alone() -> None:
    [role] = parsed(roles=[ROLE]).roles
    assert role.boundary == BOUNDARY
    with pytest.raises(CreationInvalid, match="deploy with DataProtectionBoundaryArn"):
        parse_request(json.dumps({"name": "shop", "roles": [ROLE]}), PLACE, "")
    with pytest.raises(CreationInvalid, match="leave out their boundary"):
        parsed(roles=[{**ROLE, "boundary": "arn:aws:iam::123456789012:policy/none"}])


def test_placeholders_stand_for_the_account_and_the_region() -> None:
    [bucket] = parsed(buckets=[{**BUCKET, "name": "audio-{account}-{region}"}]).buckets
    assert bucket.name == "audio-123456789012-eu-central-1"


def test_what_receives_logs_is_made_before_what_logs_into_it() -> None:
    target = {"name": "logs-1", "receives_logs": True}
    request = parsed(buckets=[{**BUCKET, "access_logs": {"target": "logs-1"}}, target])
    assert [wish.resource.name for wish in wishes(request, PLACE)] == ["logs-1", "audio-1"]


@pytest.mark.parametrize("kind", RECIPES)
def test_shipped_requests_ask_for_what_the_shipped_profile_asks(kind: Kind) -> None:
    profile = parse((resources.files("data_protection.profiles_shipped") / "rfc-008.yaml").read_text())
    expected = {one for one in profile.expected(PLACE) if one.kind is kind}
    made = {wish.resource: wish.wanted.needs() for wish in shipped() if wish.resource.kind is kind}
    assert expected == set(made)
    for resource in expected:
        asked = profile.asked(resource, {})
        given = {check: requirement for check, requirement in made[resource].items() if check in asked}
        assert _to_make(given) == _to_make(asked)


def _to_make(asked: dict[str, Requirement]) -> dict[str, Any]:
    """Return requirements without what a profile may leave open, and without what is expected but never made."""
    left_out: Any = {"function": True, "rpo_minutes": True, "tiers": {"__all__": {"rto_hours", "saves_percent"}}}
    return {check: requirement.model_dump(exclude=left_out) for check, requirement in asked.items()}


def test_shipped_rfc_008_is_usable_as_it_stands() -> None:
    text = (resources.files("data_protection.creation.requests_shipped") / "rfc-008.yaml").read_text()
    assert parse_request(text, PLACE, "").roles == ()
