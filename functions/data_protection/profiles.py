"""Profiles: which resources are in scope, what each must have, and who answers for exceptions.

A profile is YAML that people write; `parse` turns it into models or into one sentence that says what is wrong.
One profile serves many places: `{account}` and `{region}` in names and requirements stand for those of the place.
"""

import fnmatch
import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Annotated, Any, Final, Self

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from data_protection.checks.catalogue import catalogue
from data_protection.checks.check import Requirement
from data_protection.checks.scope_listed import SCOPE_LISTED, Listed
from data_protection.drift.policy import DriftPolicy
from data_protection.errors import ProfileInvalid
from data_protection.remediation.policy import Policy
from data_protection.resources import GLOBAL, Kind, Place, Resource, account_of

_LEAST_LITERAL: Final = 3  # characters of a pattern that are no wildcard
_WILDCARDS: Final = frozenset("*?[]!")
_PLACEHOLDERS: Final = frozenset({"{account}", "{region}"})


def _placed(name: str) -> str:
    """Refuse a placeholder that nothing fills, by which a slip of the pen would name what cannot exist."""
    unknown = sorted(set(re.findall(r"\{[^}]*\}?", name)) - _PLACEHOLDERS)
    if unknown:
        raise ValueError(
            f"nothing fills {', '.join(unknown)} in {name!r}; give one of {', '.join(sorted(_PLACEHOLDERS))}"
        )
    return name


_Name = Annotated[str, AfterValidator(_placed)]


def _fill(value: Any, place: Place) -> Any:
    if isinstance(value, str):
        return value.replace("{account}", place.account).replace("{region}", place.region)
    if isinstance(value, Mapping):
        return {key: _fill(item, place) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return tuple(_fill(item, place) for item in value)
    return value


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Selector(_Model):
    """What a rule of a profile is about: exactly one of a name, a pattern and a tag.

    Attributes:
        name: A resource that must exist; its absence is a finding.
        pattern: Of names, with `*`, `?` and `[...]`; whatever matches.
        tag: Key and value; whatever carries it.
    """

    name: _Name | None = None
    pattern: str | None = None
    tag: dict[str, str] | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [field for field in ("name", "pattern", "tag") if getattr(self, field) is not None]
        if len(given) != 1:
            raise ValueError(f"give exactly one of name, pattern and tag, not {', '.join(given) or 'none'}")
        if self.tag is not None and len(self.tag) != 1:
            raise ValueError("give one key and its value as the tag")
        return self

    @field_validator("pattern")
    @classmethod
    def _is_narrow(cls, pattern: str | None) -> str | None:
        """Refuse a pattern that matches everything, by which a slip of the pen would put an account in scope."""
        if pattern is not None and sum(character not in _WILDCARDS for character in pattern) < _LEAST_LITERAL:
            raise ValueError(
                f"the pattern {pattern!r} matches too much: give at least {_LEAST_LITERAL} literal characters"
            )
        return pattern

    def matches(self, resource: Resource, tags: Mapping[str, str]) -> bool:
        """Return whether a resource is meant."""
        if self.name is not None:
            return bool(resource.name == _fill(self.name, resource.place))
        if self.pattern is not None:
            return fnmatch.fnmatchcase(resource.name, self.pattern)
        return all(tags.get(key) == value for key, value in (self.tag or {}).items())


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
        unknown = sorted(str(check) for check in given if check not in catalogue())
        if unknown:
            raise ValueError(f"there is no check {', '.join(unknown)}; the checks are {', '.join(catalogue())}")
        return {check: catalogue()[check].requirement.model_validate(asked or {}) for check, asked in given.items()}

    def covers(self, resource: Resource, tags: Mapping[str, str]) -> bool:
        """Return whether it is about a resource."""
        if self.kind is not resource.kind:
            return False
        return self.kind is Kind.ACCOUNT or any(one.matches(resource, tags) for one in self.select)

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
    name: _Name
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=10)
    expires: date

    @field_validator("check")
    @classmethod
    def _exists(cls, check: str) -> str:
        if check not in catalogue():
            raise ValueError(f"there is no check {check}")
        return check


