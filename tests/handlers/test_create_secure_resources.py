"""PlanCreation, CreateResource and ValidateCreation over one account, as the machine calls them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from data_protection.adapters.creation import own_client
from data_protection.errors import CreationInvalid, CreationMissing, CreationStalled
from data_protection.handlers import create_resource, plan_creation, validate_creation
from data_protection.locations import request_key
from kernel import aws
from kernel.settings import load
from tests.support.aws import LAKE
from tests.support.context import Context

TABLE = {"name": "orders", "key": "alias/data", "keys": {"partition": {"name": "id"}}}
CONTEXT = Context(invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:gatehouse-test")
REQUEST = {"name": "shop", "keys": [{"name": "alias/data"}], "tables": [TABLE]}


@pytest.fixture(autouse=True)
def deployment(aws_account: None) -> Iterator[None]:
    aws.s3().create_bucket(Bucket="evidence", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    with patch.dict("os.environ", {"BOUNDARY_ARN": "", "EVIDENCE_BUCKET": "evidence"}):
        load.cache_clear()
        yield


def asked(**given: Any) -> dict[str, Any]:
    return {"run": "by-hand", "time": datetime.now(UTC).isoformat(), **given}


def put(request: dict[str, Any]) -> None:
    aws.s3().put_object(Bucket=LAKE, Key=request_key(request["name"]), Body=json.dumps(request).encode())


def plan(request: dict[str, Any]) -> dict[str, Any]:
    put(request)
    return dict(plan_creation.handler(asked(request=request["name"], apply=True), CONTEXT))


def create(resource: dict[str, Any], **given: Any) -> dict[str, Any]:
    ref = {"kind": resource["kind"], "name": resource["name"]}
    return dict(create_resource.handler(asked(resource=ref, **given), CONTEXT))


def test_a_key_and_a_table_are_planned_made_and_judged() -> None:
    planned = plan(REQUEST)
    assert planned["counts"] == {"missing": 2, "halfway": 0, "same": 0, "differs": 0}

    created = [create(resource) for resource in planned["resources"]]
    assert [(one["done"], one["standing"]) for one in created] == [(True, "missing"), (True, "missing")]
    assert sum(one["calls"] for one in created) == planned["calls"]

    judged = validate_creation.handler(asked(), CONTEXT)
    assert (judged["passed"], judged["created"], judged["problems"]) == (True, 2, [])
    report = aws.s3().get_object(Bucket=LAKE, Key=judged["key"])["Body"].read()
    assert len(json.loads(report)["calls"]) == planned["calls"]
    [kept] = aws.s3().list_objects_v2(Bucket="evidence")["Contents"]
    assert aws.s3().get_object(Bucket="evidence", Key=kept["Key"])["Body"].read() == report


def test_failures_of_a_run_fail_it_however_well_the_rest_stands() -> None:
    plan(REQUEST)
    judged = validate_creation.handler(asked(failures=["kms-key alias/data: CreationRefused: no."]), CONTEXT)
    assert (judged["passed"], judged["created"]) == (False, 0)
    assert judged["problems"][:2] == [
        "kms-key alias/data: CreationRefused: no.",
        "kms-key/alias/data is missing. It was not made as a whole.",
    ]
    assert "dynamodb-table/orders is missing." in judged["problems"][2]
    assert "There is no key alias/data" in judged["problems"][2]


def test_what_was_planned_is_made_whatever_the_request_says_since() -> None:
    [key, table] = plan(REQUEST)["resources"]
    put({**REQUEST, "tables": [{**TABLE, "name": "other"}]})
    create(key)
    assert create(table)["done"]
    assert aws.dynamodb().list_tables()["TableNames"].count("orders") == 1


def test_a_table_that_is_being_built_is_waited_for_and_given_up_in_the_end() -> None:
    [key, table] = plan(REQUEST)["resources"]
    create(key)
    client: Any = own_client("dynamodb", "eu-central-1")

    def building(parsed: dict[str, Any], **_: Any) -> None:
        parsed.get("Table", {})["TableStatus"] = "CREATING"

    client.meta.events.register("after-call.dynamodb.DescribeTable", building)
    try:
        first = create(table)
        assert (first["done"], first["waits"], first["calls"]) == (False, "It is CREATING.", 1)
        assert create(table, made=first["made"])["calls"] == 0
        assert first["wait_seconds"] == 20
        long_ago = datetime.now(UTC) - timedelta(minutes=101)
        with pytest.raises(CreationStalled, match="is not done after"):
            create(table, made=first["made"], since=long_ago.isoformat())
    finally:
        client.meta.events.unregister("after-call.dynamodb.DescribeTable", building)
    assert create(table, made=first["made"])["done"]


def test_a_table_whose_turn_comes_late_in_a_run_is_waited_for_as_long_as_the_first_one() -> None:
    put(REQUEST)
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    planned = plan_creation.handler(asked(request="shop", apply=True, time=yesterday), CONTEXT)
    [key, table] = planned["resources"]
    create(key, time=yesterday)
    client: Any = own_client("dynamodb", "eu-central-1")

    def building(parsed: dict[str, Any], **_: Any) -> None:
        parsed.get("Table", {})["TableStatus"] = "CREATING"

    client.meta.events.register("after-call.dynamodb.DescribeTable", building)
    try:
        first = create(table, time=yesterday)
        later = create(table, time=yesterday, made=first["made"], since=first["since"])
    finally:
        client.meta.events.unregister("after-call.dynamodb.DescribeTable", building)

    assert (first["done"], later["done"], later["since"]) == (False, False, first["since"])


def test_roles_without_a_boundary_are_refused() -> None:
    reads = {"actions": ["s3:GetObject"], "resources": ["arn:aws:s3:::audio/*"]}
    with pytest.raises(CreationInvalid, match="DataProtectionBoundaryArn"):
        plan({"name": "shop", "roles": [{"name": "worker", "runs": "ecs", "statements": [reads]}]})


def test_a_request_that_nobody_wrote_is_told_where_it_belongs() -> None:
    with pytest.raises(CreationMissing, match=r"put one at s3://lake/data_protection/requests/nothing.yaml"):
        plan_creation.handler(asked(request="nothing"), CONTEXT)


def test_what_no_run_planned_is_not_made() -> None:
    with pytest.raises(CreationMissing, match="has planned nothing"):
        create({"kind": "kms-key", "name": "alias/data"})
    plan(REQUEST)
    with pytest.raises(CreationMissing, match="planned no kms-key alias/other"):
        create({"kind": "kms-key", "name": "alias/other"})
