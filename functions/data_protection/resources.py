"""What can be protected."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Kinds of resources, by the names that profiles and reports use."""

    ACCOUNT = "account"  # what exists once in an account and region: trails, alarms, backup plans as a whole
    TABLE = "dynamodb-table"
    BUCKET = "s3-bucket"
    ACCESS_LOG = "s3-access-log"  # what S3 delivers of one bucket's accesses into another one
    TRAIL = "cloudtrail-trail"
    BACKUP_PLAN = "backup-plan"
    BACKUP_SELECTION = "backup-selection"
    BACKUP_VAULT = "backup-vault"
    TOPIC = "sns-topic"
    KEY = "kms-key"
    SECRET = "secretsmanager-secret"  # noqa: S105 - the name of a kind
    DATABASE = "rds-instance"
    PARAMETER_GROUP = "rds-parameter-group"
    ROLE = "iam-role"


GLOBAL: Final = frozenset({Kind.BUCKET, Kind.ROLE})

_ARNS: Final = {
    kind: f"{service}:{{place.region}}:{{place.account}}:{path}{{name}}"
    for kind, service, path in (
        (Kind.TABLE, "dynamodb", "table/"),
        (Kind.TRAIL, "cloudtrail", "trail/"),
        (Kind.BACKUP_PLAN, "backup", "backup-plan:"),
        (Kind.BACKUP_SELECTION, "backup", "backup-plan:"),
        (Kind.BACKUP_VAULT, "backup", "backup-vault:"),
        (Kind.TOPIC, "sns", ""),
        (Kind.KEY, "kms", "key/"),
        (Kind.SECRET, "secretsmanager", "secret:"),
        (Kind.DATABASE, "rds", "db:"),
        (Kind.PARAMETER_GROUP, "rds", "pg:"),
    )
}


@dataclass(frozen=True, order=True)
class Place:
    """An account in a region.

    Attributes:
        account: Its 12 digits.
        region: As `eu-central-1`.
        partition: `aws`, or that of China or GovCloud.
        is_home: Whether what is global is assessed here; it is in one region of an account.
    """

    account: str
    region: str
    partition: str = "aws"
    is_home: bool = field(default=True, compare=False)

    def __str__(self) -> str:
        return f"{self.account}/{self.region}"


@dataclass(frozen=True, order=True)
class Resource:
    """One resource of an account.

    Attributes:
        kind: Of it.
        place: Where it is; of a global one, the place that was assessed.
        name: What AWS' calls take: a name, an ARN or an id, by kind. A backup selection's is `plan id/selection id`, an
            access log's the bucket that receives it and the form of its keys, as `logs/site/[YYYY]-[MM]-[DD]`.
    """

    kind: Kind
    place: Place
    name: str

    @property
    def arn(self) -> str:
        """The ARN, by which reports name it."""
        if self.name.startswith("arn:"):
            return self.name
        place = self.place
        match self.kind:
            case Kind.BUCKET | Kind.ACCESS_LOG:
                return f"arn:{place.partition}:s3:::{self.name}"
            case Kind.ROLE:
                return f"arn:{place.partition}:iam::{place.account}:role/{self.name}"
            case Kind.ACCOUNT:
                return f"arn:{place.partition}:iam::{place.account}:root"
        return f"arn:{place.partition}:{_ARNS[self.kind].format(place=place, name=self.name)}"

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def account_of(place: Place) -> Resource:
    """Return what stands for the account in a region as a whole."""
    return Resource(Kind.ACCOUNT, place, place.account)


def named(kind: Kind, place: Place, name: str) -> Resource:
    """Return the resource of a name or an ARN; one of the place itself gets its plain name, as profiles name it."""
    if not name.startswith("arn:"):
        return Resource(kind, place, name)
    plain = Resource(kind, place, re.split("[:/]", name)[-1])
    return plain if plain.arn == name else Resource(kind, place, name)
