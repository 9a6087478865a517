"""What a place has, where it is and which tags it carries, as far as calls about the account as a whole tell. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Final, TypeAlias

from data_protection.readings import Answer, Found, Read, Reading
from data_protection.reads.iam import AUTHORIZATION
from data_protection.reads.listings import ALIASES, BUCKETS, KEYS, SECRETS, TABLES, TOPICS
from data_protection.reads.rds import INSTANCES
from data_protection.reads.tagging import TAGS
from data_protection.resources import ALIAS, Kind, Place, Resource, account_of, named

Readings: TypeAlias = Mapping[tuple[Resource, str], Reading]
Tags: TypeAlias = Mapping[str, str]

_RANDOM: Final = len("-AbCdEf")  # what AWS adds to the name of a secret in its ARN


@dataclass(frozen=True)
class Listing:
    """How resources of a kind are listed.

    Attributes:
        read: The call about the account.
        names: Of the resources in its answer, or their ARNs.
    """

    read: Read
    names: Callable[[Answer], Iterable[str]]


def _members(member: str, field: str) -> Callable[[Answer], Iterable[str]]:
    return lambda answer: (item[field] for item in answer[member])


LISTINGS: Final[Mapping[Kind, Listing]] = {
    Kind.TABLE: Listing(TABLES, lambda answer: answer["TableNames"]),
    Kind.BUCKET: Listing(BUCKETS, _members("Buckets", "Name")),
    Kind.TOPIC: Listing(TOPICS, _members("Topics", "TopicArn")),
    Kind.KEY: Listing(KEYS, _members("Keys", "KeyArn")),
    Kind.SECRET: Listing(SECRETS, _members("SecretList", "Name")),
    Kind.DATABASE: Listing(INSTANCES, _members("DBInstances", "DBInstanceIdentifier")),
    Kind.ROLE: Listing(AUTHORIZATION, _members("RoleDetailList", "RoleName")),
}


def reads_of(kinds: Iterable[Kind]) -> list[Read]:
    """Return the calls about the account that list resources of these kinds, what keys are called, and all tags."""
    reads = [TAGS, *(LISTINGS[kind].read for kind in sorted(kinds))]
    return [*reads, ALIASES] if KEYS in reads else reads


def tags_of_answer(tags: Iterable[Mapping[str, str]]) -> Tags:
    """Return tags as most services answer with them, by key."""
    return {tag["Key"]: tag["Value"] for tag in tags}


class Inventory:
    """What is known of a place's resources before anything is read of one of them.

    Args:
        place: Which.
        readings: Of the account at least.
    """

    def __init__(self, place: Place, readings: Readings) -> None:
        self.place = place
        self._readings = readings
        self._tagged: dict[str, Mapping[str, Tags] | None] = {}

    def listed(self, kinds: Iterable[Kind]) -> list[Resource]:
        """Return the resources of these kinds that were listed, by their plain names; of a kind that was not, none."""
        return [
            named(kind, self.place, name)
            for kind in sorted(kinds)
            if (answer := self._answer(LISTINGS[kind].read))
            for name in LISTINGS[kind].names(answer)
        ]

    def region_of(self, bucket: str) -> str | None:
        """Return where a bucket is; None where that is not known.

        Where nobody asked, as for what is made in a place, it is taken to be in the place.
        """
        if (account_of(self.place), BUCKETS.name) not in self._readings:
            return self.place.region
        return self._regions.get(bucket)

    @cached_property
    def _regions(self) -> Mapping[str, str]:
        found = self._answer(BUCKETS).get("Buckets", ())
        return {bucket["Name"]: bucket["BucketRegion"] for bucket in found if "BucketRegion" in bucket}

    def aliases_of(self, resource: Resource) -> frozenset[str]:
        """Return what else a resource is called: of a key its aliases, as far as they were listed."""
        if resource.kind is not Kind.KEY or resource.place != self.place:
            return frozenset()
        itself = self.arn_of(resource)
        return frozenset(alias for alias, arn in self._keys.items() if arn == itself)

    @cached_property
    def _keys(self) -> Mapping[str, str]:
        """The ARNs of keys by their aliases."""
        aliases = self._answer(ALIASES).get("Aliases", ())
        return {
            one["AliasName"]: Resource(Kind.KEY, self.place, one["TargetKeyId"]).arn
            for one in aliases
            if "TargetKeyId" in one
        }

    def arn_of(self, resource: Resource) -> str:
        """Return the ARN of a resource; as far as its name tells it, where nothing was read that tells more."""
        match resource.kind:
            case Kind.KEY:
                return self._keys.get(resource.name, resource.arn)
            case Kind.SECRET:
                return self._secrets.get(resource.name, resource.arn)
            case Kind.ROLE:
                return str(self._roles.get(resource.name, {}).get("Arn", resource.arn))
        return resource.arn

    @cached_property
    def _secrets(self) -> Mapping[str, str]:
        return {one["Name"]: one["ARN"] for one in self._answer(SECRETS).get("SecretList", ())}

    @cached_property
    def _roles(self) -> Mapping[str, Mapping[str, Any]]:
        """Roles by their names, and by their ARNs, by which those with a path may be named."""
        roles = self._answer(AUTHORIZATION).get("RoleDetailList", ())
        return {role[called]: role for role in roles for called in ("RoleName", "Arn")}

    def tags_of(self, resource: Resource) -> Tags | None:
        """Return the tags of a resource; None where they are not known."""
        if resource.kind is not Kind.ROLE:
            return self.tags_by_arn(self.arn_of(resource))
        if not self._answer(AUTHORIZATION):
            return None
        return tags_of_answer(self._roles.get(resource.name, {}).get("Tags", ()))

    def tags_by_arn(self, arn: str) -> Tags | None:
        """Return the tags of what has an ARN; None where they are not known, as of other accounts or by an alias.

        The ARN of a secret may lack what AWS adds to its name.
        """
        _, _, service, region, account, path = arn.split(":", 5)
        if account not in {"", self.place.account} or path.startswith(ALIAS):
            return None
        if service == "iam":  # the account itself, which has none
            return {}
        where = self.region_of(path) if service == "s3" else region
        tagged = None if where is None else self._tags_in(where)
        return None if tagged is None else tagged.get(arn, {})

    def _tags_in(self, region: str) -> Mapping[str, Tags] | None:
        """Return the tags of what has or had some in a region, by ARN; None where they were not read."""
        if region not in self._tagged:
            reading = self._readings.get((account_of(replace(self.place, region=region)), TAGS.name))
            self._tagged[region] = _by_arn(reading.answer) if isinstance(reading, Found) else None
        return self._tagged[region]

    def _answer(self, read: Read) -> Answer:
        reading = self._readings.get((account_of(self.place), read.name))
        return reading.answer if isinstance(reading, Found) else {}


def _by_arn(answer: Answer) -> Mapping[str, Tags]:
    tagged = {one["ResourceARN"]: tags_of_answer(one["Tags"]) for one in answer["ResourceTagMappingList"]}
    # The name of a secret is all of its ARN but what AWS added.
    secrets = {arn[:-_RANDOM]: tags for arn, tags in tagged.items() if arn.split(":")[2] == "secretsmanager"}
    return secrets | tagged
