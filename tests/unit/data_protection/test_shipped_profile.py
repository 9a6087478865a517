"""The profile that comes with the application, and what profiles may say of places."""

from importlib import resources

import pytest

from data_protection.assessments import cases
from data_protection.checks.catalogue import catalogue
from data_protection.checks.cloudwatch_alarms import Alarms
from data_protection.checks.dynamodb_table import Table
from data_protection.checks.scope_listed import SCOPE_LISTED
from data_protection.collection import Question, Questions
from data_protection.conflicts.catalogue import catalogue as conflicts
from data_protection.errors import ProfileInvalid
from data_protection.profiles import Profile, parse
from data_protection.reads.cloudwatch import ALARMS
from data_protection.reads.kms import KEY
from data_protection.resources import Kind, Place, Resource
from data_protection.snapshot import Snapshot
from tests.support.data_protection_account import ACCOUNT, NOW, PLACE, all_cases

OTHER = Place("999999999999", "us-east-1")


@pytest.fixture(scope="module")
def shipped() -> Profile:
    return parse((resources.files("data_protection.profiles_shipped") / "rfc-008.yaml").read_text())


def names(profile: Profile, kind: Kind, place: Place = PLACE) -> list[str]:
    return sorted(one.name for one in profile.expected(place) if one.kind is kind)


def test_shipped_profile_names_the_tables_and_buckets_of_the_standard(shipped: Profile) -> None:
    assert names(shipped, Kind.TABLE) == [
        "audit-events",
        "conversations",
        "messages",
        "recordings",
        "transcripts",
        "users",
    ]
    assert names(shipped, Kind.BUCKET) == [
        f"{name}-123456789012" for name in ("access-logs", "audio", "logs", "transcripts")
    ]


def test_buckets_of_another_account_have_names_of_their_own(shipped: Profile) -> None:
    assert "audio-999999999999" in names(shipped, Kind.BUCKET, OTHER)


def test_shipped_profile_asks_every_check_but_the_optional_ones(shipped: Profile) -> None:
    asked = {check for one in shipped.expected(PLACE) for check in shipped.asked(one, {})}
    assert set(catalogue()) - asked == {"S3-INTTIER", "S3-RTO", SCOPE_LISTED}


def test_tiers_are_those_of_the_standard(shipped: Profile) -> None:
    def tiers(name: str) -> list[tuple[int, str]]:
        asked = shipped.asked(Resource(Kind.BUCKET, PLACE, f"{name}-{PLACE.account}"), {})["S3-LIFECYCLE"]
        [tier] = asked.model_dump(mode="json")["tiers"]
        steps = [(step["days"], step["storage_class"]) for step in tier["transitions"]]
        return steps + ([(tier["expire_days"], "expire")] if tier["expire_days"] else [])

    assert tiers("audio") == [(90, "STANDARD_IA"), (365, "GLACIER"), (1095, "DEEP_ARCHIVE")]
    assert tiers("transcripts") == [(90, "STANDARD_IA"), (365, "GLACIER")]
    assert tiers("logs") == [(90, "GLACIER"), (2555, "expire")]


def test_access_log_target_is_neither_locked_nor_encrypted_with_kms(shipped: Profile) -> None:
    target = Resource(Kind.BUCKET, PLACE, f"access-logs-{PLACE.account}")
    assert not {"S3-LOCK", "S3-KMS", "S3-LOG"} & set(shipped.asked(target, {}))


def test_every_table_has_its_keys_and_an_index(shipped: Profile) -> None:
    for name in names(shipped, Kind.TABLE):
        asked = shipped.asked(Resource(Kind.TABLE, PLACE, name), {})["DDB-EXISTS"]
        assert isinstance(asked, Table)
        assert asked.indexes


def test_shipped_profile_describes_as_many_alarms_as_it_asks(shipped: Profile) -> None:
    asked = shipped.asked(ACCOUNT, {})["CW-ALARMS"]
    assert isinstance(asked, Alarms)
    assert len(asked.alarms) >= asked.least


