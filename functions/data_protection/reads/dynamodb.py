"""Reads of DynamoDB."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from data_protection.readings import Answer, Read
from data_protection.resources import Kind, Resource, named

_MISSING: Final = frozenset({"ResourceNotFoundException", "TableNotFoundException"})


def _table(resource: Resource) -> Mapping[str, Any]:
    return {"TableName": resource.name}


def _key(resource: Resource, answer: Answer) -> Iterable[Resource]:
    if arn := answer["Table"].get("SSEDescription", {}).get("KMSMasterKeyArn"):
        yield named(Kind.KEY, resource.place, arn)


TABLE: Final = Read(
    name="dynamodb.DescribeTable",
    kind=Kind.TABLE,
    service="dynamodb",
    operation="describe_table",
    arguments=_table,
    actions=frozenset({"dynamodb:DescribeTable"}),
    missing=_MISSING,
    leads_to=_key,
)

CONTINUOUS_BACKUPS: Final = Read(
    name="dynamodb.DescribeContinuousBackups",
    kind=Kind.TABLE,
    service="dynamodb",
    operation="describe_continuous_backups",
    arguments=_table,
    actions=frozenset({"dynamodb:DescribeContinuousBackups"}),
    missing=_MISSING,
    per_second=10,  # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeContinuousBackups.html
)

TIME_TO_LIVE: Final = Read(
    name="dynamodb.DescribeTimeToLive",
    kind=Kind.TABLE,
    service="dynamodb",
    operation="describe_time_to_live",
    arguments=_table,
    actions=frozenset({"dynamodb:DescribeTimeToLive"}),
    missing=_MISSING,
    per_second=10,  # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
)
