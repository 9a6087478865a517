"""Profiles: which resources are in scope, what each must have, and who answers for exceptions.

A profile is YAML that people write; `parse` turns it into models or into one sentence that says what is wrong.
One profile serves many places: `{account}` and `{region}` in names and requirements stand for those of the place.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, Final, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Requirement
from data_protection.checks.scope_listed import SCOPE_LISTED, Listed, Selected
from data_protection.documents import load
from data_protection.drift.policy import DriftPolicy
from data_protection.errors import ProfileInvalid
from data_protection.inventory import Inventory
from data_protection.remediation.policy import Policy
from data_protection.resources import GLOBAL, Kind, Place, Resource, account_of, named
from data_protection.selectors import Name, Selector, fill
from kernel.sentences import nearest, sentences

# A sentence about one of a list.
_OF_A_LIST: Final = re.compile(r"`(?P<list>rules|exceptions)\[(?P<number>\d+)\]\.?(?P<field>[^`]*)`(?P<said>.*)")
_ENTRIES: Final = {"rules": "Rule", "exceptions": "Exception"}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rule(_Model):
    """What some resources of a kind must have.

    Attributes:
        kind: Of them.
        select: Which; of the account there is one, so that a rule about it selects nothing.
        requires: What is asked, by the id of the check; a later rule replaces what an earlier one asks too.
    """

    kind: Kind
    select: tuple[Selector, ...] = ()
    requires: dict[str, Requirement]

    @field_validator("requires", mode="before")
    @classmethod
    def _by_check(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        asked: dict[str, Requirement] = {}
        mistakes: list[str] = []
        for check, settings in given.items():
            if check not in catalogue():
                mistakes.append(f"There is no check {check}; {nearest(str(check), catalogue())}")
                continue
            model = catalogue()[check].requirement
            try:
                asked[check] = model.model_validate(settings or {})
            except ValidationError as invalid:
                mistakes += [f"{check}: {sentence}" for sentence in sentences(invalid, model)]
        if mistakes:
            raise ValueError(" ".join(mistakes))
        return asked

    def covers(
        self, resource: Resource, tags: Mapping[str, str] | None, aliases: Collection[str] = frozenset()
    ) -> bool:
        """Return whether it is about a resource, by its name, its tags and what else it is called."""
        if self.kind is not resource.kind:
            return False
        return self.kind is Kind.ACCOUNT or any(one.matches(resource, tags, aliases) for one in self.select)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.kind is Kind.ACCOUNT) == bool(self.select):
            raise ValueError(
                "a rule about the account selects nothing" if self.select else f"say which {self.kind} are meant"
            )
        for check in self.requires:
            if catalogue()[check].kind is not self.kind:
                raise ValueError(f"{check} is about {catalogue()[check].kind}, not about {self.kind}")
        return self


class Exception_(_Model):  # noqa: N801 - what everybody calls it, and Python too
    """A failure that somebody answers for.

    Attributes:
        check: Id of it.
        kind: Of the resource.
        name: Of the resource, that of the account being its number; exact, so that an exception never grows.
        owner: Who answers for it.
        reason: Why it is right.
        expires: The last day on which it holds, in UTC.
    """

    check: str
    kind: Kind
    name: Name
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=10)
    expires: date

    def is_about(self, check: str, resource: Resource) -> bool:
        """Return whether it is about a check on a resource, on whatever day."""
        return (self.check, self.kind) == (check, resource.kind) and fill(self.name, resource.place) in {
            resource.name,
            resource.arn,
        }

    @field_validator("check")
    @classmethod
    def _exists(cls, check: str) -> str:
        if check not in catalogue():
            raise ValueError(f"there is no check {check}; {nearest(check, catalogue())}")
        return check

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (kind := catalogue()[self.check].kind) is not self.kind:
            raise ValueError(
                f"{self.check} is about {kind}, so that an exception for {self.kind} {self.name} would never hold: "
                f"give a resource of kind {kind}"
            )
        return self


class Profile(_Model):
    """What is in scope and what it must have.

    Attributes:
        name: Of the profile.
        rules: In order; what several ask of a resource is joined.
        exceptions: That hold until they expire.
        remediation: Who must agree to changes, when they may be made, and how many.
        drift: What may be done about drift without asking.
        standard_checks: How many checks the standard that it follows speaks of, if that names a number: where the
            requirements come to another one, reports say so.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    rules: tuple[Rule, ...] = Field(min_length=1)
    exceptions: tuple[Exception_, ...] = ()
    remediation: Policy = Policy()
    drift: DriftPolicy = DriftPolicy()
    standard_checks: int | None = Field(default=None, ge=1)

    def expected(self, place: Place) -> frozenset[Resource]:
        """Return the resources that must exist in a place, the account itself if anything is asked of it."""
        names = {(rule.kind, one.name) for rule in self.rules for one in rule.select if one.name is not None}
        resources = {
            named(kind, place, fill(name, place)) for kind, name in names if place.is_home or kind not in GLOBAL
        }
        if self.listing(place).selected or any(rule.kind is Kind.ACCOUNT for rule in self.rules):
            resources.add(account_of(place))
        return frozenset(resources)

    def listing(self, place: Place) -> Listed:
        """Return what must be listed in a place to know the scope: what is selected by pattern or tag, once."""
        selected = (
            Selected(kind=rule.kind, by=one)
            for rule in self.rules
            for one in rule.select
            if one.name is None and (place.is_home or rule.kind not in GLOBAL)
        )
        return Listed(selected=tuple({(one.kind, str(one.by)): one for one in selected}.values()))

    def has(self, kind: Kind, place: Place) -> bool:
        """Return whether resources of a kind may be in scope in a place."""
        return (place.is_home or kind not in GLOBAL) and any(rule.kind is kind for rule in self.rules)

    def may_cover(self, resource: Resource) -> bool:
        """Return whether a resource is in scope by its name, or may be by its tags."""
        return any(
            rule.kind is resource.kind and (one.tag is not None or one.matches(resource, None))
            for rule in self.rules
            for one in rule.select
        )

    def scope(self, inventory: Inventory) -> dict[Resource, dict[str, Requirement]]:
        """Return what is asked of each resource in scope, by check, in order.

        What is named and was listed by another name, as a key by its id, is in it once.

        Args:
            inventory: Of the place.
        """
        expected = self.expected(inventory.place)
        known = {inventory.arn_of(resource) for resource in expected}
        found = inventory.listed(self.listing(inventory.place).kinds)
        resources = expected.union(one for one in found if inventory.arn_of(one) not in known)
        asked = {
            resource: self.asked(resource, inventory.tags_of(resource), inventory.aliases_of(resource))
            for resource in sorted(resources)
        }
        return {resource: requirements for resource, requirements in asked.items() if requirements}

    def asked(
        self, resource: Resource, tags: Mapping[str, str] | None, aliases: Collection[str] = frozenset()
    ) -> dict[str, Requirement]:
        """Return what is asked of a resource, by check; empty for one that is not in scope.

        Args:
            resource: Which.
            tags: Of it; None where they are not known.
            aliases: What else it is called.
        """
        asked: dict[str, Requirement] = {}
        for rule in self.rules:
            if rule.covers(resource, tags, aliases):
                asked |= rule.requires
        if resource.kind is Kind.ACCOUNT and (listing := self.listing(resource.place)).selected:
            asked[SCOPE_LISTED] = listing
        return {check: _at(resource.place, requirement) for check, requirement in asked.items()}

    def asks_by_tag(self, check: str) -> bool:
        """Return whether what a check asks of a resource may depend on its tags."""
        return any(check in rule.requires and any(one.tag is not None for one in rule.select) for rule in self.rules)

    def exception(self, check: str, resource: Resource, today: date) -> Exception_ | None:
        """Return the exception that holds for a check on a resource today, if there is one."""
        for one in self._exceptions_of(check, resource):
            if today <= one.expires:
                return one
        return None

    def lapsed(self, check: str, resource: Resource, today: date) -> Exception_ | None:
        """Return the exception for a check on a resource that ended last, if there was one."""
        ended = [one for one in self._exceptions_of(check, resource) if one.expires < today]
        return max(ended, key=lambda one: one.expires, default=None)

    def _exceptions_of(self, check: str, resource: Resource) -> Iterable[Exception_]:
        return (one for one in self.exceptions if one.is_about(check, resource))