class Profile(_Model):
    """What is in scope and what it must have.

    Attributes:
        name: Of the profile.
        rules: In order; what several ask of a resource is joined.
        exceptions: That hold until they expire.
        remediation: Who must agree to changes, when they may be made, and how many.
        drift: What may be done about drift without asking.
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")
    rules: tuple[Rule, ...] = Field(min_length=1)
    exceptions: tuple[Exception_, ...] = ()
    remediation: Policy = Policy()
    drift: DriftPolicy = DriftPolicy()

    def expected(self, place: Place) -> frozenset[Resource]:
        """Return the resources that must exist in a place, the account itself if anything is asked of it."""
        names = {(rule.kind, one.name) for rule in self.rules for one in rule.select if one.name is not None}
        resources = {
            Resource(kind, place, _fill(name, place)) for kind, name in names if place.is_home or kind not in GLOBAL
        }
        if self.discovered(place) or any(rule.kind is Kind.ACCOUNT for rule in self.rules):
            resources.add(account_of(place))
        return frozenset(resources)

    def discovered(self, place: Place) -> frozenset[Kind]:
        """Return the kinds whose resources must be listed in a place to know the scope."""
        return frozenset(
            rule.kind
            for rule in self.rules
            for one in rule.select
            if one.name is None and (place.is_home or rule.kind not in GLOBAL)
        )

    def scope(
        self, place: Place, listed: Iterable[Resource], tags: Mapping[str, Mapping[str, str]]
    ) -> dict[Resource, dict[str, Requirement]]:
        """Return what is asked of each resource in scope, by check, in order.

        Args:
            place: Where.
            listed: Resources of the kinds that are discovered there.
            tags: Of resources, by ARN.
        """
        asked = {
            resource: self.asked(resource, tags.get(resource.arn, {}))
            for resource in sorted(self.expected(place).union(listed))
        }
        return {resource: requirements for resource, requirements in asked.items() if requirements}

    def asked(self, resource: Resource, tags: Mapping[str, str]) -> dict[str, Requirement]:
        """Return what is asked of a resource, by check; empty for one that is not in scope."""
        asked: dict[str, Requirement] = {}
        for rule in self.rules:
            if rule.covers(resource, tags):
                asked |= rule.requires
        if resource.kind is Kind.ACCOUNT and (kinds := self.discovered(resource.place)):
            asked[SCOPE_LISTED] = Listed(kinds=tuple(sorted(kinds)))
        return {check: _at(resource.place, requirement) for check, requirement in asked.items()}

    def exception(self, check: str, resource: Resource, today: date) -> Exception_ | None:
        """Return the exception that holds for a check on a resource today, if there is one."""
        for one in self._exceptions_of(check, resource):
            if today <= one.expires:
                return one
        return None

    def _exceptions_of(self, check: str, resource: Resource) -> Iterable[Exception_]:
        return (
            one
            for one in self.exceptions
            if (one.check, one.kind, _fill(one.name, resource.place)) == (check, resource.kind, resource.name)
        )


def _at(place: Place, requirement: Requirement) -> Requirement:
    """Return a requirement with the placeholders filled."""
    return type(requirement).model_validate(_fill(requirement.model_dump(), place))


def parse(text: str) -> Profile:
    """Return the profile that a YAML text describes.

    Raises:
        ProfileInvalid: The text is no YAML, or no profile; the sentence says where and what.
    """
    try:
        return Profile.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        raise ProfileInvalid(f"The profile is no YAML: {' '.join(str(error).split())}.") from None
    except ValidationError as invalid:
        first = invalid.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the top"
        raise ProfileInvalid(
            f"The profile does not hold at {where}: {first['msg'].removeprefix('Value error, ')}."
        ) from None
