"""Reads of RDS, which lists Aurora's clusters and instances, too."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from data_protection.readings import Answer, Read
from data_protection.reads.listings import listing
from data_protection.resources import Kind, Resource

# The parameters by which an engine asks for TLS.
TLS_PARAMETERS: Final = ("rds.force_ssl", "require_secure_transport")
_FILTERS: Final[list[Mapping[str, Any]]] = [{"Name": "parameter-name", "Values": list(TLS_PARAMETERS)}]
_NO_GROUP: Final = frozenset({"DBParameterGroupNotFound"})


def _groups(resource: Resource, answer: Answer) -> Iterable[Resource]:
    # The parameters that ask for TLS are the cluster's where an instance is of one.
    names = {
        group["DBParameterGroupName"]
        for instance in answer["DBInstances"]
        if not instance.get("DBClusterIdentifier")
        for group in instance["DBParameterGroups"]
    }
    return [Resource(Kind.PARAMETER_GROUP, resource.place, name) for name in sorted(names)]


def _cluster_groups(resource: Resource, answer: Answer) -> Iterable[Resource]:
    names = {cluster["DBClusterParameterGroup"] for cluster in answer["DBClusters"]}
    return [Resource(Kind.CLUSTER_PARAMETER_GROUP, resource.place, name) for name in sorted(names)]


INSTANCES: Final = listing(
    "rds.DescribeDBInstances",
    "rds",
    "describe_db_instances",
    "DBInstances",
    "rds:DescribeDBInstances",
    leads_to=_groups,
)
CLUSTERS: Final = listing(
    "rds.DescribeDBClusters",
    "rds",
    "describe_db_clusters",
    "DBClusters",
    "rds:DescribeDBClusters",
    leads_to=_cluster_groups,
)

PARAMETERS: Final = Read(
    name="rds.DescribeDBParameters",
    kind=Kind.PARAMETER_GROUP,
    service="rds",
    operation="describe_db_parameters",
    arguments=lambda group: {"DBParameterGroupName": group.name, "Filters": _FILTERS},
    actions=frozenset({"rds:DescribeDBParameters"}),
    missing=_NO_GROUP,
    merge=("Parameters",),
)

CLUSTER_PARAMETERS: Final = Read(
    name="rds.DescribeDBClusterParameters",
    kind=Kind.CLUSTER_PARAMETER_GROUP,
    service="rds",
    operation="describe_db_cluster_parameters",
    arguments=lambda group: {"DBClusterParameterGroupName": group.name, "Filters": _FILTERS},
    actions=frozenset({"rds:DescribeDBClusterParameters"}),
    missing=_NO_GROUP,
    merge=("Parameters",),
)
