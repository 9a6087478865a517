"""What must be read to judge a place by a profile, each call once, and where answers lead. Pure."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Check, Requirement
from data_protection.inventory import Inventory, Readings, reads_of
from data_protection.profiles import Profile
from data_protection.readings import Found, Read, Reading
from data_protection.reads.listings import BUCKETS
from data_protection.reads.tagging import TAGS
from data_protection.resources import GLOBAL, Kind, Place, Resource, account_of

_PLACELESS: Final = GLOBAL | {Kind.ACCESS_LOG}  # known by the place that is assessed, wherever they are
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
        undoing: Whether changes of these checks are to be undone, which may need more than their verdicts.
    """

    def __init__(
        self,
        place: Place,
        profile: Profile,
        only: Container[tuple[str, Resource]] | None = None,
        *,
        undoing: bool = False,
    ) -> None:
        self.place = place
        self._profile = profile
        self._only = only
        self._undoing = undoing
        self._inventory = Inventory(place, {})
        self._made: set[Question] = set()
        self._further: frozenset[Read] = frozenset()

    def inventory(self) -> list[Question]:
        """Return the calls that must be answered before anything else is asked."""
        kinds = set(self._profile.listing(self.place).kinds)
        # Where a bucket is says whose keys and tags are its own.
        if self._profile.has(Kind.BUCKET, self.place):
            kinds.add(Kind.BUCKET)
        return list(self._new(account_of(self.place), reads_of(kinds)))

    def begin(self, readings: Readings) -> list[Question]:
        """Return the calls about all that the profile has in scope.

        Args:
            readings: Of the inventory.
        """
        self._inventory = Inventory(self.place, readings)
        scope = self._profile.scope(self._inventory)
        asked = {
            resource: {
                check: requirement
                for check, requirement in requirements.items()
                if self._only is None or (check, resource) in self._only
            }
            for resource, requirements in scope.items()
        }
        self._further = frozenset(
            read
            for requirements in asked.values()
            for check in requirements
            for read in (*catalogue()[check].further, *self._before_undoing(catalogue()[check]))
        )
        return [
            question
            for resource, requirements in asked.items()
            for check, requirement in requirements.items()
            for question in self._of(resource, catalogue()[check], requirement, scope[resource])
        ] + list(self._of_others(scope, asked))

    def follow(self, question: Question, reading: Reading) -> list[Question]:
        """Return the calls that an answer leads to: of the resources it names, what any check needs further."""
        if not isinstance(reading, Found):
            return []
        if question.read == BUCKETS:
            return list(self._tags_elsewhere(Inventory(self.place, {(question.resource, BUCKETS.name): reading})))
        if question.read.leads_to is None:
            return []
        return [
            further
            for resource in question.read.leads_to(self._where_it_is(question.resource), reading.answer)
            for further in self._new(resource, (read for read in self._further if read.kind is resource.kind))
        ]

    def _tags_elsewhere(self, buckets: Inventory) -> Iterable[Question]:
        """Yield the calls that tell the tags of buckets outside the place: AWS answers for one region at a time."""
        covered = (one for one in buckets.listed({Kind.BUCKET}) if self._profile.may_cover(one))
        for region in sorted({region for one in covered if (region := buckets.region_of(one.name)) is not None}):
            if region != self.place.region:
                yield Question(account_of(replace(self.place, region=region)), TAGS)

    def _where_it_is(self, resource: Resource) -> Resource:
        """Return a bucket by the region that it is in, to which what it names belongs; other resources as they are."""
        region = self._inventory.region_of(resource.name) if resource.kind is Kind.BUCKET else None
        return resource if region is None else replace(resource, place=replace(resource.place, region=region))

    def _of(
        self, resource: Resource, check: Check[Any], requirement: Requirement, needs: Mapping[str, Requirement]
    ) -> Iterable[Question]:
        yield from self._new(resource, check.reads)
        beside = [(catalogue()[other], needs[other]) for other in check.beside if other in needs]
        for one, asked in ((check, requirement), *beside):
            for other, read in one.names(self._where_it_is(resource).place, asked):
                yield from self._new(other, (read,))

    def _of_others(self, scope: _Needs, asked: _Needs) -> Iterable[Question]:
        """Yield what is asked of resources that are left out, where a check that is not, or its undoing, needs it.

        Only what their own checks ask too, so that the check says the same, whatever else is judged with it; and what
        is read of the account, of which there is one.
        """
        compared = {
            (catalogue()[check].kind, read)
            for requirements in asked.values()
            for check in requirements
            for read in (*catalogue()[check].others, *self._before_undoing(catalogue()[check]))
        }
        for resource, requirements in scope.items():
            own = {read for check in requirements for read in catalogue()[check].reads}
            yield from self._new(resource, (read for kind, read in compared if kind is resource.kind and read in own))
        yield from self._new(account_of(self.place), (read for _, read in compared if read.kind is Kind.ACCOUNT))

    def _before_undoing(self, check: Check[Any]) -> Iterable[Read]:
        return check.undoing_reads if self._undoing else ()

    def _new(self, resource: Resource, reads: Iterable[Read]) -> Iterable[Question]:
        if resource.kind in _PLACELESS:
            resource = replace(resource, place=self.place)
        for read in reads:
            question = Question(account_of(self.place) if read.kind is Kind.ACCOUNT else resource, read)
            if question not in self._made:
                self._made.add(question)
                yield question
