"""What a tag protects is not changed, whatever AWS calls it and wherever it is; nor is what may carry one unseen."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import pytest

from data_protection.assessments import assess
from data_protection.checks.check import Case
from data_protection.collection import Questions
from data_protection.contracts import FindingRow
from data_protection.errors import ResourceUnreadable
from data_protection.findings import rows
from data_protection.readings import Found, Missing, NotConfigured, Read, Unreadable
from data_protection.reads import cloudtrail, iam, kms, listings, rds, s3, secrets, tagging
from data_protection.remediation.looks import Look
from data_protection.remediation.plans import LeftOut, Plan, make_plan
from data_protection.remediation.policy import Policy
from data_protection.reports import asff, ocsf
from data_protection.reports.texts import identity
from data_protection.resources import Kind, Resource, account_of, named
from data_protection.snapshot import Snapshot
from tests.support.data_protection_account import (
    ACCOUNT,
    AUDIO,
    NOW,
    PLACE,
    Asked,
    Readings,
    profile,
    snapshot,
    taken,
)
from tests.support.data_protection_healthy import (
    ALIAS,
    DATABASE,
    DESCRIBED,
    GROUP,
    INSTANCE,
    METADATA,
    SECRET,
    TRAIL,
    bare,
    healthy,
)

if TYPE_CHECKING:
    from data_protection.adapters.snapshots import Snapshots

PROTECTED = {"gatehouse:protected": "yes"}
IRELAND = replace(PLACE, region="eu-west-1")
DENIED = Unreadable("AccessDenied", "no")
FUNCTION = "arn:aws:lambda:eu-central-1:123456789012:function:rotate"
SECRET_ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:database-AbCdEf"  # noqa: S105 - an ARN
SECRETS: Asked = {SECRET: {"SEC-ROT": {"function": FUNCTION}}}
KEYS: Asked = {ALIAS: {"KMS-ROT": {}}}
BLOCKED: Asked = {AUDIO: {"S3-BPA": {}}}

Answers: TypeAlias = dict[tuple[Resource, Read], Any]


def tagged(arn: str, tags: Mapping[str, str] = PROTECTED) -> dict[str, Any]:
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return {"ResourceTagMappingList": [{"ResourceARN": arn, "Tags": listed}]}


def in_region(region: str) -> dict[str, Any]:
    return {"Buckets": [{"Name": name, "BucketRegion": region} for name in ("audio", "access-logs")]}


def planned(asked: Asked, answers: Readings, *phases: int) -> Plan:
    wanted = profile(asked)
    found = assess(taken(Questions(PLACE, wanted), answers), wanted, NOW)
    return make_plan(
        found, profile="test", phases=phases, named=frozenset(), policy=Policy(), requested_by="arn:aws:iam::1:user/a"
    )


def left_out(plan: Plan) -> list[LeftOut]:
    assert not plan.steps
    return [omission.why for omission in plan.omissions]


def secret(**members: Any) -> Answers:
    return bare() | {(SECRET, secrets.SECRET): {"Name": "database", "ARN": SECRET_ARN, **members}}


def buckets(region: str = PLACE.region) -> Answers:
    return bare() | {
        (ACCOUNT, listings.BUCKETS): in_region(region),
        (AUDIO, s3.PUBLIC_ACCESS): NotConfigured("NoSuchPublicAccessBlockConfiguration"),
        (ACCOUNT, s3.ACCOUNT_PUBLIC_ACCESS): NotConfigured("NoSuchPublicAccessBlockConfiguration"),
    }


def test_secret_is_told_of_by_the_arn_that_aws_gave_it() -> None:
    [step] = planned(SECRETS, secret(), 3).steps
    assert (step.name, step.arn) == ("database", SECRET_ARN)


def test_secret_with_a_protected_tag_is_not_rotated() -> None:
    tags = [{"Key": "gatehouse:protected", "Value": "yes"}]
    assert left_out(planned(SECRETS, secret(Tags=tags), 3)) == [LeftOut.PROTECTED]


def test_key_that_is_named_by_its_alias_is_told_of_by_its_own_arn() -> None:
    [step] = planned(KEYS, bare(), 1).steps
    assert (step.name, step.arn) == (ALIAS.name, METADATA["Arn"])


def test_key_with_a_protected_tag_is_not_changed_under_its_alias() -> None:
    answers = bare() | {(ACCOUNT, tagging.TAGS): tagged(METADATA["Arn"])}
    assert left_out(planned(KEYS, answers, 1)) == [LeftOut.PROTECTED]


def test_key_of_another_account_may_be_protected_by_tags_that_are_not_seen() -> None:
    foreign = METADATA["Arn"].replace(PLACE.account, "999999999999")
    answers = bare() | {
        (ALIAS, kms.KEY): {"KeyMetadata": {**METADATA, "Arn": foreign}},
        (named(Kind.KEY, PLACE, foreign), kms.KEY): {"KeyMetadata": {**METADATA, "Arn": foreign}},
        (named(Kind.KEY, PLACE, foreign), kms.ROTATION): {"KeyRotationEnabled": False},
    }
    assert left_out(planned(KEYS, answers, 1)) == [LeftOut.UNKNOWN]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, []),
        (tagged(AUDIO.arn), [LeftOut.PROTECTED]),
        (DENIED, [LeftOut.UNKNOWN]),
    ],
    ids=["none", "protected", "denied"],
)
def test_tags_of_a_bucket_are_those_of_its_own_region(tags: Any, expected: list[LeftOut]) -> None:
    elsewhere = {} if isinstance(tags, Unreadable) else {"ResourceTagMappingList": [], **tags}
    answers = buckets(IRELAND.region) | {(account_of(IRELAND), tagging.TAGS): elsewhere or tags}
    plan = planned(BLOCKED, answers, 1)
    assert [omission.why for omission in plan.omissions] == expected
    assert len(plan.steps) == (0 if expected else 1)


def test_tags_of_the_home_region_say_nothing_of_a_bucket_elsewhere() -> None:
    answers = buckets(IRELAND.region) | {
        (ACCOUNT, tagging.TAGS): tagged(AUDIO.arn),
        (account_of(IRELAND), tagging.TAGS): {"ResourceTagMappingList": []},
    }
    assert len(planned(BLOCKED, answers, 1).steps) == 1


@pytest.mark.parametrize("listing", [DENIED, {"Buckets": [{"Name": "audio"}]}], ids=["denied", "without region"])
def test_bucket_of_which_nobody_says_where_it_is_is_not_changed(listing: Any) -> None:
    assert left_out(planned(BLOCKED, buckets() | {(ACCOUNT, listings.BUCKETS): listing}, 1)) == [LeftOut.UNKNOWN]


def test_each_region_with_a_bucket_that_may_be_in_scope_is_asked_for_tags_once() -> None:
    names = {"audio": "eu-west-1", "logs": "eu-west-1", "site": PLACE.region, "other": "us-east-1"}
    answer = {"Buckets": [{"Name": name, "BucketRegion": region} for name, region in names.items()]}
    asked = profile({Resource(Kind.BUCKET, PLACE, name): {"S3-BPA": {}} for name in ("audio", "logs", "site")})
    questions = Questions(PLACE, asked)
    [listing] = [question for question in questions.inventory() if question.read == listings.BUCKETS]

    further = questions.follow(listing, Found(answer))

    assert [(question.resource, question.read) for question in further] == [(account_of(IRELAND), tagging.TAGS)]


LOGGED: Asked = {AUDIO: {"S3-LOG": {"target": "access-logs"}}}
TARGET = Resource(Kind.BUCKET, PLACE, "access-logs")


def logs(tags: Any) -> Answers:
    return buckets() | {
        (AUDIO, s3.LOGGING): {},
        (TARGET, s3.POLICY): NotConfigured("NoSuchBucketPolicy"),
        (TARGET, s3.OBJECT_LOCK): NotConfigured("ObjectLockConfigurationNotFoundError"),
        (TARGET, s3.ENCRYPTION): NotConfigured("ServerSideEncryptionConfigurationNotFoundError"),
        (ACCOUNT, tagging.TAGS): tags,
    }


def test_bucket_of_logs_with_a_protected_tag_gets_no_policy() -> None:
    plan = planned(LOGGED, logs(tagged(TARGET.arn)), 1)
    assert left_out(plan) == [LeftOut.PROTECTED]
    assert TARGET.arn in plan.omissions[0].reason
    assert [step.target for step in planned(LOGGED, logs(tagged("arn:aws:s3:::x")), 1).steps] == [
        TARGET.arn,
        AUDIO.arn,
    ]


def test_parameter_group_with_a_protected_tag_keeps_its_parameters() -> None:
    asked: Asked = {DATABASE: {"RDS-TLS": {}}}
    answers = bare() | {(ACCOUNT, rds.INSTANCES): {"DBInstances": [INSTANCE]}}
    [step] = planned(asked, answers, 3).steps
    assert step.target == GROUP.arn
    assert left_out(planned(asked, answers | {(ACCOUNT, tagging.TAGS): tagged(GROUP.arn)}, 3)) == [LeftOut.PROTECTED]


def test_trail_with_a_protected_tag_is_not_changed_for_the_account() -> None:
    answers = healthy() | {(TRAIL, cloudtrail.TRAIL_STATUS): {"IsLogging": False}}
    asked: Asked = {ACCOUNT: {"CT-LOGGING": {}}}
    assert DESCRIBED["TrailARN"] == TRAIL.arn
    [step] = planned(asked, answers, 1).steps
    assert step.target == TRAIL.arn
    assert left_out(planned(asked, answers | {(ACCOUNT, tagging.TAGS): tagged(TRAIL.arn)}, 1)) == [LeftOut.PROTECTED]


@dataclass
class Account:
    """What takes snapshots of an account that answers so."""

    answers: Readings

    def take(self, questions: Questions, now: datetime) -> Snapshot:
        return taken(questions, self.answers, now)


def opened(answers: Readings) -> Case[Any] | None:
    """Return what is seen right before the policy of a bucket of logs is put, as planned while nothing was tagged."""
    plan = planned(LOGGED, logs({"ResourceTagMappingList": []}), 1)
    account = cast("Snapshots", Account(answers))
    return Look(plan.steps[0], PLACE, profile(LOGGED), account, lambda: NOW).if_open()


def test_step_is_open_while_no_tag_protects_what_it_changes() -> None:
    assert opened(logs({"ResourceTagMappingList": []})) is not None


@pytest.mark.parametrize("arn", [AUDIO.arn, TARGET.arn])
def test_step_is_not_open_once_a_tag_protects_the_resource_or_what_else_it_changes(arn: str) -> None:
    assert opened(logs(tagged(arn))) is None


def test_step_waits_while_tags_cannot_be_read() -> None:
    with pytest.raises(ResourceUnreadable, match="its tags cannot be read"):
        opened(logs(DENIED))


def told(asked: Asked, answers: Readings) -> FindingRow:
    """Return what is kept of the one finding about what is asked."""
    wanted = profile(asked)
    found = assess(taken(Questions(PLACE, wanted), answers), wanted, NOW)
    [row] = rows(found, run="run", profile="test", standings={})
    return row


@pytest.mark.parametrize(
    ("asked", "arn"), [(SECRETS, SECRET_ARN), (KEYS, METADATA["Arn"])], ids=["secret", "key by its alias"]
)
def test_other_tools_are_told_the_arn_that_aws_gave(asked: Asked, arn: str) -> None:
    row = told(asked, secret())
    assert row.arn == arn
    assert asff.finding(row)["Resources"][0]["Id"] == arn
    assert ocsf.event(row)["resources"][0]["uid"] == arn


@pytest.mark.parametrize(
    ("asked", "denied"), [(SECRETS, (SECRET, secrets.SECRET)), (KEYS, (ALIAS, kms.KEY))], ids=["secret", "key"]
)
def test_finding_is_the_same_one_while_the_arn_cannot_be_read(asked: Asked, denied: tuple[Resource, Read]) -> None:
    seen, unseen = told(asked, secret()), told(asked, {**secret(), denied: DENIED})
    assert seen.arn != unseen.arn
    assert seen.pair == unseen.pair
    assert identity(seen) == identity(unseen)


def test_role_is_told_of_by_its_path_and_tags() -> None:
    worker = Resource(Kind.ROLE, PLACE, "worker")
    arn = "arn:aws:iam::123456789012:role/service/worker"
    known = snapshot(
        {(ACCOUNT, iam.AUTHORIZATION): {"RoleDetailList": [{"RoleName": "worker", "Arn": arn, "Tags": []}]}}
    )
    assert (known.arn_of(worker), known.tags_of(worker)) == (arn, {})
    assert snapshot({(ACCOUNT, iam.AUTHORIZATION): DENIED}).tags_of(worker) is None


def test_key_that_does_not_exist_carries_no_tag() -> None:
    assert snapshot({(ALIAS, kms.KEY): Missing("NotFoundException")}).tags_of(ALIAS) == {}


def test_key_that_cannot_be_read_may_carry_any_tag() -> None:
    answers: Readings = {
        (ALIAS, kms.KEY): DENIED,
        (ACCOUNT, tagging.TAGS): tagged("arn:aws:sns:eu-central-1:123456789012:x"),
    }
    assert snapshot(answers).tags_of(ALIAS) is None
