"""The estate's document: what it takes, what it refuses, and where it says to look."""

import json
from typing import Any

import pytest

from data_protection.errors import EstateInvalid
from data_protection.estate import Account, Estate, Role, parse_estate
from data_protection.resources import Place

OWN, OTHER, REGION = "111111111111", "222222222222", "eu-central-1"
KNOWN = frozenset({REGION, "eu-west-1"})
FUNCTION = f"arn:aws:lambda:{REGION}:{OWN}:function:assess-place"


def role(name: str, account: str = OTHER, external_id: str = "gatehouse-7f3a") -> dict[str, str]:
    return {"arn": f"arn:aws:iam::{account}:role/{name}", "external_id": external_id}


ACCOUNT: dict[str, Any] = {"account": OTHER, "regions": [REGION], "assess": role("read")}
OWN_ACCOUNT: dict[str, Any] = {"account": OWN, "regions": [REGION]}


def estate(*accounts: dict[str, Any]) -> Estate:
    return parse_estate(json.dumps({"accounts": accounts}).encode(), OWN, REGION, KNOWN)


def places(found: Estate, accounts: set[str], regions: set[str]) -> list[Place]:
    return found.places(frozenset(accounts), frozenset(regions), "aws")


def test_empty_object_is_the_own_account_in_the_own_region() -> None:
    (account,) = parse_estate(b" {}\n", OWN, REGION, KNOWN).accounts

    assert (account.account, account.regions, account.profile) == (OWN, (REGION,), "rfc-008")
    assert (account.assess, account.remediate) == (None, {})


def test_account_has_its_roles_its_profile_and_its_regions() -> None:
    found = estate(
        ACCOUNT
        | {
            "regions": [REGION, "eu-west-1"],
            "profile": "strict",
            "assess": role("read"),
            "remediate": {"1": role("one")},
        }
    ).account(OTHER)

    assert found.assess == Role(arn=f"arn:aws:iam::{OTHER}:role/read", external_id="gatehouse-7f3a")
    assert found.remediate == {1: Role(arn=f"arn:aws:iam::{OTHER}:role/one", external_id="gatehouse-7f3a")}
    assert (found.regions, found.profile) == ((REGION, "eu-west-1"), "strict")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"account": "2222"}, r"accounts\[0\]\.account"),
        ({"account": 222222222222}, r"accounts\[0\]\.account.*text"),
        ({"regions": []}, r"accounts\[0\]\.regions"),
        ({"regions": [REGION, REGION]}, "region is listed twice"),
        (
            {"regions": [REGION, "eu-centrall-1"]},
            r"accounts\[0\]\.regions\[1\]`: there is no region eu-centrall-1; did you mean eu-central-1\?",
        ),
        ({"profile": "../estate"}, r"accounts\[0\]\.profile"),
        ({"assess": {"arn": f"arn:aws:iam::{OTHER}:role/read"}}, r"accounts\[0\]\.assess\.external_id` is missing"),
        ({"assess": role("read", external_id="two words")}, r"accounts\[0\]\.assess\.external_id.*2 to 1,224"),
        ({"assess": role("read", external_id="x" * 1225)}, "2 to 1,224"),
        ({"assess": role("read") | {"arn": f"arn:aws:iam::{OTHER}:user/read"}}, r"accounts\[0\]\.assess\.arn"),
        ({"assess": role("read", account=OWN)}, f"role/read is no role of the account {OTHER}"),
        ({"remediate": {"one": role("one")}}, r"accounts\[0\]\.remediate\.one"),
        ({"remediate": {"1": role("one", account=OWN)}}, f"role/one is no role of the account {OTHER}"),
        ({"asess": role("read")}, r"accounts\[0\]\.asess` is unknown; did you mean assess"),
    ],
)
def test_what_does_not_hold_is_named(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EstateInvalid, match=sentence):
        estate(ACCOUNT | changes)


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"", "The estate is no JSON: Expecting value: line 1"),
        (b"{", "The estate is no JSON: .* line 1"),
        (b"\xff", "The estate is no JSON: "),
        (
            b'{"accounts": [{"account":\n"1", "account":\n"2"}]}',
            "account on line 2 stands on line 1 already: leave one",
        ),
        (b'{"accounts": [{"account": 123456789012}]}', "`accounts.0..account`: 123456789012 is not a text: put it in"),
        (b"[]", "As a whole: a list is not an object"),
        (b'{"accounts": []}', "`accounts` is empty"),
        (json.dumps({"accounts": [ACCOUNT, ACCOUNT]}).encode(), "account is listed twice"),
    ],
)
def test_document_that_is_no_estate_is_refused(document: bytes, sentence: str) -> None:
    with pytest.raises(EstateInvalid, match=sentence):
        parse_estate(document, OWN, REGION, KNOWN)


