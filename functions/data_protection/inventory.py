"""What a place has, as far as a profile must know to find its scope, and the tags of it. Pure."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from data_protection.readings import Answer, Found, Read, Reading
from data_protection.reads.iam import AUTHORIZATION
from data_protection.reads.listings import BUCKETS, KEYS, SECRETS, TABLES, TOPICS
from data_protection.reads.rds import INSTANCES
from data_protection.reads.tagging import TAGS
from data_protection.resources import Kind, Place, Resource, account_of

Readings: TypeAlias = Mapping[tuple[Resource, str], Reading]


@dataclass(frozen=True)
class Listing:
    """How resources of a kind are listed.

    Attributes:
        read: The call about the account.
        names: Of the resources in its answer.
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
    """Return the calls about the account that list resources of these kinds and all tags."""
    return [TAGS, *(LISTINGS[kind].read for kind in sorted(kinds))]


def listed(place: Place, readings: Readings, kinds: Iterable[Kind]) -> list[Resource]:
    """Return the resources of these kinds that were listed; of a kind that could not be, none."""
    account = account_of(place)
    return [
        Resource(kind, place, name)
        for kind in sorted(kinds)
        if isinstance(reading := readings.get((account, LISTINGS[kind].read.name)), Found)
        for name in LISTINGS[kind].names(reading.answer)
    ]


def tags_by_arn(place: Place, readings: Readings) -> Mapping[str, Mapping[str, str]] | None:
    """Return the tags of resources that have or had some, by ARN; None where they could not be read."""
    reading = readings.get((account_of(place), TAGS.name))
    if not isinstance(reading, Found):
        return None
    return {
        mapping["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in mapping["Tags"]}
        for mapping in reading.answer["ResourceTagMappingList"]
    }
