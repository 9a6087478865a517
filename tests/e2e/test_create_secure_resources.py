"""`create_secure_resources` as it is deployed, over an account in the embedded cloud."""

import json
from typing import Any

import pytest
import yaml

from tests.e2e.conftest import Gatehouse

pytestmark = pytest.mark.cloud

REQUEST = {
    "name": "shop",
    "keys": [{"name": "alias/shop"}],
    "buckets": [
        {"name": "shop-logs", "receives_logs": True},
        {"name": "shop-audio", "key": "alias/shop", "access_logs": {"target": "shop-logs"}},
    ],
    "tables": [{"name": "shop-orders", "key": "alias/shop", "units": None, "keys": {"partition": {"name": "id"}}}],
}


def ask(gatehouse: Gatehouse, request: dict[str, Any]) -> None:
    gatehouse.client("s3").put_object(
        Bucket=gatehouse.output("LakeBucketName"),
        Key=f"data_protection/requests/{request['name']}.yaml",
        Body=yaml.safe_dump(request).encode(),
    )


def test_a_request_is_planned_then_made_and_then_there(gatehouse: Gatehouse) -> None:
    ask(gatehouse, REQUEST)

    dry = gatehouse.run("CreateSecureResourcesArn", request="shop")
    assert dry["status"] == "SUCCEEDED", dry.get("cause", "")
    assert json.loads(dry["output"])["counts"] == {"missing": 4, "halfway": 0, "same": 0, "differs": 0}
    assert gatehouse.client("dynamodb").list_tables()["TableNames"].count("shop-orders") == 0

    made = gatehouse.run("CreateSecureResourcesArn", request="shop", apply=True)
    assert made["status"] == "SUCCEEDED", made.get("cause", "")
    told = json.loads(made["output"])
    assert (told["passed"], told["created"], told["problems"]) == (True, 4, [])
    assert told["standings"]["same"] == 4

    again = gatehouse.run("CreateSecureResourcesArn", request="shop", apply=True)
    assert again["status"] == "SUCCEEDED", again.get("cause", "")
    assert json.loads(again["output"])["created"] == 0


def test_what_cannot_be_made_fails_the_run_before_its_first_call(gatehouse: Gatehouse) -> None:
    table = {"name": "keyless", "key": "alias/nowhere", "units": None, "keys": {"partition": {"name": "id"}}}
    ask(gatehouse, {"name": "keyless", "tables": [table]})

    ended = gatehouse.run("CreateSecureResourcesArn", request="keyless", apply=True)

    assert (ended["status"], ended["error"]) == ("FAILED", "CreationRefused")
    assert "There is no key alias/nowhere" in ended["cause"]
