"""Where an assessment looks: by the document in the lake bucket."""

import json
from typing import Any

import pytest

from data_protection.errors import EstateInvalid
from data_protection.handlers import list_places
from data_protection.locations import ESTATE_KEY
from kernel import aws
from kernel.settings import load
from tests.support.aws import LAKE
from tests.support.context import Context

ASKED = {"run": "r", "time": "2026-11-22T05:00:00Z"}
REGION = "eu-central-1"


def keep(document: Any) -> None:
    aws.s3().put_object(Bucket=LAKE, Key=ESTATE_KEY, Body=json.dumps(document).encode())


def answered(monkeypatch: pytest.MonkeyPatch, other_accounts: str, **asked: Any) -> dict[str, Any]:
    monkeypatch.setenv("OTHER_ACCOUNTS", other_accounts)
    load.cache_clear()
    return dict(list_places.handler(ASKED | {"input": asked}, Context()))


def listed(monkeypatch: pytest.MonkeyPatch, other_accounts: str) -> list[tuple[str, str]]:
    return [(place["account"], place["region"]) for place in answered(monkeypatch, other_accounts)["places"]]


def test_without_a_document_the_own_account_is_all_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    (place,) = listed(monkeypatch, "none")

    assert place[1] == REGION


def test_estate_that_is_gone_is_no_smaller_estate(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EstateInvalid, match=rf"s3://lake/{ESTATE_KEY} is not there, though roles of other accounts"):
        listed(monkeypatch, "expected")


def test_own_account_alone_may_be_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    keep({})

    assert len(listed(monkeypatch, "expected")) == 1


def test_hundreds_of_accounts_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = [f"{number:012}" for number in range(300)]
    keep({"accounts": [{"account": number, "regions": [REGION]} for number in numbers]})

    assert listed(monkeypatch, "expected") == [(number, REGION) for number in numbers]


def test_narrowed_run_knows_which_profiles_it_looks_at_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(
        {
            "accounts": [
                {"account": "1" * 12, "regions": [REGION, "eu-west-1"]},
                {"account": "2" * 12, "regions": [REGION]},
                {"account": "3" * 12, "regions": [REGION], "profile": "shop"},
            ]
        }
    )

    answer = answered(monkeypatch, "expected", accounts=["2" * 12, "3" * 12])

    assert [place["account"] for place in answer["places"]] == ["2" * 12, "3" * 12]
    assert answer["whole_profiles"] == {"shop": 1}
    assert answered(monkeypatch, "expected")["whole_profiles"] == {"rfc-008": 3, "shop": 1}
