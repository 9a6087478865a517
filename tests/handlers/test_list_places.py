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


def listed(monkeypatch: pytest.MonkeyPatch, other_accounts: str) -> list[tuple[str, str]]:
    monkeypatch.setenv("OTHER_ACCOUNTS", other_accounts)
    load.cache_clear()
    answer = list_places.handler(dict(ASKED), Context())
    return [(place["account"], place["region"]) for place in answer["places"]]


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
