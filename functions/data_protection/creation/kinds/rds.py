"""What instances and clusters of RDS have in common when they are asked for, and their parameter groups.

A parameter group is there and asks for TLS before what it is of is made.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from pydantic import Field, field_validator, model_validator

from data_protection.changes import Call
from data_protection.checks.check import Requirement
from data_protection.checks.rds_backup import AutomatedBackups
from data_protection.checks.rds_encryption import StorageEncryption
from data_protection.checks.rds_public import NoPublicAccess
from data_protection.checks.rds_tls import TlsRequired
from data_protection.creation.recipe import Look, Wanted
from data_protection.creation.tags import CREATING, by_name, listed
from data_protection.errors import CreationRefused
from data_protection.readings import Missing, Read
from data_protection.resources import Resource

# API reference of CreateDBInstance and CreateDBCluster; RDS keeps names in lower case.
_NAME: Final = re.compile(r"[a-z](?:-?[a-z0-9]){0,62}")
_USER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,15}")
_RESERVED: Final = frozenset({"admin", "all", "authorization", "postgres", "public", "rdsadmin", "root", "user"})
# By engine, after Aurora's name: the parameter that asks for TLS, how many parts of a version name the family of its
# parameter groups, and the oldest version that can ask for TLS.
_TLS: Final = {"postgres": "rds.force_ssl", "mysql": "require_secure_transport", "mariadb": "require_secure_transport"}
_PARTS: Final = {"postgres": 1, "mysql": 2, "mariadb": 2}
# MariaDB knows require_secure_transport since 10.5: https://mariadb.com/kb/en/server-system-variables/
_OLDEST: Final = {"postgres": (11,), "mysql": (8, 0), "mariadb": (10, 5)}

# RDS asks for them in the name of who makes what it encrypts, for the storage and the managed password; see
# "Permissions required for Secrets Manager integration" in its user guide.
ON_BEHALF: Final = frozenset(
    {
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "secretsmanager:CreateSecret",
        "secretsmanager:TagResource",
        "iam:CreateServiceLinkedRole",
    }
)
CHECKS: Final = frozenset({"RDS-ENC", "RDS-PUBLIC", "RDS-BACKUP", "RDS-TLS"})


class Server(Wanted):
    """What is asked for. It is always encrypted, private, protected from deletion and over TLS alone.

    Attributes:
        engine: Of it.
        version: Of the engine.
        instance_class: As `db.t4g.medium`.
        username: Of the master user, whose password RDS makes, keeps and rotates in Secrets Manager.
        key: ARN, id or alias of the key that encrypts storage and password.
        subnet_group: Of private subnets.
        security_groups: Ids.
        backup_days: That backups are kept.
    """

    engine: str
    version: str
    instance_class: str = Field(pattern=r"^db\.[a-z0-9]+\.[a-z0-9]+$")
    username: str
    key: str = Field(min_length=1)
    subnet_group: str = Field(min_length=1, max_length=255)
    security_groups: tuple[str, ...] = Field(min_length=1, max_length=5)
    backup_days: int = Field(default=30, ge=30, le=35)

    @field_validator("name")
    @classmethod
    def _is_taken_by_rds(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name!r} is no name for a database: give up to 63 lower-case letters, digits and single hyphens, a "
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
        given = tuple(int(part) for part in self._family_parts)
        oldest = _OLDEST[self._kin]
        if len(given) < _PARTS[self._kin] or given < oldest:
            said = ".".join(map(str, oldest))
            raise ValueError(f"{self.engine} {self.version} cannot ask all clients for TLS; give {said} or newer")
        return self

    def given(self, key: str, tags: Mapping[str, str]) -> dict[str, Any]:
        """Return the parameters that an instance by itself and a cluster are made with alike.

        Args:
            key: ARN of the key that encrypts storage and password.
            tags: Of it, by their keys.
        """
        return {
            "Engine": self.engine,
            "EngineVersion": self.version,
            "MasterUsername": self.username,
            "ManageMasterUserPassword": True,
            "MasterUserSecretKmsKeyId": key,
            "StorageEncrypted": True,
            "KmsKeyId": key,
            "DBSubnetGroupName": self.subnet_group,
            "VpcSecurityGroupIds": list(self.security_groups),
            "BackupRetentionPeriod": self.backup_days,
            "CopyTagsToSnapshot": True,
            "DeletionProtection": True,
            "Tags": listed(tags),
        }

    @property
    def _kin(self) -> str:
        """The engine that it descends from, as `postgres` for Aurora PostgreSQL."""
        return next(name for name in _TLS if self.engine.removeprefix("aurora-").startswith(name))

    @property
    def _family_parts(self) -> list[str]:
        return self.version.split(".")[: _PARTS[self._kin]]

    @property
    def family(self) -> str:
        """Of its parameter group, as `postgres16`."""
        return self.engine + ".".join(self._family_parts)

    @property
    def tls(self) -> str:
        """The parameter that asks for TLS."""
        return _TLS[self._kin]

    def asked(self) -> dict[str, Requirement]:
        """Return what is asked of an instance, by check."""
        return {
            "RDS-ENC": StorageEncryption(),
            "RDS-PUBLIC": NoPublicAccess(),
            "RDS-BACKUP": AutomatedBackups(days=self.backup_days),
            "RDS-TLS": TlsRequired(),
        }


def call(operation: str, **parameters: Any) -> Call:
    """Return a call of RDS."""
    return Call(service="rds", operation=operation, parameters=parameters)


def differences(look: Look[Any], found: Mapping[str, Any]) -> list[str]:
    """Return in what a server is not as asked that no check sees, a sentence each.

    Args:
        look: At what is wanted, a `Server`.
        found: What AWS says of the instance or cluster.
    """
    wanted, key = look.wanted, look.key_arn(look.wanted.key)
    return [
        *([f"Its engine is {found['Engine']}."] if found["Engine"] != wanted.engine else []),
        *([f"It is encrypted with {found.get('KmsKeyId', 'no key')}."] if found.get("KmsKeyId") != key else []),
        *([] if found.get("DeletionProtection") else ["It can be deleted by one call."]),
        *([] if found.get("MasterUserSecret") else ["Its password is not kept by RDS."]),
    ]


@dataclass(frozen=True)
class ParameterGroup:
    """The parameter group that is made for a database, and how AWS calls such groups.

    Attributes:
        resource: Which.
        what: `db_parameter_group` in operations.
        member: `DBParameterGroup` in parameters and answers.
        group: Reads whether there is one.
        tags: Reads its tags.
        parameters: Reads its parameters.
    """

    resource: Resource
    what: str
    member: str
    group: Read
    tags: Read
    parameters: Read

    @property
    def reads(self) -> Iterable[tuple[Resource, Read]]:
        """What must be read of it."""
        return [(self.resource, read) for read in (self.group, self.tags, self.parameters)]

    def creation(self, look: Look[Any]) -> Sequence[Call]:
        """Return the calls that are left until it is there and asks for TLS.

        Raises:
            CreationRefused: Others made one of that name.
        """
        wanted, name = look.wanted, {f"{self.member}Name": self.resource.name}
        first = call(
            f"create_{self.what}",
            **name,
            DBParameterGroupFamily=wanted.family,
            Description=f"Parameters of {look.resource.name}: TLS alone",
            Tags=listed(look.first_tags),
        )
        setting = {"ParameterName": wanted.tls, "ParameterValue": "1", "ApplyMethod": "pending-reboot"}
        change = call(f"modify_{self.what}", **name, Parameters=[setting])
        reading = look.snapshot.reading(self.group, self.resource)
        if isinstance(reading, Missing) or not look.snapshot.get(self.group, self.resource)[f"{self.member}s"]:
            return [first, change]
        if self._tags(look).get(CREATING) != look.maker:
            raise CreationRefused(
                f"Others made the parameter group {self.resource.name}: delete it, or name another database."
            )
        present = look.snapshot.get(self.parameters, self.resource)["Parameters"]
        is_set = any(one["ParameterName"] == wanted.tls and one.get("ParameterValue") == "1" for one in present)
        return [] if is_set else [change]

    def fresh(self, look: Look[Any]) -> dict[tuple[Resource, Read], dict[str, Any]]:
        """Return what AWS answers of it once it is made."""
        return {
            (self.resource, self.parameters): {
                "Parameters": [{"ParameterName": look.wanted.tls, "ParameterValue": "1"}]
            },
            (self.resource, self.tags): {"TagList": listed(look.first_tags)},
        }

    def finish(self, look: Look[Any]) -> Sequence[Call]:
        """Return the calls that take the mark off the group, then off what it is of."""
        marked = [self.resource, look.resource] if CREATING in self._tags(look) else [look.resource]
        return [call("remove_tags_from_resource", ResourceName=one.arn, TagKeys=[CREATING]) for one in marked]

    def _tags(self, look: Look[Any]) -> dict[str, str]:
        return by_name(look.snapshot.get(self.tags, self.resource)["TagList"])
