"""A check on one resource says the same, whether it is looked at alone or among all that is in scope."""

from collections.abc import Container, Mapping
from typing import Any

import pytest

from data_protection.assessments import Finding, assess
from data_protection.changes import CannotChange, Change
from data_protection.collection import Questions
from data_protection.profiles import Profile
from data_protection.readings import Missing, NotConfigured, Read
from data_protection.reads import dynamodb, s3
from data_protection.reads.cloudwatch import ALARMS
from data_protection.reads.sns import TOPIC
from data_protection.resources import Kind, Resource
from data_protection.snapshot import NotRead
from tests.support.data_protection_account import ACCOUNT, AUDIO, KEY_ARN, NOW, ORDERS, PLACE, Readings, profile, taken
from tests.support.data_protection_healthy import SUBJECTS, alarm, bare, healthy
from tests.support.data_protection_healthy import TOPIC as ALERTS

LOGS = Resource(Kind.BUCKET, PLACE, "access-logs")
# Audio logs into a bucket that is not asked to receive anything, so that only the reading of audio tells.
BUCKETS: Mapping[Resource, Mapping[str, Any]] = {
    AUDIO: {"S3-LOG": {"target": "elsewhere"}},
    LOGS: {"S3-KMS": {"key": "alias/data"}, "S3-LOCK": {"mode": "GOVERNANCE", "days": 30}},
}
LOGGING = {"LoggingEnabled": {"TargetBucket": "access-logs", "TargetPrefix": "audio/"}}
ASKED: dict[Resource, dict[str, Any]] = {resource: dict(asked) for resource, asked in BUCKETS.items()}
for check, (resource, requirement) in SUBJECTS.items():
    ASKED.setdefault(resource, {})[check] = requirement
PAIRS = [(check, resource) for resource, checks in ASKED.items() for check in checks]


def look(answers: Readings, asked: Profile, only: Container[tuple[str, Resource]] | None) -> list[Finding]:
    """Judge what is read of an account that answers so."""
    return list(assess(taken(Questions(PLACE, asked, only), answers), asked, NOW, only).findings)


def proposed(finding: Finding) -> list[Change] | str:
    if finding.check.mutator is None:
        return "nothing"
    try:
        return list(finding.check.mutator.propose(finding.case))
    except (CannotChange, NotRead) as refusal:
        return str(refusal)


@pytest.mark.parametrize("account", [healthy, bare], ids=["healthy", "bare"])
@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]} {pair[1]}")
def test_a_check_alone_says_what_it_says_among_all(account: Any, pair: tuple[str, Resource]) -> None:
    answers = account() | {(AUDIO, s3.LOGGING): LOGGING, (LOGS, s3.LOGGING): {}}
    among_all = {(one.check.id, one.resource): one for one in look(answers, profile(ASKED), None)}

    [alone] = look(answers, profile(ASKED), [pair])

    assert (alone.check.id, alone.resource) == pair
    assert alone.verdict == among_all[pair].verdict
    assert proposed(alone) == proposed(among_all[pair])


@pytest.mark.parametrize("account", [healthy, bare], ids=["healthy", "bare"])
def test_a_call_that_is_denied_changes_no_verdict_on_another_bucket(account: Any) -> None:
    never = NotConfigured("ObjectLockConfigurationNotFoundError")
    answers = account() | {(AUDIO, s3.LOGGING): LOGGING, (LOGS, s3.LOGGING): {}, (LOGS, s3.OBJECT_LOCK): never}
    asked = profile(ASKED)
    control = {(one.check.id, one.resource): one.verdict for one in look(answers, asked, None)}
    calls = [one for one in taken(Questions(PLACE, asked), answers).readings if one[0] in BUCKETS]
    assert len(calls) > len(BUCKETS)

    for denied in calls:
        given = {pair: answer for pair, answer in answers.items() if (pair[0], pair[1].name) != denied}
        for one in look(given, asked, None):
            if one.resource in BUCKETS and one.resource != denied[0]:
                assert one.verdict == control[one.check.id, one.resource], denied


def test_a_table_that_is_to_be_made_alone_is_made_with_its_key() -> None:
    answers = healthy() | {(ORDERS, dynamodb.TABLE): Missing("ResourceNotFoundException")}
    among_all = {(one.check.id, one.resource): one for one in look(answers, profile(ASKED), None)}

    [alone] = look(answers, profile(ASKED), [("DDB-EXISTS", ORDERS)])

    changes = proposed(alone)
    assert changes == proposed(among_all["DDB-EXISTS", ORDERS])
    assert not isinstance(changes, str)
    assert [one.call.parameters["SSESpecification"]["KMSMasterKeyId"] for one in changes] == [KEY_ARN]


def test_a_bucket_that_receives_logs_is_seen_to_even_alone() -> None:
    answers = healthy() | {(AUDIO, s3.LOGGING): LOGGING, (LOGS, s3.LOGGING): {}}

    [finding] = look(answers, profile(ASKED), [("S3-KMS", LOGS)])

    assert proposed(finding) == ("access-logs receives access logs of audio, which arrive only in buckets with SSE-S3.")


def test_a_look_at_one_resource_asks_for_little_else() -> None:
    questions = Questions(PLACE, profile(ASKED), [("DDB-PITR", SUBJECTS["DDB-PITR"][0])])
    asked = [*questions.inventory(), *questions.begin({})]

    assert [question.read.name for question in asked] == [
        "tagging.GetResources",
        "s3.ListBuckets",
        "dynamodb.DescribeContinuousBackups",
    ]


PAGER = Resource(Kind.TOPIC, PLACE, "pager")


@pytest.mark.parametrize(
    ("check", "before_undoing"),
    [
        ("SNS-ALERT", {(ACCOUNT, ALARMS)}),
        ("SNS-KMS", {(ACCOUNT, ALARMS), (PAGER, TOPIC)}),
    ],
)
def test_what_only_an_undoing_needs_is_read_only_before_one(
    check: str, before_undoing: set[tuple[Resource, Read]]
) -> None:
    answers = healthy() | {
        (ACCOUNT, ALARMS): {"MetricAlarms": [alarm("a", AlarmActions=[PAGER.arn])], "CompositeAlarms": []},
        (PAGER, TOPIC): {"Attributes": {}},
    }
    asked = profile({ALERTS: {check: SUBJECTS[check][1]}})

    def read(*, undoing: bool) -> set[tuple[Resource, str]]:
        only = [(check, ALERTS)]
        return set(taken(Questions(PLACE, asked, only, undoing=undoing), answers).readings)

    assert read(undoing=True) - read(undoing=False) == {(resource, one.name) for resource, one in before_undoing}


def test_where_else_is_logged_is_read_before_the_grant_of_the_target_is_undone() -> None:
    logs = {AUDIO: {"S3-LOG": {"target": "access-logs"}}, LOGS: {"S3-LOG": {"target": "access-logs"}}}

    def read(*, undoing: bool) -> set[tuple[Resource, str]]:
        questions = Questions(PLACE, profile(logs), [("S3-LOG", AUDIO)], undoing=undoing)
        return {(one.resource, one.read.name) for one in [*questions.inventory(), *questions.begin({})]}

    assert read(undoing=True) - read(undoing=False) == {(LOGS, s3.LOGGING.name)}
