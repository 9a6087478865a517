"""Where an assessment looks: by the document in the lake bucket."""

import json
from typing import Any

import pytest

from data_protection.errors import EstateInvalid
from data_protection.handlers import list_places
from data_protection.locations import ESTATE_KEY
from kernel import aws
from kernel.errors import ValidationError
from kernel.settings import load
from tests.support.aws import LAKE
from tests.support.context import Context

ASKED = {"run": "r", "time": "2026-11-22T05:00:00Z"}
REGION = "eu-central-1"


def other(account: str, *regions: str) -> dict[str, Any]:
    reads = {"arn": f"arn:aws:iam::{account}:role/read", "external_id": "gatehouse"}
    return {"account": account, "regions": regions, "assess": reads}


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
    keep({"accounts": [other(number, REGION) for number in numbers]})

    assert listed(monkeypatch, "expected") == [(number, REGION) for number in numbers]


def test_narrowed_run_knows_which_profiles_it_looks_at_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    keep(
        {
            "accounts": [
                other("1" * 12, REGION, "eu-west-1"),
                other("2" * 12, REGION),
                other("3" * 12, REGION) | {"profile": "shop"},
            ]
        }
    )

    answer = answered(monkeypatch, "expected", accounts=["2" * 12, "3" * 12])

    assert [place["account"] for place in answer["places"]] == ["2" * 12, "3" * 12]
    assert answer["whole_profiles"] == {"shop": 1}
    assert answered(monkeypatch, "expected")["whole_profiles"] == {"rfc-008": 3, "shop": 1}


def test_region_that_the_partition_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    keep({"accounts": [other("1" * 12, "us-gov-west-1"), other("2" * 12, "eu-centrall-1")]})

    with pytest.raises(EstateInvalid) as refused:
        listed(monkeypatch, "expected")

    assert "`accounts[0].regions[0]`: there is no region us-gov-west-1;" in str(refused.value)
    assert "there is no region eu-centrall-1; did you mean eu-central-1?" in str(refused.value)


@pytest.mark.parametrize("field", ["accounts", "regions"])
def test_run_narrowed_to_nothing_is_no_run_of_everything(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    with pytest.raises(ValidationError, match=f"`{field}` is empty. docs/data_protection.md#assess"):
        answered(monkeypatch, "none", **{field: []})
