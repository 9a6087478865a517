"""RDS instances: encrypted, private, backed up, over TLS alone; their password is made and kept by RDS."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from data_protection.changes import Call
from data_protection.checks.check import Requirement
from data_protection.checks.rds_backup import AutomatedBackups
from data_protection.checks.rds_encryption import StorageEncryption
from data_protection.checks.rds_public import NoPublicAccess
from data_protection.checks.rds_tls import TlsRequired
from data_protection.creation.reads import OWN_PARAMETER_GROUP, PARAMETER_GROUP_TAGS
from data_protection.creation.recipe import Answers, Look, Recipe, Wanted
from data_protection.creation.tags import CREATING, by_name, listed
from data_protection.errors import CreationRefused
from data_protection.keys import usable_key
from data_protection.readings import Missing, Read
from data_protection.reads.kms import KEY
from data_protection.reads.rds import INSTANCES, PARAMETERS
from data_protection.resources import Kind, Resource, account_of, named

# API reference of CreateDBInstance; RDS keeps names in lower case.
_NAME: Final = re.compile(r"[a-z](?:-?[a-z0-9]){0,62}")
_USER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,15}")
_RESERVED: Final = frozenset({"admin", "all", "authorization", "postgres", "public", "rdsadmin", "root", "user"})
# By engine: the parameter that asks for TLS, and how the family of its parameter groups is called by version.
_TLS: Final = {"postgres": "rds.force_ssl", "mysql": "require_secure_transport", "mariadb": "require_secure_transport"}
_PARTS: Final = {"postgres": 1, "mysql": 2, "mariadb": 2}
# MariaDB knows require_secure_transport since 10.5: https://mariadb.com/kb/en/server-system-variables/
_OLDEST: Final = {"postgres": (11,), "mysql": (8, 0), "mariadb": (10, 5)}


class Database(Wanted):
    """An instance that is asked for. It is always encrypted, private, protected from deletion and over TLS alone.

    Attributes:
        engine: Of it.
        version: Of the engine, as `16.3`.
        instance_class: As `db.t4g.medium`.
        gigabytes: Of storage, gp3.
        username: Of the master user, whose password RDS makes, keeps and rotates in Secrets Manager.
        key: ARN, id or alias of the key that encrypts storage and password.
        subnet_group: Of private subnets.
        security_groups: Ids.
        backup_days: That backups are kept.
        multi_az: Whether a standby in another zone takes over.
    """

    KIND: ClassVar = Kind.DATABASE

    engine: Literal["postgres", "mysql", "mariadb"]
    version: str = Field(pattern=r"^\d{1,2}(\.\d{1,2}){0,2}$")
    instance_class: str = Field(pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$")
    gigabytes: int = Field(ge=20, le=65_536)
    username: str
    key: str = Field(min_length=1)
    subnet_group: str = Field(min_length=1, max_length=255)
    security_groups: tuple[str, ...] = Field(min_length=1, max_length=5)
    backup_days: int = Field(default=30, ge=30, le=35)
    multi_az: bool = True

    @field_validator("name")
    @classmethod
    def _is_taken_by_rds(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no name for an instance: give up to 63 lower-case letters, digits and single hyphens, a "
                "letter first and no hyphen last"
            )
        return name

    @field_validator("username")
    @classmethod
    def _is_no_reserved_word(cls, username: str) -> str:
        if not _USER.fullmatch(username) or username.lower() in _RESERVED:
            raise ValueError(f"{username!r} is no master user: give up to 16 letters, digits and _, a letter first")
        return username

    @field_validator("security_groups")
    @classmethod
    def _are_groups(cls, groups: tuple[str, ...]) -> tuple[str, ...]:
        for group in groups:
            if not re.fullmatch(r"sg-[0-9a-f]{8,17}", group):
                raise ValueError(f"{group!r} is no id of a security group")
        return groups

    @model_validator(mode="after")
    def _has_a_family(self) -> Self:
        given = tuple(int(part) for part in self.version.split("."))
        if len(given) < _PARTS[self.engine] or given < _OLDEST[self.engine]:
            oldest = ".".join(map(str, _OLDEST[self.engine]))
            raise ValueError(f"{self.engine} {self.version} cannot ask all clients for TLS; give {oldest} or newer")
        return self

    @property
    def family(self) -> str:
        """Of its parameter group, as `postgres16`."""
        return self.engine + ".".join(self.version.split(".")[: _PARTS[self.engine]])

    def needs(self) -> dict[str, Requirement]:
        """Return what is asked of it, by check."""
        return {
            "RDS-ENC": StorageEncryption(),
            "RDS-PUBLIC": NoPublicAccess(),
            "RDS-BACKUP": AutomatedBackups(days=self.backup_days),
            "RDS-TLS": TlsRequired(),
        }


def _found(look: Look[Database]) -> Mapping[str, Any] | None:
    instances: list[Mapping[str, Any]] = look.snapshot.get(INSTANCES, account_of(look.resource.place))["DBInstances"]
    return next((one for one in instances if one["DBInstanceIdentifier"] == look.resource.name), None)


def _tags(look: Look[Database]) -> Mapping[str, str] | None:
    found = _found(look)
    return None if found is None else by_name(found.get("TagList", []))


def _group(resource: Resource) -> Resource:
    return Resource(Kind.PARAMETER_GROUP, resource.place, f"gatehouse-{resource.name}")


def _create(look: Look[Database]) -> Sequence[Call]:
    return [] if _found(look) is not None else [*_parameters(look), _instance(look)]


def _parameters(look: Look[Database]) -> Sequence[Call]:
    """Return the calls that are left for the parameter group, which is there and set before the instance is.

    Raises:
        CreationRefused: Others made one of that name.
    """
    group, tls = _group(look.resource), _TLS[look.wanted.engine]
    creation = _call(
        "create_db_parameter_group",
        DBParameterGroupName=group.name,
        DBParameterGroupFamily=look.wanted.family,
        Description=f"Parameters of {look.resource.name}: TLS alone",
        Tags=listed(look.first_tags),
    )
    setting = {"ParameterName": tls, "ParameterValue": "1", "ApplyMethod": "pending-reboot"}
    change = _call("modify_db_parameter_group", DBParameterGroupName=group.name, Parameters=[setting])
    reading = look.snapshot.reading(OWN_PARAMETER_GROUP, group)
    if isinstance(reading, Missing) or not look.snapshot.get(OWN_PARAMETER_GROUP, group)["DBParameterGroups"]:
        return [creation, change]
    tags = by_name(look.snapshot.get(PARAMETER_GROUP_TAGS, group)["TagList"])
    if tags.get(CREATING) != look.maker:
        raise CreationRefused(f"Others made the parameter group {group.name}: delete it, or name another instance.")
    present = look.snapshot.get(PARAMETERS, group)["Parameters"]
    is_set = any(one["ParameterName"] == tls and one.get("ParameterValue") == "1" for one in present)
    return [] if is_set else [change]


def _instance(look: Look[Database]) -> Call:
    wanted = look.wanted
    key = usable_key(look.case(), wanted.key, "an instance")
    return _call(
        "create_db_instance",
        DBInstanceIdentifier=wanted.name,
        Engine=wanted.engine,
        EngineVersion=wanted.version,
        DBInstanceClass=wanted.instance_class,
        AllocatedStorage=wanted.gigabytes,
        StorageType="gp3",
        MasterUsername=wanted.username,
        ManageMasterUserPassword=True,
        MasterUserSecretKmsKeyId=key,
        StorageEncrypted=True,
        KmsKeyId=key,
        DBParameterGroupName=_group(look.resource).name,
        DBSubnetGroupName=wanted.subnet_group,
        VpcSecurityGroupIds=list(wanted.security_groups),
        PubliclyAccessible=False,
        BackupRetentionPeriod=wanted.backup_days,
        CopyTagsToSnapshot=True,
        DeletionProtection=True,
        MultiAZ=wanted.multi_az,
        AutoMinorVersionUpgrade=True,
        Tags=listed(look.first_tags),
    )


def _call(operation: str, **parameters: Any) -> Call:
    return Call(service="rds", operation=operation, parameters=parameters)


def _fresh(look: Look[Database]) -> Answers:
    account, group = account_of(look.resource.place), _group(look.resource)
    answer, given = look.snapshot.get(INSTANCES, account), _instance(look).parameters
    described = {
        **given,
        "DBInstanceStatus": "available",
        "DBParameterGroups": [{"DBParameterGroupName": group.name, "ParameterApplyStatus": "in-sync"}],
        "TagList": given["Tags"],
    }
    tls = {"ParameterName": _TLS[look.wanted.engine], "ParameterValue": "1"}
    return {
        (account, INSTANCES): {**answer, "DBInstances": [*answer["DBInstances"], described]},
        (group, PARAMETERS): {"Parameters": [tls]},
        (group, PARAMETER_GROUP_TAGS): {"TagList": given["Tags"]},
    }


def _settling(look: Look[Database]) -> str:
    status = (_found(look) or {})["DBInstanceStatus"]
    return "" if status == "available" else f"It is {status}."


def _finish(look: Look[Database]) -> Sequence[Call]:
    group = _group(look.resource)
    is_marked = CREATING in by_name(look.snapshot.get(PARAMETER_GROUP_TAGS, group)["TagList"])
    return [
        _call("remove_tags_from_resource", ResourceName=resource.arn, TagKeys=[CREATING])
        for resource in ((group, look.resource) if is_marked else (look.resource,))
    ]


def _names(resource: Resource, wanted: Database) -> Iterable[tuple[Resource, Read]]:
    yield named(Kind.KEY, resource.place, wanted.key), KEY
    for read in (OWN_PARAMETER_GROUP, PARAMETER_GROUP_TAGS, PARAMETERS):
        yield _group(resource), read


def _differences(look: Look[Database]) -> Sequence[str]:
    found, wanted = _found(look) or {}, look.wanted
    key = look.key_arn(wanted.key)
    return [
        *([f"Its engine is {found['Engine']}."] if found["Engine"] != wanted.engine else []),
        *([f"It is encrypted with {found.get('KmsKeyId', 'no key')}."] if found.get("KmsKeyId") != key else []),
        *([] if found.get("DeletionProtection") else ["It can be deleted by one call."]),
        *([] if found.get("MasterUserSecret") else ["Its password is not kept by RDS."]),
    ]


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
    actions=frozenset(
        {
            "rds:AddTagsToResource",
            "rds:CreateDBParameterGroup",
            "rds:ModifyDBParameterGroup",
            "rds:CreateDBInstance",
            "rds:RemoveTagsFromResource",
            # RDS asks for them in the name of who makes the instance, for its storage and its managed password; see
            # "Permissions required for Secrets Manager integration" in its user guide.
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:GenerateDataKey",
            "secretsmanager:CreateSecret",
            "secretsmanager:TagResource",
            "iam:CreateServiceLinkedRole",
        }
    ),
    checks=frozenset({"RDS-ENC", "RDS-PUBLIC", "RDS-BACKUP", "RDS-TLS"}),
)
