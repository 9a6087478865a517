"""What a recipe is: how resources of one kind are asked for, recognised, made and compared. Pure.

Most of what makes a resource secure is said by checks: their requirements are what is asked, their mutators make it so,
and their validators tell what differs. A recipe adds what no check knows: how the resource comes into being.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict

from data_protection.changes import Call
from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Case, Check, Requirement, Scope
from data_protection.creation.tags import CREATED_BY, CREATING
from data_protection.readings import Found, NotConfigured, Read, Reading
from data_protection.reads.kms import KEY
from data_protection.resources import Kind, Resource, named
from data_protection.snapshot import Snapshot


class Wanted(BaseModel, ABC):
    """A resource that is asked for; each kind has fields of its own.

    Attributes:
        name: Of it, as AWS' calls take it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    KIND: ClassVar[Kind]

    name: str

    @abstractmethod
    def needs(self) -> dict[str, Requirement]:
        """Return what is asked of it, by check."""

    def parts(self) -> Mapping[tuple[Kind, str], dict[str, Requirement]]:
        """Return what is asked of the resources that it is made of, by kind and name; most are made of none."""
        return {}


W = TypeVar("W", bound=Wanted)

# What AWS answers to a read of a resource; None for what was never configured.
Answers: TypeAlias = Mapping[tuple[Resource, Read], Mapping[str, Any] | None]


@dataclass(frozen=True)
class Look(Generic[W]):
    """A resource that is asked for, and what was read of it and of what it needs.

    Attributes:
        request: Name of the request.
        tags: That everything of the request gets.
        resource: Which.
        wanted: What it shall be.
        snapshot: What was read.
        now: The time.
    """

    request: str
    tags: Mapping[str, str]
    resource: Resource
    wanted: W
    snapshot: Snapshot
    now: datetime

    @property
    def maker(self) -> str:
        """Who makes it, as the tag on what is half made says."""
        return f"{self.request}/{self.resource.name}"

    @property
    def lasting_tags(self) -> dict[str, str]:
        """The tags that stay."""
        return {**self.tags, CREATED_BY: self.request}

    @property
    def first_tags(self) -> dict[str, str]:
        """The tags with which it comes into being."""
        return {**self.lasting_tags, CREATING: self.maker}

    def cases(self) -> Iterable[tuple[Check[Any], Case[Any]]]:
        """Yield each check that is asked of it and of its parts, with its case."""
        place = self.resource.place
        asked = {Resource(kind, place, name): needs for (kind, name), needs in self.wanted.parts().items()}
        scope = Scope([self.resource, *asked], {self.resource: self.wanted.needs(), **asked})
        for resource, needs in scope.needs.items():
            for check, requirement in needs.items():
                yield catalogue()[check], Case(resource, requirement, self.snapshot, self.now, scope)

    def case(self) -> Case[Any]:
        """Return the case of no check, for what checks and recipes have in common."""
        needs = self.wanted.needs()
        return Case(
            self.resource, Requirement(), self.snapshot, self.now, Scope([self.resource], {self.resource: needs})
        )

    def key_arn(self, name: str) -> str:
        """Return the ARN of a key that was read; its name where it is not there."""
        reading = self.snapshot.reading(KEY, named(Kind.KEY, self.resource.place, name))
        return str(reading.answer["KeyMetadata"]["Arn"]) if isinstance(reading, Found) else name

    def knowing(self, answers: Answers) -> "Look[W]":
        """Return the look as it were if AWS answered this."""
        known: dict[tuple[Resource, str], Reading] = {
            (resource, read.name): NotConfigured("") if answer is None else Found(answer)
            for (resource, read), answer in answers.items()
        }
        snapshot = replace(self.snapshot, readings={**self.snapshot.readings, **known})
        return replace(self, snapshot=snapshot)


@dataclass(frozen=True, kw_only=True)
class Recipe(Generic[W]):
    """How resources of a kind are made.

    Attributes:
        wanted: Model of what may be asked for.
        reads: What must be read of the resource, beside what its checks read.
        names: What must be read of what else it names.
        further: What must be read of the resources that these answers lead to.
        tags: Returns the tags of the resource; None where it does not exist.
        create: The calls that are left to bring it into being, in order; none where it exists as a whole.
        fresh: What AWS answers of one that was just made, as far as the checks that are asked need it.
        rest: The calls that it takes then beside those of the checks' mutators, in order; none where none is left.
        finish: Takes the mark off that it is being made.
        differences: In what it is not as it was asked for, beside what the checks say; a sentence each.
        settling: Why nothing can be done to it now; empty where something can.
        operations: What it and the mutators may call while it is made; what only undoes is not among it.
        actions: IAM actions that these need.
        checks: That may be asked of the kind.
    """

    wanted: type[W]
    reads: tuple[Read, ...]
    tags: Callable[[Look[W]], Mapping[str, str] | None]
    create: Callable[[Look[W]], Sequence[Call]]
    fresh: Callable[[Look[W]], Answers]
    finish: Callable[[Look[W]], Sequence[Call]]
    operations: frozenset[str]
    actions: frozenset[str]
    checks: frozenset[str]
    names: Callable[[Resource, W], Iterable[tuple[Resource, Read]]] = lambda _resource, _wanted: ()
    further: tuple[Read, ...] = ()
    rest: Callable[[Look[W]], Sequence[Call]] = lambda _look: ()
    differences: Callable[[Look[W]], Sequence[str]] = lambda _look: ()
    settling: Callable[[Look[W]], str] = lambda _look: ""

    @property
    def kind(self) -> Kind:
        """Of the resources."""
        return self.wanted.KIND
