"""Aurora clusters with their instances: encrypted, private, backed up, over TLS alone; RDS keeps their password.

Storage, backups, password and parameters are the cluster's; its instances only serve them, and are judged with it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal

from pydantic import Field, ValidationInfo, field_validator

from data_protection.changes import Call
from data_protection.checks.check import Requirement
from data_protection.creation.kinds.rds import CHECKS, ON_BEHALF, ParameterGroup, Server, call, differences
from data_protection.creation.reads import CLUSTER_PARAMETER_GROUP_TAGS, OWN_CLUSTER_PARAMETER_GROUP
from data_protection.creation.recipe import Answers, Look, Recipe
from data_protection.creation.tags import by_name, listed
from data_protection.errors import CreationRefused
from data_protection.keys import usable_key
from data_protection.readings import Read
from data_protection.reads.kms import KEY
from data_protection.reads.rds import CLUSTER_PARAMETERS, CLUSTERS, INSTANCES
from data_protection.resources import Kind, Resource, account_of, named

_VERSIONS: Final = {
    "aurora-postgresql": re.compile(r"\d{1,2}\.\d{1,2}"),
    "aurora-mysql": re.compile(r"\d\.\d\.mysql_aurora(\.\d{1,2}){3}"),
}


class Cluster(Server):
    """An Aurora cluster that is asked for.

    Attributes:
        name: Of it; its instances are called so with `-1` and so on.
        version: As `16.4`, or `8.0.mysql_aurora.3.08.0`.
        instances: How many; with two or more of them one takes over when the writer fails.
    """

    KIND: ClassVar = Kind.CLUSTER

    name: str = Field(max_length=60)  # of the 63 that AWS takes, so that instances find room for their number
    engine: Literal["aurora-postgresql", "aurora-mysql"]
    version: str
    instances: int = Field(default=2, ge=1, le=15)

    @field_validator("version")
    @classmethod
    def _is_of_its_engine(cls, version: str, given: ValidationInfo) -> str:
        engine = given.data.get("engine")  # which is told of by itself where it is none
        if engine is not None and not _VERSIONS[engine].fullmatch(version):
            raise ValueError(f"{version!r} is no version of {engine}: give one as 16.4 or 8.0.mysql_aurora.3.08.0")
        return version

    def needs(self) -> dict[str, Requirement]:
        """Return nothing: what is asked of it is asked of its instances."""
        return {}

    def parts(self) -> dict[tuple[Kind, str], dict[str, Requirement]]:
        """Return its instances, and what is asked of each."""
        return {(Kind.DATABASE, name): self.asked() for name in self.members}

    @property
    def members(self) -> list[str]:
        """Names of its instances."""
        return [f"{self.name}-{number}" for number in range(1, self.instances + 1)]


def _listed(look: Look[Cluster], read: Read, member: str) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = look.snapshot.get(read, account_of(look.resource.place))[member]
    return found


def _found(look: Look[Cluster]) -> Mapping[str, Any] | None:
    clusters = _listed(look, CLUSTERS, "DBClusters")
    return next((one for one in clusters if one["DBClusterIdentifier"] == look.resource.name), None)


def _members(look: Look[Cluster]) -> dict[str, Mapping[str, Any]]:
    """Return the instances that have the names of its own."""
    instances = {one["DBInstanceIdentifier"]: one for one in _listed(look, INSTANCES, "DBInstances")}
    return {name: instances[name] for name in look.wanted.members if name in instances}


def _tags(look: Look[Cluster]) -> Mapping[str, str] | None:
    found = _found(look)
    return None if found is None else by_name(found.get("TagList", []))


def _group(cluster: Resource) -> ParameterGroup:
    return ParameterGroup(
        Resource(Kind.CLUSTER_PARAMETER_GROUP, cluster.place, f"gatehouse-{cluster.name}"),
        what="db_cluster_parameter_group",
        member="DBClusterParameterGroup",
        group=OWN_CLUSTER_PARAMETER_GROUP,
        tags=CLUSTER_PARAMETER_GROUP_TAGS,
        parameters=CLUSTER_PARAMETERS,
    )


def _create(look: Look[Cluster]) -> Sequence[Call]:
    """Return the calls that are left for the parameter group, the cluster and its instances.

    Raises:
        CreationRefused: Others made an instance that has the name of one of its own.
    """
    members = _members(look)
    for name, member in members.items():
        if member.get("DBClusterIdentifier") != look.resource.name:
            raise CreationRefused(f"Others made the instance {name}: delete it, or name another cluster.")
    instances = [_instance(look, name) for name in look.wanted.members if name not in members]
    if _found(look) is not None:
        return instances
    return [*_group(look.resource).creation(look), _cluster(look), *instances]


def _cluster(look: Look[Cluster]) -> Call:
    wanted = look.wanted
    key = usable_key(look.case(), wanted.key, "a cluster")
    return call(
        "create_db_cluster",
        DBClusterIdentifier=wanted.name,
        DBClusterParameterGroupName=_group(look.resource).resource.name,
        **wanted.given(key, look.first_tags),
    )


def _instance(look: Look[Cluster], name: str) -> Call:
    wanted = look.wanted
    return call(
        "create_db_instance",
        DBInstanceIdentifier=name,
        DBClusterIdentifier=wanted.name,
        Engine=wanted.engine,
        DBInstanceClass=wanted.instance_class,
        PubliclyAccessible=False,
        AutoMinorVersionUpgrade=True,
        # Without a mark: that it is of the cluster says whose it is.
        Tags=listed(look.lasting_tags),
    )


def _fresh(look: Look[Cluster]) -> Answers:
    account, group, wanted = account_of(look.resource.place), _group(look.resource), look.wanted
    given = _cluster(look).parameters
    cluster = {
        **given,
        "Status": "available",
        "DBClusterParameterGroup": group.resource.name,
        "DBClusterMembers": [
            {"DBInstanceIdentifier": name, "DBClusterParameterGroupStatus": "in-sync"} for name in wanted.members
        ],
        "TagList": given["Tags"],
    }
    instances = [
        {**_instance(look, name).parameters, "DBInstanceStatus": "available", "DBParameterGroups": []}
        for name in wanted.members
    ]
    clusters = [one for one in _listed(look, CLUSTERS, "DBClusters") if one["DBClusterIdentifier"] != wanted.name]
    others = [
        one for one in _listed(look, INSTANCES, "DBInstances") if one["DBInstanceIdentifier"] not in wanted.members
    ]
    return {
        (account, CLUSTERS): {"DBClusters": [*clusters, cluster]},
        (account, INSTANCES): {"DBInstances": [*others, *instances]},
        **group.fresh(look),
    }


def _settling(look: Look[Cluster]) -> str:
    statuses = {look.resource.name: (_found(look) or {})["Status"]}
    statuses |= {name: member["DBInstanceStatus"] for name, member in _members(look).items()}
    return " ".join(f"{name} is {status}." for name, status in statuses.items() if status != "available")


def _finish(look: Look[Cluster]) -> Sequence[Call]:
    return _group(look.resource).finish(look)


def _names(resource: Resource, wanted: Cluster) -> Iterable[tuple[Resource, Read]]:
    yield named(Kind.KEY, resource.place, wanted.key), KEY
    yield from _group(resource).reads


def _differences(look: Look[Cluster]) -> Sequence[str]:
    strays = [name for name, one in _members(look).items() if one.get("DBClusterIdentifier") != look.wanted.name]
    return [*differences(look, _found(look) or {}), *(f"The instance {name} is not of it." for name in strays)]


RECIPE: Final = Recipe(
    wanted=Cluster,
    reads=(),
    names=_names,
    further=(KEY, OWN_CLUSTER_PARAMETER_GROUP, CLUSTER_PARAMETER_GROUP_TAGS, CLUSTER_PARAMETERS),
    tags=_tags,
    create=_create,
    fresh=_fresh,
    settling=_settling,
    finish=_finish,
    differences=_differences,
    operations=frozenset(
        {
            "rds:create_db_cluster_parameter_group",
            "rds:modify_db_cluster_parameter_group",
            "rds:create_db_cluster",
            "rds:create_db_instance",
            "rds:remove_tags_from_resource",
        }
    ),
    actions=ON_BEHALF
    | {
        "rds:AddTagsToResource",
        "rds:CreateDBClusterParameterGroup",
        "rds:ModifyDBClusterParameterGroup",
        "rds:CreateDBCluster",
        "rds:CreateDBInstance",
        "rds:RemoveTagsFromResource",
    },
    checks=CHECKS,
)
