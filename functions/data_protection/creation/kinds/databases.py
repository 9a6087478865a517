"""RDS instances: encrypted, private, backed up, over TLS alone; their password is made and kept by RDS."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal

from pydantic import Field

from data_protection.changes import Call
from data_protection.checks.check import Requirement
from data_protection.creation.kinds.rds import CHECKS, ON_BEHALF, ParameterGroup, Server, call, differences
from data_protection.creation.reads import OWN_PARAMETER_GROUP, PARAMETER_GROUP_TAGS
from data_protection.creation.recipe import Answers, Look, Recipe
from data_protection.creation.tags import by_name
from data_protection.keys import usable_key
from data_protection.readings import Read
from data_protection.reads.kms import KEY
from data_protection.reads.rds import INSTANCES, PARAMETERS
from data_protection.resources import Kind, Resource, account_of, named


class Database(Server):
    """An instance that is asked for.

    Attributes:
        version: As `16.3`.
        gigabytes: Of storage, gp3.
        multi_az: Whether a standby in another zone takes over.
    """

    KIND: ClassVar = Kind.DATABASE

    engine: Literal["postgres", "mysql", "mariadb"]
    version: str = Field(pattern=r"^\d{1,2}(\.\d{1,2}){0,2}$")
    gigabytes: int = Field(ge=20, le=65_536)
    multi_az: bool = True

    def needs(self) -> dict[str, Requirement]:
        """Return what is asked of it, by check."""
        return self.asked()


def _found(look: Look[Database]) -> Mapping[str, Any] | None:
    instances: list[Mapping[str, Any]] = look.snapshot.get(INSTANCES, account_of(look.resource.place))["DBInstances"]
    return next((one for one in instances if one["DBInstanceIdentifier"] == look.resource.name), None)


def _tags(look: Look[Database]) -> Mapping[str, str] | None:
    found = _found(look)
    return None if found is None else by_name(found.get("TagList", []))


def _group(database: Resource) -> ParameterGroup:
    return ParameterGroup(
        Resource(Kind.PARAMETER_GROUP, database.place, f"gatehouse-{database.name}"),
        what="db_parameter_group",
        member="DBParameterGroup",
        group=OWN_PARAMETER_GROUP,
        tags=PARAMETER_GROUP_TAGS,
        parameters=PARAMETERS,
    )


def _create(look: Look[Database]) -> Sequence[Call]:
    return [] if _found(look) is not None else [*_group(look.resource).creation(look), _instance(look)]


def _instance(look: Look[Database]) -> Call:
    wanted = look.wanted
    key = usable_key(look.case(), wanted.key, "an instance")
    return call(
        "create_db_instance",
        DBInstanceIdentifier=wanted.name,
        DBInstanceClass=wanted.instance_class,
        AllocatedStorage=wanted.gigabytes,
        StorageType="gp3",
        DBParameterGroupName=_group(look.resource).resource.name,
        PubliclyAccessible=False,
        MultiAZ=wanted.multi_az,
        AutoMinorVersionUpgrade=True,
        **wanted.given(key, look.first_tags),
    )


def _fresh(look: Look[Database]) -> Answers:
    account, group = account_of(look.resource.place), _group(look.resource)
    answer, given = look.snapshot.get(INSTANCES, account), _instance(look).parameters
    described = {
        **given,
        "DBInstanceStatus": "available",
        "DBParameterGroups": [{"DBParameterGroupName": group.resource.name, "ParameterApplyStatus": "in-sync"}],
        "TagList": given["Tags"],
    }
    return {(account, INSTANCES): {**answer, "DBInstances": [*answer["DBInstances"], described]}, **group.fresh(look)}


def _settling(look: Look[Database]) -> str:
    status = (_found(look) or {})["DBInstanceStatus"]
    return "" if status == "available" else f"It is {status}."


def _finish(look: Look[Database]) -> Sequence[Call]:
    return _group(look.resource).finish(look)


def _names(resource: Resource, wanted: Database) -> Iterable[tuple[Resource, Read]]:
    yield named(Kind.KEY, resource.place, wanted.key), KEY
    yield from _group(resource).reads


def _differences(look: Look[Database]) -> Sequence[str]:
    return differences(look, _found(look) or {})


RECIPE: Final = Recipe(
    wanted=Database,
    reads=(),
    names=_names,
    further=(KEY, OWN_PARAMETER_GROUP, PARAMETER_GROUP_TAGS, PARAMETERS),
    tags=_tags,
    create=_create,
    fresh=_fresh,
    settling=_settling,
    finish=_finish,
    differences=_differences,
    operations=frozenset(
        {
            "rds:create_db_parameter_group",
            "rds:modify_db_parameter_group",
            "rds:create_db_instance",
            "rds:remove_tags_from_resource",
        }
    ),
    actions=ON_BEHALF
    | {
        "rds:AddTagsToResource",
        "rds:CreateDBParameterGroup",
        "rds:ModifyDBParameterGroup",
        "rds:CreateDBInstance",
        "rds:RemoveTagsFromResource",
    },
    checks=CHECKS,
)
