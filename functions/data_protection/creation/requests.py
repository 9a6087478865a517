"""Requests: which resources shall be there, as YAML or JSON that people write.

`{account}` and `{region}` stand for those in which they are made.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from data_protection.checks.check import Requirement
from data_protection.creation.kinds.buckets import Bucket
from data_protection.creation.kinds.clusters import Cluster
from data_protection.creation.kinds.databases import Database
from data_protection.creation.kinds.keys import Key
from data_protection.creation.kinds.roles import Role
from data_protection.creation.kinds.secrets import Secret
from data_protection.creation.kinds.tables import Table
from data_protection.creation.recipe import Look, Wanted
from data_protection.documents import load
from data_protection.errors import CreationInvalid
from data_protection.profiles import Profile, Rule
from data_protection.resources import Kind, Place, Resource
from data_protection.selectors import Selector
from data_protection.snapshot import Snapshot
from kernel.sentences import sentences

# What all services take in a tag: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
_TAG_KEY: Final = re.compile(r"(?!aws:|gatehouse:)[A-Za-z0-9 _.:/=+@-]{1,128}", re.IGNORECASE)
_TAG_VALUE: Final = re.compile(r"[A-Za-z0-9 _.:/=+@-]{0,256}")


MOST: Final = 80
"""Resources of a request: so many have room in the history of the machine, though each were waited for to the last."""


class Request(BaseModel):
    """Resources that shall be there.

    Attributes:
        name: By which half-made resources are recognised as this request's; never give it to another one.
        tags: That each of them gets.
        keys, roles, buckets, tables, secrets, databases, clusters: The resources.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    tags: dict[str, str] = Field(default={}, max_length=40)  # of the 50 that AWS takes
    keys: tuple[Key, ...] = ()
    roles: tuple[Role, ...] = ()
    buckets: tuple[Bucket, ...] = ()
    tables: tuple[Table, ...] = ()
    secrets: tuple[Secret, ...] = ()
    databases: tuple[Database, ...] = ()
    clusters: tuple[Cluster, ...] = ()

    @field_validator("tags")
    @classmethod
    def _are_tags(cls, tags: dict[str, str]) -> dict[str, str]:
        for name, value in tags.items():
            if not _TAG_KEY.fullmatch(name):
                raise ValueError(f"{name!r} is no key of a tag; aws: and gatehouse: are kept by AWS and Gatehouse")
            if not _TAG_VALUE.fullmatch(value):
                raise ValueError(f"{value!r} is no value of the tag {name}")
        return tags

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if not self.all:
            raise ValueError("it asks for nothing")
        if len(self.all) > MOST:
            raise ValueError(f"it asks for {len(self.all)} resources, of at most {MOST}: make two requests of it")
        names = [name for one in self.all for name in ((one.KIND, one.name), *one.parts())]
        if twice := sorted({f"{kind} {name}" for kind, name in names if names.count((kind, name)) > 1}):
            raise ValueError(f"it asks twice for {twice[0]}")
        receivers = {bucket.name: bucket.receives_logs for bucket in self.buckets}
        for bucket in self.buckets:
            target = bucket.access_logs.target if bucket.access_logs else None
            if target == bucket.name:
                raise ValueError(f"{target} cannot log into itself: each log would be logged again")
            if target is not None and receivers.get(target) is False:
                raise ValueError(f"{bucket.name} logs into {target}, which the request does not say receives_logs of")
        return self

    @property
    def stages(self) -> tuple[tuple[Wanted, ...], ...]:
        """The resources in the order in which they are made; those of one stage need nothing of each other."""
        receivers = tuple(bucket for bucket in self.buckets if bucket.receives_logs)
        others = tuple(bucket for bucket in self.buckets if not bucket.receives_logs)
        return (self.keys, self.roles, receivers, others, self.tables, self.secrets, (*self.databases, *self.clusters))

    @property
    def all(self) -> tuple[Wanted, ...]:
        """All resources that are asked for, in that order."""
        return tuple(wanted for stage in self.stages for wanted in stage)


@dataclass(frozen=True)
class Wish:
    """One resource of a request.

    Attributes:
        request: Name of the request.
        tags: That everything of the request gets.
        resource: Which.
        wanted: What it shall be.
        stage: In which it is made.
    """

    request: str
    tags: Mapping[str, str]
    resource: Resource
    wanted: Wanted
    stage: int

    @property
    def asked(self) -> Mapping[tuple[Kind, str], dict[str, Requirement]]:
        """What is asked of it and of its parts, by kind and name."""
        return {(self.resource.kind, self.resource.name): self.wanted.needs(), **self.wanted.parts()}

    def look(self, snapshot: Snapshot, now: datetime) -> Look[Any]:
        """Return a look at it."""
        return Look(self.request, self.tags, self.resource, self.wanted, snapshot, now)


def wishes(request: Request, place: Place) -> list[Wish]:
    """Return the resources of a request in a place, in the order in which they are made."""
    return [
        Wish(request.name, request.tags, Resource(wanted.KIND, place, wanted.name), wanted, number)
        for number, stage in enumerate(request.stages)
        for wanted in stage
    ]


def profile_of(name: str, some: Iterable[Wish]) -> Profile:
    """Return the profile that asks of resources what is wanted of them."""
    rules = tuple(
        Rule.model_construct(kind=kind, select=(Selector(name=one),), requires=requires)
        for wish in some
        for (kind, one), requires in wish.asked.items()
        if requires
    )
    return Profile.model_construct(name=name, rules=rules, exceptions=())


def parse_request(text: str, place: Place, boundary: str) -> Request:
    """Return the request that a YAML or JSON text describes, with placeholders filled.

    Args:
        text: The document.
        place: Where its resources shall be.
        boundary: ARN of the policy that bounds every role; empty where roles are not to be made.

    Raises:
        CreationInvalid: The text is no YAML, or no request; the sentence says where and what.
    """
    try:
        request = Request.model_validate(_fill(load(text), place))
    except yaml.YAMLError as error:
        raise CreationInvalid(f"The request is no YAML: {' '.join(str(error).split())}.") from None
    except ValidationError as invalid:
        raise CreationInvalid(f"The request does not hold. {' '.join(sentences(invalid, Request))}") from None
    if not boundary and request.roles:
        raise CreationInvalid("Roles are made within a permissions boundary: deploy with DataProtectionBoundaryArn.")
    if any(role.boundary not in {"", boundary} for role in request.roles):
        raise CreationInvalid(f"Roles are made within {boundary} alone: leave out their boundary.")
    bounded = tuple(role.model_copy(update={"boundary": boundary}) for role in request.roles)
    return request.model_copy(update={"roles": bounded})


def _fill(value: Any, place: Place) -> Any:
    if isinstance(value, str):
        return value.replace("{account}", place.account).replace("{region}", place.region)
    if isinstance(value, Mapping):
        return {key: _fill(item, place) for key, item in value.items()}
    return [_fill(item, place) for item in value] if isinstance(value, list) else value
