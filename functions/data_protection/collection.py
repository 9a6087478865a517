"""What must be read to judge a place by a profile, each call once, and where answers lead. Pure."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Check, Requirement
from data_protection.inventory import Readings, listed, reads_of, tags_by_arn
from data_protection.profiles import Profile
from data_protection.readings import Found, Read, Reading
from data_protection.resources import Kind, Place, Resource, account_of

_Needs: TypeAlias = Mapping[Resource, Mapping[str, Requirement]]


@dataclass(frozen=True)
class Question:
    """One call to make.

    Attributes:
        resource: What it is about.
        read: The call.
    """

    resource: Resource
    read: Read


class Questions:
    """The calls of one snapshot: none is made twice, however many checks need it.

    First comes the inventory, then, by what it says, what is asked of each resource in scope, and then where answers
    lead.

    Args:
        place: That is read.
        profile: That says what is in scope.
        only: Of what is in scope, just these checks on these resources; None for all.
    """

    def __init__(self, place: Place, profile: Profile, only: Container[tuple[str, Resource]] | None = None) -> None:
        self.place = place
        self._profile = profile
        self._only = only
        self._made: set[Question] = set()
        self._further: frozenset[Read] = frozenset()

    def inventory(self) -> list[Question]:
        """Return the calls that must be answered before anything else is asked."""
        return list(self._new(account_of(self.place), reads_of(self._profile.discovered(self.place))))

    def begin(self, readings: Readings) -> list[Question]:
        """Return the calls about all that the profile has in scope.

        Args:
            readings: Of the inventory.
        """
        scope = self._profile.scope(
            self.place,
            listed(self.place, readings, self._profile.discovered(self.place)),
            tags_by_arn(self.place, readings) or {},
        )
        asked = {
            resource: {
                check: requirement
                for check, requirement in requirements.items()
                if self._only is None or (check, resource) in self._only
            }
            for resource, requirements in scope.items()
        }
        self._further = frozenset(
            read for requirements in asked.values() for check in requirements for read in catalogue()[check].further
        )
        return [
            question
            for resource, requirements in asked.items()
            for check, requirement in requirements.items()
            for question in self._of(resource, catalogue()[check], requirement, scope[resource])
        ] + list(self._of_others(scope, asked))

    def follow(self, question: Question, reading: Reading) -> list[Question]:
        """Return the calls that an answer leads to: of the resources it names, what any check needs further."""
        if not isinstance(reading, Found) or question.read.leads_to is None:
            return []
        return [
            further
            for resource in question.read.leads_to(question.resource, reading.answer)
            for further in self._new(resource, (read for read in self._further if read.kind is resource.kind))
        ]

    def _of(
        self, resource: Resource, check: Check[Any], requirement: Requirement, needs: Mapping[str, Requirement]
    ) -> Iterable[Question]:
        yield from self._new(resource, check.reads)
        beside = [(catalogue()[other], needs[other]) for other in check.beside if other in needs]
        for one, asked in ((check, requirement), *beside):
            for other, read in one.names(self.place, asked):
                yield from self._new(other, (read,))

    def _of_others(self, scope: _Needs, asked: _Needs) -> Iterable[Question]:
        """Yield what is asked of resources that are left out, where a check that is not sees something from them.

        Only what their own checks ask too, so that the check says the same, whatever else is judged with it.
        """
        compared = {
            (catalogue()[check].kind, read)
            for requirements in asked.values()
            for check in requirements
            for read in catalogue()[check].others
        }
        for resource, requirements in scope.items():
            own = {read for check in requirements for read in catalogue()[check].reads}
            yield from self._new(resource, (read for kind, read in compared if kind is resource.kind and read in own))

    def _new(self, resource: Resource, reads: Iterable[Read]) -> Iterable[Question]:
        for read in reads:
            question = Question(account_of(self.place) if read.kind is Kind.ACCOUNT else resource, read)
            if question not in self._made:
                self._made.add(question)
                yield question