def test_places_are_filled_into_requirements_too(shipped: Profile) -> None:
    plan = shipped.asked(ACCOUNT, {})["BK-PLAN"].model_dump()["plan"]
    assert plan["role"] == "arn:aws:iam::123456789012:role/gatehouse-backup"


def test_only_what_the_standard_contradicts_itself_in_is_in_conflict(shipped: Profile) -> None:
    everything = [case for _, case in cases(Snapshot(PLACE, NOW, {}), shipped, NOW)]
    found = {id_ for id_, conflict in conflicts().items() if list(conflict.detect(everything))}
    assert {"RTO-ARCHIVE", "RPO-PITR", "SCALING-ALARMS", "CHECK-COUNT", "SAVING-SIZE"} <= found
    assert not found & {"LOG-TARGET-LOCK", "LOG-TARGET-KMS", "LOG-TARGET-LOGGING", "SCALING-ON-DEMAND", "DRIFT-TRAIL"}


# Profiles


RULE = "name: x\nrules:\n- kind: {kind}\n  {select}requires: {requires}\n"


@pytest.mark.parametrize(
    ("kind", "select", "said"),
    [
        ("account", "select: [{name: '1'}]\n  ", "about the account selects nothing"),
        ("sns-topic", "", "say which sns-topic are meant"),
        ("sns-topic", "select: [{name: 'alerts-{acount}'}]\n  ", "nothing fills {acount}"),
        ("sns-topic", "select: [{name: 'alerts-{account'}]\n  ", "nothing fills {account"),
    ],
)
def test_rule_that_means_nothing_is_refused(kind: str, select: str, said: str) -> None:
    with pytest.raises(ProfileInvalid, match=said):
        parse(RULE.format(kind=kind, select=select, requires="{}"))


def test_exception_for_the_account_may_name_it_by_placeholder() -> None:
    profile = parse(
        RULE.format(kind="account", select="", requires="{CT-HARDEN: {}}")
        + "exceptions:\n- {check: CT-HARDEN, kind: account, name: '{account}', owner: me, "
        + "reason: the trail is of the organization, expires: 2027-01-01}\n"
    )
    assert profile.exception("CT-HARDEN", ACCOUNT, NOW.date()) is not None
    assert profile.exception("CT-HARDEN", Resource(Kind.ACCOUNT, PLACE, "1"), NOW.date()) is None


def test_exception_that_could_never_hold_is_refused() -> None:
    said = (
        "DDB-PITR is about dynamodb-table, so that an exception for s3-bucket orders would never hold: give a resource"
    )
    with pytest.raises(ProfileInvalid, match=said):
        parse(
            RULE.format(kind="dynamodb-table", select="select: [{name: orders}]\n  ", requires="{DDB-PITR: {}}")
            + "exceptions:\n- {check: DDB-PITR, kind: s3-bucket, name: orders, owner: me, "
            + "reason: it goes in May, expires: 2027-01-01}\n"
        )


# What is read for a profile


def test_account_wide_reads_are_made_once_however_many_checks_need_them(shipped: Profile) -> None:
    asked = Questions(PLACE, shipped).begin({})
    assert len(asked) == len(set(asked))
    assert asked.count(Question(ACCOUNT, ALARMS)) == 1
    account_wide = [question for question in asked if question.resource == ACCOUNT]
    assert {question.read.kind for question in account_wide} == {Kind.ACCOUNT}
    assert len(account_wide) <= 14


def test_key_that_a_requirement_names_is_read_by_that_name(shipped: Profile) -> None:
    assert Question(Resource(Kind.KEY, PLACE, "alias/gatehouse-data"), KEY) in Questions(PLACE, shipped).begin({})


def test_cases_of_the_account_need_no_name() -> None:
    assert [case.resource for case in all_cases({}, {ACCOUNT: {"CT-LOGGING": {}}})] == [ACCOUNT]
