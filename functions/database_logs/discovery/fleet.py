"""The fleet: accounts and regions whose databases are collected, and which of their instances are."""

import re
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from database_logs.contracts import FileRef
from database_logs.discovery.instances import Instance
from database_logs.errors import FleetInvalid
from database_logs.log_types import LogType

# DescribeDBInstances has the instances of Neptune, DocumentDB and RDS Custom (custom-*), too. The latter's logs are on
# their hosts: DescribeDBLogFiles "doesn't apply to RDS Custom" (Amazon RDS API reference).
_FAMILIES: Final = re.compile(r"aurora.*|mysql|mariadb|postgres|sqlserver-.*|oracle-.*")
# Of AssumeRole (AWS STS API reference, ExternalId).
_EXTERNAL_ID: Final = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)


class Estate(BaseModel):
    """What one account has in one region.

    Attributes:
        role_arn, external_id: Of the role that reads it, both or neither; without, the functions' own role does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    account: Annotated[str, Field(pattern=r"^\d{12}$")]
    region: str
    role_arn: str | None = None
    external_id: str = ""

    @field_validator("external_id")
    @classmethod
    def _is_taken_by_sts(cls, value: str) -> str:
        if value and not _EXTERNAL_ID.fullmatch(value):
            raise ValueError("it is either empty or 2 to 1,224 letters, digits and _+=,.@:/-")
        return value

    @model_validator(mode="after")
    def _is_known_to_its_role(self) -> Self:
        # What its trust policy asks for, lest others who may use Gatehouse reach databases by its hand: IAM user guide,
        # "The confused deputy problem".
        if (self.role_arn is None) != (not self.external_id):
            raise ValueError("role_arn and external_id go together")
        return self

    @property
    def place(self) -> str:
        """What its items in the tables are kept under."""
        return f"{self.account}/{self.region}"

    def file(self, instance: Instance, log_type: LogType, file: str) -> FileRef:
        """Return the reference of a log file of one of its instances."""
        return FileRef(
            account=self.account,
            region=self.region,
            dbi_resource_id=instance.dbi_resource_id,
            instance_id=instance.instance_id,
            cluster_id=instance.cluster_id,
            engine=instance.engine,
            log_type=log_type,
            file=file,
            tags=instance.tags,
        )


class Fleet(BaseModel):
    """Which logs are collected.

    Attributes:
        estates: Where.
        engines: Of these engines only, as DescribeDBInstances has them; none: of all that write logs.
        tags: Of instances that have all of these tags.
        include, exclude: Regular expressions that must match, or must not match, the whole identifier.
        interval_seconds: How often an instance that writes is looked at.
        longest_interval_seconds: How often one that does not.
        rate: Calls a second that an account answers in a region; AWS publishes none, 14 were observed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    estates: Annotated[list[Estate], Field(min_length=1)]
    engines: list[str] = []
    tags: dict[str, str] = {}
    include: str = ".*"
    exclude: str = ""
    interval_seconds: Annotated[int, Field(ge=60)] = 300
    longest_interval_seconds: Annotated[int, Field(ge=60)] = 600
    rate: Annotated[float, Field(gt=0)] = 12.0

    def estate(self, account: str, region: str) -> Estate:
        """Return an estate.

        Raises:
            FleetInvalid: There is no such estate (any more).
        """
        for estate in self.estates:
            if (estate.account, estate.region) == (account, region):
                return estate
        raise FleetInvalid(f"The fleet has no estate {account} in {region}: add it, or let its tasks run out.")

    def has(self, instance: Instance) -> bool:
        """Whether an instance's logs are collected."""
        return (
            _FAMILIES.fullmatch(instance.engine) is not None
            and (not self.engines or instance.engine in self.engines)
            and self.tags.items() <= instance.tags.items()
            and re.fullmatch(self.include, instance.instance_id) is not None
            and not (self.exclude and re.fullmatch(self.exclude, instance.instance_id))
        )


def parse_fleet(document: str) -> Fleet:
    """Return the fleet that a JSON document tells of.

    Raises:
        FleetInvalid: The sentence names the field.
    """
    try:
        fleet = Fleet.model_validate_json(document)
        re.compile(fleet.include)
        re.compile(fleet.exclude)
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "document"
        raise FleetInvalid(f"The fleet's {place} does not hold: {first['msg']}.") from None
    except re.error as error:
        raise FleetInvalid(f"{error.pattern!r} of the fleet is no regular expression: {error}.") from None
    return fleet
