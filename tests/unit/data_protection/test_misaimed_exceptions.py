"""Exceptions that are about nothing."""

from typing import Any

import pytest

from data_protection.assessments import assess
from data_protection.exceptions import exception_rows, misaimed
from data_protection.profiles import Profile
from data_protection.readings import Unreadable
from data_protection.reads.dynamodb import CONTINUOUS_BACKUPS
from data_protection.reads.listings import TABLES
from data_protection.resources import Kind, Place, Resource
from data_protection.snapshot import Snapshot
from data_protection.verdicts import Status
from tests.support.data_protection_account import ACCOUNT, NOW, PLACE, snapshot
from tests.support.data_protection_healthy import recovery
from tests.support.data_protection_reports import exception, look, report, row

FAIL = Status.FAIL
EXCEPTION = {
    "check": "DDB-PITR",
    "kind": "dynamodb-table",
    "owner": "team-shop",
    "reason": "It is made anew every night",
    "expires": "2027-06-30",
}


def profile(name: str, selector: dict[str, str], **given: str) -> Profile:
    rule = {"kind": "dynamodb-table", "select": [selector], "requires": {"DDB-PITR": {}}}
    return Profile.model_validate({"name": "test", "rules": [rule], "exceptions": [EXCEPTION | given | {"name": name}]})


def aimed(asking: Profile, taken: Snapshot) -> list[bool | None]:
    return [one.aimed for one in exception_rows(asking, assess(taken, asking, NOW), name="test")]


@pytest.mark.parametrize(
    ("name", "said"), [("orders", True), ("orders-{account}", False), ("order", False)], ids=["right", "wrong", "slip"]
)
def test_exception_is_aimed_where_its_check_was_judged(name: str, *, said: bool) -> None:
    taken = snapshot({(Resource(Kind.TABLE, PLACE, "orders"), CONTINUOUS_BACKUPS): recovery()})
    assert aimed(profile(name, {"name": "orders"}), taken) == [said]


def test_key_of_several_names_is_met_by_each_of_them() -> None:
    given = EXCEPTION | {"check": "KMS-ROT", "kind": "kms-key"}
    aliases = ("alias/data", "alias/other")
    rule = {"kind": "kms-key", "select": [{"name": name} for name in aliases], "requires": {"KMS-ROT": {}}}
    named = [given | {"name": name} for name in aliases]
    asking = Profile.model_validate({"name": "test", "rules": [rule], "exceptions": named})

    assert aimed(asking, Snapshot(PLACE, NOW, {})) == [True, True]


def test_what_could_not_be_listed_says_nothing_of_an_exception() -> None:
    denied: dict[Any, Any] = {(ACCOUNT, TABLES): Unreadable("AccessDenied", "no")}
    assert aimed(profile("orders", {"pattern": "orders*"}), snapshot(denied)) == [None]


def test_exception_for_what_is_global_is_looked_for_at_home_alone() -> None:
    away = Place(PLACE.account, "eu-west-1", is_home=False)
    asking = profile("site", {"name": "orders"}, check="S3-BPA", kind="s3-bucket")
    assert aimed(asking, Snapshot(away, NOW, {})) == []
    assert aimed(asking, Snapshot(PLACE, NOW, {})) == [False]


def test_exception_need_only_hold_in_one_place_of_a_run() -> None:
    here, there = exception("orders", aimed=True), exception("orders", aimed=False, region="eu-west-1")
    unseen = exception("users", aimed=None)
    assert misaimed([here, there, unseen, exception("users", aimed=False, region="eu-west-1")], []) == []


def test_exceptions_of_another_profile_are_others() -> None:
    found = misaimed([exception("orders", aimed=True), exception("orders", aimed=False, profile="strict")], [])
    assert [one.row.profile for one in found] == ["strict"]


@pytest.mark.parametrize(
    ("whole_profiles", "told"),
    [
        ({"rfc-008": 1, "strict": 1}, ["rfc-008", "strict"]),
        ({"rfc-008": 1, "strict": 2}, ["rfc-008"]),
        ({}, []),
    ],
    ids=["every place", "one place of a profile was not looked at", "not known"],
)
def test_exceptions_are_about_nothing_only_where_all_places_of_their_profile_were_looked_at(
    whole_profiles: dict[str, int], told: list[str]
) -> None:
    looks = [
        look([], region=region, profile=name, exceptions=[exception("order", aimed=False, profile=name, region=region)])
        for name, region in (("rfc-008", "eu-central-1"), ("strict", "eu-west-1"))
    ]
    assert [one.row.profile for one in report(*looks, whole_profiles=whole_profiles).misaimed] == told


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("order", "No dynamodb-table in scope is called order; did you mean orders?"),
        ("nothing-like-it", "is called nothing-like-it: correct the name, or take the exception out."),
        ("users", "DDB-PITR is not asked of users: take the exception out, or correct its check."),
        ("audit-{account}", "is called audit-123456789012; did you mean audits-123456789012?"),
    ],
    ids=["slip", "nothing near", "other check", "placeholder"],
)
def test_report_says_what_is_wrong_with_a_misaimed_exception(name: str, says: str) -> None:
    rows = [row("DDB-PITR", FAIL), row("DDB-TTL", FAIL, "users"), row("DDB-PITR", FAIL, "audits-123456789012")]
    [found] = report(look(rows, exceptions=[exception(name, aimed=False)])).misaimed
    assert says in found.sentence
