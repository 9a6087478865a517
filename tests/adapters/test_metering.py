import pytest

from kernel import aws
from kernel.metering import Meter
from tests.support.aws import LEDGER, RUNS


def _item(name: str) -> dict[str, dict[str, str]]:
    return {"object_id": {"S": name}}


def test_requests_are_counted_by_operation() -> None:
    meter = Meter(1024)
    aws.s3().put_object(Bucket=RUNS, Key="a", Body=b"1")
    for _ in range(2):
        aws.s3().get_object(Bucket=RUNS, Key="a")
    aws.dynamodb().put_item(TableName=LEDGER, Item=_item("one"))
    taken = meter.read()
    assert taken.requests == {"dynamodb.PutItem": 1, "s3.GetObject": 2, "s3.PutObject": 1}
    assert taken.memory_mb == 1024
    assert 0 < taken.seconds < 60


def test_what_came_before_is_not_counted() -> None:
    aws.s3().put_object(Bucket=RUNS, Key="a", Body=b"1")
    assert Meter(1).read().requests == {}


def test_requests_that_are_refused_are_counted() -> None:
    meter = Meter(1)
    with pytest.raises(aws.s3().exceptions.NoSuchKey):
        aws.s3().get_object(Bucket=RUNS, Key="gone")
    assert meter.read().requests == {"s3.GetObject": 1}


def test_batches_are_counted_by_their_items() -> None:
    meter = Meter(1)
    puts = [{"PutRequest": {"Item": _item(name)}} for name in ("a", "b", "c")]
    aws.dynamodb().batch_write_item(RequestItems={LEDGER: puts})  # type: ignore[dict-item]
    aws.dynamodb().batch_get_item(RequestItems={LEDGER: {"Keys": [_item("a"), _item("z")]}})
    assert meter.read().requests == {"dynamodb.BatchGetItem": 2, "dynamodb.BatchWriteItem": 3}


def test_each_item_of_a_transaction_is_two_writes() -> None:
    meter = Meter(1)
    puts = [{"Put": {"TableName": LEDGER, "Item": _item(name)}} for name in ("d", "e", "f")]
    aws.dynamodb().transact_write_items(TransactItems=puts)  # type: ignore[arg-type]
    assert meter.read().requests == {"dynamodb.TransactWriteItems": 6}
