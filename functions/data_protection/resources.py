"""What can be protected."""

from dataclasses import dataclass, field, replace
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
    CLUSTER = "rds-cluster"
    PARAMETER_GROUP = "rds-parameter-group"
    CLUSTER_PARAMETER_GROUP = "rds-cluster-parameter-group"
    ROLE = "iam-role"


GLOBAL: Final = frozenset({Kind.BUCKET, Kind.ROLE})
ALIAS: Final = "alias/"  # what the name of a key begins with that is none of AWS' ids

_ARN_PARTS: Final = 6  # arn, partition, service, region, account, and what the service says
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
        (Kind.CLUSTER, "rds", "cluster:"),
        (Kind.PARAMETER_GROUP, "rds", "pg:"),
        (Kind.CLUSTER_PARAMETER_GROUP, "rds", "cluster-pg:"),
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
        """The ARN as far as the name tells it: the same whatever can be read, so findings are kept by it.

        AWS adds random characters to that of a secret, and a role's may have a path. What was read of these tells more:
        `Snapshot.arn_of`.
        """
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
            case Kind.KEY if self.name.startswith(ALIAS):
                return f"arn:{place.partition}:kms:{place.region}:{place.account}:{self.name}"
        return f"arn:{place.partition}:{_ARNS[self.kind].format(place=place, name=self.name)}"

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"


def account_of(place: Place) -> Resource:
    """Return what stands for the account in a region as a whole."""
    return Resource(Kind.ACCOUNT, place, place.account)


def named(kind: Kind, place: Place, name: str) -> Resource:
    """Return the resource of a name or an ARN, one and the same however a profile, a listing or an answer calls it.

    One of the place itself gets its plain name, as profiles name it; one of another region is read there. A secret
    keeps its ARN: the end of that is six characters of AWS', which are no part of the name.
    """
    parts = name.split(":", _ARN_PARTS - 1)
    if parts[0] != "arn" or len(parts) < _ARN_PARTS:
        return Resource(kind, place, name)
    region, path = parts[3], parts[5]
    last = path.replace(":", "/").rpartition("/")[2]
    plain = Resource(kind, place, path if path.startswith(ALIAS) else last)
    if plain.arn == name and kind is not Kind.SECRET:
        return plain
    return Resource(kind, replace(place, region=region or place.region), name)