def _at(place: Place, requirement: Requirement) -> Requirement:
    """Return a requirement with the placeholders filled."""
    return type(requirement).model_validate(fill(requirement.model_dump(), place))


def parse(text: str, named: str = "The profile") -> Profile:
    """Return the profile that a YAML text describes.

    Args:
        text: The document.
        named: How sentences about it begin: which it is, and where it stands.

    Raises:
        ProfileInvalid: The text is no YAML, or no profile; sentences say where and what.
    """
    try:
        document = load(text)
    except yaml.YAMLError as error:
        raise ProfileInvalid(f"{named} is no YAML: {' '.join(str(error).split())}.") from None
    try:
        return Profile.model_validate(document)
    except ValidationError as invalid:
        told = " ".join(_told(sentence, document) for sentence in sentences(invalid, Profile))
        raise ProfileInvalid(f"{named} does not hold. {told}") from None


def _told(sentence: str, document: Any) -> str:
    """Return a sentence about a rule or an exception with its number and what it is about, as people find it."""
    found = _OF_A_LIST.match(sentence)
    if found is None:
        return sentence
    entry = document[found["list"]][int(found["number"])]
    told = f"{_ENTRIES[found['list']]} {int(found['number']) + 1} ({_about(entry)})"
    field = found["field"]
    if (found["list"], field) == ("rules", "requires") and isinstance(entry.get(field), Mapping):
        field = ""  # what is asked is there, and the sentence names the check
    return f"{told}: `{field}`{found['said']}" if field else f"{told}: {found['said'].removeprefix(': ')}"


def _about(entry: Any) -> str:
    """Return what an entry of a profile is about, whatever is wrong with it."""
    if not isinstance(entry, Mapping):
        return "no object"
    selected = entry.get("select", ())
    by = [one for one in selected if isinstance(one, Mapping)] if isinstance(selected, list) else []
    told = [*(f"{key} {value}" for one in by for key, value in one.items()), str(entry.get("name", ""))]
    return f"{entry.get('check', entry.get('kind', 'no kind'))} {', '.join(filter(None, told))}".strip()
