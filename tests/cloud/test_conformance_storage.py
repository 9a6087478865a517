import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError

from tests.cloud.conftest import App, saw

pytestmark = pytest.mark.cloud


def test_if_none_match_has_one_winner_from_eight_threads(app: App) -> None:
    s3, key = app.client("s3"), f"race/{uuid.uuid4().hex}"

    def put(number: int) -> int:
        try:
            s3.put_object(Bucket=app.outputs["LakeBucket"], Key=key, Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as refused:
            return int(refused.response["ResponseMetadata"]["HTTPStatusCode"])
        return 200

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(put, range(8)))
    saw("answers", answers)
    assert answers == [200, *[412] * 7]


def test_a_condition_has_one_winner_from_eight_threads(app: App) -> None:
    dynamodb, key = app.client("dynamodb"), uuid.uuid4().hex

    def claim(number: int) -> str:
        try:
            dynamodb.put_item(
                TableName=app.outputs["LedgerTable"],
                Item={"pk": {"S": key}, "owner": {"N": str(number)}},
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as refused:
            return str(refused.response["Error"]["Code"])
        return "won"

    with ThreadPoolExecutor(8) as pool:
        answers = sorted(pool.map(claim, range(8)))
    saw("answers", answers)
    assert answers == [*["ConditionalCheckFailedException"] * 7, "won"]


def test_a_counter_loses_nothing_from_eight_threads(app: App) -> None:
    dynamodb, key = app.client("dynamodb"), uuid.uuid4().hex
    table = app.outputs["LedgerTable"]

    def add(_: int) -> None:
        dynamodb.update_item(
            TableName=table,
            Key={"pk": {"S": key}},
            UpdateExpression="ADD added :one",
            ExpressionAttributeValues={":one": {"N": "1"}},
        )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, range(80)))
    assert dynamodb.get_item(TableName=table, Key={"pk": {"S": key}})["Item"]["added"] == {"N": "80"}
