"""Reads of RDS."""

from collections.abc import Iterable
from typing import Final

from data_protection.readings import Answer, Read
from data_protection.resources import Kind, Resource

# The parameters by which an engine asks for TLS.
TLS_PARAMETERS: Final = ("rds.force_ssl", "require_secure_transport")


def _groups(resource: Resource, answer: Answer) -> Iterable[Resource]:
    names = {
        group["DBParameterGroupName"] for instance in answer["DBInstances"] for group in instance["DBParameterGroups"]
    }
    return [Resource(Kind.PARAMETER_GROUP, resource.place, name) for name in sorted(names)]


INSTANCES: Final = Read(
    name="rds.DescribeDBInstances",
    kind=Kind.ACCOUNT,
    service="rds",
    operation="describe_db_instances",
    arguments=lambda _: {},
    actions=frozenset({"rds:DescribeDBInstances"}),
    merge=("DBInstances",),
    leads_to=_groups,
)

PARAMETERS: Final = Read(
    name="rds.DescribeDBParameters",
    kind=Kind.PARAMETER_GROUP,
    service="rds",
    operation="describe_db_parameters",
    arguments=lambda resource: {
        "DBParameterGroupName": resource.name,
        "Filters": [{"Name": "parameter-name", "Values": list(TLS_PARAMETERS)}],
    },
    actions=frozenset({"rds:DescribeDBParameters"}),
    missing=frozenset({"DBParameterGroupNotFound"}),
    merge=("Parameters",),
)