def test_other_account_without_a_role_is_not_judged_by_what_the_own_one_holds() -> None:
    sentence = "no `assess` role for 222222222222: add one; only the deployment's own account is read without"

    with pytest.raises(EstateInvalid, match=sentence):
        estate(OWN_ACCOUNT, {"account": OTHER, "regions": [REGION]})
    with pytest.raises(EstateInvalid, match=sentence):
        Account(account=OTHER, regions=(REGION,)).reader(FUNCTION)


def test_account_is_read_by_its_role_and_the_own_one_by_the_function() -> None:
    found = estate(OWN_ACCOUNT, ACCOUNT)

    assert found.account(OWN).reader(FUNCTION) == FUNCTION
    assert found.account(OTHER).reader(FUNCTION) == role("read")["arn"]


def test_places_are_in_the_order_of_the_estate_and_global_things_belong_to_the_first_region() -> None:
    found = estate(ACCOUNT | {"regions": ["eu-west-1", REGION]}, OWN_ACCOUNT)

    everywhere = places(found, set(), set())

    assert [(place.account, place.region, place.is_home) for place in everywhere] == [
        (OTHER, "eu-west-1", True),
        (OTHER, REGION, False),
        (OWN, REGION, True),
    ]
    assert places(found, {OTHER}, {REGION}) == [everywhere[1]]


def test_what_is_not_in_the_estate_is_not_looked_at() -> None:
    found = estate(ACCOUNT)

    with pytest.raises(EstateInvalid, match="has no account 333333333333"):
        places(found, {"333333333333"}, set())
    with pytest.raises(EstateInvalid, match="assessed in us-east-1"):
        places(found, set(), {"us-east-1"})


def test_account_is_changed_by_the_role_of_the_phase_and_the_own_one_by_the_functions() -> None:
    found = estate(ACCOUNT | {"remediate": {"1": role("one")}}, OWN_ACCOUNT)

    assert found.account(OTHER).remediator(1, OWN) == Role(**role("one"))
    assert found.account(OWN).remediator(4, OWN) is None
    with pytest.raises(EstateInvalid, match=r"no role for phase 2 in 222222222222: add it as remediate\.2"):
        found.account(OTHER).remediator(2, OWN)


def test_all_roles_are_known_by_their_arns() -> None:
    found = estate(ACCOUNT | {"assess": role("read"), "remediate": {"1": role("one")}}, OWN_ACCOUNT)

    assert found.roles == {f"arn:aws:iam::{OTHER}:role/{name}" for name in ("read", "one")}


def test_a_thousand_accounts_with_all_their_roles_are_an_estate() -> None:
    numbers = [f"{number:012}" for number in range(1000)]
    found = estate(
        *(
            {
                "account": number,
                "regions": [REGION, "eu-west-1"],
                "assess": role("gatehouse-data-protection-assess", number),
                "remediate": {str(n): role(f"gatehouse-data-protection-remediate-{n}", number) for n in range(1, 5)},
            }
            for number in numbers
        )
    )

    assert len(places(found, set(), set())) == 2000
    assert len(found.roles) == 5000
